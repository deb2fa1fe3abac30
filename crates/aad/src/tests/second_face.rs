//! The origin of its own, userinfo, the forge and the journal.

use cmglab_events::kinds::AadEvent;
use cmglab_token::forge::{Flaw, Mint};
use http::Request;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::lab::{BROKER, DRS, Lab, PASSWORD, TENANT, password_form, v1_issuer};
use crate::Aad;

async fn get(aad: &Aad, target: &str) -> Value {
    let request = Request::get(target).body(axum::body::Body::empty()).unwrap();
    let response = aad.router().oneshot(request).await.unwrap();
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
    let documented = lab.get("/lab.test/v2.0/.well-known/openid-configuration").await.json;
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
    assert_eq!(lab.get("/oidc/userinfo").await.status, 401);
}

#[tokio::test]
async fn a_forged_token_has_the_wanted_flaw_and_says_so() {
    let lab = Lab::new();
    let claims = json!({"iss": v1_issuer(), "aud": DRS, "tid": TENANT, "oid": super::lab::ALICE, "sub": "x"});
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
