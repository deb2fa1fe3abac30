//! Claims beyond the documented ones, as an application or a user is set up.

use serde_json::{Map, json};

use super::lab::{Lab, NATIVE, RESOURCE, SERVER, SERVER_V2, TENANT, config, password_form, v1_issuer};
use crate::ClaimOptions;

async fn user_claims(lab: &Lab) -> Map<String, serde_json::Value> {
    let native = NATIVE.to_string();
    let reply = lab.post("/lab.test/oauth2/token", &password_form(RESOURCE, &native)).await;
    lab.claims(&reply.json["access_token"], &v1_issuer(), RESOURCE).await
}

#[tokio::test]
async fn optional_claims_come_when_the_resource_asks() {
    let lab = Lab::new();
    let plain = user_claims(&lab).await;
    assert!(["idtyp", "groups", "auth_time"].iter().all(|name| !plain.contains_key(*name)));
    let optional = ["idtyp", "groups", "auth_time", "nonsense"].map(str::to_owned).into();
    lab.aad.set_claims(SERVER, ClaimOptions { optional, ..ClaimOptions::default() }).unwrap();
    let claims = user_claims(&lab).await;
    assert_eq!((&claims["idtyp"], &claims["groups"]), (&json!("user"), &json!([])));
    assert_eq!(claims["auth_time"], claims["iat"]);
    assert!(!claims.contains_key("nonsense"));
}

#[tokio::test]
async fn version_2_gets_the_claims_of_version_1_only_on_request() {
    let lab = Lab::new();
    let native = NATIVE.to_string();
    let optional = ["onprem_sid", "upn"].map(str::to_owned).into();
    lab.aad.set_claims(SERVER_V2, ClaimOptions { optional, ..ClaimOptions::default() }).unwrap();
    let reply = lab.post("/lab.test/oauth2/token", &password_form("https://v2", &native)).await;
    let issuer = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
    let claims = lab.claims(&reply.json["access_token"], &issuer, &SERVER_V2.to_string()).await;
    assert_eq!(
        (&claims["upn"], &claims["onprem_sid"]),
        (&json!("alice@lab.test"), &json!("S-1-5-21-1-2-3-1001"))
    );
    assert!(!claims.contains_key("ipaddr"));
}

#[tokio::test]
async fn lifetime_and_made_up_claims_are_the_resources_own() {
    let lab = Lab::new();
    let extra = Map::from_iter([("department".to_owned(), json!("IT")), ("acr".to_owned(), json!("0"))]);
    let options = ClaimOptions { lifetime: Some(120), extra, ..ClaimOptions::default() };
    lab.aad.set_claims(SERVER, options).unwrap();
    let claims = user_claims(&lab).await;
    assert_eq!((&claims["department"], &claims["acr"]), (&json!("IT"), &json!("0")));
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 120);
}

#[tokio::test]
async fn a_user_may_have_claims_of_his_own() {
    let mut config = config();
    config.users[0].claims = Map::from_iter([("employeeid".to_owned(), json!("4711"))]);
    assert_eq!(user_claims(&Lab::with(&config)).await["employeeid"], json!("4711"));
}
