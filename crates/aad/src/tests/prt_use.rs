//! Primary refresh tokens: tokens for other clients.

use cmglab_events::kinds::AadEvent;
use cmglab_proto::claims::AadTokenKind;
use cmglab_token::session::KdfVersion::{self, V1 as KDF1, V2 as KDF2};
use cmglab_token::session::SessionKey;
use jiff::SignedDuration;
use serde_json::{Value, json};
use uuid::Uuid;

use super::broker::*;
use super::lab::*;
use crate::{AadConfig, PrtCipher, PrtOptions};

async fn redeemed(broker: &Broker, prt: &Held, path: &str, version: KdfVersion, usage: &Value) -> Value {
    broker.post(path, &by_session(&prt.key, version, usage)).await.opened(&prt.key)
}

#[tokio::test]
async fn a_user_token_comes_of_it_that_names_the_device() {
    let broker = Broker::new().await;
    let prt = broker.prt().await;
    for version in [KDF1, KDF2] {
        let json = redeemed(&broker, &prt, V1, version, &broker.use_of(&prt).await).await;
        let claims = broker.lab.claims(&json["access_token"], &v1_issuer(), RESOURCE).await;
        assert_eq!((&claims["oid"], &claims["deviceid"]), (&json!(ALICE), &json!(broker.device)));
        assert_eq!(claims["amr"], json!(["pwd", "rsa"]));
        assert_eq!((&claims["appid"], &claims["appidacr"]), (&json!(NATIVE), &json!("0")));
        assert_eq!((&claims["scp"], &claims["ver"]), (&json!("user_impersonation"), &json!("1.0")));
        assert_eq!(claims["onprem_sid"], "S-1-5-21-1-2-3-1001");
        assert_eq!(claims["upn"], "alice@lab.test");
        assert!(json["expires_in"].is_string() && json["client_info"].is_string());
        assert_eq!(json.get("session_key_jwe"), None);
        broker.lab.claims(&json["id_token"], &v1_issuer(), &NATIVE.to_string()).await;
        let told = broker.lab.aad_events().pop().unwrap();
        let AadEvent::TokenIssued { grant, kind, device, user, .. } = told else { panic!("{told:?}") };
        assert_eq!((grant.as_str(), kind), ("prt", Some(AadTokenKind::Uda)));
        assert_eq!((device, user), (Some(broker.device), Some(ALICE.into())));
    }
}

#[tokio::test]
async fn the_refresh_token_beside_it_is_the_clients_own() {
    let broker = Broker::new().await;
    let prt = broker.prt().await;
    let json = redeemed(&broker, &prt, V1, KDF2, &broker.use_of(&prt).await).await;
    let (client, token) = (NATIVE.to_string(), json["refresh_token"].as_str().unwrap());
    let form = [("grant_type", "refresh_token"), ("client_id", client.as_str()), ("refresh_token", token)];
    let reply = broker.lab.post(V1, &form).await;
    assert_eq!(reply.status, 200, "{}", reply.json);
    let claims = broker.lab.claims(&reply.json["access_token"], &v1_issuer(), RESOURCE).await;
    assert_eq!(claims["deviceid"], json!(broker.device));
}

#[tokio::test]
async fn version_3_of_the_protocol_names_a_scope() {
    let broker = Broker::new().await;
    let prt = broker.prt().await;
    let mut usage = broker.use_of(&prt).await;
    usage["resource"] = Value::Null;
    usage["scope"] = json!(format!("{RESOURCE}/.default"));
    usage["redirect_uri"] = json!("msauth://Microsoft.AAD.BrokerPlugin");
    usage["aud"] = json!("https://login.windows.net/common/oauth2/v2.0/token");
    usage["iss"] = json!(BROKER);
    let json = redeemed(&broker, &prt, V2, KDF2, &usage).await;
    assert!(json["expires_in"].is_number() && json["refresh_token"].is_string());
    assert!(json["scope"].as_str().unwrap().contains("https://ConfigMgrService/.default"));
    broker.lab.claims(&json["access_token"], &v1_issuer(), RESOURCE).await;
}

#[tokio::test]
async fn liberties_of_real_clients_are_taken() {
    let broker = Broker::new().await;
    let prt = broker.prt().await;
    type Liberty = fn(&mut Value);
    let liberties: [Liberty; 5] = [
        |usage| usage["redirect_uri"] = Value::Null,
        |usage| usage["aud"] = Value::Null,
        |usage| usage["aud"] = json!("sts.windows.net"),
        |usage| (usage["exp"], usage["iat"]) = (Value::Null, json!(1.5)),
        |usage| usage["scope"] = json!("openid ugs"),
    ];
    for liberty in liberties {
        let mut usage = broker.use_of(&prt).await;
        liberty(&mut usage);
        let json = redeemed(&broker, &prt, "/lab.test/oauth2/token", KDF2, &usage).await;
        assert!(json["access_token"].is_string(), "{usage}");
    }
}

#[tokio::test]
async fn a_redirect_uri_of_the_clients_own_will_do() {
    let broker = Broker::new().await;
    let prt = broker.prt().await;
    let mut usage = broker.use_of(&prt).await;
    let native = "https://login.microsoftonline.com/common/oauth2/nativeclient";
    usage["redirect_uri"] = json!(native);
    let jws = by_session(&prt.key, KDF2, &usage);
    assert_eq!(broker.post(V1, &jws).await.code(), 50011);
    let register = |uri: &str| {
        let mut directory = broker.lab.aad.directory_mut();
        directory.app_mut(NATIVE).unwrap().redirect_uris.push(uri.to_owned());
    };
    register(native);
    assert_eq!(broker.post(V1, &jws).await.status, 200);
}

#[tokio::test]
async fn without_a_resource_it_tells_who_the_user_is() {
    let broker = Broker::new().await;
    let prt = broker.prt().await;
    let mut usage = broker.use_of(&prt).await;
    usage["resource"] = Value::Null;
    usage["scope"] = json!("openid ugs");
    let json = redeemed(&broker, &prt, V1, KDF1, &usage).await;
    assert_eq!((json.get("access_token"), &json["scope"]), (None, &json!("openid")));
    broker.lab.claims(&json["id_token"], &v1_issuer(), &NATIVE.to_string()).await;
    assert!(json["refresh_token"].is_string() && json["refresh_token"] != json!(prt.text));
}

#[tokio::test]
async fn the_cipher_of_the_answer_is_a_setting() {
    for (answer_cipher, length) in [(PrtCipher::Cbc, 22), (PrtCipher::Gcm, 16)] {
        let prt = PrtOptions { answer_cipher, ..PrtOptions::default() };
        let broker = Broker::with(&AadConfig { prt, ..config() }).await;
        let prt = broker.prt().await;
        let usage = by_session(&prt.key, KDF2, &broker.use_of(&prt).await);
        let (first, second) = (broker.post(V1, &usage).await, broker.post(V1, &usage).await);
        assert!(first.opened(&prt.key)["access_token"].is_string());
        let parts = |answer: &Answer| answer.text.split('.').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!((parts(&first)[1].len(), parts(&first)[2].len()), (0, length));
        assert_ne!(parts(&first)[0], parts(&second)[0], "each answer has a ctx of its own");
    }
}

/// A change of a request or of the lab, and its code.
type Fault = (fn(&Broker, &mut Value), u32);

const FAULTS: &[Fault] = &[
    (|_, usage| usage["grant_type"] = json!("password"), 70003),
    (|_, usage| usage["refresh_token"] = Value::Null, 900_144),
    (|_, usage| usage["refresh_token"] = json!("1.Agarbage"), 70000),
    (|broker, _| revoke(broker), 50173),
    (|_, usage| usage["exp"] = json!((now().as_second() - 301).to_string()), 500_133),
    (|_, usage| usage["nbf"] = json!(now().as_second() + 301), 500_133),
    (|_, usage| usage["exp"] = json!("soon"), 50027),
    (|broker, _| broker.lab.aad.delete_device(broker.device).unwrap(), 700_003),
    (|broker, _| broker.lab.aad.disable_device(broker.device).unwrap(), 135_011),
    (|_, usage| usage["request_nonce"] = Value::Null, 140_000),
    (|_, usage| usage["request_nonce"] = json!("AwABAAAAAAA"), 140_000),
    (|_, usage| usage["aud"] = json!("login.elsewhere.test"), 50013),
    (|_, usage| usage["client_id"] = json!(Uuid::from_u128(5)), 700_016),
    // This one has no redirect URI of the broker.
    (|_, usage| usage["client_id"] = json!(SERVER_V2), 50011),
    (|_, usage| usage["redirect_uri"] = json!("https://elsewhere.test"), 50011),
    (|_, usage| usage["resource"] = json!("https://Other"), 500_011),
    (|broker, _| broker.lab.aad.directory_mut().app_mut(NATIVE).unwrap().permissions.clear(), 65001),
    (|broker, _| alice_is_out(broker), 50057),
    (|broker, _| drop(broker.lab.aad.directory_mut().remove_user("alice@lab.test").unwrap()), 50034),
    (|_, usage| usage["scope"] = json!("openid aza"), 70001),
];

fn revoke(broker: &Broker) {
    let later = now() + SignedDuration::from_secs(1);
    broker.lab.aad.directory_mut().revoke_sessions(ALICE.into(), later);
}

fn alice_is_out(broker: &Broker) {
    broker.lab.aad.directory_mut().user_mut("alice@lab.test").unwrap().enabled = false;
}

#[tokio::test]
async fn every_check_refuses_its_own_fault() {
    for (fault, code) in FAULTS {
        let broker = Broker::new().await;
        let prt = broker.prt().await;
        let mut usage = broker.use_of(&prt).await;
        let jws = by_session(&prt.key, KDF2, &usage);
        assert_eq!(broker.post(V1, &jws).await.status, 200);
        fault(&broker, &mut usage);
        let answer = broker.post(V1, &by_session(&prt.key, KDF2, &usage)).await;
        assert_eq!((answer.status, answer.code()), (400, json!(code)), "{}", answer.text);
    }
}

#[tokio::test]
async fn only_the_holder_of_the_session_key_may_use_it() {
    let broker = Broker::new().await;
    let (prt, other) = (broker.prt().await, broker.prt().await);
    let usage = broker.use_of(&prt).await;
    for key in [other.key, SessionKey::from_bytes([1; 32])] {
        let answer = broker.post(V1, &by_session(&key, KDF2, &usage)).await;
        assert_eq!((answer.code(), answer.text.contains("session key")), (json!(70000), true));
    }
    // A key of one version under the header of the other.
    let swapped = by_session(&prt.key, KDF1, &usage);
    let header = by_session(&prt.key, KDF2, &usage);
    let (_, rest) = swapped.split_once('.').unwrap();
    let (header, _) = header.split_once('.').unwrap();
    assert_eq!(broker.post(V1, &format!("{header}.{rest}")).await.code(), 70000);
    assert_eq!(broker.post(V1, "e30.e30.").await.code(), 9_002_313);
    assert_eq!(broker.post(V1, &by_session(&prt.key, KDF2, &usage)).await.status, 200);
}

#[tokio::test]
async fn it_ends_after_two_weeks() {
    let broker = Broker::new().await;
    let prt = broker.prt().await;
    broker.lab.clock.advance(SignedDuration::from_secs(14 * 86_400 - 1)).await;
    let usage = broker.use_of(&prt).await;
    assert_eq!(broker.post(V1, &by_session(&prt.key, KDF2, &usage)).await.status, 200);
    broker.lab.clock.advance(SignedDuration::from_secs(1)).await;
    let usage = broker.use_of(&prt).await;
    assert_eq!(broker.post(V1, &by_session(&prt.key, KDF2, &usage)).await.code(), 700_082);
}

#[tokio::test]
async fn a_nonce_ends_too() {
    let broker = Broker::new().await;
    let prt = broker.prt().await;
    let jws = by_session(&prt.key, KDF2, &broker.use_of(&prt).await);
    assert_eq!(broker.post(V1, &jws).await.status, 200);
    broker.lab.clock.advance(SignedDuration::from_mins(5)).await;
    assert_eq!(broker.post(V1, &jws).await.code(), 140_000);
}

#[tokio::test]
async fn the_path_may_not_name_another_tenant() {
    let broker = Broker::new().await;
    let prt = broker.prt().await;
    let jws = by_session(&prt.key, KDF2, &broker.use_of(&prt).await);
    for path in ["/organizations/oauth2/token", "/lab.test/oauth2/token"] {
        assert_eq!(broker.post(path, &jws).await.status, 200);
    }
    assert_eq!(broker.post("/other.test/oauth2/token", &jws).await.code(), 700_005);
    assert_eq!(broker.post("/nowhere.test/oauth2/token", &jws).await.code(), 90002);
}
