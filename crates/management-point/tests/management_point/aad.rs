//! Azure AD as far as a management point sees it: an OpenID configuration, a key set, and tokens.

use std::sync::{Arc, LazyLock, Mutex};

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use cmglab_ids::Ids;
use cmglab_net::{Deps, Listen, ServerHandle, serve};
use cmglab_pki::{Authority, PrivateKey, Profiles};
use cmglab_proto::ids::TenantId;
use cmglab_proto::settings::TenantSettings;
use cmglab_tls::{Identity, ServerTls};
use cmglab_token::{HeaderKind, Jwks, SigningKey};
use http::StatusCode;
use serde_json::{Value, json};

use crate::lab::{DEVICE, NOW, USER};

pub(crate) const HOST: &str = "login.microsoftonline.com";
pub(crate) const TENANT: &str = "0fdd4c0a-6d7e-4c93-9b2b-1f0f0d1c2b3a";
pub(crate) const RESOURCE: &str = "https://ConfigMgrService";
pub(crate) const APP: &str = "f3c1a6ab-0c06-49fb-a5ed-7d3a1f6b7a11";

/// The key Azure AD signs with, and one that it publishes only when told. Shared: making one takes long.
pub(crate) static KEY: LazyLock<SigningKey> = LazyLock::new(|| key("accounts.test"));
pub(crate) static OTHER_KEY: LazyLock<SigningKey> = LazyLock::new(|| key("other.test"));

pub(crate) struct Aad {
    state: Arc<Mutex<Published>>,
    pub(crate) _server: ServerHandle,
}

struct Published {
    keys: Vec<SigningKey>,
    down: bool,
    fetches: usize,
}

type Shared = State<Arc<Mutex<Published>>>;

impl Aad {
    /// Starts the key host; `deps` then trusts it.
    pub(crate) async fn start(deps: &Deps, ids: &Ids) -> Self {
        let now = NOW.parse().unwrap();
        let authority = Authority::create_root(&Profiles::builtin(), "aad-tls", now, ids).unwrap();
        let key = PrivateKey::generate(cmglab_pki::KeyKind::P256).unwrap();
        let identity = authority.issue("aad-server", &[], &key, now, ids).unwrap();
        deps.store.trust(authority.cert_der()).unwrap();
        deps.store.check_crl(false);
        let identity = Identity::new("aad", identity.chain().to_vec(), identity.key().pkcs8_der()).unwrap();
        let published = Published { keys: vec![KEY.clone()], down: false, fetches: 0 };
        let state = Arc::new(Mutex::new(published));
        let app = Router::new()
            .route("/{tenant}/.well-known/openid-configuration", get(configuration))
            .route("/{tenant}/discovery/keys", get(key_set))
            .with_state(Arc::clone(&state));
        let listen = Listen {
            host: HOST.to_owned(),
            port: 443,
            bind: "127.0.0.1:0".parse().unwrap(),
            shown_ip: None,
            tls: Some(ServerTls::new(identity)),
        };
        Self { state, _server: serve(deps, listen, app).await.unwrap() }
    }

    /// Publishes these keys from now on.
    pub(crate) fn publish(&self, keys: &[&SigningKey]) {
        self.state.lock().unwrap().keys = keys.iter().map(|&key| key.clone()).collect();
    }

    /// Answers 503, or again.
    pub(crate) fn set_down(&self, down: bool) {
        self.state.lock().unwrap().down = down;
    }

    /// How often the key set was fetched.
    pub(crate) fn fetches(&self) -> usize {
        self.state.lock().unwrap().fetches
    }
}

async fn configuration(State(state): Shared) -> Response {
    if state.lock().unwrap().down {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let keys = format!("https://{HOST}/{TENANT}/discovery/keys");
    axum::Json(json!({ "issuer": issuer(TENANT), "jwks_uri": keys })).into_response()
}

async fn key_set(State(state): Shared) -> Response {
    let mut state = state.lock().unwrap();
    state.fetches += 1;
    axum::Json(state.keys.iter().map(|key| key.jwk().unwrap()).collect::<Jwks>()).into_response()
}

pub(crate) fn issuer(tenant: &str) -> String {
    format!("https://sts.windows.net/{tenant}/")
}

pub(crate) fn tenant() -> TenantSettings {
    TenantSettings {
        tenant_id: tenant_id(),
        name: "Lab".to_owned(),
        client_app_id: APP.parse().unwrap(),
        resource_uri: RESOURCE.to_owned(),
        token_auth_enabled: true,
        authority: format!("https://{HOST}"),
        issuers: vec![issuer(TENANT)],
        openid_configuration: format!("https://{HOST}/{TENANT}/.well-known/openid-configuration"),
    }
}

pub(crate) fn tenant_id() -> TenantId {
    TENANT.parse().unwrap()
}

/// A device's own token, valid for an hour from the beginning.
pub(crate) fn device_token() -> String {
    signed(&KEY, &device_claims())
}

/// A user's token on a device.
pub(crate) fn user_on_device_token() -> String {
    let mut claims = user_claims();
    claims["deviceid"] = json!(DEVICE);
    claims["onprem_sid"] = json!("S-1-5-21-1-2-3-1104");
    signed(&KEY, &claims)
}

/// A user's token on no known device.
pub(crate) fn user_token() -> String {
    signed(&KEY, &user_claims())
}

pub(crate) fn signed(key: &SigningKey, claims: &Value) -> String {
    key.sign(HeaderKind::AadV1, claims).unwrap()
}

pub(crate) fn device_claims() -> Value {
    let mut claims = common();
    claims["deviceid"] = json!(DEVICE);
    claims["sub"] = json!(DEVICE);
    claims["oid"] = json!("6a0d8d1e-5e0f-4f0b-8f3a-52a1f2c0b111");
    claims["idtyp"] = json!("device");
    claims
}

fn user_claims() -> Value {
    let mut claims = common();
    claims["oid"] = json!(USER);
    claims["upn"] = json!("alice@lab.test");
    claims["scp"] = json!("user_impersonation");
    claims["appid"] = json!(APP);
    claims
}

fn common() -> Value {
    let now: jiff::Timestamp = NOW.parse().unwrap();
    let now = now.as_second();
    json!({ "aud": RESOURCE, "iss": issuer(TENANT), "tid": TENANT, "ver": "1.0", "iat": now, "nbf": now,
        "exp": now + 3600 })
}

fn key(name: &str) -> SigningKey {
    SigningKey::generate(NOW.parse().unwrap(), name).unwrap()
}
