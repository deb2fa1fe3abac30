//! Values that the tests share.

use std::path::Path;

use cmglab_ids::Ids;
use cmglab_proto::ccm::registration::Approval;
use cmglab_proto::ids::{HierarchyId, TenantId};
use cmglab_proto::settings::TenantSettings;
use cmglab_site::{AadDevice, ClientDetails, Location, Site, SiteConfig, SiteError};
use jiff::Timestamp;
use tempfile::TempDir;

/// A site, and the folder that must outlive it.
pub(crate) struct Lab {
    pub(crate) site: Site,
    pub(crate) ids: Ids,
    _folder: Option<TempDir>,
}

impl Lab {
    pub(crate) async fn memory() -> Self {
        let site = Site::open(Location::Memory, config("LAB", 1)).await.unwrap();
        Self { site, ids: Ids::seeded(1), _folder: None }
    }

    pub(crate) async fn file() -> Self {
        let folder = TempDir::new().unwrap();
        let site = open(&folder.path().join("site.db")).await.unwrap();
        Self { site, ids: Ids::seeded(1), _folder: Some(folder) }
    }
}

pub(crate) async fn open(path: &Path) -> Result<Site, SiteError> {
    Site::open(Location::File(path.to_owned()), config("LAB", 1)).await
}

pub(crate) fn config(site_code: &str, seed: u64) -> SiteConfig {
    SiteConfig {
        site_code: site_code.parse().unwrap(),
        new_hierarchy: HierarchyId::new(Ids::seeded(seed).fork("hierarchy").guid()),
    }
}

/// `seconds` after an arbitrary beginning.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_767_323_045 + seconds).unwrap()
}

pub(crate) fn tenant_id() -> TenantId {
    "0fdd4c0a-6d7e-4c93-9b2b-1f0f0d1c2b3a".parse().unwrap()
}

pub(crate) fn tenant(name: &str) -> TenantSettings {
    TenantSettings {
        tenant_id: tenant_id(),
        name: name.to_owned(),
        client_app_id: "f3c1a6ab-0c06-49fb-a5ed-7d3a1f6b7a11".parse().unwrap(),
        resource_uri: "https://ConfigMgrService".to_owned(),
        token_auth_enabled: true,
        authority: "https://login.microsoftonline.com".to_owned(),
        issuers: vec![
            "https://sts.windows.net/a/".to_owned(),
            "https://login.microsoftonline.com/b".to_owned(),
        ],
        openid_configuration: "https://login.microsoftonline.com/a/.well-known/openid-configuration"
            .to_owned(),
    }
}

pub(crate) fn device(ids: &Ids) -> AadDevice {
    AadDevice { tenant: tenant_id(), device: ids.guid().into() }
}

/// A client whose key is `key` repeated.
pub(crate) fn details(key: u8, aad_device: Option<AadDevice>) -> ClientDetails {
    ClientDetails {
        signing_key: [key; 32],
        signing_certificate: vec![0x30, key],
        encryption_certificate: vec![0x30, key, key],
        netbios_name: "LABPC1".to_owned(),
        fqdn: "labpc1.lab.invalid".to_owned(),
        hardware_id: None,
        aad_device,
        approval: Approval::Automatic,
    }
}

/// What has spoiled many a statement.
pub(crate) const HOSTILE: [&str; 6] =
    ["'; DROP TABLE users; --", "\" OR \"\"=\"", "?1", ":name", "%_\\", "\u{0}\u{202e}ä🦀"];
