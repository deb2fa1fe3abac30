//! What an authorization request asks for.

use cmglab_proto::ids::{AppId, DeviceId, TenantId};

use serde_json::Value;

use super::back::{Back, Mode};
use super::browser::Browser;
use super::redirect_uri::registered;
use crate::Aad;
use crate::errors::{
    BAD_SCOPE, MALFORMED, MISSING_PARAMETER, PROMPT, REDIRECT_URI, RESPONSE_MODE, RESPONSE_TYPE, Refusal,
};
use crate::form::Form;
use crate::grant::authorization_code::Challenge;
use crate::grant::scope::Target;
use crate::route::Version;
use crate::tenant_ref::TenantRef;

/// An authorization request whose client and redirect URI are good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wish {
    pub(crate) version: Version,
    pub(crate) path: TenantRef,
    pub(crate) client: AppId,
    pub(crate) back: Back,
    /// Whether the request named the redirect URI.
    pub(crate) redirect_uri_given: bool,
    pub(crate) code: bool,
    pub(crate) id_token: bool,
    /// What the code is for; version 1 may leave that to the token request.
    pub(crate) target: Option<Target>,
    pub(crate) prompt: Prompt,
    pub(crate) login_hint: Option<String>,
    pub(crate) nonce: Option<String>,
    pub(crate) challenge: Option<Challenge>,
    pub(crate) client_info: bool,
    /// How many seconds ago the user may have signed in, if that matters.
    pub(crate) max_age: Option<u32>,
    /// Whether the ID token is to say when the user signed in.
    pub(crate) auth_time: bool,
    /// The device that proved itself with the request, and its tenant.
    pub(crate) device: Option<(TenantId, DeviceId)>,
    /// The browser that has the sign-in page open.
    pub(crate) browser: Option<Browser>,
    /// Whether somebody has signed in on that page.
    pub(crate) ended: bool,
}

/// Whether the user may be asked, or must be: `prompt`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Prompt {
    /// Only if need be.
    AsNeeded,
    /// In any case.
    Always,
    /// Never.
    Never,
}

impl Prompt {
    pub(super) fn page(self) -> bool {
        self == Self::Always
    }

    pub(super) fn silent(self) -> bool {
        self == Self::Never
    }

    fn read(text: &str) -> Result<Self, Refusal> {
        let words: Vec<_> = text.split_ascii_whitespace().collect();
        if words == ["none"] {
            return Ok(Self::Never);
        }
        let mut prompt = Self::AsNeeded;
        for word in words {
            match word {
                // Consent is given in the directory, so there is nothing to ask for.
                "consent" | "admin_consent" => {}
                "login" | "select_account" | "create" | "refresh_session" => prompt = Self::Always,
                _ => return Err(PROMPT.about(&[text])),
            }
        }
        Ok(prompt)
    }
}

/// The client of a request and the way back to it, once both can be trusted.
pub(super) fn destination(aad: &Aad, path: &TenantRef, params: &Form) -> Result<(AppId, Back), Refusal> {
    let id = params.get("client_id").ok_or_else(|| MISSING_PARAMETER.about(&["client_id"]))?;
    let directory = aad.directory();
    let client = directory.client_at(path, id)?;
    let known = client.redirect_uris.as_slice();
    let uri = match (params.get("redirect_uri"), known) {
        (Some(uri), _) if registered(uri, known) => uri,
        (None, [only]) => only,
        (None, _) => return Err(MISSING_PARAMETER.about(&["redirect_uri"])),
        (Some(uri), _) => return Err(REDIRECT_URI.about(&[uri, &client.app_id.to_string()])),
    };
    let fragment = params.get("response_type").is_some_and(|kinds| kinds.contains("token"));
    let default = if fragment { Mode::Fragment } else { Mode::Query };
    let asked = params.get("response_mode").and_then(Mode::named);
    // What must not stand in a query does not go there, whatever was asked; that is refused later.
    let mode = asked.filter(|mode| !(fragment && *mode == Mode::Query)).unwrap_or(default);
    let state = params.get("state").map(str::to_owned);
    Ok((client.app_id, Back { uri: uri.to_owned(), mode, state }))
}

impl Wish {
    /// Reads the rest of a request.
    pub(super) fn read(
        path: TenantRef,
        version: Version,
        client: AppId,
        back: Back,
        params: &Form,
    ) -> Result<Self, Refusal> {
        let (code, id_token) = response_type(params)?;
        response_mode(params, id_token)?;
        let text = |name: &str| params.get(name).map(str::to_owned);
        let nonce = text("nonce");
        if id_token && nonce.is_none() {
            return Err(MISSING_PARAMETER.about(&["nonce"]));
        }
        let openid =
            params.get("scope").unwrap_or_default().split_ascii_whitespace().any(|one| one == "openid");
        if id_token && version == Version::V2 && !openid {
            return Err(BAD_SCOPE.about(&["An ID token needs the scope openid."]));
        }
        Ok(Self {
            version,
            path,
            client,
            back,
            redirect_uri_given: params.get("redirect_uri").is_some(),
            code,
            id_token,
            target: target(version, params)?,
            prompt: Prompt::read(params.get("prompt").unwrap_or_default())?,
            login_hint: text("login_hint"),
            nonce,
            challenge: Challenge::read(params)?,
            client_info: params.get("client_info") == Some("1"),
            max_age: max_age(params)?,
            auth_time: params.get("max_age").is_some() || asks_auth_time(params),
            device: None,
            browser: None,
            ended: false,
        })
    }
}

/// Whether a code is asked for, and whether an ID token is.
fn response_type(params: &Form) -> Result<(bool, bool), Refusal> {
    let kinds = params.get("response_type").ok_or_else(|| MISSING_PARAMETER.about(&["response_type"]))?;
    let mut words: Vec<_> = kinds.split_ascii_whitespace().collect();
    words.sort_unstable();
    match words.as_slice() {
        ["code"] => Ok((true, false)),
        ["id_token"] => Ok((false, true)),
        ["code", "id_token"] => Ok((true, true)),
        _ => Err(RESPONSE_TYPE.about(&[kinds])),
    }
}

/// The response type, if it asks for an access token beside whatever else.
pub(super) fn with_access_token(params: &Form) -> Option<String> {
    let mut words: Vec<_> = params.get("response_type")?.split_ascii_whitespace().collect();
    words.sort_unstable();
    let known = matches!(
        words.as_slice(),
        ["token"] | ["code", "token"] | ["id_token", "token"] | ["code", "id_token", "token"]
    );
    known.then(|| words.join(" "))
}

/// Whether the ID token is asked for the claim (OpenID Connect Core §5.5).
fn asks_auth_time(params: &Form) -> bool {
    let asked = params.get("claims").and_then(|text| serde_json::from_str::<Value>(text).ok());
    asked.is_some_and(|asked| asked.pointer("/id_token/auth_time").is_some())
}

fn max_age(params: &Form) -> Result<Option<u32>, Refusal> {
    let seconds = params.get("max_age").map(str::parse).transpose();
    seconds.map_err(|_| MALFORMED.about(&["max_age is a number of seconds"]))
}

fn response_mode(params: &Form, id_token: bool) -> Result<(), Refusal> {
    let Some(name) = params.get("response_mode") else { return Ok(()) };
    match Mode::named(name) {
        Some(Mode::Query) if id_token => Err(RESPONSE_MODE.about(&[name, "a token"])),
        Some(_) => Ok(()),
        None => Err(RESPONSE_MODE.about(&[name, "a code or a token"])),
    }
}

fn target(version: Version, params: &Form) -> Result<Option<Target>, Refusal> {
    // Version 2 does not know the parameter `resource`.
    let resource = params.get("resource").filter(|_| version == Version::V1);
    match Target::of(version, resource, params.get("scope")) {
        Ok(target) => Ok(Some(target)),
        Err(refusal) if version == Version::V1 && refusal.row == &MISSING_PARAMETER => Ok(None),
        Err(refusal) => Err(refusal),
    }
}
