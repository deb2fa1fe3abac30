//! The content of a content-enabled gateway: the client's package in a storage account of its own.

use bytes::Bytes;
use cmglab_cmg::{CmgContent, ContentStore, Meter, Storage, StorageConfig};
use cmglab_events::Role;
use cmglab_management_point::{CLIENT_PACKAGE, Content, ManagementPointConfig};
use cmglab_net::{ServerHandle, serve};
use cmglab_site::Site;
use cmglab_tls::ServerTls;

use crate::LabError;
use crate::surroundings::Surroundings;
use crate::topology::Topology;

const PART: &str = "cloud storage";

/// The service and the port of its storage; nothing when the gateway is not content-enabled.
pub(crate) async fn start(
    around: &Surroundings,
    topology: &Topology,
    site: &Site,
    meter: &Meter,
) -> Result<Option<(CmgContent, ServerHandle)>, LabError> {
    if !topology.cmg.content {
        return Ok(None);
    }
    let store = ContentStore::new(around.clock.clone());
    if let Some(package) = site.client_package().await.map_err(LabError::of(PART))? {
        let client =
            Content::client(&ManagementPointConfig::new("").site_version).map_err(LabError::of(PART))?;
        let files = vec![(CLIENT_PACKAGE.to_owned(), Bytes::copy_from_slice(client.package_bytes()))];
        let id = package.package_id.parse().map_err(LabError::of(PART))?;
        let content = package.package_id.parse().map_err(LabError::of(PART))?;
        store.publish(&id, &content, files).map_err(LabError::of(PART))?;
    }
    let config = StorageConfig::new(ACCOUNT.parse().map_err(LabError::of(PART))?);
    let host = config.account.host();
    let deps = around.deps(&host, Role::Storage, &[])?;
    let storage = Storage::new(config, store, deps.clone(), meter.clone()).map_err(LabError::of(PART))?;
    let tls = ServerTls::new(around.identity("cmg-server-public", &host, &[])?);
    let port = serve(&deps, around.listen(&host, 443, Some(tls)), storage.router()).await;
    Ok(Some((CmgContent::new(storage), port.map_err(LabError::of(PART))?)))
}

/// Storage accounts are named in 3 to 24 lowercase letters and digits.
const ACCOUNT: &str = "labcmgcontent";
