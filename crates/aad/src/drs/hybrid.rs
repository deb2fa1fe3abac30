//! Hybrid join: a device of the local domain proves itself with the key of the certificate that the domain
//! synchronised for it, and needs no user (entra §2.1).
//!
//! Fidelity: observed for the request; inferred for the checks, for how old a proof may be, and for what the
//! answer and the certificate say in place of a user (an empty name, the device's own object).

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cmglab_events::kinds::AadEvent;
use cmglab_pki::read::Certificate;
use cmglab_proto::ids::DeviceId;
use cmglab_proto::wpj::JoinType;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::issue::{Holder, body, certify};
use super::join_request::printable;
use super::request::{ApiVersion, CertificateRequest, KeyRequest, KeyWithUse, TransportKeys};
use super::{Denied, within};
use crate::answer::{Outcome, Reply, Trouble};
use crate::ask::Ask;
use crate::tenant_ref::TenantRef;
use crate::{Aad, Device};

/// Certifies the key of a synchronised device. A device that has joined before gets another certificate in
/// place of its first.
pub(super) fn answer(aad: &Aad, ask: &Ask, id: &str) -> Outcome {
    let id: DeviceId = id.parse().map_err(|error| Denied::request(format!("Device id: {error}.")))?;
    let request = Request::parse(&ask.body, ApiVersion::of(ask)?)?;
    let device = aad.directory().device(id).cloned();
    let device = device.filter(|device| device.onprem_sid.is_some()).ok_or_else(|| missing(id))?;
    join(aad, ask, &device, request).map_err(|trouble| within(trouble, device.tenant))
}

struct Request {
    key: KeyRequest,
    transport: TransportKeys,
    os_version: String,
    target: Option<String>,
    identity: ClientIdentity,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Wire {
    certificate_request: CertificateRequest,
    server_ad_join_data: ServerAdJoinData,
    join_type: u8,
}

/// The name and the type of the device come with its object and not from here.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ServerAdJoinData {
    #[serde(default)]
    transport_key: Option<String>,
    #[serde(default)]
    device_keys: Option<Vec<KeyWithUse>>,
    #[serde(default)]
    target_domain_id: Option<String>,
    #[serde(rename = "OSVersion", default)]
    os_version: Option<String>,
    client_identity: ClientIdentity,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ClientIdentity {
    r#type: String,
    /// The SID, a full stop, and the time.
    sid: String,
    signed_blob: String,
}

impl Request {
    fn parse(body: &[u8], version: ApiVersion) -> Result<Self, Denied> {
        let wire: Wire = serde_json::from_slice(body)
            .map_err(|error| Denied::request(format!("The body is no hybrid join request: {error}.")))?;
        if wire.join_type != u8::from(JoinType::Hybrid) {
            return Err(Denied::request(
                "JoinType must be 6; others are a POST to /EnrollmentServer/device/.",
            ));
        }
        let data = wire.server_ad_join_data;
        let keys = data.device_keys.unwrap_or_default();
        Ok(Self {
            key: wire.certificate_request.read(version)?,
            transport: TransportKeys::read(data.transport_key.as_deref(), &keys, version)?,
            os_version: printable("OSVersion", data.os_version.unwrap_or_default())?,
            target: data.target_domain_id.filter(|target| !target.is_empty()),
            identity: data.client_identity,
        })
    }
}

fn join(aad: &Aad, ask: &Ask, device: &Device, request: Request) -> Result<Reply, Trouble> {
    let (id, tenant, object) = (device.id, device.tenant, device.object_id);
    if let Some(target) = request.target {
        let named = aad.directory().tenant_ref(&target.to_lowercase());
        if named != TenantRef::Known(tenant) {
            return Err(missing(id).into());
        }
    }
    prove(device, &request.identity, ask.now)?;
    let join_type = JoinType::Hybrid;
    let holder = Holder { tenant, device: id, joined_by: object, join_type };
    let certificate = certify(aad, ask, &request.key, &holder)?;
    let mut directory = aad.directory_mut();
    let kept = directory.device_mut(id).map_err(|_| missing(id))?;
    kept.os_version = request.os_version;
    kept.joined = Some(ask.now);
    kept.thumbprint = certificate.sha1_thumbprint();
    kept.serial = certificate.serial.to_string();
    kept.transport_key = request.transport.rsa;
    kept.ec_transport_key = request.transport.p256;
    drop(directory);
    ask.voice.emit(AadEvent::DeviceJoined { tenant, device: id, object, join_type, upn: String::new() });
    Ok(body(&certificate, "", &[]).into())
}

/// Whether the proof is this device's, and fresh.
fn prove(device: &Device, identity: &ClientIdentity, now: Timestamp) -> Result<(), Denied> {
    if !identity.r#type.eq_ignore_ascii_case("sha256signed") {
        return Err(Denied::request("ClientIdentity.Type must be sha256signed."));
    }
    let unsigned = |cause: &str| {
        Denied::authentication("SignatureInvalid", format!("ClientIdentity.SignedBlob: {cause}."))
    };
    let certificate = device.user_certificate.as_ref().ok_or_else(|| {
        let message = format!("The object of device {} has no userCertificate; synchronise it.", device.id);
        Denied::directory("UserCertificateNotFound", message)
    })?;
    let certificate = Certificate::parse(certificate).map_err(|error| unsigned(&error.to_string()))?;
    let key = certificate.rsa.ok_or_else(|| unsigned("the key of userCertificate is not RSA"))?.pkcs1_der;
    let blob = STANDARD.decode(&identity.signed_blob).map_err(|_| unsigned("it is not base64"))?;
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key)
        .verify(identity.sid.as_bytes(), &blob)
        .map_err(|_| unsigned("it does not verify with the key of userCertificate"))?;
    let (sid, time) = identity.sid.split_once('.').unwrap_or((&identity.sid, ""));
    if !device.onprem_sid.as_ref().is_some_and(|known| known.eq_ignore_ascii_case(sid)) {
        return Err(Denied::authentication(
            "SidMismatch",
            "ClientIdentity.Sid is not the SID of the device.",
        ));
    }
    if signed_at(time).is_none_or(|at| now.duration_since(at).abs() > TOLERANCE) {
        let message = format!("ClientIdentity.Sid must end in a time within {TOLERANCE:#} of {now:.0}.");
        return Err(Denied::authentication("SignatureExpired", message));
    }
    Ok(())
}

/// `2026-03-01 12:00:00Z`, as .NET's universal sortable format writes it.
fn signed_at(text: &str) -> Option<Timestamp> {
    let time = strtime::parse("%Y-%m-%d %H:%M:%SZ", text).ok()?.to_datetime().ok()?;
    Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

fn missing(id: DeviceId) -> Denied {
    Denied::directory(
        "DeviceNotFound",
        format!("There is no device object with id {id}; synchronise it first."),
    )
}

const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn times_are_in_utc_and_whole() {
        let expected: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        assert_eq!(signed_at("2026-03-01 12:00:00Z"), Some(expected));
        for other in
            ["", "2026-03-01", "2026-03-01 12:00:00", "2026-02-30 12:00:00Z", "2026-03-01 12:00:00Z."]
        {
            assert_eq!(signed_at(other), None, "{other}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn noise_never_panics(body: Vec<u8>, time in ".{0,40}") {
            prop_assert!(Request::parse(&body, ApiVersion::V2).is_err());
            let _result = signed_at(&time);
        }
    }
}
