//! Who asks: an Azure AD user, or the holder of a client certificate.
//!
//! Fidelity: documented that there are these two (configmgr §6). The console signs a user in through a
//! browser; the lab asks for the same token with the user's password (RFC 6749 §4.3).

use std::fmt::Write as _;

use cmglab_net::{Answer, Call};
use cmglab_pki::{PrivateKey, TrustBundle};
use cmglab_proto::ids::{AppId, TenantId};
use cmglab_proto::sts::BearerToken;
use http::Method;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::advice;
use super::probe::{Probe, Trouble, printable};
use super::report::{Fault, Tested};
use crate::{LabError, Topology};

/// Who asks.
#[derive(Debug, Clone)]
pub enum SignIn {
    /// An Azure AD user.
    User(UserSignIn),
    /// The holder of a client certificate.
    Certificate(cmglab_tls::Identity),
}

/// An Azure AD user, and the site's app to sign in to.
#[derive(Clone, PartialEq, Eq)]
pub struct UserSignIn {
    /// The user's tenant.
    pub tenant: TenantId,
    /// The native app.
    pub client_app: AppId,
    /// App ID URI of the web app.
    pub resource: String,
    /// User principal name.
    pub upn: String,
    /// Password; the lab's own, never a real one.
    pub password: Zeroizing<String>,
}

/// What an analysis is made with.
#[derive(Debug)]
pub(super) enum Proof {
    AadToken(BearerToken),
    Certificate,
}

impl SignIn {
    /// The user with this UPN, or whoever is logged on at the topology's device; a user of the topology needs
    /// no password here.
    ///
    /// # Errors
    /// [`LabError`] when nobody is logged on, no tenant has the UPN's domain, or the password is unknown.
    pub fn user(topology: &Topology, upn: Option<&str>, password: Option<String>) -> Result<Self, LabError> {
        let trouble = |cause: String| LabError { part: "sign-in".to_owned(), cause };
        let upn = upn.or(topology.client.logged_on.as_deref());
        let upn = upn.ok_or_else(|| trouble("nobody is logged on in this lab; name a user".to_owned()))?;
        let domain = upn.rsplit_once('@').map_or("", |(_name, domain)| domain);
        let known = topology.user(upn);
        let tenant = topology.azure_ad.tenants.iter().find(|tenant| match known {
            Some(user) => tenant.users.contains(user),
            None => {
                let mut domains = std::iter::once(&tenant.domain).chain(&tenant.other_domains);
                domains.any(|one| one.eq_ignore_ascii_case(domain))
            }
        });
        let tenant = tenant.ok_or_else(|| {
            trouble(format!("no tenant of this lab has the domain of '{}'", printable(upn)))
        })?;
        let password = password.or_else(|| known.map(|user| user.password.clone()));
        let password = password
            .ok_or_else(|| trouble(format!("'{}' is not in this lab; give a password", printable(upn))))?;
        Ok(Self::User(UserSignIn {
            tenant: tenant.id,
            client_app: tenant.client_app,
            resource: tenant.resource.clone(),
            upn: upn.to_owned(),
            password: Zeroizing::new(password),
        }))
    }

    /// The holder of a certificate, from a PEM text with its private key (PKCS#8) and its chain, leaf first.
    ///
    /// # Errors
    /// [`LabError`] says what is missing or cannot be read.
    pub fn certificate_of_pem(pem: &str) -> Result<Self, LabError> {
        const PART: &str = "client certificate";
        let key = PrivateKey::from_pem(pem).map_err(LabError::of(PART))?;
        let chain = TrustBundle::from_pem(pem).map_err(LabError::of(PART))?.certificates().to_vec();
        if chain.is_empty() {
            let cause = "there is no CERTIFICATE block; give key and chain in one PEM file".to_owned();
            return Err(LabError { part: PART.to_owned(), cause });
        }
        let identity = cmglab_tls::Identity::new("the analyzer", chain, key.pkcs8_der());
        Ok(Self::Certificate(identity.map_err(LabError::of(PART))?))
    }

    pub(super) fn certificate(&self) -> Option<cmglab_tls::Identity> {
        match self {
            Self::User(_) => None,
            Self::Certificate(identity) => Some(identity.clone()),
        }
    }
}

impl UserSignIn {
    /// The name of its step.
    pub(super) fn step(&self) -> String {
        format!("Signing in to Azure AD as '{}'", printable(&self.upn))
    }

    fn call(&self) -> Call {
        let client_app = self.client_app.to_string();
        let form = form(&[
            ("grant_type", "password"),
            ("client_id", &client_app),
            ("resource", &self.resource),
            ("username", &self.upn),
            ("password", &self.password),
            ("scope", "openid"),
        ]);
        let url = format!("https://{}/{}/oauth2/token", cmglab_aad::Hosts::documented().login, self.tenant);
        Call::new(Method::POST, url).body("application/x-www-form-urlencoded", form)
    }
}

/// Asks Azure AD for a token for the site.
pub(super) async fn test(probe: &Probe<'_>, user: &UserSignIn) -> Tested<Proof> {
    let fault = |why: String, advice| Fault { description: format!("Failed to sign in. {why}"), advice };
    let trouble = |trouble: Trouble| fault(trouble.sentence(), advice::azure_ad(&trouble));
    let answer = probe.send(&user.call()).await.map_err(|error| trouble(Trouble::Unanswered(error)))?;
    if answer.status != 200 {
        return Err(fault(refusal(&answer), advice::SIGN_IN));
    }
    let read: Result<TokenAnswer, _> = serde_json::from_slice(&answer.body);
    // The reader's own words could quote the token.
    let unusable = || trouble(Trouble::Unusable("it holds no access token".to_owned()));
    let token = read.ok().and_then(|answer| answer.access_token.parse().ok()).ok_or_else(unusable)?;
    Ok((format!("Azure AD issued a user token for '{}'.", user.resource), Proof::AadToken(token)))
}

/// Azure AD's own words, where there are any, without the ids of the request behind them.
fn refusal(answer: &Answer) -> String {
    let read: ErrorAnswer = serde_json::from_slice(&answer.body).unwrap_or_default();
    match read.error_description.split(TRACE).next().map(|words| printable(words.trim())) {
        Some(words) if !words.is_empty() => words,
        _ => Trouble::Refused { status: answer.status, reason: printable(&answer.reason) }.sentence(),
    }
}

/// `application/x-www-form-urlencoded` (WHATWG URL §5.2), with `%20` for a space, which is the same.
fn form(pairs: &[(&str, &str)]) -> String {
    let mut out = String::new();
    for (name, value) in pairs {
        let separator = if out.is_empty() { "" } else { "&" };
        let _infallible = write!(out, "{separator}{name}=");
        for byte in value.bytes() {
            let _infallible = match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'*' => {
                    out.write_char(char::from(byte))
                }
                _ => write!(out, "%{byte:02X}"),
            };
        }
    }
    out
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ErrorAnswer {
    error_description: String,
}

impl std::fmt::Debug for UserSignIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UserSignIn")
            .field("tenant", &self.tenant)
            .field("upn", &self.upn)
            .field("password", &"[REDACTED]")
            .finish_non_exhaustive()
    }
}

/// What follows the words (entra §5.1).
const TRACE: &str = "Trace ID:";

#[cfg(test)]
mod tests;
