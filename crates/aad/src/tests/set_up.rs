//! What cannot be set up, and the hand that changes the directory.

use cmglab_clock::Clock;
use cmglab_events::{Events, Role};
use cmglab_fault::Faults;
use cmglab_ids::Ids;
use cmglab_net::{Deps, Resolver};
use cmglab_proto::ids::{AppId, DeviceId, TenantId};
use cmglab_tls::CertStore;
use serde_json::json;
use uuid::Uuid;

use super::lab::*;
use crate::{Aad, AadConfig, AadError, AppCertificate, SigningKeys};

fn set_up(config: &AadConfig, keys: &SigningKeys) -> Result<Aad, AadError> {
    let (clock, ids) = (Clock::running_from(now(), 0.0), Ids::seeded(1));
    let deps = Deps {
        events: Events::new().source("AAD", Role::Aad, &clock),
        store: CertStore::new(clock.clone()),
        resolver: Resolver::new(),
        faults: Faults::default(),
        clock,
        ids,
    };
    Aad::new(config, keys, authority().clone(), deps)
}

#[test]
fn mistakes_in_the_directory_are_named() {
    type Change = fn(&mut AadConfig);
    let changes: [(Change, &str); 15] = [
        (|config| config.tenants[1].id = TENANT, "tenant"),
        (|config| config.tenants[1].domains = vec!["LAB.test".to_owned()], "domain"),
        (|config| config.tenants[1].domains = vec!["common".to_owned()], "domain"),
        (|config| config.tenants[1].domains.clear(), "at least one domain"),
        (|config| config.tenants[0].region = "XX".to_owned(), "region"),
        (|config| config.apps[1].app_id = NATIVE, "application"),
        (|config| config.apps[2].app_id_uris = vec![RESOURCE.to_uppercase() + "/"], "App ID URI"),
        (|config| config.apps[0].tenant = TenantId::zero(), "there is no tenant"),
        (|config| config.apps[0].certificates = vec![AppCertificate(vec![1])], "certificate"),
        (|config| config.apps[0].access_token_version = 3, "access_token_version"),
        (|config| config.users[1].upn = "ALICE@lab.test".to_owned(), "user"),
        (|config| config.users[1].upn = "bob@nowhere.test".to_owned(), "belongs to no tenant"),
        (|config| config.users[0].puid = "1".to_owned(), "puid"),
        (|config| config.lifetimes.user_token_max = 1, "user_token_max"),
        (|config| config.hosts.login = "https://login".to_owned(), "host"),
    ];
    assert!(set_up(&config(), signing_keys()).is_ok());
    for (change, word) in changes {
        let mut config = config();
        change(&mut config);
        let error = set_up(&config, signing_keys()).unwrap_err().to_string();
        assert!(error.contains(word), "{error:?} lacks {word:?}");
    }
}

#[test]
fn two_keys_are_needed() {
    let one = &signing_keys().current;
    let keys = SigningKeys { current: one.clone(), next: one.clone() };
    assert_eq!(set_up(&config(), &keys).unwrap_err(), AadError::SameKey);
}

#[test]
fn what_is_not_there_cannot_be_changed() {
    let aad = set_up(&config(), signing_keys()).unwrap();
    let (app, device) = (AppId::zero(), DeviceId::zero());
    assert_eq!(aad.unregister_app(app), Err(AadError::UnknownApp(app)));
    assert_eq!(aad.set_device_only_auth(app, true), Err(AadError::UnknownApp(app)));
    assert_eq!(aad.disable_device(device), Err(AadError::UnknownDevice(device)));
    assert_eq!(aad.delete_device(device), Err(AadError::UnknownDevice(device)));
}

#[tokio::test]
async fn a_tenant_can_be_filled_while_it_runs() {
    let (lab, id) = (Lab::new(), TenantId::new(Uuid::from_u128(77)));
    let form = [
        ("grant_type", "password"),
        ("client_id", BROKER),
        ("resource", DRS),
        ("username", "dave@new.test"),
        ("password", PASSWORD),
    ];
    assert_eq!(lab.post("/new.test/oauth2/token", &form).await.json["error_codes"], json!([90002]));
    lab.aad.add_tenant(tenant(id, "new.test")).unwrap();
    assert_eq!(lab.post("/new.test/oauth2/token", &form).await.json["error_codes"], json!([50034]));
    lab.aad.add_user(user(Uuid::from_u128(78), "dave@new.test")).unwrap();
    assert_eq!(lab.post("/new.test/oauth2/token", &form).await.status, 200);
}

#[test]
fn passwords_are_not_shown() {
    assert!(!format!("{:?}", config()).contains(PASSWORD));
    let user = r#"{"object_id":"bbbbbbbb-0000-4000-8000-000000000001","upn":"a@b.c","name":"A","password":"x",
        "puid":"0000000000000000","onprem_sid":null,"enabled":true}"#;
    let user: crate::User = serde_json::from_str(user).unwrap();
    assert!(user.password.is("x") && !user.password.is("y"));
}

#[test]
fn nothing_lasts_no_time() {
    type Change = fn(&mut AadConfig);
    let changes: [Change; 8] = [
        |config| config.lifetimes.device_token = 0,
        |config| config.lifetimes.user_token_min = 0,
        |config| config.lifetimes.nonce = 0,
        |config| config.lifetimes.refresh_token = 0,
        |config| config.lifetimes.primary_refresh_token = 0,
        |config| config.lifetimes.code = 0,
        |config| config.lifetimes.device_code = 0,
        |config| config.apps[1].claims.lifetime = Some(0),
    ];
    for (index, change) in changes.into_iter().enumerate() {
        let mut config = config();
        change(&mut config);
        let error = set_up(&config, signing_keys()).unwrap_err();
        assert!(matches!(error, AadError::Invalid { what: "lifetime", .. }), "{index} {error}");
    }
    let aad = set_up(&config(), signing_keys()).unwrap();
    let lasting = |seconds| crate::ClaimOptions { lifetime: Some(seconds), ..Default::default() };
    assert_eq!(aad.set_claims(SERVER, lasting(1)), Ok(()));
    assert!(matches!(aad.set_claims(SERVER, lasting(0)), Err(AadError::Invalid { what: "lifetime", .. })));
}
