//! The certificate of a device that joins, and the answer around it (entra §2.2, §2.3).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cmglab_pki::KeyKind;
use cmglab_pki::read::Certificate;
use cmglab_pki::wpj::WpjSubject;
use cmglab_proto::ids::{DeviceId, ObjectId, TenantId};
use cmglab_proto::wpj::{JoinType, Membership};
use serde_json::{Value, json};

use super::Denied;
use super::request::KeyRequest;
use crate::Aad;
use crate::answer::Trouble;
use crate::ask::Ask;

/// Whom a certificate is for.
pub(super) struct Holder {
    pub(super) tenant: TenantId,
    pub(super) device: DeviceId,
    /// The object of the user who joins the device.
    pub(super) joined_by: ObjectId,
    pub(super) join_type: JoinType,
}

/// Certifies the key of a request.
pub(super) fn certify(
    aad: &Aad,
    ask: &Ask,
    request: &KeyRequest,
    holder: &Holder,
) -> Result<Certificate, Trouble> {
    let region = aad.directory().tenant(holder.tenant).map(|tenant| tenant.region.clone());
    let subject = WpjSubject {
        device_id: holder.device.guid(),
        object_id: holder.joined_by.guid(),
        tenant_id: holder.tenant.guid(),
        join_type: match holder.join_type.membership() {
            Membership::Registered => b'0',
            Membership::Joined => b'1',
        },
        region: region.unwrap_or_default(),
    };
    let refused = |error| Denied::request(format!("CertificateRequest.Data: {error}."));
    let der = aad.authority().issue_wpj(&request.csr, &subject, ask.now, &aad.deps().ids).map_err(refused)?;
    let certificate = Certificate::parse(&der).map_err(|error| Trouble::Failed(error.to_string()))?;
    // Nothing but RSA and P-256 is certified.
    match (request.kind, certificate.rsa.as_ref().map(|key| key.modulus_bits)) {
        (KeyKind::Rsa2048, Some(2048)) | (KeyKind::P256, None) => Ok(certificate),
        (KeyKind::Rsa2048, _) => {
            Err(Denied::request("CertificateRequest.Data: the key must be RSA of 2048 bits.").into())
        }
        (KeyKind::P256, _) => Err(Denied::request("CertificateRequest.Data: the key must be P-256.").into()),
    }
}

/// The answer to a join. `administrators` become that on the machine.
pub(super) fn body(certificate: &Certificate, upn: &str, administrators: &[ObjectId]) -> Value {
    let mut body = json!({
        "Certificate": {
            "Thumbprint": certificate.sha1_thumbprint(),
            "RawBody": STANDARD.encode(&certificate.der),
        },
        "User": {"Upn": upn},
    });
    if !administrators.is_empty() {
        let sids: Vec<String> = administrators.iter().map(|object| sid(*object)).collect();
        body["MembershipChanges"] = json!([{"LocalSID": ADMINISTRATORS, "AddSIDs": sids}]);
    }
    body
}

/// The SID of an object of the directory: its id as four little-endian numbers.
fn sid(object: ObjectId) -> String {
    let bytes = object.guid().to_bytes_le();
    let numbers = bytes.chunks_exact(4).map(|word| {
        let word = word.try_into().map(u32::from_le_bytes).unwrap_or_default();
        format!("-{word}")
    });
    format!("S-1-12-1{}", numbers.collect::<String>())
}

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
