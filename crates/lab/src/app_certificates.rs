//! Certificates of apps that prove themselves with a key: made anew for each lab, never kept in a file of
//! the project.

use std::collections::BTreeMap;

use cmglab_ids::Ids;
use cmglab_pki::{Identity, KeyKind, PrivateKey, Profiles, app_credential};
use cmglab_proto::ids::AppId;
use jiff::Timestamp;

use crate::{LabError, Topology};

/// Certificate and key of each app that is to have one.
pub(crate) type AppCertificates = BTreeMap<AppId, Identity>;

/// Makes them; RSA generation stays off the async workers.
pub(crate) async fn make(
    topology: &Topology,
    now: Timestamp,
    ids: &Ids,
) -> Result<AppCertificates, LabError> {
    const PART: &str = "certificate of an app";
    let apps = topology.azure_ad.tenants.iter().flat_map(|tenant| &tenant.apps);
    let mut made = AppCertificates::new();
    for app in apps.filter(|app| app.certificate) {
        let key = tokio::task::spawn_blocking(|| PrivateKey::generate(KeyKind::Rsa2048));
        let key = key.await.map_err(LabError::of(PART))?.map_err(LabError::of(PART))?;
        let certificate = app_credential::certificate(&Profiles::builtin(), &app.name, &key, now, ids);
        made.insert(app.id, certificate.map_err(LabError::of(PART))?);
    }
    Ok(made)
}
