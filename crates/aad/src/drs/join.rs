//! Joining and registering a device (entra §2.2, §2.3).
//!
//! Fidelity: observed. `JoinType` 8, which some clients know for a join too, is carried out as 0 is; of the
//! attributes (`ReuseDevice`, `ReturnClientSid`, `SharedDevice` …) none changes what happens here.

use cmglab_events::kinds::AadEvent;
use cmglab_proto::ids::{DeviceId, ObjectId, TenantId};
use cmglab_proto::wpj::{JoinType, Membership};

use super::bearer::Caller;
use super::issue::{Holder, body, certify};
use super::join_request::JoinRequest;
use super::request::ApiVersion;
use super::{Denied, bearer, within};
use crate::answer::{Outcome, Reply, Trouble};
use crate::ask::Ask;
use crate::{Aad, Device, TrustType, User};

/// Takes a device into the directory of the caller's tenant and certifies its key.
pub(super) fn answer(aad: &Aad, ask: &Ask) -> Outcome {
    let Caller { tenant, user, .. } = bearer::caller(aad, ask)?;
    join(aad, ask, tenant, &user).map_err(|trouble| within(trouble, tenant))
}

fn join(aad: &Aad, ask: &Ask, tenant: TenantId, user: &User) -> Result<Reply, Trouble> {
    let request = JoinRequest::parse(&ask.body, ApiVersion::of(ask)?)?;
    let (id, join_type) = (DeviceId::new(aad.deps().ids.guid()), request.join_type);
    let holder = Holder { tenant, device: id, joined_by: user.object_id, join_type };
    let certificate = certify(aad, ask, &request.key, &holder)?;
    let object = ObjectId::new(aad.deps().ids.guid());
    let device = Device {
        id,
        object_id: object,
        tenant,
        trust: trust(join_type),
        enabled: true,
        compliant: true,
        name: request.name,
        os_version: request.os_version,
        joined_by: user.upn.clone(),
        joined: Some(ask.now),
        thumbprint: certificate.sha1_thumbprint(),
        serial: certificate.serial.to_string(),
        onprem_sid: None,
        transport_key: request.transport.rsa,
        ec_transport_key: request.transport.p256,
        user_certificate: None,
    };
    if !aad.directory_mut().add_device(device) {
        return Err(Denied::directory("QuotaExceeded", "The directory holds no more devices.").into());
    }
    let upn = user.upn.clone();
    ask.voice.emit(AadEvent::DeviceJoined { tenant, device: id, object, join_type, upn });
    // Of those whom the real service names, only the user who joins the machine is anybody here.
    let administrators = match join_type.membership() {
        Membership::Joined => vec![user.object_id],
        Membership::Registered => Vec::new(),
    };
    Ok(body(&certificate, &user.upn, &administrators).into())
}

fn trust(join_type: JoinType) -> TrustType {
    match join_type {
        JoinType::Register => TrustType::Workplace,
        _ => TrustType::AzureAd,
    }
}
