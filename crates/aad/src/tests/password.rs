//! The user token by password.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::lab::*;
use crate::App;

type Form = Vec<(&'static str, String)>;

fn form() -> Form {
    let native = NATIVE.to_string();
    password_form(RESOURCE, &native).iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
}

fn with(name: &'static str, value: &str) -> Form {
    let mut form: Form = form().into_iter().filter(|(known, _)| *known != name).collect();
    if !value.is_empty() {
        form.push((name, value.to_owned()));
    }
    form
}

async fn post(lab: &Lab, path: &str, form: &Form) -> Reply {
    let form: Vec<_> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
    lab.post(path, &form).await
}

#[tokio::test]
async fn a_user_token_says_what_real_ones_say() {
    let lab = Lab::new();
    let reply = post(&lab, "/lab.test/oauth2/token", &form()).await;
    assert_eq!((reply.status, &reply.json["scope"]), (200, &json!("user_impersonation")));
    assert!(reply.json["expires_in"].is_string() && reply.json["expires_on"].is_string());
    assert_eq!((reply.json.get("id_token"), reply.json.get("client_info")), (None, None));
    let claims = lab.claims(&reply.json["access_token"], &v1_issuer(), RESOURCE).await;
    let expected = json!({
        "acr": "1", "amr": ["pwd"], "appid": NATIVE, "appidacr": "0", "name": "Alice Example",
        "given_name": "Alice", "family_name": "Example", "oid": ALICE, "onprem_sid": "S-1-5-21-1-2-3-1001",
        "puid": "10032000ABCDEF01", "scp": "user_impersonation", "tid": TENANT, "upn": "alice@lab.test",
        "unique_name": "alice@lab.test", "ver": "1.0",
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&claims[name], value, "{name}");
    }
    let lifetime = claims["exp"].as_i64().unwrap() - claims["nbf"].as_i64().unwrap();
    assert!((3600..=5399).contains(&lifetime), "{lifetime}");
    assert_eq!(claims.get("deviceid"), None);
}

#[tokio::test]
async fn the_tenant_may_come_from_the_user_name() {
    let lab = Lab::new();
    for path in ["/common/oauth2/token", "/organizations/oauth2/token", "/lab.test/oauth2/token"] {
        assert_eq!(post(&lab, path, &with("username", "Alice@LAB.test")).await.status, 200);
    }
    let reply = post(&lab, "/common/oauth2/token", &with("username", "alice@nowhere.test")).await;
    assert_eq!(reply.json["error_codes"], json!([50059]));
}

#[tokio::test]
async fn version_2_reads_the_scope_and_writes_numbers() {
    let lab = Lab::new();
    let mut form = with("resource", "");
    form.push(("scope", format!("{RESOURCE}/.default offline_access openid profile")));
    form.push(("client_info", "1".to_owned()));
    form.push(("nonce", "n-1".to_owned()));
    let reply = post(&lab, "/organizations/oauth2/v2.0/token", &form).await;
    assert_eq!(reply.status, 200, "{}", reply.json);
    assert!(reply.json["expires_in"].is_i64());
    let granted = format!("{RESOURCE}/user_impersonation {RESOURCE}/.default openid profile offline_access");
    assert_eq!(reply.json["scope"], json!(granted));
    // The resource takes version 1, so it gets version 1 from this endpoint too.
    lab.claims(&reply.json["access_token"], &v1_issuer(), RESOURCE).await;
    let issuer = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
    let id = lab.claims(&reply.json["id_token"], &issuer, &NATIVE.to_string()).await;
    assert_eq!((&id["preferred_username"], &id["oid"]), (&json!("alice@lab.test"), &json!(ALICE)));
    assert_eq!((&id["nonce"], &id["ver"]), (&json!("n-1"), &json!("2.0")));
    let info = URL_SAFE_NO_PAD.decode(reply.json["client_info"].as_str().unwrap()).unwrap();
    let info: Value = serde_json::from_slice(&info).unwrap();
    assert_eq!(info, json!({"uid": ALICE, "utid": TENANT}));
}

#[tokio::test]
async fn a_version_2_resource_gets_version_2() {
    let lab = Lab::new();
    let reply = post(&lab, "/lab.test/oauth2/token", &with("resource", "https://v2")).await;
    let issuer = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
    let claims = lab.claims(&reply.json["access_token"], &issuer, &SERVER_V2.to_string()).await;
    assert_eq!((&claims["azp"], &claims["preferred_username"]), (&json!(NATIVE), &json!("alice@lab.test")));
    for absent in ["appid", "upn", "unique_name", "ipaddr", "onprem_sid"] {
        assert!(!claims.contains_key(absent), "{absent}");
    }
}

#[tokio::test]
async fn every_refusal_has_its_cause() {
    let server = SERVER.to_string();
    let unknown = uuid::Uuid::from_u128(3).to_string();
    let v1 = "/lab.test/oauth2/token";
    let faults: Vec<(&str, Form, u32)> = vec![
        (v1, with("client_id", ""), 900_144),
        (v1, with("username", ""), 900_144),
        (v1, with("password", ""), 900_144),
        ("/nowhere.test/oauth2/token", form(), 90002),
        ("/consumers/oauth2/token", form(), 90002),
        (v1, with("client_id", &unknown), 700_016),
        ("/other.test/oauth2/token", form(), 700_016),
        (v1, with("client_id", &server), 7_000_218),
        (v1, with("resource", ""), 900_144),
        (v1, with("resource", "https://Other"), 500_011),
        ("/lab.test/oauth2/v2.0/token", form(), 900_144),
        (v1, with("username", "nobody@lab.test"), 50034),
        (v1, with("username", "carol@other.test"), 50034),
        (v1, with("password", "wrong"), 50126),
        (v1, with("username", "bob@lab.test"), 50057),
    ];
    let lab = Lab::new();
    for (path, form, code) in faults {
        let reply = post(&lab, path, &form).await;
        assert_eq!(reply.json["error_codes"], json!([code]), "{path} {form:?}");
        assert_eq!(reply.status, if code == 7_000_218 { 401 } else { 400 });
    }
    let mut form = with("resource", "");
    form.push(("scope", format!("{RESOURCE}/root")));
    let reply = post(&lab, "/lab.test/oauth2/v2.0/token", &form).await;
    assert_eq!(reply.json["error_codes"], json!([70011]));
}

#[tokio::test]
async fn disabled_applications_are_refused_on_both_sides() {
    for (app, code) in [(NATIVE, 7_000_112), (SERVER, 500_014)] {
        let mut config = config();
        let disabled = config.apps.iter_mut().filter(|entry| entry.app_id == app);
        disabled.for_each(|entry: &mut App| entry.disabled = true);
        let reply = post(&Lab::with(&config), "/lab.test/oauth2/token", &form()).await;
        assert_eq!(reply.json["error_codes"], json!([code]));
    }
}
