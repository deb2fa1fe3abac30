//! Rotation of the signing keys.

use cmglab_token::{Expect, Jwks, Keys, SigningKey, verify};
use jiff::SignedDuration;
use serde_json::{Map, Value};

use super::lab::{BROKER, DRS, Lab, now, signing_keys, v1_issuer};
use crate::AadError;

async fn kids(lab: &Lab) -> Vec<String> {
    let keys = lab.get("/common/discovery/keys").await.json;
    keys["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

async fn verifies(lab: &Lab, token: &str) -> bool {
    let set = lab.get("/common/discovery/v2.0/keys").await.json.to_string();
    let keys = Keys::from_jwks(&Jwks::parse(set.as_bytes()).unwrap()).unwrap();
    let issuer = v1_issuer();
    let expect = Expect { issuers: &[&issuer], audiences: &[DRS], now: now(), leeway: SignedDuration::ZERO };
    verify::<Map<String, Value>>(token, &keys, &expect).is_ok()
}

#[tokio::test]
async fn the_next_key_takes_over_and_old_tokens_stay_good_until_it_is_retired() {
    let lab = Lab::new();
    let before = lab.user_token(DRS, BROKER).await;
    let (current, next) = (signing_keys().current.kid(), signing_keys().next.kid());
    assert_eq!(kids(&lab).await, [current, next]);
    let newest = SigningKey::generate(now(), "accounts.lab.test").unwrap();
    lab.aad.rotate_keys(newest.clone()).unwrap();
    assert_eq!(kids(&lab).await, [next, newest.kid(), current]);
    let after = lab.user_token(DRS, BROKER).await;
    assert_ne!(before.split('.').next(), after.split('.').next());
    assert!(verifies(&lab, &before).await && verifies(&lab, &after).await);
    assert_eq!(lab.aad.rotate_keys(newest.clone()), Err(AadError::SameKey));
    lab.aad.retire_keys().unwrap();
    assert_eq!(kids(&lab).await, [next, newest.kid()]);
    assert!(!verifies(&lab, &before).await && verifies(&lab, &after).await);
}
