//! Primary refresh tokens: a new one for an old one.

use cmglab_token::session::KdfVersion::{V1 as KDF1, V2 as KDF2};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::broker::*;
use super::lab::*;

/// As the broker renews: for itself and for no resource.
async fn renewal(broker: &Broker, prt: &Held) -> Value {
    json!({
        "client_id": SIGN_IN,
        "request_nonce": broker.lab.nonce().await,
        "scope": "openid aza ugs",
        "resource": null,
        "iss": "aad:brokerplugin",
        "grant_type": "refresh_token",
        "refresh_token": prt.text,
        "previous_refresh_token": prt.text,
        "group_sids": [],
    })
}

async fn works(broker: &Broker, prt: &Held) -> bool {
    let usage = broker.use_of(prt).await;
    broker.post(V1, &by_session(&prt.key, KDF2, &usage)).await.status == 200
}

#[tokio::test]
async fn a_new_one_comes_beside_the_old_one() {
    let broker = Broker::new().await;
    let prt = broker.prt().await;
    broker.lab.clock.advance(SignedDuration::from_hours(4)).await;
    for version in [KDF1, KDF2] {
        let jws = by_session(&prt.key, version, &renewal(&broker, &prt).await);
        let json = broker.post(V1, &jws).await.opened(&prt.key);
        assert_eq!((json.get("session_key_jwe"), json.get("access_token")), (None, None));
        assert_eq!(json["refresh_token_expires_in"], json!(1_209_599));
        for text in ["token_type", "expires_in", "ext_expires_in", "expires_on", "id_token"] {
            assert!(json[text].is_string(), "{text}");
        }
        let new = Held { text: json["refresh_token"].as_str().unwrap().to_owned(), key: prt.key.clone() };
        assert_ne!(new.text, prt.text);
        assert!(works(&broker, &new).await && works(&broker, &prt).await);
    }
}

#[tokio::test]
async fn it_outlives_the_old_one() {
    let broker = Broker::new().await;
    let prt = broker.prt().await;
    broker.lab.clock.advance(SignedDuration::from_hours(13 * 24)).await;
    let jws = by_session(&prt.key, KDF2, &renewal(&broker, &prt).await);
    let json = broker.post(V1, &jws).await.opened(&prt.key);
    let new = Held { text: json["refresh_token"].as_str().unwrap().to_owned(), key: prt.key.clone() };
    broker.lab.clock.advance(SignedDuration::from_hours(2 * 24)).await;
    assert!(works(&broker, &new).await && !works(&broker, &prt).await);
}

#[tokio::test]
async fn with_a_resource_there_is_an_access_token_too() {
    let broker = Broker::new().await;
    let prt = broker.prt().await;
    let mut payload = renewal(&broker, &prt).await;
    payload["client_id"] = json!(BROKER);
    payload["resource"] = json!(DRS);
    let json = broker.post(V1, &by_session(&prt.key, KDF2, &payload)).await.opened(&prt.key);
    broker.lab.claims(&json["access_token"], &v1_issuer(), DRS).await;
    let new = Held { text: json["refresh_token"].as_str().unwrap().to_owned(), key: prt.key.clone() };
    assert!(works(&broker, &new).await);
}

#[tokio::test]
async fn the_session_key_changes_after_a_month() {
    let broker = Broker::new().await;
    let mut prt = broker.prt().await;
    for day in [10, 20, 30] {
        broker.lab.clock.advance(SignedDuration::from_hours(10 * 24)).await;
        let jws = by_session(&prt.key, KDF2, &renewal(&broker, &prt).await);
        let json = broker.post(V1, &jws).await.opened(&prt.key);
        assert_eq!(json.get("session_key_jwe"), None, "day {day}");
        prt.text = json["refresh_token"].as_str().unwrap().to_owned();
    }
    broker.lab.clock.advance(SignedDuration::from_secs(1)).await;
    let jws = by_session(&prt.key, KDF2, &renewal(&broker, &prt).await);
    let json = broker.post(V1, &jws).await.opened(&prt.key);
    let new = held(&json);
    assert!(new.key != prt.key);
    assert!(works(&broker, &new).await && works(&broker, &prt).await);
    // The old token keeps the old key, and the new one has the new.
    assert!(!works(&broker, &Held { text: new.text, key: prt.key }).await);
}

#[tokio::test]
async fn a_user_who_is_out_gets_no_new_one() {
    let broker = Broker::new().await;
    let prt = broker.prt().await;
    let jws = by_session(&prt.key, KDF2, &renewal(&broker, &prt).await);
    assert_eq!(broker.post(V1, &jws).await.status, 200);
    broker.lab.aad.directory_mut().user_mut("alice@lab.test").unwrap().enabled = false;
    assert_eq!(broker.post(V1, &jws).await.code(), 50057);
}
