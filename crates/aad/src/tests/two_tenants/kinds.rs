//! What tenants give out.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde_json::{Value, json};

use super::super::broker::{Held, SIGN_IN, blob, held};
use super::super::clients::{Browser, WEB_URI, claims};
use super::super::lab::*;
use super::sides::{Side, World};
use super::uses::{JWT_BEARER, authorize_target};
use crate::route::Version;

/// A kind of thing that is given out, or the way to use one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A refresh token of the native client.
    RefreshToken,
    /// The same of the broker, which is a client of both tenants.
    BrokersRefreshToken,
    /// The same on a device, for a primary refresh token.
    RefreshTokenOnDevice,
    /// The user's name and password.
    Password,
    /// The same on a device.
    PasswordOnDevice,
    /// An authorization code of the web application.
    Code,
    /// A device code that the user has approved.
    DeviceCode,
    /// The user's sign-in for a device that waits.
    DeviceCodeApproval,
    /// The same where the broker waits.
    BrokersDeviceCodeApproval,
    /// The proof of a device, for its token.
    DeviceToken,
    /// The same, for a certificate.
    PeerCertificate,
    /// A primary refresh token.
    PrimaryToken,
    /// The same beside an authorization request.
    SingleSignOn,
    /// The same for the broker.
    BrokersSingleSignOn,
    /// The session of a browser.
    Session,
    /// The same for the broker.
    BrokersSession,
    /// The secret of the web application.
    ClientSecret,
    /// An assertion of the web application.
    ClientAssertion,
    /// An assertion of the application beside it, for the token endpoint of this tenant.
    AssertionForTenant,
    /// A user's token for the web application.
    OnBehalfOf,
    /// A user's token for device registration; across it says that it is of the other tenant.
    Registration,
    /// The same to register a key; across it is of the other tenant, or on its device.
    KeyProvisioning,
    /// A key that a user has registered.
    Key,
    /// The same, for the user of the same name beside it.
    KeyForOtherUser,
    /// The certificate of a device that leaves.
    Deletion,
}

pub(super) const KINDS: &[Kind] = &[
    Kind::RefreshToken,
    Kind::BrokersRefreshToken,
    Kind::RefreshTokenOnDevice,
    Kind::Password,
    Kind::PasswordOnDevice,
    Kind::Code,
    Kind::DeviceCode,
    Kind::DeviceCodeApproval,
    Kind::BrokersDeviceCodeApproval,
    Kind::DeviceToken,
    Kind::PeerCertificate,
    Kind::PrimaryToken,
    Kind::SingleSignOn,
    Kind::BrokersSingleSignOn,
    Kind::Session,
    Kind::BrokersSession,
    Kind::ClientSecret,
    Kind::ClientAssertion,
    Kind::AssertionForTenant,
    Kind::OnBehalfOf,
    Kind::Registration,
    Kind::KeyProvisioning,
    Kind::Key,
    Kind::KeyForOtherUser,
    Kind::Deletion,
];

/// Something that was given out.
pub(super) enum Thing {
    /// What needs no more than to be known.
    Known,
    Text(String),
    Prt(Held),
    Device(Joined),
}

impl Kind {
    /// Whether no client or device of the other tenant can stand beside it.
    pub(super) fn has_path_alone(self) -> bool {
        self == Self::PeerCertificate || self.is_brokers()
    }

    /// Whether the client is the broker.
    pub(super) fn is_brokers(self) -> bool {
        matches!(
            self,
            Self::BrokersRefreshToken
                | Self::BrokersDeviceCodeApproval
                | Self::BrokersSingleSignOn
                | Self::BrokersSession
        )
    }

    /// Whether it is used where paths name no tenant.
    pub(super) fn has_no_path(self) -> bool {
        matches!(self, Self::Registration | Self::KeyProvisioning | Self::Deletion)
    }
}

/// Has a tenant give something out.
pub(super) async fn mint(world: &World, kind: Kind, side: &Side) -> Thing {
    let refresh = |reply: Reply| Thing::Text(reply.json["refresh_token"].as_str().unwrap().to_owned());
    match kind {
        Kind::RefreshToken => refresh(world.signed_in(side, &side.native.to_string(), RESOURCE).await),
        Kind::BrokersRefreshToken | Kind::RefreshTokenOnDevice => {
            refresh(world.signed_in(side, BROKER, DRS).await)
        }
        Kind::Code => Thing::Text(code(world, side).await),
        Kind::DeviceCode => Thing::Text(device_code(world, side).await),
        Kind::PrimaryToken | Kind::SingleSignOn | Kind::BrokersSingleSignOn => {
            Thing::Prt(prt(world, side).await)
        }
        Kind::Session | Kind::BrokersSession => Thing::Text(session(world, side).await),
        Kind::OnBehalfOf => Thing::Text(world.token(side, &side.native.to_string(), WEB_URI).await),
        Kind::Registration => Thing::Text(world.token(side, BROKER, DRS).await),
        Kind::KeyProvisioning => Thing::Text(on_device(world, side).await),
        Kind::Key | Kind::KeyForOtherUser => {
            register_key(world, side).await;
            Thing::Known
        }
        Kind::Deletion => Thing::Device(world.join(side).await),
        Kind::Password
        | Kind::PasswordOnDevice
        | Kind::DeviceCodeApproval
        | Kind::BrokersDeviceCodeApproval
        | Kind::DeviceToken
        | Kind::PeerCertificate
        | Kind::ClientSecret
        | Kind::ClientAssertion
        | Kind::AssertionForTenant => Thing::Known,
    }
}

impl Thing {
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Prt(prt) => &prt.text,
            Self::Known | Self::Device(_) => panic!("it has no text"),
        }
    }
}

/// A good assertion of an application for a tenant.
pub(super) fn assertion_claims(of: &Side, at: &Side) -> Value {
    let mut claims = claims();
    claims["aud"] = json!(format!("https://login.microsoftonline.com/{}/oauth2/v2.0/token", at.tenant));
    (claims["iss"], claims["sub"]) = (json!(of.web), json!(of.web));
    claims
}

/// Of the user's sign-in on a page.
async fn code(world: &World, side: &Side) -> String {
    let target = authorize_target(side.domain, Version::V2, &side.web.to_string(), "");
    let reply = Browser::default().sign_in(&world.lab, &target, side.upn).await;
    super::back(&reply, "code").unwrap()
}

async fn session(world: &World, side: &Side) -> String {
    let mut browser = Browser::default();
    browser
        .sign_in(&world.lab, &authorize_target(side.domain, Version::V2, &side.web.to_string(), ""), side.upn)
        .await;
    browser.cookie.unwrap()
}

async fn device_code(world: &World, side: &Side) -> String {
    let (client, scope) = (side.native.to_string(), format!("{RESOURCE}/.default"));
    let form = [("client_id", client.as_str()), ("scope", scope.as_str())];
    let reply = world.lab.post(&format!("/{}/oauth2/v2.0/devicecode", side.domain), &form).await;
    world.lab.aad.approve_device_code(reply.json["user_code"].as_str().unwrap(), side.upn).unwrap();
    reply.json["device_code"].as_str().unwrap().to_owned()
}

async fn prt(world: &World, side: &Side) -> Held {
    let payload = json!({
        "client_id": SIGN_IN, "request_nonce": world.lab.nonce().await, "scope": "openid aza",
        "grant_type": "password", "username": side.upn, "password": PASSWORD,
    });
    held(&by_device(world, side, &payload).await.json)
}

/// A token for device registration that names the device.
async fn on_device(world: &World, side: &Side) -> String {
    let payload = json!({
        "client_id": BROKER, "request_nonce": world.lab.nonce().await, "scope": "openid", "resource": DRS,
        "grant_type": "password", "username": side.upn, "password": PASSWORD,
    });
    by_device(world, side, &payload).await.json["access_token"].as_str().unwrap().to_owned()
}

async fn by_device(world: &World, side: &Side, payload: &Value) -> Reply {
    let jws = signed(&world.x5c(side), device_key(), payload);
    let target = format!("/{}/oauth2/token", side.domain);
    world.lab.post(&target, &[("grant_type", JWT_BEARER), ("request", &jws)]).await
}

async fn register_key(world: &World, side: &Side) {
    let token = on_device(world, side).await;
    let body = json!({"kngc": STANDARD.encode(blob((side.hello)()))});
    let target = "/EnrollmentServer/key/?api-version=1.0";
    assert_eq!(world.lab.json(Method::POST, target, Some(&token), &body).await.status, 200);
}
