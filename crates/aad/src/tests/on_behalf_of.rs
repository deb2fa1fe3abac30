//! Trading a user's token for another.

use cmglab_token::forge;
use jiff::SignedDuration;
use serde_json::json;

use super::clients::*;
use super::lab::*;

const V2: &str = "/lab.test/oauth2/v2.0/token";
const V1: &str = "/lab.test/oauth2/token";

/// A path, what to change in the form, and the refusal.
type Case<'a> = (&'a str, &'a [(&'static str, &'a str)], u64);

fn form(assertion: &str, changes: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    let mut form = vec![
        ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer".to_owned()),
        ("client_id", WEB.to_string()),
        ("client_secret", SECRET.to_owned()),
        ("assertion", assertion.to_owned()),
        ("requested_token_use", "on_behalf_of".to_owned()),
        ("scope", format!("{RESOURCE}/.default offline_access")),
    ];
    for (name, value) in changes {
        form.retain(|(known, _)| known != name);
        form.push((*name, (*value).to_owned()));
    }
    form
}

async fn post(lab: &Lab, path: &str, assertion: &str, changes: &[(&'static str, &str)]) -> Reply {
    lab.post(path, &borrowed(&form(assertion, changes))).await
}

async fn assertion(lab: &Lab) -> String {
    lab.user_token(WEB_URI, &NATIVE.to_string()).await
}

#[tokio::test]
async fn an_application_acts_for_its_user() {
    let lab = Lab::new();
    let by_uri = assertion(&lab).await;
    let by_id = lab.user_token(&WEB.to_string(), &NATIVE.to_string()).await;
    let by_slash = lab.user_token("HTTPS://Web/", &NATIVE.to_string()).await;
    for token in [&by_uri, &by_id, &by_slash] {
        let reply = post(&lab, V2, token, &[]).await;
        assert_eq!(reply.status, 200, "{}", reply.json);
        let claims = lab.claims(&reply.json["access_token"], &v1_issuer(), RESOURCE).await;
        assert_eq!((&claims["upn"], &claims["appid"]), (&json!("alice@lab.test"), &json!(WEB)));
        assert_eq!((&claims["appidacr"], &claims["amr"]), (&json!("1"), &json!(["pwd"])));
        assert!(reply.json["refresh_token"].is_string() && !claims.contains_key("deviceid"));
    }
    let v1 = post(&lab, V1, &by_uri, &[("scope", ""), ("resource", RESOURCE)]).await;
    assert_eq!((v1.status, v1.json["expires_in"].is_string()), (200, true));
    assert_eq!(post(&lab, "/common/oauth2/v2.0/token", &by_uri, &[]).await.status, 200);
}

#[tokio::test]
async fn device_and_methods_carry_over() {
    let lab = Lab::new();
    let device = lab.join().await.id;
    let on_device = forge::resigned(&assertion(&lab).await, &signing_keys().current, |claims| {
        claims.insert("deviceid".to_owned(), json!(device));
        claims.insert("amr".to_owned(), json!(["rsa", "mfa", "magic"]));
    });
    let on_device = on_device.unwrap();
    let reply = post(&lab, V2, &on_device, &[]).await;
    let claims = lab.claims(&reply.json["access_token"], &v1_issuer(), RESOURCE).await;
    assert_eq!((&claims["deviceid"], &claims["amr"]), (&json!(device), &json!(["rsa", "mfa"])));
    lab.aad.disable_device(device).unwrap();
    assert_eq!(post(&lab, V2, &on_device, &[]).await.code(), 135_011);
}

#[tokio::test]
async fn only_a_users_token_for_this_client_will_do() {
    let lab = Lab::new();
    let good = assertion(&lab).await;
    let key = &signing_keys().current;
    let changed = |name: &'static str, value: serde_json::Value| {
        forge::resigned(&good, key, |claims| drop(claims.insert(name.to_owned(), value))).unwrap()
    };
    let foreign_issuer = format!("https://sts.windows.net/{OTHER_TENANT}/");
    let for_another = lab.user_token(RESOURCE, &NATIVE.to_string()).await;
    let of_the_app = {
        let scope = format!("{WEB}/.default");
        let credentials =
            [("grant_type", "client_credentials"), ("assertion", ""), ("scope", scope.as_str())];
        let reply = post(&lab, V2, "", &credentials).await;
        reply.json["access_token"].as_str().unwrap().to_owned()
    };
    let stranger = cmglab_token::SigningKey::generate(now(), "accounts.lab.test").unwrap();
    let cases = [
        (for_another, "audience"),
        (changed("aud", json!("https://other-web")), "audience"),
        (changed("aud", json!(["https://web"])), "audience"),
        (of_the_app, "not an access token of a user"),
        (forge::without_claim(&good, key, "scp").unwrap(), "not an access token of a user"),
        (forge::without_claim(&good, key, "oid").unwrap(), "not an access token of a user"),
        (forge::from_issuer(&good, key, &foreign_issuer).unwrap(), "issuer"),
        (forge::flipped_signature(&good).unwrap(), "signature"),
        (forge::unsigned(&good).unwrap(), "not signed"),
        (forge::resigned(&good, &stranger, |_| {}).unwrap(), "signature"),
        ("nonsense".to_owned(), "malformed"),
    ];
    for (token, reason) in cases {
        let reply = post(&lab, V2, &token, &[]).await;
        assert_eq!((reply.status, reply.code()), (400, 50013), "{reason}: {}", reply.json);
        assert!(
            reply.json["error_description"].as_str().unwrap().contains(reason),
            "{reason}: {}",
            reply.json
        );
    }
    assert_eq!(post(&lab, V2, &good, &[]).await.status, 200);
}

#[tokio::test]
async fn times_are_told() {
    let lab = Lab::new();
    let key = &signing_keys().current;
    let good = assertion(&lab).await;
    let late = forge::not_yet_valid(&good, key, now()).unwrap();
    assert_eq!(post(&lab, V2, &late, &[]).await.code(), 500_133);
    let old = forge::expired(&good, key, now()).unwrap();
    let reply = post(&lab, V2, &old, &[]).await;
    let text = reply.json["error_description"].as_str().unwrap();
    assert!(
        text.contains("Current time: 2026-03-01T12:00:00Z, expiry time of assertion: 2026-03-01T11:00:00Z")
    );
    lab.clock.advance(SignedDuration::from_hours(2)).await;
    assert_eq!(post(&lab, V2, &good, &[]).await.code(), 500_133);
}

#[tokio::test]
async fn the_request_is_checked_around_it() {
    let lab = Lab::new();
    let good = assertion(&lab).await;
    let (native, other) = (NATIVE.to_string(), OTHER_WEB.to_string());
    let cases: [Case<'_>; 10] = [
        (V2, &[("requested_token_use", "")], 900_144),
        (V2, &[("requested_token_use", "magic")], 9_002_313),
        (V2, &[("assertion", "")], 900_144),
        (V2, &[("client_secret", "wrong")], 7_000_215),
        (V2, &[("client_secret", "")], 7_000_218),
        (V2, &[("client_id", &native), ("client_secret", "")], 7_000_218),
        (V2, &[("scope", "https://x/.default")], 500_011),
        (V2, &[("scope", "https://web/.default")], 90009),
        ("/nowhere.test/oauth2/token", &[], 90002),
        ("/other.test/oauth2/v2.0/token", &[("client_id", &other)], 50013),
    ];
    for (path, changes, code) in cases {
        assert_eq!(post(&lab, path, &good, changes).await.code(), code, "{path} {changes:?}");
    }
    let foreign = forge::resigned(&good, &signing_keys().current, |claims| {
        claims.insert("tid".to_owned(), json!(uuid::Uuid::from_u128(9)));
    });
    let reply = post(&lab, "/common/oauth2/v2.0/token", &foreign.unwrap(), &[]).await;
    assert_eq!(reply.code(), 50013);
    let mut config = config();
    config.apps.iter_mut().filter(|app| app.app_id == WEB).for_each(|app| app.permissions.clear());
    let lab = Lab::with(&config);
    let good = assertion(&lab).await;
    assert_eq!(post(&lab, V2, &good, &[]).await.code(), 65001);
}

#[tokio::test]
async fn a_sign_in_in_the_second_of_a_revocation_counts() {
    let lab = Lab::new();
    let old = assertion(&lab).await;
    lab.clock.advance(SignedDuration::from_millis(1300)).await;
    lab.aad.revoke_sessions("alice@lab.test").unwrap();
    lab.clock.advance(SignedDuration::from_millis(200)).await;
    let new = assertion(&lab).await;
    assert_eq!(post(&lab, V2, &old, &[]).await.code(), 50173);
    assert_eq!(post(&lab, V2, &new, &[]).await.status, 200);
}
