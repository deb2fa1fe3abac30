//! The claims of what is issued (entra §3.3, §4.4).
//!
//! Fidelity: documented for users, observed for devices. `aio`, `rh`, `uti` and `xms_ftd` are opaque to
//! everyone but Azure AD; here they are random.

use std::net::IpAddr;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cmglab_ids::Ids;
use cmglab_proto::ids::{AppId, TenantId};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::directory::Resource;
use crate::{Aad, Device, User};

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
        Value::Object(claims)
    }

    /// An access token for a user, on `device` if one is proved.
    pub(crate) fn user(&self, user: &User, device: Option<&Device>) -> Value {
        let mut claims = self.common();
        claims.extend(members(json!({
            "acr": "1",
            "aio": opaque::<24>(self.ids()),
            "amr": if device.is_some() { &["pwd", "rsa"][..] } else { &["pwd"] },
            "name": user.name,
            "oid": user.object_id,
            "scp": PERMISSION,
            "sub": pairwise(user, self.resource.app.app_id),
        })));
        claims.extend(members(if self.version() == 2 { self.user_v2(user) } else { self.user_v1(user) }));
        if let Some(device) = device {
            claims.insert("deviceid".to_owned(), json!(device.id));
        }
        Value::Object(claims)
    }

    /// An ID token for the client, in the version of the endpoint.
    pub(crate) fn id_token(&self, user: &User, version: u8, nonce: Option<&str>) -> Value {
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
            claims.extend(members(json!({"amr": ["pwd"], "upn": user.upn, "unique_name": user.upn})));
        }
        if let Some(nonce) = nonce {
            claims.insert("nonce".to_owned(), json!(nonce));
        }
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

    fn user_v1(&self, user: &User) -> Value {
        let mut claims = json!({
            "appid": self.client,
            "appidacr": "0",
            "ipaddr": self.address,
            "puid": user.puid,
            "unique_name": user.upn,
            "upn": user.upn,
        });
        if let Some((given, family)) = user.name.rsplit_once(' ') {
            claims["given_name"] = json!(given);
            claims["family_name"] = json!(family);
        }
        if let Some(sid) = &user.onprem_sid {
            claims["onprem_sid"] = json!(sid);
        }
        claims
    }

    fn user_v2(&self, user: &User) -> Value {
        json!({"azp": self.client, "azpacr": "0", "preferred_username": user.upn})
    }

    fn ids(&self) -> &Ids {
        &self.aad.deps().ids
    }
}

/// A subject that differs between applications and stays the same for one.
fn pairwise(user: &User, app: AppId) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, format!("{}/{app}", user.object_id).as_bytes()))
}

/// What a client may do for a user at a resource of the lab.
pub(crate) const PERMISSION: &str = "user_impersonation";

fn members(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

fn opaque<const N: usize>(ids: &Ids) -> String {
    URL_SAFE_NO_PAD.encode(ids.bytes::<N>())
}
