//! The file by which another process finds a running lab.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use cmglab_proto::ids::{AppId, DeviceId};
use serde::{Deserialize, Serialize};

use crate::{Lab, LabError, Topology};

/// What a client in another process needs to know of a running lab. The file holds the lab's own passwords,
/// never real ones, and is readable by its owner alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadyFile {
    /// A mark for whoever finds the file.
    pub note: String,
    /// The process that runs the lab.
    pub process: u32,
    /// Name, documented port and socket of every role.
    pub names: Vec<NamedSocket>,
    /// PEM of the roots that every device has from the start.
    pub device_trust: String,
    /// PEM of the organisation's own root.
    pub private_root: String,
    /// PEM of the public roots that devices fetch by themselves.
    pub public_roots: String,
    /// The trust bundle on disk, for other tools.
    pub trust_bundle: PathBuf,
    /// Azure AD under an origin of its own.
    pub own_origin: String,
    /// Certificate and key of the apps that have one, on disk.
    pub app_certificates: BTreeMap<AppId, PathBuf>,
    /// The same of the synchronised devices.
    pub device_certificates: BTreeMap<DeviceId, PathBuf>,
    /// Certificate and key of a client of the organisation's PKI, on disk.
    pub client_certificate: PathBuf,
    /// The lab.
    pub topology: Topology,
}

/// One name of the lab.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedSocket {
    /// Host name.
    pub name: String,
    /// The port by documentation.
    pub port: u16,
    /// Where it really is.
    pub address: SocketAddr,
}

impl ReadyFile {
    /// Describes a running lab, and writes into `folder` what other tools need beside: the trust bundle and
    /// the apps' certificates.
    ///
    /// # Errors
    /// [`LabError`] when an authority is missing or a file cannot be written.
    pub fn of(lab: &Lab, folder: &Path) -> Result<Self, LabError> {
        let trust_bundle = folder.join("trust.pem");
        fs::write(&trust_bundle, lab.trust_bundle()?).map_err(LabError::of("trust bundle"))?;
        let pem = |name| {
            let bundle = lab.authorities().bundle(&[name]).map_err(LabError::of("trust bundle"))?;
            Ok(bundle.to_pem())
        };
        let names = lab.resolver().entries().into_iter();
        Ok(Self {
            note: crate::NOT_FOR_PRODUCTION.to_owned(),
            process: std::process::id(),
            names: names.map(|(name, port, address)| NamedSocket { name, port, address }).collect(),
            device_trust: pem("aad-tls")?,
            private_root: pem("cmg-root")?,
            public_roots: pem("public-root")?,
            trust_bundle,
            own_origin: lab.own_origin().to_owned(),
            app_certificates: app_certificates(lab, folder)?,
            device_certificates: device_certificates(lab, folder)?,
            client_certificate: written(folder, "client.pem", &lab.client_certificate()?)?,
            topology: lab.topology().clone(),
        })
    }

    /// Writes the file in one step, so that a reader never sees half of it.
    ///
    /// # Errors
    /// [`LabError`] when it cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), LabError> {
        let trouble = || LabError::of::<std::io::Error>("ready file");
        let json = serde_json::to_vec_pretty(self).map_err(LabError::of("ready file"))?;
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(trouble())?;
        }
        let half = path.with_extension("json.part");
        private_file(&half).and_then(|mut file| file.write_all(&json)).map_err(trouble())?;
        fs::rename(&half, path).map_err(trouble())
    }

    /// Reads the file of a running lab.
    ///
    /// # Errors
    /// [`LabError`] when there is none, or it is not one.
    pub fn read(path: &Path) -> Result<Self, LabError> {
        let trouble = |cause: String| LabError {
            part: format!("ready file {}", path.display()),
            cause: format!("{cause}; start a lab with `cmglab up`, or name its file with --ready-file"),
        };
        let size = fs::metadata(path).map_err(|error| trouble(error.to_string()))?.len();
        if size > LARGEST {
            return Err(trouble(format!("{size} bytes are more than any such file has")));
        }
        let json = fs::read(path).map_err(|error| trouble(error.to_string()))?;
        serde_json::from_slice(&json).map_err(|error| trouble(error.to_string()))
    }
}

fn app_certificates(lab: &Lab, folder: &Path) -> Result<BTreeMap<AppId, PathBuf>, LabError> {
    let apps = lab.topology().azure_ad.tenants.iter().flat_map(|tenant| &tenant.apps);
    let made = apps.filter_map(|app| Some((app.id, lab.app_certificate(app.id)?)));
    made.map(|(id, pem)| Ok((id, written(folder, &format!("app-{id}.pem"), &pem)?))).collect()
}

fn device_certificates(lab: &Lab, folder: &Path) -> Result<BTreeMap<DeviceId, PathBuf>, LabError> {
    let devices = lab.topology().azure_ad.tenants.iter().flat_map(|tenant| &tenant.devices);
    let made = devices.filter_map(|device| Some((device.id, lab.device_certificate(device.id)?)));
    made.map(|(id, pem)| Ok((id, written(folder, &format!("device-{id}.pem"), &pem)?))).collect()
}

/// A file that only its owner may read: there is a key in it.
fn written(folder: &Path, name: &str, pem: &str) -> Result<PathBuf, LabError> {
    let path = folder.join(name);
    let file = private_file(&path).and_then(|mut file| file.write_all(pem.as_bytes()));
    file.map_err(LabError::of("certificate")).map(|()| path)
}

fn private_file(path: &Path) -> std::io::Result<fs::File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

const LARGEST: u64 = 4 * 1024 * 1024;
