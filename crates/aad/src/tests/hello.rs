//! A primary refresh token for a user who unlocks a key of Windows Hello.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use cmglab_pki::PrivateKey;
use cmglab_proto::ids::DeviceId;
use cmglab_token::jws_x5c;
use serde_json::{Value, json};
use uuid::Uuid;

use super::broker::*;
use super::lab::*;
use crate::directory::UserKey;

/// A sign-in that succeeds, until something in it is changed.
struct Attempt {
    broker: Broker,
    header: Value,
    claims: Value,
    key: &'static PrivateKey,
}

impl Attempt {
    async fn new() -> Self {
        let broker = Broker::new().await;
        // Any RSA key will do for the user's.
        let key = transport_key();
        let kid = STANDARD.encode(digest(&SHA256, &blob(key)));
        let registered = UserKey {
            user: ALICE.into(),
            device: broker.device,
            kid: kid.clone(),
            public_key: key.public_key().to_vec(),
        };
        assert!(broker.lab.aad.directory_mut().add_user_key(registered));
        let now = now().as_second();
        let claims = json!({
            "iss": "alice@lab.test",
            "aud": "common",
            "iat": now - 3600,
            "exp": now + 3600,
            "request_nonce": broker.lab.nonce().await,
            "scope": "openid aza ugs",
        });
        Self { broker, header: json!({"alg": "RS256", "typ": "JWT", "kid": kid, "use": "ngc"}), claims, key }
    }

    async fn send(&self) -> Answer {
        let assertion = jws_x5c::sign(&self.header, &self.claims, |message| self.key.sign_rs256(message));
        let mut wish = self.broker.wish().await;
        wish["grant_type"] = json!("urn:ietf:params:oauth:grant-type:jwt-bearer");
        wish["username"] = json!("whoever@lab.test");
        wish["password"] = Value::Null;
        wish["assertion"] = json!(assertion.unwrap());
        self.broker.post(V1, &self.broker.by_device(&wish)).await
    }
}

#[tokio::test]
async fn the_key_stands_for_the_user() {
    let attempt = Attempt::new().await;
    let prt = held(&attempt.send().await.json());
    let usage = by_session(&prt.key, Default::default(), &attempt.broker.use_of(&prt).await);
    let json = attempt.broker.post(V1, &usage).await.opened(&prt.key);
    let claims = attempt.broker.lab.claims(&json["access_token"], &v1_issuer(), RESOURCE).await;
    assert_eq!((&claims["oid"], &claims["amr"]), (&json!(ALICE), &json!(["rsa", "mfa"])));
}

#[tokio::test]
async fn liberties_of_real_clients_are_taken() {
    let mut attempt = Attempt::new().await;
    for audience in [json!(TENANT), json!("lab.test"), json!("login.microsoftonline.com")] {
        attempt.claims["aud"] = audience;
        assert_eq!(attempt.send().await.status, 200);
    }
    attempt.claims["nonce"] = attempt.claims["request_nonce"].clone();
    attempt.claims.as_object_mut().unwrap().remove("request_nonce");
    let kid = STANDARD.decode(attempt.header["kid"].as_str().unwrap()).unwrap();
    attempt.header["kid"] = json!(URL_SAFE_NO_PAD.encode(kid));
    assert_eq!(attempt.send().await.status, 200);
}

type Fault = (fn(&mut Attempt), u32);

const FAULTS: &[Fault] = &[
    (|attempt| attempt.claims["iss"] = Value::Null, 900_144),
    (|attempt| attempt.claims["iss"] = json!("nobody@lab.test"), 50034),
    (|attempt| attempt.claims["iss"] = json!("carol@other.test"), 50034),
    // Bob has not registered it.
    (|attempt| attempt.claims["iss"] = json!("bob@lab.test"), 135_010),
    (|attempt| attempt.header["kid"] = json!("AAAA"), 135_010),
    (|attempt| attempt.header["kid"] = Value::Null, 135_010),
    (|attempt| attempt.key = stolen_key(), 50013),
    (|attempt| attempt.header["alg"] = json!("none"), 50013),
    (|attempt| attempt.claims["aud"] = json!("other.test"), 50013),
    (|attempt| attempt.claims["aud"] = Value::Null, 50027),
    (|attempt| attempt.claims["exp"] = Value::Null, 50027),
    (|attempt| attempt.claims["exp"] = json!(now().as_second() - 301), 500_133),
    (|attempt| attempt.claims["nbf"] = json!(now().as_second() + 301), 500_133),
    (|attempt| attempt.claims["request_nonce"] = Value::Null, 140_000),
    (|attempt| attempt.claims["request_nonce"] = json!("AwABAAAAAAA"), 140_000),
    (on_another_device, 70000),
    (alice_is_out, 50057),
];

fn alice_is_out(attempt: &mut Attempt) {
    attempt.broker.lab.aad.directory_mut().user_mut("alice@lab.test").unwrap().enabled = false;
}

fn on_another_device(attempt: &mut Attempt) {
    let mut directory = attempt.broker.lab.aad.directory_mut();
    let key = directory.user_key(ALICE.into(), attempt.header["kid"].as_str().unwrap()).unwrap().clone();
    directory.add_user_key(UserKey { device: DeviceId::new(Uuid::from_u128(12)), ..key.clone() });
}

#[tokio::test]
async fn every_check_refuses_its_own_fault() {
    assert_eq!(Attempt::new().await.send().await.status, 200);
    for (fault, code) in FAULTS {
        let mut attempt = Attempt::new().await;
        fault(&mut attempt);
        let answer = attempt.send().await;
        assert_eq!((answer.status, answer.code()), (400, json!(code)), "{}", answer.text);
    }
}
