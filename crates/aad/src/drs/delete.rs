//! A device that leaves: it proves itself with its WPJ certificate in TLS (entra §1.6).

use cmglab_events::kinds::{AadEvent, CertificateVerdict};
use cmglab_pki::read::Certificate;
use cmglab_proto::ids::DeviceId;

use super::Denied;
use crate::answer::{Outcome, Reply};
use crate::ask::Ask;
use crate::{Aad, proof};

/// Takes the device off the directory. The answer has no body.
pub(super) fn answer(aad: &Aad, ask: &Ask, id: &str) -> Outcome {
    let device = delete(aad, ask, id).map_err(|denied| denied.during("DeviceDelete"))?;
    ask.voice.emit(device);
    Ok(Reply::Empty)
}

fn delete(aad: &Aad, ask: &Ask, id: &str) -> Result<AadEvent, Denied> {
    let id: DeviceId = id.parse().map_err(|error| Denied::request(format!("Device id: {error}.")))?;
    let caller = caller(aad, ask)?;
    if caller != id {
        let message = format!("The certificate is that of device {caller}.");
        return Err(Denied::authorization("DeviceMismatch", message));
    }
    let removed = aad.directory_mut().remove_device(id);
    let gone = |_| Denied::authentication("DeviceNotFound", format!("Device {id} is not in the directory."));
    Ok(AadEvent::DeviceDeleted { tenant: removed.map_err(gone)?.tenant, device: id })
}

/// The device whose certificate the caller proved to hold.
fn caller(aad: &Aad, ask: &Ask) -> Result<DeviceId, Denied> {
    let refused =
        |cause: &str| Denied::authentication("CertificateInvalid", format!("Client certificate: {cause}."));
    let (leaf, verdict) = ask.certificate();
    let leaf = leaf.ok_or_else(|| refused("none was presented"))?;
    if verdict != CertificateVerdict::Valid {
        return Err(refused(&format!("its verdict is {verdict:?}")));
    }
    let certificate = Certificate::parse(leaf).map_err(|error| refused(&error.to_string()))?;
    // The port may trust more than one authority.
    certificate.is_signed_by(aad.authority_certificate()).map_err(|error| refused(&error.to_string()))?;
    // The port judges by a list that it may have fetched a while ago; here is the one who writes it.
    if aad.authority().is_revoked(&certificate.serial, ask.now) {
        return Err(refused("it is revoked"));
    }
    let id = proof::subject(&certificate).ok_or_else(|| refused("its subject is no device id"))?;
    let thumbprint = certificate.sha1_thumbprint();
    if aad.directory().device(id).is_some_and(|device| device.thumbprint != thumbprint) {
        return Err(refused("it is not the one issued to the device"));
    }
    Ok(id)
}
