//! Bearer tokens: who issued them, by their own words, and those that the site issued.

use cmglab_events::kinds::{TokenFault, TokenService};
use cmglab_net::Deps;
use cmglab_proto::claims::{AUDIENCE, CcmClaims, SiteClaims, issuer};
use cmglab_proto::sts::{BearerToken, bearer};
use cmglab_site::Site;
use cmglab_token::{Expect, TokenError, peek, verify};
use http::HeaderMap;
use serde_json::Value;

use crate::keys::{self, LEEWAY};
use crate::refused::{Refused, TokenRefused};

/// A token that was only read, never believed: what it says decides which validator looks at it.
#[derive(Debug)]
pub(crate) struct Presented {
    /// The token.
    pub(crate) token: BearerToken,
    /// The part of the management point that asks, for events.
    service: TokenService,
    claims: Value,
}

impl Presented {
    /// The token of a request.
    pub(crate) fn of(headers: &HeaderMap, service: TokenService) -> Result<Self, Refused> {
        let nothing = |fault| TokenRefused { service, issuer: None, audience: None, fault };
        let token =
            bearer(headers).map_err(|error| nothing(TokenFault::Missing { cause: error.to_string() }))?;
        let (_, claims) = peek(token.expose())
            .map_err(|error| nothing(TokenFault::Malformed { cause: error.to_string() }))?;
        Ok(Self { token, service, claims })
    }

    /// The same, looked at by another part of the management point.
    pub(crate) fn shown_to(self, service: TokenService) -> Self {
        Self { service, ..self }
    }

    /// The issuer it claims.
    pub(crate) fn issuer(&self) -> Option<&str> {
        self.claims.get("iss").and_then(Value::as_str)
    }

    /// The audience it claims, the first if there are several.
    pub(crate) fn audience(&self) -> Option<&str> {
        let audience = self.claims.get("aud")?;
        audience.as_str().or_else(|| audience.get(0)?.as_str())
    }

    /// A claim it makes.
    pub(crate) fn claim(&self, name: &str) -> Option<&str> {
        self.claims.get(name).and_then(Value::as_str)
    }

    /// Whether it claims to come from a Configuration Manager site, this or another.
    pub(crate) fn is_of_a_site(&self) -> bool {
        self.issuer().is_some_and(|issuer| issuer.starts_with(SITE_ISSUERS))
    }

    /// The refusal of this token for `fault`.
    pub(crate) fn refused(&self, fault: TokenFault) -> Refused {
        let issuer = self.issuer().map(printable);
        let audience = self.audience().map(printable);
        TokenRefused { service: self.service, issuer, audience, fault }.into()
    }

    /// The claims of a token of this site, verified.
    pub(crate) async fn of_site(&self, site: &Site, deps: &Deps) -> Result<SiteClaims, Refused> {
        let keys = keys::accepted(site).await?;
        let issuer = issuer(&site.hierarchy());
        let expect = Expect {
            issuers: &[issuer.as_str()],
            audiences: &[AUDIENCE],
            now: deps.clock.now(),
            leeway: LEEWAY,
        };
        let pre_auth = self.claim("SCCMTokenCategory") == Some("SCCMPreAuthToken");
        let verified = verify::<Value>(self.token.expose(), &keys, &expect)
            .map_err(|error| self.refused(fault(error, pre_auth)))?;
        let parsed = SiteClaims::parse(verified.claims.to_string().as_bytes());
        parsed.map_err(|error| self.refused(TokenFault::Malformed { cause: error.to_string() }))
    }

    /// The claims of a CCM token of this site, verified; any other kind of token is refused.
    pub(crate) async fn ccm(&self, site: &Site, deps: &Deps) -> Result<CcmClaims, Refused> {
        if !self.is_of_a_site() {
            return Err(self.wrong_purpose(AAD_TOKEN, CCM_TOKEN));
        }
        match self.of_site(site, deps).await? {
            SiteClaims::Ccm(claims) => Ok(claims),
            SiteClaims::Bulk(_) => Err(self.wrong_purpose(BULK_TOKEN, CCM_TOKEN)),
        }
    }

    /// The refusal of a token that may be good, but not for this.
    pub(crate) fn wrong_purpose(&self, got: &str, due: &str) -> Refused {
        self.refused(TokenFault::WrongPurpose { got: got.to_owned(), due: due.to_owned() })
    }
}

/// The typed cause in the words of events.
pub(crate) fn fault(error: TokenError, pre_auth: bool) -> TokenFault {
    match error {
        TokenError::Expired { valid_to, now } => TokenFault::Expired { valid_to, now, pre_auth },
        TokenError::NotYetValid { valid_from, now } => TokenFault::NotYetValid { valid_from, now },
        TokenError::Issuer { .. } | TokenError::Audience { .. } => TokenFault::NoValidator,
        TokenError::Unsigned
        | TokenError::Algorithm(_)
        | TokenError::UnknownKey { .. }
        | TokenError::Signature => TokenFault::Signature { cause: error.to_string() },
        other => TokenFault::Malformed { cause: other.to_string() },
    }
}

/// The start of foreign text, without what could break a line of a log.
pub(crate) fn printable(text: &str) -> String {
    text.chars().take(256).map(|char| if char.is_control() { ' ' } else { char }).collect()
}

/// How events call the kinds of token.
pub(crate) const AAD_TOKEN: &str = "an AAD token";
pub(crate) const BULK_TOKEN: &str = "a bulk registration token";
pub(crate) const CCM_TOKEN: &str = "a CCM token";
const SITE_ISSUERS: &str = "urn:sccm:oauth2:";
