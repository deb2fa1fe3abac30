//! Metadata, keys, instances, user realms and the discovery of device registration.

use cmglab_token::Jwks;
use serde_json::{Value, json};

use super::lab::*;

#[tokio::test]
async fn metadata_name_the_tenant_by_id_however_it_is_asked() {
    let lab = Lab::new();
    for segment in ["lab.test", "LAB.TEST", &TENANT.to_string(), &TENANT.upper()] {
        let v1 = lab.get(&format!("/{segment}/.well-known/openid-configuration")).await;
        assert_eq!(v1.json["issuer"], json!(v1_issuer()));
        assert_eq!(v1.json["jwks_uri"], "https://login.microsoftonline.com/common/discovery/keys");
        assert_eq!(v1.json["microsoft_multi_refresh_token"], true);
        let v2 = lab.get(&format!("/{segment}/v2.0/.well-known/openid-configuration/")).await;
        let base = format!("https://login.microsoftonline.com/{TENANT}");
        assert_eq!(v2.json["issuer"], json!(format!("{base}/v2.0")));
        assert_eq!(v2.json["token_endpoint"], json!(format!("{base}/oauth2/v2.0/token")));
        assert_eq!(v2.json["jwks_uri"], json!(format!("{base}/discovery/v2.0/keys")));
        assert_eq!(v2.json["tenant_region_scope"], "EU");
        assert_eq!(v2.json.get("microsoft_multi_refresh_token"), None);
    }
}

#[tokio::test]
async fn metadata_without_a_tenant_leave_a_placeholder() {
    let lab = Lab::new();
    let issuer = |path: &str| {
        let target = format!("/{path}/v2.0/.well-known/openid-configuration");
        let lab = &lab;
        async move { lab.get(&target).await.json["issuer"].clone() }
    };
    let placeholder = json!("https://login.microsoftonline.com/{tenantid}/v2.0");
    assert_eq!(issuer("common").await, placeholder);
    assert_eq!(issuer("organizations").await, placeholder);
    let consumers = json!("https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0");
    assert_eq!(issuer("consumers").await, consumers);
    assert_eq!(issuer("9188040D-6C67-4C5B-B112-36A304B66DAD").await, consumers);
}

#[tokio::test]
async fn an_unknown_tenant_has_no_metadata_and_a_new_one_has() {
    let lab = Lab::new();
    let target = "/new.test/v2.0/.well-known/openid-configuration";
    let reply = lab.get(target).await;
    assert_eq!((reply.status, &reply.json["error"]), (400, &json!("invalid_tenant")));
    assert_eq!(reply.json["error_codes"], json!([90002]));
    lab.aad.add_tenant(tenant(uuid::Uuid::from_u128(5).into(), "new.test")).unwrap();
    assert_eq!(lab.get(target).await.status, 200);
}

#[tokio::test]
async fn two_keys_are_published_and_chosen_by_id() {
    let lab = Lab::new();
    for (target, issuer) in [
        ("/common/discovery/keys", None),
        (&*format!("/{TENANT}/discovery/keys"), None),
        ("/common/discovery/v2.0/keys", Some("https://login.microsoftonline.com/{tenantid}/v2.0")),
    ] {
        let reply = lab.get(target).await;
        let set = Jwks::parse(reply.json.to_string().as_bytes()).unwrap();
        let kids: Vec<_> = set.keys.iter().map(|key| key.kid.clone().unwrap()).collect();
        assert_eq!(kids, [signing_keys().current.kid(), signing_keys().next.kid()]);
        for key in &set.keys {
            assert_eq!((&key.kid, key.x5c.len()), (&key.x5t, 1));
            assert_eq!(key.issuer.as_deref(), issuer);
        }
    }
}

#[tokio::test]
async fn instances_give_back_the_host_asked_about() {
    let lab = Lab::new();
    let ask = |endpoint: &str| {
        let target = format!("/common/discovery/instance?api-version=1.1&authorization_endpoint={endpoint}");
        let lab = &lab;
        async move { lab.get(&target).await }
    };
    let reply = ask("https%3A%2F%2Flogin.windows.net%2Flab.test%2Foauth2%2Fauthorize").await;
    let expected = format!("https://login.windows.net/{TENANT}/v2.0/.well-known/openid-configuration");
    assert_eq!(reply.json["tenant_discovery_endpoint"], json!(expected));
    assert_eq!(reply.json["metadata"][0]["aliases"].as_array().unwrap().len(), 4);
    let reply = ask("https://login.microsoftonline.com/common/oauth2/authorize").await;
    assert_eq!(reply.status, 200);
    for foreign in ["https://login.evil.test/common/oauth2/authorize", "http://login.windows.net/common"] {
        let reply = ask(foreign).await;
        assert_eq!((reply.status, &reply.json["error"]), (400, &json!("invalid_instance")));
        assert_eq!(reply.json["error_codes"], json!([50049]));
    }
}

#[tokio::test]
async fn user_realms_have_two_forms() {
    let lab = Lab::new();
    let v1 = lab.get("/common/userrealm/alice@lab.test?api-version=1.0").await.json;
    assert_eq!((&v1["account_type"], &v1["domain_name"]), (&json!("Managed"), &json!("lab.test")));
    let v2 = lab.get("/common/UserRealm/Alice%40lab.test?api-version=2.0").await.json;
    assert_eq!((&v2["NameSpaceType"], &v2["DomainName"]), (&json!("Managed"), &json!("lab.test")));
    // As it was asked.
    assert_eq!(v2["Login"], "Alice@lab.test");
    let unknown = lab.get("/common/userrealm/x@nowhere.test?api-version=1.0").await.json;
    assert_eq!(unknown["account_type"], "Unknown");
}

#[tokio::test]
async fn device_registration_says_where_it_is() {
    let lab = Lab::new();
    let registration = "https://enterpriseregistration.windows.net";
    for target in [
        "/lab.test/Discover?api-version=1.9&managed=True",
        "/LAB.test/discover/",
        &format!("/{TENANT}/Discover?api-version=1.0"),
        "/lab.test/EnrollmentServer/contract?api-version=1.4",
        "/lab.test/EnrollmentServer/Contract/?api-version=1.0",
        &format!("/{}/EnrollmentServer/Discover?api-version=1.9", TENANT.upper()),
    ] {
        let body = lab.get(target).await.json;
        assert_eq!(body["TenantInfo"]["TenantId"], json!(TENANT), "{target}");
        assert_eq!(body["TenantInfo"]["TenantName"], "lab.test");
        let join = format!("{registration}/EnrollmentServer/device/");
        assert_eq!(body["DeviceJoinService"]["JoinEndpoint"], json!(join));
        assert_eq!(body["KeyProvisioningService"]["KeyProvisionResourceId"], DRS);
        assert_eq!(body["NonceService"]["ServiceVersion"], "1.0");
        for (service, members) in body.as_object().unwrap() {
            assert!(members.is_object(), "{service}");
        }
    }
    let nobodys = lab.get("/EnrollmentServer/contract?api-version=1.0").await.json;
    assert_eq!(nobodys.get("TenantInfo"), None);
    let unknown = lab.get("/nowhere.test/Discover?api-version=1.9").await;
    assert_eq!((unknown.status, &unknown.json["Code"]), (400, &json!("DirectoryError")));
    assert_eq!(unknown.json["Subcode"], "TenantNotFound");
}

/// No address of the document leads nowhere: each is answered, if only by the wrong method.
#[tokio::test]
async fn what_device_registration_names_is_there() {
    let lab = Lab::new();
    let body = lab.get("/lab.test/Discover?api-version=1.9").await.json;
    let mut addresses = 0;
    for member in body.as_object().unwrap().values().flat_map(|service| service.as_object().unwrap().values())
    {
        let texts = [member, &member["AuthCodeEndpoint"], &member["TokenEndpoint"]];
        for address in texts.iter().filter_map(|text| text.as_str()?.strip_prefix("https://")) {
            let (_, path) = address.split_once('/').unwrap();
            assert_ne!(lab.get(&format!("/{path}")).await.status, 404, "{address}");
            addresses += 1;
        }
    }
    assert_eq!(addresses, 9);
}

#[tokio::test]
async fn both_services_give_nonces() {
    let lab = Lab::new();
    assert!(lab.nonce().await.starts_with("AwABAA"));
    let reply = lab.get(&format!("/EnrollmentServer/nonce/{TENANT}/?api-version=1.0")).await;
    assert!(reply.json["Value"].as_str().unwrap().starts_with("AwABAA"));
    let unknown = lab.post("/nowhere.test/oauth2/token", &[("grant_type", "srv_challenge")]).await;
    assert_eq!(unknown.json["error_codes"], json!([90002]));
    assert_eq!(lab.get("/EnrollmentServer/nonce/nowhere.test/").await.json.get("Value"), None::<&Value>);
}
