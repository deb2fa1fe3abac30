//! The origin of its own, userinfo, the forge and the journal.

use cmglab_events::kinds::AadEvent;
use cmglab_token::forge::{Flaw, Mint};
use cmglab_token::peek;
use http::Request;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::clients::borrowed;
use super::lab::{BROKER, DRS, Lab, NATIVE, PASSWORD, RESOURCE, TENANT, join_body, password_form, v1_issuer};
use crate::Aad;

const OWN: &str = "localhost:8443";

async fn get(aad: &Aad, target: &str) -> Value {
    let request = Request::get(target).body(axum::body::Body::empty()).unwrap();
    let response = aad.router().oneshot(request).await.unwrap();
    assert!(!response.headers().contains_key("strict-transport-security") || aad.hosts().login != OWN);
    let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    serde_json::from_slice(&body).unwrap()
}

#[tokio::test]
async fn an_origin_of_its_own_names_itself() {
    let lab = Lab::new();
    let (own, origin) = lab.aad.at_own_origin();
    origin.set("localhost:8443");
    let v2 = get(&own, "/lab.test/v2.0/.well-known/openid-configuration").await;
    assert_eq!(v2["issuer"], json!(format!("https://localhost:8443/{TENANT}/v2.0")));
    let v1 = get(&own, "/lab.test/.well-known/openid-configuration").await;
    assert_eq!(v1["issuer"], json!(format!("https://localhost:8443/{TENANT}/")));
    for (name, value) in v2.as_object().unwrap() {
        let endpoint = name.ends_with("_endpoint") || name == "jwks_uri";
        let own = value.as_str().unwrap_or_default().starts_with("https://localhost:8443/");
        assert!(!endpoint || own, "{name} {value}");
    }
    // The face under the documented names is as it was, and the keys are the same.
    let documented = lab.get("/lab.test/v2.0/.well-known/openid-configuration").await;
    // Browsers are held to HTTPS there alone: elsewhere it would be all of `localhost`.
    assert!(documented.headers.contains_key("strict-transport-security"));
    let documented = documented.json;
    assert_eq!(documented["issuer"], json!(format!("https://login.microsoftonline.com/{TENANT}/v2.0")));
    assert_eq!(get(&own, "/common/discovery/keys").await, lab.get("/common/discovery/keys").await.json);
}

async fn userinfo(lab: &Lab, token: &str) -> super::lab::Reply {
    let request = Request::get("/oidc/userinfo").header("authorization", format!("Bearer {token}"));
    lab.send(request.body(axum::body::Body::empty()).unwrap()).await
}

#[tokio::test]
async fn userinfo_is_about_the_user_of_a_good_token() {
    let lab = Lab::new();
    let token = lab.user_token(DRS, BROKER).await;
    let reply = userinfo(&lab, &token).await;
    assert_eq!((reply.status, &reply.json["email"]), (200, &json!("alice@lab.test")));
    assert_eq!(reply.json["given_name"], json!("Alice"));
    let refused = userinfo(&lab, &token[..token.len() - 4]).await;
    assert_eq!((refused.status, &refused.json["error"]), (401, &json!("invalid_token")));
    assert_eq!(refused.headers["www-authenticate"], "Bearer error=\"invalid_token\"");
    assert_eq!(lab.get("/oidc/userinfo").await.status, 401);
}

/// They are compared by whoever asks both (OpenID Connect Core §5.3.2).
#[tokio::test]
async fn the_subject_is_that_of_the_id_token() {
    let lab = Lab::new();
    let scoped = |client: &str, resource: &str| {
        let scope = format!("{resource}/.default openid");
        let mut form = password_form(resource, client).map(|(name, value)| (name, value.to_owned()));
        form[2] = ("scope", scope);
        form
    };
    for (client, resource) in
        [(BROKER, RESOURCE), (&*NATIVE.to_string(), RESOURCE), (&*NATIVE.to_string(), "https://v2")]
    {
        let form = scoped(client, resource);
        let reply = lab.post("/lab.test/oauth2/v2.0/token", &borrowed(&form)).await;
        let (_, id_token) = peek(reply.json["id_token"].as_str().unwrap()).unwrap();
        let told = userinfo(&lab, reply.json["access_token"].as_str().unwrap()).await;
        assert_eq!((told.status, &told.json["sub"]), (200, &id_token["sub"]), "{client} {resource}");
        // An ID token says who somebody is, and gives access to nothing.
        assert_eq!(userinfo(&lab, reply.json["id_token"].as_str().unwrap()).await.status, 401);
    }
}

#[tokio::test]
async fn userinfo_takes_no_token_of_a_device_or_an_application() {
    let lab = Lab::new();
    let claims =
        json!({"iss": v1_issuer(), "aud": DRS, "tid": TENANT, "oid": super::lab::ALICE, "appid": BROKER});
    let forged = async |changes: &[(&str, &str)]| {
        let Value::Object(mut claims) = claims.clone() else { unreachable!() };
        claims.extend(changes.iter().map(|(name, value)| ((*name).to_owned(), json!(value))));
        let token = lab.aad.forge(&Mint { claims, ..Mint::default() }).unwrap().token;
        userinfo(&lab, &token).await.status
    };
    assert_eq!(forged(&[("scp", "user_impersonation")]).await, 200);
    assert_eq!(forged(&[]).await, 401);
    assert_eq!(forged(&[("idtyp", "device")]).await, 401);
    assert_eq!(forged(&[("scp", "user_impersonation"), ("appid", "x")]).await, 401);
}

#[tokio::test]
async fn a_forged_token_has_the_wanted_flaw_and_says_so() {
    let lab = Lab::new();
    let claims = json!({"iss": v1_issuer(), "aud": DRS, "tid": TENANT, "oid": super::lab::ALICE, "scp": "x", "appid": BROKER});
    let Value::Object(claims) = claims else { unreachable!() };
    let mint = |flaws| Mint { claims: claims.clone(), flaws, ..Mint::default() };
    let good = lab.aad.forge(&mint(Vec::new())).unwrap();
    assert_eq!(userinfo(&lab, &good.token).await.status, 200);
    for flaw in [Flaw::Expired, Flaw::Signature, Flaw::UnknownKid, Flaw::Unsigned, Flaw::ForeignKey] {
        let forged = lab.aad.forge(&mint(vec![flaw.clone()])).unwrap();
        assert_eq!(userinfo(&lab, &forged.token).await.status, 401, "{flaw:?}");
    }
    let told = lab.aad_events().into_iter().filter(|event| matches!(event, AadEvent::TokenForged { .. }));
    assert_eq!(told.count(), 6);
    let contradiction = mint(vec![Flaw::Expired, Flaw::NotYetValid]);
    assert!(lab.aad.forge(&contradiction).is_err());
}

#[tokio::test]
async fn the_journal_tells_what_was_asked_and_no_secret() {
    let lab = Lab::new();
    let token = lab.user_token(DRS, BROKER).await;
    let mut wrong = password_form(DRS, BROKER);
    wrong[4].1 = "wrong-secret";
    lab.post("/lab.test/oauth2/token", &wrong).await;
    let journal = lab.journal();
    let [(asked, 200, answer), (_, 400, why)] = journal.as_slice() else { panic!("{journal:?}") };
    assert_eq!(asked["form"]["username"], json!("alice@lab.test"));
    assert!(answer.contains("access_token") && why.starts_with("AADSTS50126"), "{answer} {why}");
    let text = format!("{:?}", lab.events.snapshot());
    let signature = token.rsplit('.').next().unwrap();
    assert!([PASSWORD, "wrong-secret", signature].iter().all(|secret| !text.contains(secret)));
}

#[tokio::test]
async fn each_face_takes_what_the_other_has_issued() {
    let lab = Lab::new();
    let (own, origin) = lab.aad.at_own_origin();
    origin.set("localhost:8443");
    let form = super::lab::encode(&password_form(DRS, BROKER));
    let request = Request::post("/lab.test/oauth2/token").body(axum::body::Body::from(form)).unwrap();
    let response = own.router().oneshot(request).await.unwrap();
    let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    let issued: Value = serde_json::from_slice(&body).unwrap();
    let there = issued["access_token"].as_str().unwrap();
    let (_, claims) = cmglab_token::peek(there).unwrap();
    assert_eq!(claims["iss"], json!(format!("https://localhost:8443/{TENANT}/")));
    assert_eq!(lab.join_with(there, &join_body(0)).await.status, 200);
    let here = lab.user_token(DRS, BROKER).await;
    let request = Request::post("/EnrollmentServer/device/?api-version=2.0")
        .header("authorization", format!("Bearer {here}"))
        .body(axum::body::Body::from(join_body(0).to_string()))
        .unwrap();
    assert_eq!(own.router().oneshot(request).await.unwrap().status(), 200);
    // An origin that was never told is nobody's.
    let foreign = cmglab_token::forge::resigned(&here, &super::lab::signing_keys().current, |claims| {
        claims.insert("iss".to_owned(), json!(format!("https://localhost:9/{TENANT}/")));
    });
    assert_eq!(lab.join_with(&foreign.unwrap(), &join_body(0)).await.status, 400);
}
