use proptest::prelude::*;
use serde_json::json;

use super::*;

fn document() -> SettingsDocument {
    SettingsDocument {
        version: 3,
        hierarchy_id: "6b9b2b40-0a1c-4b9e-9a67-1a5a2d7a1f10".parse().unwrap(),
        site_code: "LAB".parse().unwrap(),
        tenants: vec![tenant("0fdd4c0a-6d7e-4c93-9b2b-1f0f0d1c2b3a")],
        ccm_keys: vec![json!({"kty": "RSA", "n": "AQ", "e": "AQAB", "kid": "k"})],
        mappings: vec![UrlMapping::new(RoleId::new(1, 10280), "https://MP.LAB.TEST".parse().unwrap())],
        client_authorities: vec![STANDARD.encode([0x30, 0x00])],
        verify_client_revocation: false,
        blocked_clients: vec![blocked(1).into(), blocked(2).into()],
        blocked_bulk_tokens: vec![blocked(1).into()],
    }
}

fn blocked(number: u128) -> uuid::Uuid {
    uuid::Uuid::from_u128(number)
}

fn tenant(id: &str) -> TenantSettings {
    TenantSettings {
        tenant_id: id.parse().unwrap(),
        name: "Lab".into(),
        client_app_id: "f3c1a6ab-0c06-49fb-a5ed-7d3a1f6b7a11".parse().unwrap(),
        resource_uri: "https://ConfigMgrService".into(),
        token_auth_enabled: true,
        authority: "https://login.microsoftonline.com".into(),
        issuers: vec![format!("https://sts.windows.net/{id}/")],
        openid_configuration: format!(
            "https://login.microsoftonline.com/{id}/.well-known/openid-configuration"
        ),
    }
}

#[test]
fn a_document_round_trips() {
    let json = document().to_json().unwrap();
    let read = SettingsDocument::from_json(&json).unwrap();
    assert_eq!(read, document());
    assert!(read.tenant(&document().tenants[0].tenant_id).is_some());
    assert!(read.tenant(&TenantId::zero()).is_none());
    assert_eq!(read.client_authorities_der().unwrap(), [[0x30, 0x00]]);
}

#[test]
fn each_fault_is_named() {
    let refused = |change: &dyn Fn(&mut SettingsDocument)| {
        let mut document = document();
        change(&mut document);
        let error = document.to_json().unwrap_err();
        assert_eq!(SettingsDocument::from_json(&serde_json::to_vec(&document).unwrap()), Err(error.clone()));
        error
    };
    let first = document().tenants[0].clone();
    assert_eq!(
        refused(&|doc| doc.tenants.push(first.clone())),
        SettingsError::TenantTwice { tenant: first.tenant_id }
    );
    assert_eq!(
        refused(&|doc| doc.mappings.push(doc.mappings[0].clone())),
        SettingsError::RoleTwice { role: RoleId::new(1, 10280) }
    );
    assert_eq!(
        refused(&|doc| doc.ccm_keys.push(json!({"kty": "RSA", "n": "AQ", "e": "AQAB", "d": "AQ"}))),
        SettingsError::BadKey { index: 1 }
    );
    assert_eq!(refused(&|doc| doc.ccm_keys[0] = json!("RSA")), SettingsError::BadKey { index: 0 });
    assert_eq!(
        refused(&|doc| doc.client_authorities[0] = "-----BEGIN".into()),
        SettingsError::BadRoot { index: 0 }
    );
    assert_eq!(
        refused(&|doc| doc.client_authorities = vec![String::new(); MAX_LIST + 1]),
        SettingsError::TooMany { list: "client_authorities", count: 257, limit: 256 }
    );
    assert_eq!(
        refused(&|doc| doc.blocked_clients.push(doc.blocked_clients[0])),
        SettingsError::BlockedTwice {
            list: "blocked_clients",
            id: document().blocked_clients[0].to_string()
        }
    );
    let id = document().blocked_bulk_tokens[0].to_string();
    assert_eq!(
        refused(&|doc| doc.blocked_bulk_tokens.push(doc.blocked_bulk_tokens[0])),
        SettingsError::BlockedTwice { list: "blocked_bulk_tokens", id }
    );
}

#[test]
fn full_lists_of_the_blocked_fit_and_one_more_does_not() {
    let many = |count: usize| {
        let mut document = document();
        document.blocked_clients = (0..count as u128).map(|id| blocked(id).into()).collect();
        document.blocked_bulk_tokens = (0..count as u128).map(|id| blocked(id).into()).collect();
        document
    };
    let full = many(MAX_BLOCKED);
    assert_eq!(SettingsDocument::from_json(&full.to_json().unwrap()), Ok(full));
    let error = SettingsError::TooMany { list: "blocked_clients", count: 4097, limit: 4096 };
    assert_eq!(many(MAX_BLOCKED + 1).check(), Err(error));
}

#[test]
fn a_new_site_verifies_revocation_and_lists_nothing() {
    let new = SettingsDocument::new(1, document().hierarchy_id, document().site_code);
    assert!(new.verify_client_revocation);
    let json = String::from_utf8(new.to_json().unwrap()).unwrap();
    assert_eq!(SettingsDocument::from_json(json.as_bytes()), Ok(new));
    // The gateway is told, it does not guess.
    let silent = json.replace("\"verify_client_revocation\":true,", "");
    assert!(matches!(SettingsDocument::from_json(silent.as_bytes()), Err(SettingsError::Malformed { .. })));
}

#[test]
fn unknown_fields_and_giants_are_refused() {
    let json = String::from_utf8(document().to_json().unwrap()).unwrap();
    assert!(SettingsDocument::from_json(json.as_bytes()).is_ok());
    let more = json.replacen('{', "{\"more\":1,", 1);
    assert!(matches!(SettingsDocument::from_json(more.as_bytes()), Err(SettingsError::Malformed { .. })));
    let giant = vec![b' '; MAX_SETTINGS + 1];
    assert!(matches!(SettingsDocument::from_json(&giant), Err(SettingsError::TooLarge { .. })));
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_panic(json: Vec<u8>) {
        prop_assert!(SettingsDocument::from_json(&json).is_err());
    }

    #[test]
    fn a_changed_byte_never_panics(at: prop::sample::Index, byte: u8) {
        let mut json = document().to_json().unwrap();
        let at = at.index(json.len());
        json[at] = byte;
        let _ = SettingsDocument::from_json(&json);
    }
}
