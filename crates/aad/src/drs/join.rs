//! Joining and registering a device (entra §2.2, §2.3).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cmglab_events::kinds::AadEvent;
use cmglab_pki::read::Certificate;
use cmglab_pki::wpj::WpjSubject;
use cmglab_proto::ids::{DeviceId, ObjectId, TenantId};
use cmglab_proto::wpj::{JoinType, Membership};
use serde_json::{Value, json};

use super::join_request::JoinRequest;
use super::{Denied, bearer};
use crate::answer::{Outcome, Trouble};
use crate::ask::Ask;
use crate::{Aad, Device, TrustType, User};

/// Takes a device into the directory of the caller's tenant and certifies its key.
pub(super) fn answer(aad: &Aad, ask: &Ask) -> Outcome {
    let (tenant, user) = bearer::user(aad, ask)?;
    let within = |trouble: Trouble| match trouble {
        Trouble::Denied(denied) => Trouble::Denied(denied.within(tenant)),
        other => other,
    };
    if !ask.query.get("api-version").is_some_and(|version| VERSIONS.contains(&version)) {
        return Err(within(Denied::request("api-version must be 1.0, 2.0 or 3.0.").into()));
    }
    let request = JoinRequest::parse(&ask.body).map_err(within)?;
    let id = DeviceId::new(aad.deps().ids.guid());
    let certificate = certify(aad, ask, &request, id, (tenant, &user)).map_err(within)?;
    let (join_type, object) = (request.join_type, ObjectId::new(aad.deps().ids.guid()));
    let thumbprint = certificate.sha1_thumbprint();
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
        joined: ask.now,
        thumbprint: thumbprint.clone(),
        transport_key: request.transport_key,
    };
    if !aad.directory_mut().add_device(device) {
        let full = Denied::directory("QuotaExceeded", "The directory holds no more devices.");
        return Err(within(full.into()));
    }
    let upn = user.upn.clone();
    ask.voice.emit(AadEvent::DeviceJoined { tenant, device: id, object, join_type, upn });
    let mut body = json!({
        "Certificate": {"Thumbprint": thumbprint, "RawBody": STANDARD.encode(&certificate.der)},
        "User": {"Upn": user.upn},
    });
    if join_type == JoinType::Join {
        // Who becomes an administrator of the machine: here only the user who joins it.
        body["MembershipChanges"] = json!([{"LocalSID": ADMINISTRATORS, "AddSIDs": [sid(user.object_id)]}]);
    }
    Ok(body.into())
}

fn certify(
    aad: &Aad,
    ask: &Ask,
    request: &JoinRequest,
    id: DeviceId,
    (tenant, user): (TenantId, &User),
) -> Result<Certificate, Trouble> {
    let region = aad.directory().tenant(tenant).map(|tenant| tenant.region.clone());
    let subject = WpjSubject {
        device_id: id.guid(),
        object_id: user.object_id.guid(),
        tenant_id: tenant.guid(),
        join_type: match request.join_type.membership() {
            Membership::Registered => b'0',
            Membership::Joined => b'1',
        },
        region: region.unwrap_or_default(),
    };
    let refused = |error| Denied::request(format!("CertificateRequest.Data: {error}."));
    let der = aad.authority().issue_wpj(&request.csr, &subject, ask.now, &aad.deps().ids).map_err(refused)?;
    let certificate = Certificate::parse(&der).map_err(|error| Trouble::Failed(error.to_string()))?;
    match certificate.rsa.as_ref().map(|key| key.modulus_bits) {
        Some(2048) => Ok(certificate),
        _ => Err(Denied::request("CertificateRequest.Data: the key must be RSA of 2048 bits.").into()),
    }
}

fn trust(join_type: JoinType) -> TrustType {
    match join_type {
        JoinType::Register => TrustType::Workplace,
        _ => TrustType::AzureAd,
    }
}

/// The SID of an object of the directory: its id as four little-endian numbers.
fn sid(object: ObjectId) -> Value {
    let bytes = object.guid().to_bytes_le();
    let numbers = bytes.chunks_exact(4).map(|word| {
        let word = word.try_into().map(u32::from_le_bytes).unwrap_or_default();
        format!("-{word}")
    });
    json!(format!("S-1-12-1{}", numbers.collect::<String>()))
}

const VERSIONS: [&str; 3] = ["1.0", "2.0", "3.0"];
const ADMINISTRATORS: &str = "S-1-5-32-544";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sid_spells_the_object_id() {
        let object: ObjectId = "00000001-0002-0000-0300-000004000000".parse().unwrap();
        assert_eq!(sid(object), "S-1-12-1-1-2-3-4");
    }
}
