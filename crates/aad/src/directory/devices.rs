//! The devices of the directory: those that have joined, and those that the local domain synchronised and
//! that have yet to.

use std::collections::BTreeMap;

use cmglab_pki::read::Certificate;
use cmglab_proto::ids::DeviceId;

use super::{Directory, duplicate, invalid};
use crate::{AadError, Device, SyncedDevice, TrustType};

/// Devices by id.
#[derive(Default)]
pub(super) struct Devices(BTreeMap<DeviceId, Device>);

impl Directory {
    pub(crate) fn device(&self, id: DeviceId) -> Option<&Device> {
        self.devices.0.get(&id)
    }

    pub(crate) fn device_mut(&mut self, id: DeviceId) -> Result<&mut Device, AadError> {
        self.devices.0.get_mut(&id).ok_or(AadError::UnknownDevice(id))
    }

    /// Takes a device off, with the keys that users registered on it; one of the local domain is back when
    /// it is next synchronised.
    pub(crate) fn remove_device(&mut self, id: DeviceId) -> Result<Device, AadError> {
        let device = self.devices.0.remove(&id).ok_or(AadError::UnknownDevice(id))?;
        self.user_keys.forget_device(id);
        Ok(device)
    }

    pub(crate) fn devices(&self) -> impl Iterator<Item = &Device> {
        self.devices.0.values()
    }

    /// Takes a device in; `false` when the directory is full.
    pub(crate) fn add_device(&mut self, device: Device) -> bool {
        let room = self.devices.0.len() < MAX_DEVICES;
        if room {
            self.devices.0.insert(device.id, device);
        }
        room
    }

    /// Takes in what the local domain says of one of its devices. What a joined device has in the cloud
    /// alone (certificate, standing) stays.
    pub(crate) fn sync_device(&mut self, synced: SyncedDevice) -> Result<(), AadError> {
        self.check_synced(&synced)?;
        let SyncedDevice { id, object_id, tenant, name, onprem_sid, user_certificate } = synced;
        if let Ok(known) = self.device_mut(id) {
            known.name = name;
            known.onprem_sid = Some(onprem_sid);
            known.user_certificate = user_certificate;
            return Ok(());
        }
        let pending = Device {
            id,
            object_id,
            tenant,
            trust: TrustType::ServerAd,
            enabled: true,
            compliant: true,
            name,
            os_version: String::new(),
            joined_by: String::new(),
            joined: None,
            thumbprint: String::new(),
            serial: String::new(),
            onprem_sid: Some(onprem_sid),
            transport_key: None,
            ec_transport_key: None,
            user_certificate,
        };
        let room = self.add_device(pending);
        let full = || invalid("device", &id.to_string(), "the directory holds no more devices; delete some");
        if room { Ok(()) } else { Err(full()) }
    }

    fn check_synced(&self, synced: &SyncedDevice) -> Result<(), AadError> {
        let SyncedDevice { id, object_id, tenant, onprem_sid, user_certificate, .. } = synced;
        if self.tenant(*tenant).is_none() {
            return Err(AadError::UnknownTenant(*tenant));
        }
        let same = |known: &Device| known.trust == TrustType::ServerAd && known.tenant == *tenant;
        if self.device(*id).is_some_and(|known| !same(known)) {
            return Err(duplicate("device", id));
        }
        if self.devices().any(|known| known.object_id == *object_id && known.id != *id) {
            return Err(duplicate("device object id", object_id));
        }
        if !onprem_sid.starts_with("S-1-") || onprem_sid.len() > MAX_SID {
            return Err(invalid("onprem_sid", onprem_sid, "use a SID such as S-1-5-21-1-2-3-1104"));
        }
        let rsa = |der: &Vec<u8>| Certificate::parse(der).is_ok_and(|read| read.rsa.is_some());
        if !user_certificate.as_ref().is_none_or(rsa) {
            return Err(invalid(
                "user_certificate",
                &id.to_string(),
                "use a certificate of an RSA key in DER",
            ));
        }
        Ok(())
    }
}

/// A lab that runs for days must not grow without end.
const MAX_DEVICES: usize = 100_000;
/// A SID of 15 parts, the most there are, in text.
const MAX_SID: usize = 187;
