//! A joined device with a real transport key, and what the broker on it does with a primary refresh token.

use std::sync::OnceLock;

use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cmglab_pki::{KeyKind, PrivateKey};
use cmglab_proto::ids::DeviceId;
use cmglab_token::session::{KdfVersion, SessionKey};
use cmglab_token::{jwe, session_jws};
use http::Request;
use http_body_util::BodyExt as _;
use serde_json::{Map, Value, json};
use tower::ServiceExt as _;

use super::lab::*;
use crate::AadConfig;

pub(super) const SIGN_IN: &str = "38aa3b87-a06d-4817-b275-7a316988d93b";
pub(super) const V1: &str = "/common/oauth2/token";
pub(super) const V2: &str = "/common/oauth2/v2.0/token";

pub(super) struct Broker {
    pub(super) lab: Lab,
    pub(super) device: DeviceId,
    pub(super) certificate: Vec<u8>,
}

/// A primary refresh token, as its owner holds it.
pub(super) struct Held {
    pub(super) text: String,
    pub(super) key: SessionKey,
}

/// An answer as it came.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) kind: String,
    pub(super) text: String,
}

pub(super) fn transport_key() -> &'static PrivateKey {
    static KEY: OnceLock<PrivateKey> = OnceLock::new();
    KEY.get_or_init(|| PrivateKey::generate(KeyKind::Rsa2048).unwrap())
}

/// The public half of an RSA-2048 key as a BCRYPT_RSAKEY_BLOB.
pub(super) fn blob(key: &PrivateKey) -> Vec<u8> {
    // SEQUENCE, then the modulus with a zero before it, then the exponent 65537.
    let modulus = &key.public_key()[9..265];
    let header: Vec<u8> = [2048_u32, 3, 256, 0, 0].iter().flat_map(|word| word.to_le_bytes()).collect();
    [&b"RSA1"[..], &header, &[1, 0, 1], modulus].concat()
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    pub(super) fn code(&self) -> Value {
        self.json()["error_codes"][0].clone()
    }

    /// What an encrypted answer says.
    pub(super) fn opened(&self, key: &SessionKey) -> Value {
        assert_eq!(
            (self.status, self.kind.as_str()),
            (200, "application/jose; charset=utf-8"),
            "{}",
            self.text
        );
        serde_json::from_slice(&jwe::open(&self.text, key).unwrap()).unwrap()
    }
}

impl Broker {
    pub(super) async fn new() -> Self {
        Self::with(&config()).await
    }

    pub(super) async fn with(config: &AadConfig) -> Self {
        let lab = Lab::with(config);
        let (device, certificate) = join(&lab, STANDARD.encode(blob(transport_key()))).await;
        Self { lab, device, certificate }
    }

    pub(super) fn x5c(&self) -> Value {
        json!(STANDARD.encode(&self.certificate))
    }

    pub(super) fn by_device(&self, payload: &Value) -> String {
        signed(&self.x5c(), device_key(), payload)
    }

    pub(super) async fn post(&self, path: &str, jws: &str) -> Answer {
        post(&self.lab, path, jws).await
    }

    /// A request for a primary refresh token by password.
    pub(super) async fn wish(&self) -> Value {
        json!({
            "client_id": SIGN_IN,
            "request_nonce": self.lab.nonce().await,
            "scope": "openid aza ugs",
            "group_sids": [],
            "win_ver": "10.0.19041.868",
            "grant_type": "password",
            "username": "alice@lab.test",
            "password": PASSWORD,
        })
    }

    /// Signs Alice in on the device.
    pub(super) async fn prt(&self) -> Held {
        let answer = self.post(V1, &self.by_device(&self.wish().await)).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        held(&answer.json())
    }

    /// A request for a token of the native client, as the broker makes it.
    pub(super) async fn use_of(&self, prt: &Held) -> Value {
        let now = self.lab.clock.now().as_second();
        json!({
            "win_ver": "10.0.19041.1620",
            "scope": "openid",
            "request_nonce": self.lab.nonce().await,
            "refresh_token": prt.text,
            "redirect_uri": format!("ms-appx-web://Microsoft.AAD.BrokerPlugin/{NATIVE}"),
            "iss": "aad:brokerplugin",
            "grant_type": "refresh_token",
            "client_id": NATIVE,
            "resource": RESOURCE,
            "aud": "login.microsoftonline.com",
            "iat": now.to_string(),
            "exp": (now + 3600).to_string(),
        })
    }

    /// The user's own refresh token of an earlier sign-in at `client`.
    pub(super) async fn refresh_token(&self, client: &str) -> String {
        let reply = self.lab.post("/lab.test/oauth2/token", &password_form(DRS, client)).await;
        reply.json["refresh_token"].as_str().unwrap().to_owned()
    }
}

/// Joins a device; its id and certificate.
pub(super) async fn join(lab: &Lab, transport_key: String) -> (DeviceId, Vec<u8>) {
    let mut body = join_body(0);
    body["TransportKey"] = json!(transport_key);
    let reply = lab.join_with(&lab.registration_token().await, &body).await;
    assert_eq!(reply.status, 200, "{}", reply.json);
    let certificate = STANDARD.decode(reply.json["Certificate"]["RawBody"].as_str().unwrap()).unwrap();
    let read = cmglab_pki::read::Certificate::parse(&certificate).unwrap();
    (read.subject_common_name.unwrap().parse().unwrap(), certificate)
}

pub(super) async fn post(lab: &Lab, path: &str, jws: &str) -> Answer {
    let form = encode(&[
        ("windows_api_version", "2.2"),
        ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
        ("request", jws),
        ("client_info", "1"),
        ("tgt", "True"),
    ]);
    let request = Request::post(path).body(Body::from(form)).unwrap();
    let response = lab.aad.router().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Answer {
        status: parts.status.as_u16(),
        kind: parts.headers["content-type"].to_str().unwrap().to_owned(),
        text: String::from_utf8(body.to_vec()).unwrap(),
    }
}

/// What an answer with a session key leaves its owner with.
pub(super) fn held(answer: &Value) -> Held {
    let wrapped = answer["session_key_jwe"].as_str().unwrap();
    let key = jwe::unwrap_session_key(wrapped, transport_key().pkcs8_der()).unwrap();
    Held { text: answer["refresh_token"].as_str().unwrap().to_owned(), key }
}

pub(super) fn by_session(key: &SessionKey, version: KdfVersion, payload: &Value) -> String {
    session_jws::sign(payload, key, &[7; 24], version, &Map::new()).unwrap()
}
