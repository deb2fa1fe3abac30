//! What stands between a user and a token beside the password: condition, access rules, consent.

use serde_json::{Value, json};

use super::lab::{Lab, NATIVE, RESOURCE, SERVER, may_act, password_form};
use crate::{AccessRules, UserCondition};

async fn ask(lab: &Lab, version: u8) -> Value {
    let native = NATIVE.to_string();
    let mut form = password_form(RESOURCE, &native).to_vec();
    let path = if version == 2 {
        form.push(("scope", "https://ConfigMgrService/.default"));
        "/lab.test/oauth2/v2.0/token"
    } else {
        "/lab.test/oauth2/token"
    };
    let reply = lab.post(path, &form).await;
    assert_eq!(reply.status == 200, reply.json["error_codes"].is_null(), "{}", reply.json);
    json!([reply.json["error_codes"][0], reply.json["error"], reply.json["suberror"]])
}

#[tokio::test]
async fn conditions_of_a_user_refuse_the_password() {
    use UserCondition::{Good, Locked, PasswordExpired, SecondFactorNeeded, SecondFactorToEnrol};
    let rows = [
        (Locked, 1, json!([50053, "invalid_grant", null])),
        (PasswordExpired, 1, json!([50055, "invalid_grant", "user_password_expired"])),
        (SecondFactorNeeded, 1, json!([50076, "interaction_required", "basic_action"])),
        (SecondFactorNeeded, 2, json!([50076, "invalid_grant", "basic_action"])),
        (SecondFactorToEnrol, 1, json!([50079, "interaction_required", "basic_action"])),
        (SecondFactorToEnrol, 2, json!([50079, "invalid_grant", "basic_action"])),
    ];
    let lab = Lab::new();
    for (condition, version, expected) in rows {
        lab.aad.set_user_condition("alice@lab.test", condition).unwrap();
        assert_eq!(ask(&lab, version).await, expected);
        lab.aad.set_user_condition("alice@lab.test", Good).unwrap();
        assert_eq!(ask(&lab, version).await, json!([null, null, null]));
    }
}

#[tokio::test]
async fn a_second_factor_comes_with_the_claims_to_ask_for() {
    let lab = Lab::new();
    lab.aad.set_user_condition("alice@lab.test", UserCondition::SecondFactorNeeded).unwrap();
    let native = NATIVE.to_string();
    let reply = lab.post("/lab.test/oauth2/token", &password_form(RESOURCE, &native)).await;
    // A text with JSON in it, not JSON.
    let claims: Value = serde_json::from_str(reply.json["claims"].as_str().unwrap()).unwrap();
    assert!(claims["access_token"].is_object());
}

#[tokio::test]
async fn access_rules_of_a_resource_hold() {
    let none = AccessRules::default();
    let rows = [
        (AccessRules { blocked: true, ..none }, json!([53003, "access_denied", null])),
        (AccessRules { device: true, ..none }, json!([50097, "interaction_required", null])),
        (AccessRules { compliant_device: true, ..none }, json!([53000, "interaction_required", null])),
        (AccessRules { domain_joined_device: true, ..none }, json!([53001, "interaction_required", null])),
        (AccessRules { joined_device: true, ..none }, json!([50129, "interaction_required", null])),
        (AccessRules { second_factor: true, ..none }, json!([50076, "interaction_required", "basic_action"])),
        (none, json!([null, null, null])),
    ];
    let lab = Lab::new();
    for (rules, expected) in rows {
        lab.aad.set_access_rules(SERVER, rules).unwrap();
        assert_eq!(ask(&lab, 1).await, expected);
    }
}

#[tokio::test]
async fn consent_is_needed_and_can_be_given() {
    let lab = Lab::new();
    assert_eq!(ask(&lab, 1).await[0], Value::Null);
    lab.aad.remove_consent(NATIVE, SERVER).unwrap();
    assert_eq!(ask(&lab, 1).await, json!([65001, "invalid_grant", "consent_required"]));
    lab.aad.grant_consent(NATIVE, may_act(SERVER)).unwrap();
    assert_eq!(ask(&lab, 1).await[0], Value::Null);
    assert!(lab.aad.grant_consent(SERVER, may_act(uuid::Uuid::from_u128(1).into())).is_err());
}

#[tokio::test]
async fn an_application_gets_no_token_for_itself_by_name() {
    let lab = Lab::new();
    let native = NATIVE.to_string();
    let reply = lab.post("/lab.test/oauth2/token", &password_form(&native, &native)).await;
    assert_eq!(reply.status, 200, "{}", reply.json);
    let mut config = super::lab::config();
    let app = config.apps.iter_mut().find(|app| app.app_id == NATIVE).unwrap();
    app.app_id_uris = vec!["api://native".to_owned()];
    let reply =
        Lab::with(&config).post("/lab.test/oauth2/token", &password_form("api://native", &native)).await;
    assert_eq!(reply.json["error_codes"], json!([90009]));
}
