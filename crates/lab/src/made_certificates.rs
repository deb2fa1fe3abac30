//! Certificates of apps and synchronised devices that prove themselves with a key: made anew for each lab,
//! never kept in a file of the project.

use std::collections::BTreeMap;

use cmglab_ids::Ids;
use cmglab_pki::{Identity, KeyKind, PrivateKey, Profiles, app_credential};
use cmglab_proto::ids::{AppId, DeviceId};
use jiff::Timestamp;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::{LabError, Topology};

/// Certificate and key of each app and each synchronised device that is to have one.
#[derive(Debug, Default)]
pub(crate) struct MadeCertificates {
    pub(crate) apps: BTreeMap<AppId, Identity>,
    pub(crate) devices: BTreeMap<DeviceId, Identity>,
}

/// Makes them; RSA generation stays off the async workers.
pub(crate) async fn make(
    topology: &Topology,
    now: Timestamp,
    ids: &Ids,
) -> Result<MadeCertificates, LabError> {
    let tenants = || topology.azure_ad.tenants.iter();
    let apps = tenants().flat_map(|tenant| &tenant.apps).filter(|app| app.certificate);
    let devices = tenants().flat_map(|tenant| &tenant.devices).filter(|device| device.certificate);
    // The certificate of a computer names its id, as that of an app its name.
    let apps = apps.map(|app| (app.id.guid(), app.name.clone()));
    let wanted: Vec<_> =
        apps.chain(devices.map(|device| (device.id.guid(), device.id.to_string()))).collect();
    let mut made = all(wanted, now, ids).await?;
    let mut take = |id: Uuid| made.remove(&id);
    let mut certificates = MadeCertificates::default();
    for tenant in tenants() {
        let apps = tenant.apps.iter().filter_map(|app| Some((app.id, take(app.id.guid())?)));
        certificates.apps.extend(apps);
        let devices = tenant.devices.iter().filter_map(|one| Some((one.id, take(one.id.guid())?)));
        certificates.devices.extend(devices);
    }
    Ok(certificates)
}

async fn all(
    wanted: Vec<(Uuid, String)>,
    now: Timestamp,
    ids: &Ids,
) -> Result<BTreeMap<Uuid, Identity>, LabError> {
    const PART: &str = "certificate of an app or a device";
    let mut making = JoinSet::new();
    for (id, name) in wanted {
        let ids = ids.fork(&id.to_string());
        making.spawn_blocking(move || {
            let key = PrivateKey::generate(KeyKind::Rsa2048)?;
            app_credential::certificate(&Profiles::builtin(), &name, &key, now, &ids).map(|made| (id, made))
        });
    }
    let mut made = BTreeMap::new();
    while let Some(one) = making.join_next().await {
        let (id, identity) = one.map_err(LabError::of(PART))?.map_err(LabError::of(PART))?;
        made.insert(id, identity);
    }
    Ok(made)
}
