//! The token endpoints: which grant a request makes, and what all answers share (entra §3, §4.5).

pub(crate) mod authorization_code;
pub(crate) mod client_auth;
mod client_credentials;
mod device;
pub(crate) mod device_code;
pub(crate) mod for_user;
mod on_behalf_of;
pub(crate) mod password;
mod peer_to_peer;
mod prt;
pub(crate) mod redirect;
pub(crate) mod refresh;
pub(crate) mod scope;

use cmglab_events::kinds::AadEvent;
use cmglab_proto::claims::AadTokenKind;
use cmglab_proto::ids::{AppId, DeviceId, ObjectId, TenantId};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use crate::Aad;
use crate::answer::{Outcome, Trouble};
use crate::ask::Ask;
use crate::claims::Frame;
use crate::directory::Resource;
use crate::errors::{MISSING_PARAMETER, Refusal, UNKNOWN_TENANT, UNSUPPORTED_GRANT};
use crate::form::Form;
use crate::route::Version;
use crate::tenant_ref::TenantRef;

/// A request for a token.
pub(crate) struct Request<'a> {
    pub(crate) aad: &'a Aad,
    pub(crate) ask: &'a Ask,
    pub(crate) path: TenantRef,
    pub(crate) version: Version,
    pub(crate) form: Form,
}

/// Answers a token endpoint.
pub(crate) fn answer(aad: &Aad, ask: &Ask, tenant: &str, version: Version) -> Outcome {
    let form = ask.form()?.clone();
    let path = aad.directory().tenant_ref(tenant);
    let request = Request { aad, ask, path, version, form };
    let unbuilt = |gap: &str| Err(Trouble::NotBuilt(gap.to_owned()));
    match request.needed("grant_type")? {
        "srv_challenge" => request.nonce(),
        "password" => password::answer(&request),
        JWT_BEARER if request.form.get("request").is_some() => device::answer(&request),
        JWT_BEARER if request.form.get("assertion").is_some() => on_behalf_of::answer(&request),
        JWT_BEARER => Err(MISSING_PARAMETER.about(&["request"]).into()),
        "authorization_code" => authorization_code::answer(&request),
        "client_credentials" => client_credentials::answer(&request),
        "device_code" | "urn:ietf:params:oauth:grant-type:device_code" => device_code::answer(&request),
        "refresh_token" => refresh::answer(&request),
        SAML_1 | SAML_2 => unbuilt("the SAML assertion grants"),
        other => Err(UNSUPPORTED_GRANT.about(&[other]).into()),
    }
}

impl Request<'_> {
    /// A parameter that the request cannot do without.
    fn needed(&self, name: &str) -> Result<&str, Refusal> {
        self.form.get(name).ok_or_else(|| MISSING_PARAMETER.about(&[name]))
    }

    fn nonce(&self) -> Outcome {
        if let TenantRef::Unknown(name) = &self.path {
            return Err(UNKNOWN_TENANT.about(&[name]).into());
        }
        let (nonce, expires) = self.aad.nonces().issue(self.ask.now, &self.aad.deps().ids);
        self.ask.voice.emit(AadEvent::NonceIssued { expires });
        Ok(json!({"Nonce": nonce}).into())
    }

    fn expires(&self, seconds: u32) -> Timestamp {
        let lifetime = SignedDuration::from_secs(i64::from(seconds));
        self.ask.now.saturating_add(lifetime).unwrap_or(Timestamp::MAX)
    }

    /// Signs the access token and forms the answer around it. Version 1 answers write numbers as strings.
    fn bearer(&self, frame: &Frame<'_>, claims: &Value) -> Result<Map<String, Value>, Trouble> {
        let token = self.aad.sign(frame.version(), claims)?;
        let (from, to) = (frame.issued.as_second(), frame.expires.as_second());
        // One second less: by the time it is read, that much has passed (entra §3.2).
        let left = to - from - 1;
        let body = match self.version {
            Version::V1 => json!({
                "token_type": "Bearer",
                "expires_in": left.to_string(),
                "ext_expires_in": left.to_string(),
                "expires_on": to.to_string(),
                "not_before": from.to_string(),
                "resource": frame.resource.asked,
                "access_token": token,
            }),
            Version::V2 => json!({
                "token_type": "Bearer",
                "expires_in": left,
                "ext_expires_in": left,
                "access_token": token,
            }),
        };
        match body {
            Value::Object(members) => Ok(members),
            _ => Ok(Map::new()),
        }
    }

    fn issued(&self, grant: &str, frame: &Frame<'_>, device: Option<DeviceId>, user: Option<ObjectId>) {
        let kind = match (user, device) {
            (None, None) => None,
            (None, Some(_)) => Some(AadTokenKind::Device),
            (Some(_), Some(_)) => Some(AadTokenKind::Uda),
            (Some(_), None) => Some(AadTokenKind::User),
        };
        self.ask.voice.emit(AadEvent::TokenIssued {
            grant: grant.to_owned(),
            kind,
            tenant: frame.tenant,
            device,
            user,
            client_id: frame.client,
            resource: frame.audience(),
            expires: frame.expires,
        });
    }

    fn frame<'a>(
        &'a self,
        tenant: TenantId,
        client: AppId,
        resource: &'a Resource,
        seconds: u32,
    ) -> Frame<'a> {
        Frame {
            aad: self.aad,
            tenant,
            resource,
            client,
            issued: self.ask.now,
            expires: self.expires(seconds),
            address: self.ask.address(),
        }
    }
}

const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const SAML_1: &str = "urn:ietf:params:oauth:grant-type:saml1_1-bearer";
const SAML_2: &str = "urn:ietf:params:oauth:grant-type:saml2-bearer";
