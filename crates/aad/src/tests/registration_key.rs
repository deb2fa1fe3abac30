//! The keys that users register on their devices.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cmglab_proto::ids::DeviceId;
use cmglab_token::forge;
use http::Method;
use serde_json::{Value, json};

use super::lab::*;
use crate::AadConfig;

const TARGET: &str = "/EnrollmentServer/key/?api-version=1.0";

/// A device with a user on it who has a token for device registration.
struct Seat {
    lab: Lab,
    device: DeviceId,
    token: String,
}

impl Seat {
    async fn new(config: &AadConfig) -> Self {
        let lab = Lab::with(config);
        let joined = lab.join().await;
        let reply = lab.on_device(&json!(STANDARD.encode(joined.certificate)), DRS).await;
        let token = reply.json["access_token"].as_str().unwrap().to_owned();
        Self { lab, device: joined.id, token }
    }

    async fn register(&self, token: &str, body: &Value) -> Reply {
        self.lab.json(Method::POST, TARGET, Some(token), body).await
    }
}

fn body() -> Value {
    json!({"kngc": join_body(0)["TransportKey"]})
}

fn refusal(reply: &Reply) -> (u16, Option<&str>) {
    assert_eq!(reply.json["Operation"], "KeyProvisioning", "{}", reply.json);
    (reply.status, reply.json["Subcode"].as_str())
}

#[tokio::test]
async fn a_user_registers_a_key_on_a_device() {
    let seat = Seat::new(&config()).await;
    let reply = seat.register(&seat.token, &body()).await;
    assert_eq!(reply.status, 200, "{}", reply.json);
    assert_eq!(reply.json["upn"], "alice@lab.test");
    let kid = reply.json["kid"].as_str().unwrap();
    let blob = STANDARD.decode(body()["kngc"].as_str().unwrap()).unwrap();
    assert_eq!(kid, crate::device::key_id(&blob));
    let receipt = STANDARD.decode(reply.json["krctx"].as_str().unwrap()).unwrap();
    let (_, receipt) = cmglab_token::peek(std::str::from_utf8(&receipt).unwrap()).unwrap();
    assert_eq!((&receipt["kid"], &receipt["deviceid"]), (&json!(kid), &json!(seat.device)));
    let directory = seat.lab.aad.directory();
    let key = directory.user_key(ALICE.into(), kid).unwrap();
    assert_eq!((key.user, key.device), (ALICE.into(), seat.device));
    let modulus = [&[0x02, 0x82, 1, 1, 0][..], &[0xab; 256]].concat();
    assert_eq!(key.public_key, [&[0x30, 0x82, 1, 10][..], &modulus, &[0x02, 3, 1, 0, 1]].concat());
    assert_eq!(directory.user_key(uuid::Uuid::from_u128(2).into(), kid), None);
}

#[tokio::test]
async fn the_token_must_be_that_of_a_user_on_a_good_device() {
    let seat = Seat::new(&config()).await;
    let unbound = seat.lab.registration_token().await;
    assert_eq!(refusal(&seat.register(&unbound, &body()).await), (400, Some("DeviceRequired")));
    let flipped = forge::flipped_signature(&seat.token).unwrap();
    assert_eq!(refusal(&seat.register(&flipped, &body()).await), (400, Some("TokenInvalid")));
    let bare = seat.lab.json(Method::POST, TARGET, None, &body()).await;
    assert_eq!(refusal(&bare), (400, Some("TokenMissing")));
    seat.lab.aad.disable_device(seat.device).unwrap();
    assert_eq!(refusal(&seat.register(&seat.token, &body()).await), (400, Some("DeviceDisabled")));
    seat.lab.aad.enable_device(seat.device).unwrap();
    assert_eq!(seat.register(&seat.token, &body()).await.status, 200);
    seat.lab.aad.delete_device(seat.device).unwrap();
    assert_eq!(refusal(&seat.register(&seat.token, &body()).await), (400, Some("DeviceNotFound")));
}

#[tokio::test]
async fn the_key_must_be_one() {
    let seat = Seat::new(&config()).await;
    let jwk = json!({"kty": "RSA", "e": "AQAB", "n": STANDARD.encode([0xab; 256])}).to_string();
    for bad in [json!("@"), json!("UlNBMQ=="), json!(STANDARD.encode(jwk)), Value::Null] {
        let reply = seat.register(&seat.token, &json!({"kngc": bad})).await;
        assert_eq!(refusal(&reply), (400, Some("InvalidParameter")), "{bad}");
    }
    let target = "/EnrollmentServer/key/?api-version=9.0";
    let reply = seat.lab.json(Method::POST, target, Some(&seat.token), &body()).await;
    assert_eq!(refusal(&reply), (400, Some("InvalidParameter")));
    assert_eq!(seat.register(&seat.token, &body()).await.status, 200);
}

#[tokio::test]
async fn a_second_factor_is_asked_for_where_the_lab_wants_it() {
    let seat = Seat::new(&AadConfig { key_provisioning_needs_second_factor: true, ..config() }).await;
    let reply = seat.register(&seat.token, &body()).await;
    assert_eq!(refusal(&reply), (400, Some("SecondFactorRequired")));
    for method in ["mfa", "ngcmfa"] {
        let key = &signing_keys().current;
        let token =
            forge::resigned(&seat.token, key, |claims| claims["amr"] = json!(["pwd", method])).unwrap();
        assert_eq!(seat.register(&token, &body()).await.status, 200, "{method}");
    }
}

#[tokio::test]
async fn a_key_goes_with_its_device() {
    let seat = Seat::new(&config()).await;
    let reply = seat.register(&seat.token, &body()).await;
    let kid = reply.json["kid"].as_str().unwrap();
    let known = || seat.lab.aad.directory().user_key(ALICE.into(), kid).is_some();
    assert!(known());
    seat.lab.aad.delete_device(seat.device).unwrap();
    assert!(!known());
}
