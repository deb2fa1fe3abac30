//! The claims of what is issued (entra §3.3, §4.4).
//!
//! Fidelity: documented for users, observed for devices. `aio`, `rh`, `uti` and `xms_ftd` are opaque to
//! everyone but Azure AD; here they are random.

use std::net::IpAddr;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cmglab_ids::Ids;
use cmglab_proto::ids::{AppId, DeviceId, ObjectId, TenantId};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::directory::Resource;
use crate::{Aad, ClaimOptions, Device, User};

/// What every token says.
pub(crate) struct Frame<'a> {
    pub(crate) aad: &'a Aad,
    pub(crate) tenant: TenantId,
    pub(crate) resource: &'a Resource,
    pub(crate) client: AppId,
    pub(crate) issued: Timestamp,
    pub(crate) expires: Timestamp,
    pub(crate) address: IpAddr,
}

/// How a client proved itself: the claim `appidacr` or `azpacr` (entra §4.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClientProof {
    /// Not at all; it is public.
    None,
    /// By a secret.
    Secret,
    /// By an assertion signed with its certificate's key.
    Certificate,
}

/// A user in a token, and how he came there.
pub(crate) struct Subject<'a> {
    pub(crate) user: &'a User,
    /// The device that proved itself.
    pub(crate) device: Option<DeviceId>,
    /// How the user proved himself: `pwd`, `rsa`, `mfa` …
    pub(crate) amr: &'a [&'static str],
    pub(crate) signed_in: Timestamp,
    /// The delegated permissions, space-separated.
    pub(crate) scopes: &'a str,
    pub(crate) client_proof: ClientProof,
}

/// What an ID token says because it was asked to.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Wanted<'a> {
    pub(crate) nonce: Option<&'a str>,
    /// The scope `email`.
    pub(crate) email: bool,
    /// When the user signed in: for whoever says how long ago that may be.
    pub(crate) auth_time: bool,
}

impl<'a> From<Option<&'a str>> for Wanted<'a> {
    fn from(nonce: Option<&'a str>) -> Self {
        Self { nonce, ..Self::default() }
    }
}

impl Frame<'_> {
    /// An access token for a device: no user in it, and `sub` and `oid` are the device.
    pub(crate) fn device(&self, device: &Device) -> Value {
        let mut claims = self.common();
        claims.extend(members(json!({
            "amr": ["rsa"],
            "deviceid": device.id,
            "idp": self.aad.issuer(1, self.tenant),
            "idtyp": "device",
            "ipaddr": self.address,
            "oid": device.object_id,
            "sub": device.id,
            "xms_ftd": opaque::<32>(self.ids()),
            "xms_idrel": "9 22",
        })));
        if self.options().appid_on_device_tokens {
            claims.insert(self.client_claim().to_owned(), json!(self.client));
        }
        self.finished(claims)
    }

    /// An access token for an application itself: `sub` and `oid` are its principal.
    pub(crate) fn application(&self, principal: ObjectId, roles: &[String], proof: ClientProof) -> Value {
        let mut claims = self.common();
        claims.extend(members(json!({
            "aio": opaque::<24>(self.ids()),
            "idp": self.aad.issuer(1, self.tenant),
            "idtyp": "app",
            "oid": principal,
            "sub": principal,
        })));
        self.client_claims(&mut claims, proof);
        if !roles.is_empty() {
            claims.insert("roles".to_owned(), json!(roles));
        }
        self.finished(claims)
    }

    /// An access token for a user.
    pub(crate) fn user(&self, subject: &Subject<'_>) -> Value {
        let user = subject.user;
        let mut claims = self.common();
        claims.extend(members(json!({
            "acr": "1",
            "aio": opaque::<24>(self.ids()),
            "amr": subject.amr,
            "name": user.name,
            "oid": user.object_id,
            "scp": subject.scopes,
            "sub": pairwise(user, self.resource.app.app_id),
        })));
        self.client_claims(&mut claims, subject.client_proof);
        let version = self.version();
        let of_version: &[&str] = if version == 2 { &["preferred_username"] } else { &OF_VERSION_1 };
        if version == 1 {
            claims.insert("puid".to_owned(), json!(user.puid));
            claims.insert("unique_name".to_owned(), json!(user.upn));
        }
        let asked = self.options().optional.iter().map(String::as_str);
        for name in of_version.iter().copied().chain(asked) {
            if let Some(value) = self.optional(name, subject) {
                claims.insert(name.to_owned(), value);
            }
        }
        if let Some(device) = subject.device {
            claims.insert("deviceid".to_owned(), json!(device));
        }
        claims.extend(user.claims.clone());
        self.finished(claims)
    }

    /// An ID token for the client, in the version of the endpoint.
    pub(crate) fn id_token<'a>(
        &self,
        subject: &Subject<'_>,
        version: u8,
        wanted: impl Into<Wanted<'a>>,
    ) -> Value {
        let wanted = wanted.into();
        let user = subject.user;
        let mut claims = members(json!({
            "aud": self.client,
            "iss": self.aad.issuer(version, self.tenant),
            "iat": self.issued.as_second(),
            "nbf": self.issued.as_second(),
            "exp": self.expires.as_second(),
            "name": user.name,
            "oid": user.object_id,
            "preferred_username": user.upn,
            "rh": format!("0.{}", opaque::<32>(self.ids())),
            "sub": pairwise(user, self.client),
            "tid": self.tenant,
            "uti": opaque::<16>(self.ids()),
            "ver": format!("{version}.0"),
        }));
        if version == 1 {
            claims.extend(members(json!({
                "amr": subject.amr, "upn": user.upn, "unique_name": user.upn,
            })));
        }
        if let Some(nonce) = wanted.nonce {
            claims.insert("nonce".to_owned(), json!(nonce));
        }
        for (wanted, name) in [(wanted.email, "email"), (wanted.auth_time, "auth_time")] {
            if let Some(value) = self.optional(name, subject).filter(|_| wanted) {
                claims.insert(name.to_owned(), value);
            }
        }
        claims.extend(user.claims.clone());
        Value::Object(claims)
    }

    /// Whom the token is for: version 1 repeats the name it was asked by, version 2 says the application.
    pub(crate) fn audience(&self) -> String {
        match self.version() {
            2 => self.resource.app.app_id.to_string(),
            _ => self.resource.asked.clone(),
        }
    }

    /// The resource decides the version, not the endpoint.
    pub(crate) fn version(&self) -> u8 {
        self.resource.app.access_token_version
    }

    fn common(&self) -> Map<String, Value> {
        members(json!({
            "aud": self.audience(),
            "iss": self.aad.issuer(self.version(), self.tenant),
            "iat": self.issued.as_second(),
            "nbf": self.issued.as_second(),
            "exp": self.expires.as_second(),
            "rh": format!("0.{}", opaque::<32>(self.ids())),
            "tid": self.tenant,
            "uti": opaque::<16>(self.ids()),
            "ver": format!("{}.0", self.version()),
        }))
    }

    fn client_claims(&self, claims: &mut Map<String, Value>, proof: ClientProof) {
        let name = self.client_claim();
        claims.insert(name.to_owned(), json!(self.client));
        claims.insert(format!("{name}acr"), json!(proof.digit()));
    }

    fn client_claim(&self) -> &'static str {
        if self.version() == 2 { "azp" } else { "appid" }
    }

    /// A claim that a version or a resource may have (entra §4.4).
    fn optional(&self, name: &str, subject: &Subject<'_>) -> Option<Value> {
        let user = subject.user;
        let (given, family) = user.name.rsplit_once(' ').unzip();
        match name {
            // 0 for a member of the tenant, 1 for a guest; the lab has no guests.
            "acct" => Some(json!(0)),
            "auth_time" => Some(json!(subject.signed_in.as_second())),
            "email" | "preferred_username" | "upn" => Some(json!(user.upn)),
            "family_name" => family.map(|name| json!(name)),
            "given_name" => given.map(|name| json!(name)),
            "groups" => Some(json!(user.groups)),
            "idtyp" => Some(json!("user")),
            "ipaddr" => Some(json!(self.address)),
            "onprem_sid" => user.onprem_sid.as_ref().map(|sid| json!(sid)),
            _ => None,
        }
    }

    fn finished(&self, mut claims: Map<String, Value>) -> Value {
        claims.extend(self.options().extra.clone());
        Value::Object(claims)
    }

    fn options(&self) -> &ClaimOptions {
        &self.resource.app.claims
    }

    fn ids(&self) -> &Ids {
        &self.aad.deps().ids
    }
}

impl ClientProof {
    fn digit(self) -> &'static str {
        match self {
            Self::None => "0",
            Self::Secret => "1",
            Self::Certificate => "2",
        }
    }
}

/// A subject that differs between applications and stays the same for one.
pub(crate) fn pairwise(user: &User, app: AppId) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, format!("{}/{app}", user.object_id).as_bytes()))
}

fn members(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

fn opaque<const N: usize>(ids: &Ids) -> String {
    URL_SAFE_NO_PAD.encode(ids.bytes::<N>())
}

const OF_VERSION_1: [&str; 5] = ["family_name", "given_name", "ipaddr", "onprem_sid", "upn"];
