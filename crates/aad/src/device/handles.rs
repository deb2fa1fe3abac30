//! The hand that changes devices while the service runs.

use cmglab_events::kinds::AadEvent;
use cmglab_pki::read::Serial;
use cmglab_proto::ids::DeviceId;

use crate::{Aad, AadError, SyncedDevice};

impl Aad {
    /// Synchronises a device of the local domain: from then on it can join (hybrid). Doing it again brings
    /// name, SID and certificate up to date.
    ///
    /// # Errors
    /// [`AadError::UnknownTenant`]; [`AadError::Duplicate`] when id or object id are those of another device;
    /// [`AadError::Invalid`].
    pub fn sync_device(&self, device: SyncedDevice) -> Result<(), AadError> {
        let change = format!("device {} ({}) synchronised", device.id, device.name);
        self.directory_mut().sync_device(device)?;
        self.deps().events.emit(AadEvent::DirectoryChanged { change });
        Ok(())
    }

    /// Revokes the certificate that a device has now: it goes on the CRL of its authority, and it proves
    /// nothing here any more. Lab: the real service only disables and deletes. The device stays in the
    /// directory.
    ///
    /// # Errors
    /// [`AadError::UnknownDevice`]; [`AadError::NoCertificate`] for one that has yet to join.
    pub fn revoke_certificate(&self, device: DeviceId) -> Result<(), AadError> {
        let serial = self.directory_mut().device_mut(device)?.serial.clone();
        let serial = Serial::from_hex(&serial).map_err(|_| AadError::NoCertificate(device))?;
        self.authority().revoke(&serial, self.deps().clock.now());
        let change = format!("device {device}: certificate {serial} revoked");
        self.deps().events.emit(AadEvent::DirectoryChanged { change });
        Ok(())
    }
}
