//! Tokens for applications themselves, and secrets.

use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cmglab_events::kinds::AadEvent;
use http::Request;
use serde_json::json;

use super::clients::*;
use super::lab::*;

const V2: &str = "/lab.test/oauth2/v2.0/token";
const V1: &str = "/lab.test/oauth2/token";

/// A path, what to change in the form, and the refusal.
type Case<'a> = (&'a str, Vec<(&'static str, &'a str)>, u64);

fn form(changes: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    let mut form = vec![
        ("grant_type", "client_credentials".to_owned()),
        ("client_id", WEB.to_string()),
        ("client_secret", SECRET.to_owned()),
        ("scope", format!("{RESOURCE}/.default")),
    ];
    for (name, value) in changes {
        form.retain(|(known, _)| known != name);
        form.push((*name, (*value).to_owned()));
    }
    form
}

async fn post(lab: &Lab, path: &str, changes: &[(&'static str, &str)]) -> Reply {
    lab.post(path, &borrowed(&form(changes))).await
}

#[tokio::test]
async fn an_application_gets_a_token_for_itself() {
    let lab = Lab::new();
    let reply = post(&lab, V2, &[]).await;
    assert_eq!(reply.status, 200, "{}", reply.json);
    let claims = lab.claims(&reply.json["access_token"], &v1_issuer(), RESOURCE).await;
    let expected = json!({
        "appid": WEB, "appidacr": "1", "idtyp": "app", "roles": [ROLE], "oid": claims["sub"], "tid": TENANT,
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&claims[name], value, "{name}");
    }
    for absent in ["upn", "scp", "name", "deviceid", "amr", "unique_name"] {
        assert!(!claims.contains_key(absent), "{absent}");
    }
    assert!(reply.json["expires_in"].is_i64());
    for absent in ["refresh_token", "id_token", "client_info"] {
        assert!(reply.json.get(absent).is_none(), "{absent}");
    }
    let Some(AadEvent::TokenIssued { kind, user, client_id, .. }) = lab.aad_events().pop() else {
        panic!("no event")
    };
    assert_eq!((kind, user, client_id), (None, None, WEB));
}

#[tokio::test]
async fn a_resource_is_named_in_either_version() {
    let lab = Lab::new();
    let v1 = post(&lab, V1, &[("scope", ""), ("resource", RESOURCE)]).await;
    assert_eq!((v1.status, &v1.json["resource"]), (200, &json!(RESOURCE)));
    assert!(v1.json["expires_in"].is_string());
    let by_id = format!("{SERVER}/.default");
    assert_eq!(post(&lab, V2, &[("scope", &by_id)]).await.status, 200);
    // A role is not needed.
    let reply = post(&lab, V2, &[("scope", "https://v2/.default")]).await;
    let issuer = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
    let claims = lab.claims(&reply.json["access_token"], &issuer, &SERVER_V2.to_string()).await;
    assert!(!claims.contains_key("roles") && claims["azp"] == json!(WEB) && claims["azpacr"] == "1");
}

#[tokio::test]
async fn every_refusal_has_its_cause() {
    let (native, unknown, other) =
        (NATIVE.to_string(), uuid::Uuid::from_u128(3).to_string(), OTHER_WEB.to_string());
    let scope = |text: &str| format!("{RESOURCE}/{text}");
    let (named, offline) = (scope("user_impersonation"), scope(".default offline_access"));
    let two = scope(".default https://v2/.default");
    let cases: Vec<Case<'_>> = vec![
        ("/common/oauth2/v2.0/token", vec![], 50059),
        ("/organizations/oauth2/token", vec![], 50059),
        ("/nowhere.test/oauth2/token", vec![], 90002),
        ("/consumers/oauth2/token", vec![], 90002),
        ("/other.test/oauth2/v2.0/token", vec![], 700_016),
        (V2, vec![("client_id", &other)], 700_016),
        (V2, vec![("client_id", &unknown)], 700_016),
        (V2, vec![("client_id", "")], 900_144),
        (V2, vec![("client_secret", "wrong")], 7_000_215),
        (V2, vec![("client_secret", OLD_SECRET)], 7_000_222),
        (V2, vec![("client_secret", "")], 7_000_218),
        (V2, vec![("client_id", &native)], 700_025),
        (V2, vec![("client_id", &native), ("client_secret", "")], 7_000_218),
        (V2, vec![("scope", "")], 900_144),
        (V2, vec![("scope", "openid")], 1_002_012),
        (V2, vec![("scope", &named)], 1_002_012),
        (V2, vec![("scope", &offline)], 1_002_012),
        (V2, vec![("scope", &two)], 70011),
        (V2, vec![("scope", "https://x/.default")], 500_011),
        (V2, vec![("client_assertion", "x")], 9_002_313),
        (V1, vec![("scope", "")], 900_144),
    ];
    let lab = Lab::new();
    for (path, changes, code) in cases {
        let reply = post(&lab, path, &changes).await;
        assert_eq!(reply.code(), code, "{path} {changes:?}");
        let unauthorised = [7_000_215, 7_000_222, 7_000_218, 700_025].contains(&code);
        assert_eq!(reply.status, if unauthorised { 401 } else { 400 }, "{code}");
        assert_eq!(reply.json["error"] == "invalid_client", unauthorised);
    }
    // The other application is at home in the other tenant, and the resource of this one is not.
    let other_tenant = "/other.test/oauth2/v2.0/token";
    assert_eq!(post(&lab, other_tenant, &[("client_id", &other)]).await.code(), 500_011);
    let own = [("client_id", other.as_str()), ("scope", "https://other-web/.default")];
    assert_eq!(post(&lab, other_tenant, &own).await.status, 200);
}

#[tokio::test]
async fn a_secret_may_come_in_the_header() {
    let lab = Lab::new();
    let send = async |credentials: &str, changes: &[(&'static str, &str)]| {
        let form = form(&[&[("client_id", ""), ("client_secret", "")], changes].concat());
        let request = Request::post(V2)
            .header("authorization", format!("Basic {}", STANDARD.encode(credentials)))
            .body(Body::from(encode(&borrowed(&form))))
            .unwrap();
        lab.send(request).await
    };
    // As RFC 6749 has it, and as it stands.
    assert_eq!(send(&format!("{WEB}:s3cret%2B%26%257e"), &[]).await.status, 200);
    assert_eq!(send(&format!("{WEB}:{SECRET}"), &[]).await.status, 200);
    assert_eq!(send(&format!("{WEB}:old+secret"), &[]).await.code(), 7_000_222);
    assert_eq!(send(&format!("{WEB}:wrong"), &[]).await.code(), 7_000_215);
    assert_eq!(send(&format!("{NATIVE}:{SECRET}"), &[]).await.code(), 700_025);
    let (web, native) = (WEB.to_string(), NATIVE.to_string());
    assert_eq!(send(&format!("{WEB}:{SECRET}"), &[("client_id", &web)]).await.status, 200);
    assert_eq!(send(&format!("{WEB}:{SECRET}"), &[("client_id", &native)]).await.code(), 9_002_313);
    assert_eq!(send(&format!("{WEB}:{SECRET}"), &[("client_secret", SECRET)]).await.code(), 9_002_313);
    assert_eq!(send("no colon", &[]).await.code(), 900_144);
}
