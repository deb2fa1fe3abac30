//! The authorization code grant (entra §4.5; RFC 6749 §4.1, RFC 7636).
//!
//! Fidelity: documented. A code is good once, for its client, at its tenant, for its redirect URI, and for
//! who knows the verifier of its challenge.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use subtle::ConstantTimeEq as _;

use super::for_user::{Extras, SignIn};
use super::refresh::{not_revoked, same_tenant};
use super::scope::{Target, names_resource};
use super::{Request, client_auth};
use crate::Aad;
use crate::answer::{Outcome, Reply};
use crate::authorize::Wish;
use crate::errors::{
    CHALLENGE_MISSING, CHALLENGE_SIZE, CODE_EXPIRED, CODE_REDEEMED, CODE_REDIRECT_URI, GRANT_MALFORMED,
    GRANT_OF_OTHER_CLIENT, MALFORMED, MISSING_PARAMETER, Refusal, VERIFIER_MISSING, VERIFIER_WRONG,
};
use crate::form::Form;
use crate::route::Version;
use crate::tickets::Found;

/// What stands behind a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Code {
    sign_in: SignIn,
    target: Option<Target>,
    /// The redirect URI, and whether the authorization request named it.
    redirect_uri: (String, bool),
    challenge: Option<Challenge>,
    nonce: Option<String>,
    auth_time: bool,
    client_info: bool,
    issued: Timestamp,
    redeemed: bool,
}

/// What the verifier of whoever redeems a code must fit.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Challenge {
    /// It is the verifier.
    Plain(String),
    /// It is the SHA-256 of the verifier.
    S256(String),
}

impl Challenge {
    /// Reads the challenge of an authorization request.
    pub(crate) fn read(params: &Form) -> Result<Option<Self>, Refusal> {
        let method = params.get("code_challenge_method");
        let Some(challenge) = params.get("code_challenge") else {
            return method.map_or(Ok(None), |_| Err(CHALLENGE_MISSING.plain()));
        };
        if !sound(challenge) {
            return Err(CHALLENGE_SIZE.plain());
        }
        match method {
            None | Some("plain") => Ok(Some(Self::Plain(challenge.to_owned()))),
            Some("S256") => Ok(Some(Self::S256(challenge.to_owned()))),
            Some(_) => Err(MALFORMED.about(&["code_challenge_method is S256 or plain"])),
        }
    }

    fn fits(&self, verifier: &str) -> bool {
        let (expected, found) = match self {
            Self::Plain(challenge) => (challenge, verifier.to_owned()),
            Self::S256(challenge) => {
                (challenge, URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes())))
            }
        };
        sound(verifier) && bool::from(expected.as_bytes().ct_eq(found.as_bytes()))
    }
}

/// A plain challenge is a secret.
impl std::fmt::Debug for Challenge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if matches!(self, Self::Plain(_)) { "Plain([redacted])" } else { "S256([redacted])" })
    }
}

impl Code {
    pub(crate) fn new(wish: &Wish, sign_in: SignIn, issued: Timestamp) -> Self {
        Self {
            sign_in,
            target: wish.target.clone(),
            redirect_uri: (wish.back.uri.clone(), wish.redirect_uri_given),
            challenge: wish.challenge.clone(),
            nonce: wish.nonce.clone(),
            auth_time: wish.auth_time,
            client_info: wish.client_info,
            issued,
            redeemed: false,
        }
    }

    fn same_redirect_uri(&self, given: Option<&str>) -> Result<(), Refusal> {
        let (uri, named) = &self.redirect_uri;
        match given {
            Some(given) if given == uri => Ok(()),
            Some(given) => Err(CODE_REDIRECT_URI.about(&[given, uri])),
            None if *named => Err(MISSING_PARAMETER.about(&["redirect_uri"])),
            None => Ok(()),
        }
    }

    fn verified(&self, verifier: Option<&str>) -> Result<(), Refusal> {
        match (&self.challenge, verifier) {
            (None, None) => Ok(()),
            (Some(_), None) => Err(VERIFIER_MISSING.plain()),
            (Some(challenge), Some(verifier)) if challenge.fits(verifier) => Ok(()),
            // A verifier without a challenge means that someone took the challenge out on the way.
            (Some(_) | None, Some(_)) => Err(VERIFIER_WRONG.plain()),
        }
    }

    /// What the tokens are for: what the token request names, or else what the code was asked for.
    fn target(&self, request: &Request<'_>) -> Result<Target, Refusal> {
        let form = &request.form;
        let resource = form.get("resource").filter(|_| request.version == Version::V1);
        let scope = form.get("scope").filter(|scope| names_resource(scope));
        match &self.target {
            Some(target) if resource.is_none() && scope.is_none() => Ok(target.clone()),
            earlier => {
                let mut target = Target::named(request.version, resource, form.get("scope"))?;
                target.offline |= earlier.as_ref().is_some_and(|earlier| earlier.offline);
                Ok(target)
            }
        }
    }
}

impl Aad {
    /// Keeps a code; its text.
    pub(crate) fn keep_code(&self, mut code: Code, now: Timestamp) -> String {
        code.issued = self.instant(code.sign_in.user, now);
        let lifetime = SignedDuration::from_secs(i64::from(self.lifetimes().code));
        let expires = now.saturating_add(lifetime).unwrap_or(Timestamp::MAX);
        self.codes().issue("0.A", code, now, expires, &self.deps().ids)
    }
}

/// Answers the authorization code grant.
pub(super) fn answer(request: &Request<'_>) -> Outcome {
    let text = request.needed("code")?;
    let code = find(request.aad, text, request.ask.now)?;
    let tenant = same_tenant(&request.path, code.sign_in.tenant)?;
    let (client, proof) = client_auth::client(request, tenant)?;
    if client.app_id != code.sign_in.client {
        return Err(GRANT_OF_OTHER_CLIENT.about(&[&client.app_id.to_string()]).into());
    }
    not_revoked(request.aad, code.sign_in.user, code.issued)?;
    code.same_redirect_uri(request.form.get("redirect_uri"))?;
    code.verified(request.form.get("code_verifier"))?;
    let target = code.target(request)?;
    let redeemed = request.aad.codes().change(text, |code| std::mem::replace(&mut code.redeemed, true));
    if redeemed != Some(false) {
        return Err(CODE_REDEEMED.plain().into());
    }
    let extras = Extras {
        nonce: code.nonce.as_deref(),
        auth_time: code.auth_time,
        refresh: target.wants_refresh(request.version),
        // Version 1 gives one whether it is asked for or not.
        id_token: request.version == Version::V1 || code.target.as_ref().is_some_and(Target::wants_id_token),
        client_info: code.client_info,
    };
    let body = request.for_user("authorization_code", &code.sign_in, proof, &target, extras)?;
    Ok(Reply::from(body))
}

fn find(aad: &Aad, text: &str, now: Timestamp) -> Result<Code, Refusal> {
    match aad.codes().find(text, now) {
        Found::Live(code) | Found::Expired(code) if code.redeemed => Err(CODE_REDEEMED.plain()),
        Found::Live(code) => Ok(code),
        Found::Expired(code) => {
            let lifetime = aad.lifetimes().code.to_string();
            Err(CODE_EXPIRED.about(&[&code.issued.to_string(), &lifetime]))
        }
        Found::Unknown => Err(GRANT_MALFORMED.about(&["the code is not one of this service"])),
    }
}

/// Challenge and verifier alike (RFC 7636 §4.1).
fn sound(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    (43..=128).contains(&text.len()) && text.bytes().all(plain)
}
