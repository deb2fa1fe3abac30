//! How what tenants give out is used, at home or across.

use aws_lc_rs::digest::{SHA256, digest};
use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cmglab_events::kinds::CertificateVerdict;
use cmglab_pki::wpj::certificate_request;
use cmglab_token::session::KdfVersion;
use cmglab_token::{forge, jws_x5c};
use http::{Method, Request};
use serde_json::{Value, json};

use super::super::broker::{Held, SIGN_IN, blob, by_session, transport_key};
use super::super::clients::{WEB_BACK, authorize, input, p256};
use super::super::lab::*;
use super::kinds::{Kind, Thing, assertion_claims};
use super::sides::{Side, World, join};
use super::{At, back};
use crate::route::Version;

pub(super) const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const NATIVE_BACK: &str = "https://login.microsoftonline.com/common/oauth2/nativeclient";

/// Uses a thing. The last answer counts.
pub(super) async fn attempt(world: &World, kind: Kind, thing: &Thing, at: &At<'_>) -> Reply {
    match kind {
        Kind::RefreshToken | Kind::BrokersRefreshToken => renew(world, kind, thing.text(), at).await,
        Kind::RefreshTokenOnDevice => {
            let proof = json!({"grant_type": "refresh_token", "refresh_token": thing.text()});
            for_prt(world, at, proof).await
        }
        Kind::Password => password(world, at).await,
        Kind::PasswordOnDevice => {
            let proof = json!({"grant_type": "password", "username": at.own.upn, "password": PASSWORD});
            for_prt(world, at, proof).await
        }
        Kind::Code => redeem(world, thing.text(), at).await,
        Kind::DeviceCode => poll(world, &native(kind, at), thing.text(), &at.path("token")).await,
        Kind::DeviceCodeApproval | Kind::BrokersDeviceCodeApproval => approve(world, kind, at).await,
        Kind::DeviceToken => device_token(world, at).await,
        Kind::PeerCertificate => peer_certificate(world, at).await,
        Kind::PrimaryToken => primary(world, thing, at).await,
        Kind::SingleSignOn | Kind::BrokersSingleSignOn => single_sign_on(world, kind, thing, at).await,
        Kind::Session | Kind::BrokersSession => silent(world, kind, at, ("cookie", thing.text())).await,
        Kind::ClientSecret => credentials(world, at, &[("client_secret", at.own.secret)]).await,
        Kind::ClientAssertion => by_assertion(world, at, at.own).await,
        Kind::AssertionForTenant => by_assertion(world, at, at.beside).await,
        Kind::OnBehalfOf => on_behalf_of(world, thing.text(), at).await,
        Kind::Registration => world.lab.join_with(&remade(world, kind, thing.text(), at), &join()).await,
        Kind::KeyProvisioning => {
            let body = json!({"kngc": join_body(0)["TransportKey"]});
            let (target, token) =
                ("/EnrollmentServer/key/?api-version=1.0", remade(world, kind, thing.text(), at));
            world.lab.json(Method::POST, target, Some(&token), &body).await
        }
        Kind::Key => hello(world, at, at.own).await,
        Kind::KeyForOtherUser => hello(world, at, at.beside).await,
        Kind::Deletion => delete(world, thing, at).await,
    }
}

impl At<'_> {
    fn path(&self, end: &str) -> String {
        path(&self.tenant, self.version, end)
    }

    fn crosses(&self) -> bool {
        self.own.tenant != self.beside.tenant
    }
}

/// An authorization request of the broker, or of a web application.
pub(super) fn authorize_target(tenant: &str, version: Version, client: &str, prompt: &str) -> String {
    let redirect_uri = if client == BROKER { NATIVE_BACK } else { WEB_BACK };
    let scope = format!("{RESOURCE}/.default");
    let params = [
        ("client_id", client),
        ("response_type", "code"),
        ("redirect_uri", redirect_uri),
        ("resource", RESOURCE),
        ("scope", scope.as_str()),
        ("prompt", prompt),
    ];
    authorize(&path(tenant, version, "authorize"), &params)
}

pub(super) async fn redeem(world: &World, code: &str, at: &At<'_>) -> Reply {
    let web = at.beside.web.to_string();
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", web.as_str()),
        ("client_secret", at.beside.secret),
        ("redirect_uri", WEB_BACK),
        ("code", code),
    ];
    world.lab.post(&at.path("token"), &form).await
}

/// The answer to an authorization request for `user` with which the device of `by` proves itself.
pub(super) async fn page_with_device(world: &World, tenant: &str, user: &Side, by: &Side) -> Reply {
    let payload = json!({"grant_type": "device_auth", "request_nonce": world.lab.nonce().await});
    let jws = signed(&world.x5c(by), device_key(), &payload);
    let target = authorize_target(tenant, Version::V2, &user.web.to_string(), "");
    get(world, &target, ("x-ms-DeviceCredential", &jws)).await
}

/// The code that `user` gets on a page.
pub(super) async fn sign_in(world: &World, page: &Reply, user: &Side) -> String {
    let context = input(&page.text, "ctx");
    let form = [("ctx", context.as_str()), ("login", user.upn), ("passwd", PASSWORD)];
    let cookie = page.headers["set-cookie"].to_str().unwrap().split_once(';').unwrap().0;
    let request = Request::post("/common/login").header("cookie", cookie).body(Body::from(encode(&form)));
    back(&world.lab.send(request.unwrap()).await, "code").unwrap()
}

fn path(tenant: &str, version: Version, end: &str) -> String {
    let version = if version == Version::V2 { "v2.0/" } else { "" };
    format!("/{tenant}/oauth2/{version}{end}")
}

/// A primary refresh token on the device beside, for the user that `proof` proves.
async fn for_prt(world: &World, at: &At<'_>, proof: Value) -> Reply {
    let mut payload = proof;
    payload["client_id"] = json!(SIGN_IN);
    payload["scope"] = json!("openid aza");
    by_device(world, at, at.beside, payload).await
}

async fn by_device(world: &World, at: &At<'_>, device: &Side, mut payload: Value) -> Reply {
    payload["request_nonce"] = json!(world.lab.nonce().await);
    ask(world, at, &signed(&world.x5c(device), device_key(), &payload)).await
}

async fn ask(world: &World, at: &At<'_>, jws: &str) -> Reply {
    world.lab.post(&at.path("token"), &[("grant_type", JWT_BEARER), ("request", jws)]).await
}

async fn get(world: &World, target: &str, (name, value): (&str, &str)) -> Reply {
    world.lab.send(Request::get(target).header(name, value).body(Body::empty()).unwrap()).await
}

/// The client of both tenants, or the native one of the tenant beside.
fn native(kind: Kind, at: &At<'_>) -> String {
    if kind.is_brokers() { BROKER.to_owned() } else { at.beside.native.to_string() }
}

async fn renew(world: &World, kind: Kind, token: &str, at: &At<'_>) -> Reply {
    let client = native(kind, at);
    let form = [("grant_type", "refresh_token"), ("client_id", client.as_str()), ("refresh_token", token)];
    world.lab.post(&at.path("token"), &form).await
}

async fn password(world: &World, at: &At<'_>) -> Reply {
    let (client, scope) = (at.beside.native.to_string(), format!("{RESOURCE}/.default"));
    let mut form = at.own.password(&client, RESOURCE);
    form.push(("scope", &scope));
    world.lab.post(&at.path("token"), &form).await
}

async fn poll(world: &World, client: &str, code: &str, path: &str) -> Reply {
    let form = [("grant_type", "device_code"), ("client_id", client), ("code", code)];
    world.lab.post(path, &form).await
}

/// A device that has started there; the user enters its code, and it asks where the tenant is open.
async fn approve(world: &World, kind: Kind, at: &At<'_>) -> Reply {
    let (client, scope) = (native(kind, at), format!("{RESOURCE}/.default"));
    let form = [("client_id", client.as_str()), ("scope", scope.as_str()), ("resource", RESOURCE)];
    let started = world.lab.post(&at.path("devicecode"), &form).await;
    let Some(user_code) = started.json["user_code"].as_str() else { return started };
    let form = [("user_code", user_code), ("login", at.own.upn), ("passwd", PASSWORD)];
    world.lab.post("/common/oauth2/deviceauth", &form).await;
    let code = started.json["device_code"].as_str().unwrap();
    poll(world, &client, code, &path("common", at.version, "token")).await
}

async fn device_token(world: &World, at: &At<'_>) -> Reply {
    let payload = json!({
        "grant_type": "device_token", "resource": RESOURCE, "client_id": at.beside.native,
        "redirect_uri": at.beside.broker_redirect(),
    });
    by_device(world, at, at.own, payload).await
}

async fn peer_certificate(world: &World, at: &At<'_>) -> Reply {
    let payload = json!({
        "grant_type": "device_auth", "cert_token_use": "device_cert", "client_id": SIGN_IN,
        "csr_type": "http://schemas.microsoft.com/windows/pki/2009/01/enrollment#PKCS10",
        "csr": STANDARD.encode(certificate_request(transport_key()).unwrap()),
    });
    by_device(world, at, at.own, payload).await
}

async fn primary(world: &World, thing: &Thing, at: &At<'_>) -> Reply {
    let Held { text, key } = prt(thing);
    let payload = json!({
        "grant_type": "refresh_token", "refresh_token": text, "scope": "openid", "resource": RESOURCE,
        "client_id": at.beside.native, "redirect_uri": at.beside.broker_redirect(),
        "request_nonce": world.lab.nonce().await,
    });
    ask(world, at, &by_session(key, KdfVersion::V2, &payload)).await
}

async fn single_sign_on(world: &World, kind: Kind, thing: &Thing, at: &At<'_>) -> Reply {
    let Held { text, key } = prt(thing);
    let payload = json!({"refresh_token": text, "request_nonce": world.lab.nonce().await});
    let jws = by_session(key, KdfVersion::V2, &payload);
    silent(world, kind, at, ("x-ms-RefreshTokenCredential", &jws)).await
}

/// A sign-in without a page, for the broker or the web application.
async fn silent(world: &World, kind: Kind, at: &At<'_>, proof: (&str, &str)) -> Reply {
    let client = if kind.is_brokers() { BROKER.to_owned() } else { at.beside.web.to_string() };
    get(world, &authorize_target(&at.tenant, at.version, &client, "none"), proof).await
}

fn prt(thing: &Thing) -> &Held {
    match thing {
        Thing::Prt(prt) => prt,
        _ => panic!("it is no primary refresh token"),
    }
}

/// A token of the web application for itself.
async fn credentials(world: &World, at: &At<'_>, proof: &[(&str, &str)]) -> Reply {
    let (client, scope) = (at.beside.web.to_string(), format!("{RESOURCE}/.default"));
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", client.as_str()),
        ("resource", RESOURCE),
        ("scope", scope.as_str()),
    ];
    world.lab.post(&at.path("token"), &[&form[..], proof].concat()).await
}

/// The same by an assertion of `whose` application for the tenant that it is from.
async fn by_assertion(world: &World, at: &At<'_>, whose: &Side) -> Reply {
    let header = json!({"alg": "ES256", "x5c": [STANDARD.encode(&p256().der)]});
    let jws = p256().jws(&header, &assertion_claims(whose, at.own));
    let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    credentials(world, at, &[("client_assertion_type", kind), ("client_assertion", &jws)]).await
}

async fn on_behalf_of(world: &World, assertion: &str, at: &At<'_>) -> Reply {
    let (client, scope) = (at.beside.web.to_string(), format!("{RESOURCE}/.default"));
    let form = [
        ("grant_type", JWT_BEARER),
        ("client_id", client.as_str()),
        ("client_secret", at.beside.secret),
        ("assertion", assertion),
        ("requested_token_use", "on_behalf_of"),
        ("resource", RESOURCE),
        ("scope", scope.as_str()),
    ];
    world.lab.post(&at.path("token"), &form).await
}

/// A token as it is, or across with something of the other tenant in it, under a good signature.
fn remade(world: &World, kind: Kind, token: &str, at: &At<'_>) -> String {
    if !at.crosses() {
        return token.to_owned();
    }
    let other = at.beside;
    let remade = forge::resigned(token, &signing_keys().current, |claims| {
        let mut set = |name: &str, value: Value| drop(claims.insert(name.to_owned(), value));
        match (kind, at.version) {
            (Kind::KeyProvisioning, Version::V1) => set("deviceid", json!(world.device(other).id)),
            (_, Version::V1) => set("tid", json!(other.tenant)),
            (_, Version::V2) => {
                set("tid", json!(other.tenant));
                set("iss", json!(format!("https://sts.windows.net/{}/", other.tenant)));
            }
        }
    });
    remade.unwrap()
}

/// The key signs `whose` user in on the device beside.
async fn hello(world: &World, at: &At<'_>, whose: &Side) -> Reply {
    let (key, now) = ((at.own.hello)(), now().as_second());
    let kid = STANDARD.encode(digest(&SHA256, &blob(key)));
    let claims = json!({
        "iss": whose.upn, "aud": "common", "iat": now, "exp": now + 3600,
        "request_nonce": world.lab.nonce().await,
    });
    let header = json!({"alg": "RS256", "typ": "JWT", "kid": kid, "use": "ngc"});
    let assertion = jws_x5c::sign(&header, &claims, |message| key.sign_rs256(message)).unwrap();
    for_prt(world, at, json!({"grant_type": JWT_BEARER, "assertion": assertion})).await
}

/// A device deletes itself, or across that of the other tenant.
async fn delete(world: &World, thing: &Thing, at: &At<'_>) -> Reply {
    let Thing::Device(device) = thing else { panic!("it is no device") };
    let id = if at.crosses() { world.device(at.beside).id } else { device.id };
    world.lab.delete(id, &device.certificate, CertificateVerdict::Valid).await
}
