//! Primary refresh tokens: what the answer says, and every check by its real cause.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cmglab_events::kinds::AadEvent;
use cmglab_pki::{KeyKind, PrivateKey, wpj};
use cmglab_token::{jws_x5c, peek};
use jiff::SignedDuration;
use serde_json::{Value, json};
use uuid::Uuid;

use super::broker::*;
use super::lab::*;
use crate::{AccessRules, App, PrtOptions, PrtTokenType, UserCondition};

#[tokio::test]
async fn the_answer_is_what_clients_take_apart() {
    let broker = Broker::new().await;
    let answer = broker.post(V1, &broker.by_device(&broker.wish().await)).await;
    assert_eq!((answer.status, answer.kind.as_str()), (200, "application/json; charset=utf-8"));
    let json = answer.json();
    let members: Vec<_> = json.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = [
        "client_info",
        "device_tenant_id",
        "expires_in",
        "expires_on",
        "ext_expires_in",
        "id_token",
        "refresh_token",
        "refresh_token_expires_in",
        "session_key_jwe",
        "token_type",
    ];
    assert_eq!(members, expected);
    assert_eq!(json["token_type"], "Bearer");
    assert_eq!((&json["expires_in"], &json["ext_expires_in"]), (&json!("1209599"), &json!("0")));
    assert_eq!(json["refresh_token_expires_in"], json!(1_209_599));
    assert_eq!(json["expires_on"], json!((now().as_second() + 1_209_600).to_string()));
    assert_eq!(json["device_tenant_id"], json!(TENANT));
    let claims = broker.lab.claims(&json["id_token"], &v1_issuer(), SIGN_IN).await;
    assert_eq!((&claims["oid"], &claims["tid"]), (&json!(ALICE), &json!(TENANT)));
    assert_eq!(claims["preferred_username"], "alice@lab.test");
    assert_eq!((&claims["upn"], &claims["name"]), (&json!("alice@lab.test"), &json!("Alice Example")));
    held(&json);
    let told = broker.lab.aad_events().pop().unwrap();
    let AadEvent::PrimaryTokenIssued { grant, device, user, client_id, .. } = told else {
        panic!("{told:?}")
    };
    assert_eq!((grant.as_str(), device, user.guid()), ("password", broker.device, ALICE));
    assert_eq!(client_id.to_string(), SIGN_IN);
}

#[tokio::test]
async fn each_has_a_session_key_of_its_own_and_nobody_else_is_told() {
    let broker = Broker::new().await;
    let (first, second) = (broker.prt().await, broker.prt().await);
    assert!(first.key != second.key && first.text != second.text);
    let told = serde_json::to_string(&broker.lab.events.snapshot()).unwrap();
    assert!(!told.contains(&first.text) && !told.contains(PASSWORD));
}

#[tokio::test]
async fn version_2_writes_numbers() {
    let broker = Broker::new().await;
    let answer = broker.post(V2, &broker.by_device(&broker.wish().await)).await;
    let json = answer.json();
    assert_eq!((&json["expires_in"], &json["ext_expires_in"]), (&json!(1_209_599), &json!(0)));
    let issuer = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
    broker.lab.claims(&json["id_token"], &issuer, SIGN_IN).await;
    held(&json);
}

#[tokio::test]
async fn the_type_of_the_token_is_a_setting() {
    let prt = PrtOptions { token_type: PrtTokenType::Pop, ..PrtOptions::default() };
    let broker = Broker::with(&crate::AadConfig { prt, ..config() }).await;
    let answer = broker.post(V1, &broker.by_device(&broker.wish().await)).await;
    assert_eq!(answer.json()["token_type"], "pop");
}

#[tokio::test]
async fn a_refresh_token_of_the_broker_becomes_one() {
    let broker = Broker::new().await;
    let mut wish = broker.wish().await;
    wish["client_id"] = json!(BROKER);
    wish["grant_type"] = json!("refresh_token");
    wish["refresh_token"] = json!(broker.refresh_token(BROKER).await);
    let list = signed(&json!([broker.x5c()]), device_key(), &wish);
    for jws in [broker.by_device(&wish), list] {
        let answer = broker.post(V1, &jws).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let prt = held(&answer.json());
        let usage = by_session(&prt.key, Default::default(), &broker.use_of(&prt).await);
        let json = broker.post(V1, &usage).await.opened(&prt.key);
        let claims = broker.lab.claims(&json["access_token"], &v1_issuer(), RESOURCE).await;
        assert_eq!(claims["amr"], json!(["pwd", "rsa"]));
    }
    wish["refresh_token"] = json!(broker.refresh_token(&NATIVE.to_string()).await);
    assert_eq!(broker.post(V1, &broker.by_device(&wish)).await.code(), 70000);
    wish["refresh_token"] = json!("0.Agarbage");
    assert_eq!(broker.post(V1, &broker.by_device(&wish)).await.code(), 70000);
    // A primary refresh token is redeemed with its session key and not by the device.
    wish["refresh_token"] = json!(broker.prt().await.text);
    assert_eq!(broker.post(V1, &broker.by_device(&wish)).await.code(), 70000);
}

#[tokio::test]
async fn a_refresh_token_stays_on_its_device() {
    let broker = Broker::new().await;
    let mut plain = broker.wish().await;
    plain["scope"] = json!("openid");
    plain["resource"] = json!(RESOURCE);
    let answer = broker.post(V1, &broker.by_device(&plain)).await.json();
    let mut wish = broker.wish().await;
    wish["grant_type"] = json!("refresh_token");
    wish["refresh_token"] = answer["refresh_token"].clone();
    assert_eq!(broker.post(V1, &broker.by_device(&wish)).await.status, 200);
    let (_, other) = join(&broker.lab, STANDARD.encode(blob(transport_key()))).await;
    let jws = signed(&json!(STANDARD.encode(other)), device_key(), &wish);
    assert_eq!(broker.post(V1, &jws).await.code(), 70000);
}

#[tokio::test]
async fn without_aza_it_is_an_ordinary_token() {
    let broker = Broker::new().await;
    let mut wish = broker.wish().await;
    wish["scope"] = json!("openid");
    assert_eq!(broker.post(V1, &broker.by_device(&wish)).await.code(), 900_144);
    wish["resource"] = json!(RESOURCE);
    let json = broker.post(V1, &broker.by_device(&wish)).await.json();
    assert_eq!(json.get("session_key_jwe"), None);
    let claims = broker.lab.claims(&json["access_token"], &v1_issuer(), RESOURCE).await;
    assert_eq!((&claims["deviceid"], &claims["amr"]), (&json!(broker.device), &json!(["pwd", "rsa"])));
}

/// A change of a request or of the lab, and its code.
type Fault = (fn(&Broker, &mut Value), u32);

const FAULTS: &[Fault] = &[
    (|_, wish| wish["grant_type"] = json!("magic"), 70003),
    (|broker, _| broker.lab.aad.delete_device(broker.device).unwrap(), 700_003),
    (|broker, _| broker.lab.aad.disable_device(broker.device).unwrap(), 135_011),
    (|_, wish| wish["request_nonce"] = json!("AwABAAAAAAA"), 140_000),
    (|_, wish| wish["client_id"] = Value::Null, 900_144),
    (|_, wish| wish["client_id"] = json!(Uuid::from_u128(5)), 700_016),
    (|_, wish| wish["client_id"] = json!(NATIVE), 70001),
    (|_, wish| wish["username"] = Value::Null, 900_144),
    (|_, wish| wish["username"] = json!("nobody@lab.test"), 50034),
    (|_, wish| wish["username"] = json!("carol@other.test"), 50034),
    (|_, wish| wish["password"] = json!("wrong"), 50126),
    (|_, wish| wish["username"] = json!("bob@lab.test"), 50057),
    (|broker, _| condition(broker, UserCondition::SecondFactorNeeded), 50076),
    (|broker, _| condition(broker, UserCondition::PasswordExpired), 50055),
];

fn condition(broker: &Broker, condition: UserCondition) {
    broker.lab.aad.directory_mut().user_mut("alice@lab.test").unwrap().condition = condition;
}

#[tokio::test]
async fn every_check_refuses_its_own_fault() {
    let broker = Broker::new().await;
    assert_eq!(broker.post(V1, &broker.by_device(&broker.wish().await)).await.status, 200);
    for (fault, code) in FAULTS {
        let broker = Broker::new().await;
        let mut wish = broker.wish().await;
        fault(&broker, &mut wish);
        let answer = broker.post(V1, &broker.by_device(&wish)).await;
        assert_eq!((answer.status, answer.code()), (400, json!(code)), "{}", answer.text);
    }
}

#[tokio::test]
async fn who_signed_counts_before_what_is_inside() {
    let broker = Broker::new().await;
    let mut wish = broker.wish().await;
    wish["password"] = json!("wrong");
    let stolen = signed(&broker.x5c(), stolen_key(), &wish);
    assert_eq!(broker.post(V1, &stolen).await.code(), 50155);
    let bare = signed(&Value::Null, device_key(), &wish);
    assert_eq!(broker.post(V1, &bare).await.code(), 50187);
    let path = format!("/{OTHER_TENANT}/oauth2/token");
    assert_eq!(broker.post(&path, &broker.by_device(&wish)).await.code(), 50155);
    assert_eq!(broker.post(V1, &broker.by_device(&wish)).await.code(), 50126);
}

#[tokio::test]
async fn an_expired_certificate_is_not_saved_by_having_been_seen() {
    let broker = Broker::new().await;
    broker.prt().await;
    broker.lab.clock.advance(SignedDuration::from_hours(24 * 366 * 10)).await;
    let answer = broker.post(V1, &broker.by_device(&broker.wish().await)).await;
    assert_eq!(answer.code(), 50155);
    assert!(answer.text.contains("valid from"), "{}", answer.text);
}

#[tokio::test]
async fn a_device_without_an_rsa_transport_key_gets_nothing_wrapped() {
    let broker = Broker::new().await;
    broker.lab.aad.directory_mut().device_mut(broker.device).unwrap().transport_key = None;
    let answer = broker.post(V1, &broker.by_device(&broker.wish().await)).await;
    assert_eq!(answer.code(), 50155);
    assert!(answer.text.contains("transport key"), "{}", answer.text);
}

#[tokio::test]
async fn a_resource_may_ask_for_more_than_a_password() {
    let mut config = config();
    let guarded = AccessRules { compliant_device: true, device: true, ..AccessRules::default() };
    config.apps[1] = App { access: guarded, ..config.apps[1].clone() };
    let broker = Broker::with(&config).await;
    let prt = broker.prt().await;
    let usage = async || by_session(&prt.key, Default::default(), &broker.use_of(&prt).await);
    assert_eq!(broker.post(V1, &usage().await).await.status, 200);
    broker.lab.aad.directory_mut().device_mut(broker.device).unwrap().compliant = false;
    assert_eq!(broker.post(V1, &usage().await).await.code(), 53000);
}

#[tokio::test]
async fn what_is_not_built_says_so() {
    let broker = Broker::new().await;
    let mut wish = broker.wish().await;
    wish["grant_type"] = json!("urn:ietf:params:oauth:grant-type:saml1_1-bearer");
    let answer = broker.post(V1, &broker.by_device(&wish)).await;
    assert_eq!(answer.status, 501);
    assert!(answer.text.contains("federated"), "{}", answer.text);
    let mut wish = broker.wish().await;
    wish["jwe_crypto"] = json!({"alg": "ECDH-ES", "enc": "A256GCM", "apv": "HOI"});
    let answer = broker.post(V2, &broker.by_device(&wish)).await;
    assert_eq!(answer.status, 501);
    assert!(answer.text.contains("ECDH-ES"), "{}", answer.text);
}

#[tokio::test]
async fn a_device_key_may_be_elliptic() {
    let broker = Broker::new().await;
    let key = PrivateKey::generate(KeyKind::P256).unwrap();
    let subject = wpj::WpjSubject {
        device_id: broker.device.guid(),
        object_id: ALICE,
        tenant_id: TENANT.guid(),
        join_type: b'1',
        region: "EU".to_owned(),
    };
    let csr = wpj::certificate_request(&key).unwrap();
    let certificate = authority().issue_wpj(&csr, &subject, now(), &broker.lab.ids).unwrap();
    let thumbprint = cmglab_pki::read::Certificate::parse(&certificate).unwrap().sha1_thumbprint();
    let header = json!({"alg": "ES256", "typ": "JWT", "x5c": [STANDARD.encode(&certificate)]});
    let pair = aws_lc_rs::signature::EcdsaKeyPair::from_pkcs8(
        &aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED_SIGNING,
        key.pkcs8_der(),
    )
    .unwrap();
    let random = aws_lc_rs::rand::SystemRandom::new();
    let sign = |message: &[u8]| pair.sign(&random, message).map(|made| made.as_ref().to_vec());
    let wish = broker.wish().await;
    let jws = jws_x5c::sign(&header, &wish, sign).unwrap();
    assert_eq!(peek(&jws).unwrap().0.alg, "ES256");
    // The directory knows another certificate for the device until it is told of this one.
    assert_eq!(broker.post(V2, &jws).await.code(), 50155);
    broker.lab.aad.directory_mut().device_mut(broker.device).unwrap().thumbprint = thumbprint;
    assert_eq!(broker.post(V2, &jws).await.status, 200);
}

#[tokio::test]
async fn aza_and_a_resource_give_both_tokens() {
    let broker = Broker::new().await;
    for (path, scope, resource) in [
        (V1, "openid aza ugs", json!(RESOURCE)),
        (V2, "openid aza https://ConfigMgrService/.default", Value::Null),
    ] {
        let mut wish = broker.wish().await;
        wish["scope"] = json!(scope);
        wish["resource"] = resource;
        let json = broker.post(path, &broker.by_device(&wish)).await.json();
        let claims = broker.lab.claims(&json["access_token"], &v1_issuer(), RESOURCE).await;
        assert_eq!(claims["deviceid"], json!(broker.device));
        assert_eq!((&json["device_tenant_id"], &json["token_type"]), (&json!(TENANT), &json!("Bearer")));
        assert_eq!(json["refresh_token_expires_in"], json!(1_209_599));
        assert!(json["id_token"].is_string() && json["client_info"].is_string());
        // The refresh token is the primary one: its session key redeems it.
        let prt = held(&json);
        let usage = by_session(&prt.key, Default::default(), &broker.use_of(&prt).await);
        assert!(broker.post(V1, &usage).await.opened(&prt.key)["access_token"].is_string());
    }
    let mut wish = broker.wish().await;
    wish["resource"] = json!("https://Other");
    assert_eq!(broker.post(V1, &broker.by_device(&wish)).await.code(), 500_011);
}
