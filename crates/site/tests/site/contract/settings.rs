//! The settings document and its version.

use std::sync::Arc;

use cmglab_proto::ids::{BulkTokenId, RoleId, TenantId};
use cmglab_proto::mapping::{DEFAULT_MAX_REQUEST_BYTES, UrlMapping};
use cmglab_proto::settings::{SettingsDocument, SettingsError, TenantSettings};
use cmglab_site::SiteError;
use serde_json::json;
use tokio::task::JoinSet;

use super::contract;
use crate::shared::{HOSTILE, Lab, at, device, tenant, tenant_id};

contract!(
    an_empty_site_publishes_its_identity,
    what_is_set_is_published,
    each_change_counts_once_and_is_announced,
    what_changes_nothing_keeps_the_version,
    the_gateways_options_are_published,
    the_blocked_are_published_in_the_order_of_their_ids,
    a_read_is_never_older_than_the_write_before_it,
    an_unpublished_endpoint_has_no_limit,
    what_is_missing_cannot_be_removed,
    more_than_the_gateway_takes_is_refused_and_undone,
    values_over_a_limit_are_refused,
    hostile_settings_are_data,
);

fn mapping(role: u64) -> UrlMapping {
    UrlMapping::new(RoleId::from_u64(role), "https://MP.LAB.TEST".parse().unwrap())
}

async fn an_empty_site_publishes_its_identity(lab: Lab) {
    let empty = SettingsDocument::new(1, lab.site.hierarchy(), lab.site.site_code());
    assert!(empty.verify_client_revocation);
    assert_eq!(lab.site.settings().await, Ok(Arc::new(empty)));
}

async fn what_is_set_is_published(lab: Lab) {
    let other = TenantSettings { tenant_id: TenantId::zero(), token_auth_enabled: false, ..tenant("Other") };
    lab.site.onboard_tenant(tenant("Lab")).await.unwrap();
    lab.site.onboard_tenant(other.clone()).await.unwrap();
    for role in [u64::MAX, 9] {
        lab.site.set_mapping(mapping(role)).await.unwrap();
    }
    lab.site.add_client_authority(vec![0x30, 2]).await.unwrap();
    lab.site.add_client_authority(vec![0x30, 1]).await.unwrap();

    let document = lab.site.settings().await.unwrap();
    assert_eq!(document.tenants, [other, tenant("Lab")]);
    assert_eq!(document.mappings, [mapping(9), mapping(u64::MAX)]);
    assert_eq!(document.client_authorities_der().unwrap(), [[0x30, 2], [0x30, 1]]);
    assert_eq!(lab.site.tenant(tenant_id()).await, Ok(Some(tenant("Lab"))));

    let renamed = TenantSettings { token_auth_enabled: false, issuers: vec![], ..tenant("New name") };
    lab.site.onboard_tenant(renamed.clone()).await.unwrap();
    assert_eq!(lab.site.tenant(tenant_id()).await, Ok(Some(renamed)));
    lab.site.remove_tenant(tenant_id()).await.unwrap();
    assert_eq!(lab.site.tenant(tenant_id()).await, Ok(None));
}

async fn each_change_counts_once_and_is_announced(lab: Lab) {
    let (site, mut watch) = (&lab.site, lab.site.watch_settings());
    let mut expected = 1;
    assert_eq!(*watch.borrow_and_update(), expected);
    let jwk = json!({"kty": "RSA", "n": "AQ", "e": "AQAB", "kid": "a"});
    let mut counted = async |done: Result<(), SiteError>| {
        expected += 1;
        assert_eq!(done, Ok(()), "change {expected}");
        assert!(watch.has_changed().unwrap(), "change {expected}");
        assert_eq!(*watch.borrow_and_update(), expected);
        assert_eq!(site.settings().await.unwrap().version, expected);
    };
    counted(site.onboard_tenant(tenant("Lab")).await).await;
    counted(site.onboard_tenant(TenantSettings { token_auth_enabled: false, ..tenant("Lab") }).await).await;
    counted(site.remove_tenant(tenant_id()).await).await;
    counted(site.add_ccm_key(jwk, at(0)).await).await;
    counted(site.retire_ccm_key("a", at(1)).await).await;
    counted(site.set_mapping(mapping(9)).await).await;
    counted(site.set_mapping(UrlMapping { endpoints: vec![], ..mapping(9) }).await).await;
    counted(site.set_mapping(mapping(9)).await).await;
    counted(site.set_endpoint_limit(RoleId::from_u64(9), "ccm_sts", 4096).await).await;
    counted(site.remove_mapping(RoleId::from_u64(9)).await).await;
    counted(site.add_client_authority(vec![1]).await).await;
    counted(site.remove_client_authority(vec![1]).await).await;
    counted(site.set_verify_client_revocation(false).await).await;
    counted(site.onboard_tenant(tenant("Lab")).await).await;
    counted(site.set_token_auth(tenant_id(), false).await).await;
    let client = site.client_for_aad_device(device(&lab.ids), &lab.ids, at(0)).await.unwrap();
    counted(site.block_client(client, at(0)).await).await;
    counted(site.unblock_client(client).await).await;
    let token = BulkTokenId::new(lab.ids.guid());
    site.add_bulk_token(token, at(0), at(9)).await.unwrap();
    counted(site.block_bulk_token(token, at(0)).await).await;
    counted(site.unblock_bulk_token(token).await).await;
}

async fn what_changes_nothing_keeps_the_version(lab: Lab) {
    let jwk = json!({"kty": "RSA", "n": "AQ", "e": "AQAB", "kid": "a"});
    for _ in 0..2 {
        lab.site.onboard_tenant(tenant("Lab")).await.unwrap();
        lab.site.add_ccm_key(jwk.clone(), at(0)).await.unwrap();
        lab.site.set_mapping(mapping(9)).await.unwrap();
        lab.site.add_client_authority(vec![1]).await.unwrap();
        lab.site.set_token_auth(tenant_id(), true).await.unwrap();
        lab.site.set_endpoint_limit(RoleId::from_u64(9), "CCM_STS", DEFAULT_MAX_REQUEST_BYTES).await.unwrap();
        lab.site.set_verify_client_revocation(true).await.unwrap();
    }
    let before = lab.site.settings().await.unwrap();
    assert_eq!(before.version, 5);

    let watch = lab.site.watch_settings();
    let client = lab.site.client_for_aad_device(device(&lab.ids), &lab.ids, at(0)).await.unwrap();
    lab.site.set_clients_check_crl(false).await.unwrap();
    lab.site.unblock_client(client).await.unwrap();
    assert!(!watch.has_changed().unwrap());
    let after = lab.site.settings().await.unwrap();
    assert_eq!(after.version, 5);
    assert!(Arc::ptr_eq(&before, &after), "the document is kept until its version changes");

    lab.site.block_client(client, at(1)).await.unwrap();
    lab.site.block_client(client, at(2)).await.unwrap();
    assert_eq!(lab.site.settings().await.unwrap().version, 6);
}

async fn the_gateways_options_are_published(lab: Lab) {
    let site = &lab.site;
    assert_eq!(site.verify_client_revocation().await, Ok(true));
    site.set_verify_client_revocation(false).await.unwrap();
    assert_eq!(site.verify_client_revocation().await, Ok(false));
    site.onboard_tenant(tenant("Lab")).await.unwrap();
    site.set_token_auth(tenant_id(), false).await.unwrap();
    site.set_mapping(mapping(9)).await.unwrap();
    site.set_endpoint_limit(RoleId::from_u64(9), "ccm_incoming", 1 << 20).await.unwrap();

    let document = site.settings().await.unwrap();
    assert!(!document.verify_client_revocation);
    assert_eq!(document.tenants, [TenantSettings { token_auth_enabled: false, ..tenant("Lab") }]);
    let mut expected = mapping(9);
    for endpoint in &mut expected.endpoints {
        if endpoint.name == "CCM_Incoming" {
            endpoint.max_request_bytes = 1 << 20;
        }
    }
    assert_eq!(document.mappings, [expected]);
}

async fn the_blocked_are_published_in_the_order_of_their_ids(lab: Lab) {
    let site = &lab.site;
    let (mut clients, mut tokens) = (Vec::new(), Vec::new());
    for second in 0..5 {
        let device = device(&lab.ids);
        clients.push(site.client_for_aad_device(device, &lab.ids, at(second)).await.unwrap());
        let token = BulkTokenId::new(lab.ids.guid());
        site.add_bulk_token(token, at(second), at(9)).await.unwrap();
        tokens.push(token);
    }
    let (free_client, free_token) = (clients.pop().unwrap(), tokens.pop().unwrap());
    for (client, token) in clients.iter().zip(&tokens).rev() {
        site.block_client(*client, at(10)).await.unwrap();
        site.block_bulk_token(*token, at(10)).await.unwrap();
    }
    clients.sort_unstable();
    tokens.sort_unstable();
    let document = site.settings().await.unwrap();
    assert_eq!((&document.blocked_clients, &document.blocked_bulk_tokens), (&clients, &tokens));
    assert!(!clients.contains(&free_client) && !tokens.contains(&free_token));

    site.unblock_client(clients.remove(1)).await.unwrap();
    site.unblock_bulk_token(tokens.remove(2)).await.unwrap();
    let document = site.settings().await.unwrap();
    assert_eq!((&document.blocked_clients, &document.blocked_bulk_tokens), (&clients, &tokens));
}

/// However reads and writes mix, a read never shows less than the last write that had returned.
async fn a_read_is_never_older_than_the_write_before_it(lab: Lab) {
    let mut readers = JoinSet::new();
    for _ in 0..4 {
        let site = lab.site.clone();
        readers.spawn(async move {
            let mut last = 0;
            for _ in 0..200 {
                let version = site.settings().await.unwrap().version;
                assert!(version >= last, "{version} after {last}");
                last = version;
            }
        });
    }
    for round in 0..50 {
        lab.site.set_verify_client_revocation(round % 2 == 1).await.unwrap();
        let document = lab.site.settings().await.unwrap();
        assert_eq!((document.version, document.verify_client_revocation), (round + 2, round % 2 == 1));
    }
    readers.join_all().await;
}

async fn what_is_missing_cannot_be_removed(lab: Lab) {
    let missing = |what, key: &str| Err(SiteError::NotFound { what, key: key.to_owned() });
    let tenant = tenant_id().to_string();
    assert_eq!(lab.site.remove_tenant(tenant_id()).await, missing("onboarded tenant", &tenant));
    let role = RoleId::from_u64(9);
    assert_eq!(lab.site.remove_mapping(role).await, missing("published management point", "9"));
    let authority = missing("authority of client certificates", "certificate of 1 bytes");
    assert_eq!(lab.site.remove_client_authority(vec![1]).await, authority);
    assert_eq!(
        lab.site.set_token_auth(tenant_id(), false).await,
        missing("onboarded tenant", &tenant_id().to_string())
    );
    let limit = lab.site.set_endpoint_limit(role, "CCM_STS", 1).await;
    assert_eq!(limit, missing("published management point", "9"));
    assert_eq!(lab.site.settings().await.unwrap().version, 1);
}

async fn an_unpublished_endpoint_has_no_limit(lab: Lab) {
    lab.site.set_mapping(mapping(9)).await.unwrap();
    let refused = lab.site.set_endpoint_limit(RoleId::from_u64(9), "AdminService", 1).await;
    let missing = SiteError::NotFound { what: "published endpoint", key: "AdminService".to_owned() };
    assert_eq!(refused, Err(missing));
    assert_eq!(lab.site.settings().await.unwrap().version, 2);
}

async fn more_than_the_gateway_takes_is_refused_and_undone(lab: Lab) {
    for role in 0..256 {
        lab.site.set_mapping(mapping(role)).await.unwrap();
    }
    let before = lab.site.settings().await.unwrap();
    let refused = lab.site.set_mapping(mapping(256)).await;
    let cause = SettingsError::TooMany { list: "mappings", count: 257, limit: 256 };
    assert_eq!(refused, Err(SiteError::Settings { cause }));
    assert_eq!(lab.site.settings().await.unwrap(), before);
}

async fn values_over_a_limit_are_refused(lab: Lab) {
    let name = |bytes: usize| tenant(&"n".repeat(bytes));
    assert_eq!(lab.site.onboard_tenant(name(256)).await, Ok(()));
    let error = SiteError::TooLarge { what: "tenant name", size: 257, limit: 256 };
    assert_eq!(lab.site.onboard_tenant(name(257)).await, Err(error));

    let issuers = |count| TenantSettings { issuers: vec!["i".into(); count], ..tenant("Lab") };
    assert_eq!(lab.site.onboard_tenant(issuers(16)).await, Ok(()));
    assert!(matches!(lab.site.onboard_tenant(issuers(17)).await, Err(SiteError::TooLarge { size: 17, .. })));

    assert_eq!(lab.site.add_client_authority(vec![0; 16 * 1024]).await, Ok(()));
    let root = lab.site.add_client_authority(vec![0; 16 * 1024 + 1]).await;
    assert!(matches!(root, Err(SiteError::TooLarge { size: 16385, .. })));
}

async fn hostile_settings_are_data(lab: Lab) {
    for text in HOSTILE {
        let hostile = TenantSettings {
            resource_uri: text.into(),
            issuers: vec![text.into(), text.into()],
            openid_configuration: text.into(),
            ..tenant(text)
        };
        lab.site.onboard_tenant(hostile.clone()).await.unwrap();
        assert_eq!(lab.site.settings().await.unwrap().tenants, [hostile]);
    }
    let jwk = json!({"kty": "RSA", "n": "AQ", "e": "AQAB", "kid": HOSTILE[0]});
    lab.site.add_ccm_key(jwk, at(0)).await.unwrap();
    lab.site.retire_ccm_key(HOSTILE[0], at(0)).await.unwrap();
}
