//! Refresh tokens, and what ends them.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::lab::{BROKER, DRS, Lab, NATIVE, PASSWORD, RESOURCE, Reply, password_form, v1_issuer};
use crate::Password;

async fn signed_in(lab: &Lab) -> String {
    let native = NATIVE.to_string();
    let reply = lab.post("/lab.test/oauth2/token", &password_form(RESOURCE, &native)).await;
    reply.json["refresh_token"].as_str().unwrap().to_owned()
}

async fn renew(lab: &Lab, tenant: &str, client: &str, token: &str) -> Reply {
    let form = [("grant_type", "refresh_token"), ("client_id", client), ("refresh_token", token)];
    lab.post(&format!("/{tenant}/oauth2/token"), &form).await
}

fn codes(reply: &Reply) -> &Value {
    &reply.json["error_codes"]
}

#[tokio::test]
async fn each_use_gives_a_new_one_and_the_old_stays_good() {
    let lab = Lab::new();
    let (first, native) = (signed_in(&lab).await, NATIVE.to_string());
    let reply = renew(&lab, "common", &native, &first).await;
    assert_eq!(reply.status, 200, "{}", reply.json);
    let claims = lab.claims(&reply.json["access_token"], &v1_issuer(), RESOURCE).await;
    assert_eq!((&claims["upn"], &claims["amr"]), (&json!("alice@lab.test"), &json!(["pwd"])));
    let second = reply.json["refresh_token"].as_str().unwrap();
    assert_ne!(second, first);
    assert_eq!(renew(&lab, "lab.test", &native, second).await.status, 200);
    assert_eq!(renew(&lab, "lab.test", &native, &first).await.status, 200);
}

#[tokio::test]
async fn a_renewal_may_name_another_target() {
    let lab = Lab::new();
    let (token, native) = (signed_in(&lab).await, NATIVE.to_string());
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", &*native),
        ("refresh_token", &*token),
        ("scope", "openid https://v2/.default offline_access"),
    ];
    let reply = lab.post("/lab.test/oauth2/v2.0/token", &form).await;
    assert_eq!(reply.status, 200, "{}", reply.json);
    assert!(reply.json["scope"].as_str().unwrap().contains("https://v2/.default"));
    assert!(reply.json["id_token"].is_string() && reply.json["refresh_token"].is_string());
}

#[tokio::test]
async fn what_it_is_not_good_for() {
    let lab = Lab::new();
    let (token, native) = (signed_in(&lab).await, NATIVE.to_string());
    assert_eq!(codes(&renew(&lab, "other.test", &native, &token).await), &json!([700_005]));
    assert_eq!(codes(&renew(&lab, "lab.test", BROKER, &token).await), &json!([70000]));
    assert_eq!(codes(&renew(&lab, "lab.test", &native, &token[1..]).await), &json!([70000]));
    assert_eq!(codes(&renew(&lab, "nowhere.test", &native, &token).await), &json!([90002]));
    assert_eq!(renew(&lab, "lab.test", &native, &token).await.status, 200);
    lab.clock.advance(SignedDuration::from_hours(24 * 90)).await;
    assert_eq!(codes(&renew(&lab, "lab.test", &native, &token).await), &json!([700_082]));
}

#[tokio::test]
async fn changes_of_the_directory_count_at_the_next_use() {
    type Change = fn(&Lab);
    let changes: [(Change, u32); 6] = [
        (|lab| lab.aad.revoke_sessions("alice@lab.test").unwrap(), 50173),
        (|lab| lab.aad.set_password("alice@lab.test", Password::new("other")).unwrap(), 50173),
        (|lab| lab.aad.set_user_enabled("alice@lab.test", false).unwrap(), 50057),
        (|lab| lab.aad.delete_user("alice@lab.test").unwrap(), 50034),
        (|lab| lab.aad.remove_consent(NATIVE, super::lab::SERVER).unwrap(), 65001),
        (|lab| lab.aad.set_app_enabled(NATIVE, false).unwrap(), 7_000_112),
    ];
    for (change, code) in changes {
        let lab = Lab::new();
        let (token, native) = (signed_in(&lab).await, NATIVE.to_string());
        lab.clock.advance(SignedDuration::from_secs(1)).await;
        assert_eq!(renew(&lab, "lab.test", &native, &token).await.status, 200);
        change(&lab);
        assert_eq!(codes(&renew(&lab, "lab.test", &native, &token).await), &json!([code]));
    }
}

#[tokio::test]
async fn a_changed_password_counts_at_once() {
    let lab = Lab::new();
    lab.aad.set_password("alice@lab.test", Password::new("other")).unwrap();
    let mut form = password_form(DRS, BROKER);
    assert_eq!(codes(&lab.post("/lab.test/oauth2/token", &form).await), &json!([50126]));
    assert_eq!((form[4].0, form[4].1), ("password", PASSWORD));
    form[4].1 = "other";
    assert_eq!(lab.post("/lab.test/oauth2/token", &form).await.status, 200);
    assert!(lab.aad.set_password("nobody@lab.test", Password::new("x")).is_err());
}

#[tokio::test]
async fn a_sign_in_may_be_too_old_for_a_resource() {
    let lab = Lab::new();
    let (token, native) = (signed_in(&lab).await, NATIVE.to_string());
    let rules = crate::AccessRules { sign_in_frequency: Some(3600), ..Default::default() };
    lab.aad.set_access_rules(super::lab::SERVER, rules).unwrap();
    lab.clock.advance(SignedDuration::from_secs(3600)).await;
    assert_eq!(renew(&lab, "lab.test", &native, &token).await.status, 200);
    lab.clock.advance(SignedDuration::from_secs(1)).await;
    assert_eq!(codes(&renew(&lab, "lab.test", &native, &token).await), &json!([70043]));
}

#[tokio::test]
async fn a_revocation_divides_its_own_instant() {
    let lab = Lab::new();
    let native = NATIVE.to_string();
    let mut earlier = Vec::new();
    for _ in 0..3 {
        earlier.push(signed_in(&lab).await);
        lab.aad.revoke_sessions("alice@lab.test").unwrap();
    }
    let later = signed_in(&lab).await;
    for token in &earlier {
        assert_eq!(codes(&renew(&lab, "lab.test", &native, token).await), &json!([50173]));
    }
    assert_eq!(renew(&lab, "lab.test", &native, &later).await.status, 200);
}
