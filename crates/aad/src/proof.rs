//! Proof of a device: a request signed with its WPJ certificate (entra §3.2).

mod chains;
mod session;

use std::sync::Arc;

use cmglab_pki::read::Certificate;
use cmglab_proto::ids::{DeviceId, TenantId};
use cmglab_token::jws_x5c::{self, SignedRequest};
use cmglab_token::{Header, TokenError, peek};
use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::errors::{
    DEVICE_CERTIFICATE_DATES, DEVICE_CERTIFICATE_FOREIGN, DEVICE_CERTIFICATE_REVOKED,
    DEVICE_CERTIFICATE_SUPERSEDED, DEVICE_DISABLED, DEVICE_NOT_PROVIDED, DEVICE_SIGNATURE, DEVICE_TENANT,
    DEVICE_UNKNOWN, MALFORMED, MISSING_PARAMETER, NONCE, Refusal, UNKNOWN_TENANT,
};
use crate::nonce::NonceFault;
use crate::tenant_ref::TenantRef;
use crate::{Aad, Device};

pub(crate) use chains::Chains;
pub(crate) use session::{Freshness, SessionProof, in_time, session};

/// A request that a device signed.
pub(crate) struct DeviceProof {
    pub(crate) device: Device,
    pub(crate) header: Map<String, Value>,
    pub(crate) payload: Map<String, Value>,
}

/// Looks into a signed request of at most 16 KiB without believing it.
pub(crate) fn look(jws: &str) -> Result<(Header, Map<String, Value>), Refusal> {
    let looked = peek(jws);
    seen(&looked).map(|(header, payload)| (header.clone(), payload.clone()))
}

/// What a look has found.
pub(crate) fn seen(
    looked: &Result<(Header, Value), TokenError>,
) -> Result<(&Header, &Map<String, Value>), Refusal> {
    match looked {
        Ok((header, Value::Object(payload))) => Ok((header, payload)),
        Ok(_) => Err(MALFORMED.about(&["the payload of the signed request is not an object"])),
        Err(error) => Err(MALFORMED.about(&[&format!("signed request: {error}")])),
    }
}

/// The device that signed `jws`, and the payload. Checked in this order: certificate there, issued by us,
/// signature, dates, not revoked, device in the directory, device enabled, nonce. That a certificate was
/// issued by us is remembered.
pub(crate) fn device(aad: &Aad, jws: &str, now: Timestamp) -> Result<(Device, Map<String, Value>), Refusal> {
    device_request(aad, jws, now).map(|proof| (proof.device, proof.payload))
}

/// As [`device`], with the header.
pub(crate) fn device_request(aad: &Aad, jws: &str, now: Timestamp) -> Result<DeviceProof, Refusal> {
    let (SignedRequest { header, payload, .. }, certificate) = signed(aad, jws)?;
    if !certificate.validity.contains(now) {
        let (from, to) = (certificate.validity.not_before, certificate.validity.not_after);
        return Err(DEVICE_CERTIFICATE_DATES.about(&[&from.to_string(), &to.to_string()]));
    }
    if aad.authority().is_revoked(&certificate.serial, now) {
        return Err(DEVICE_CERTIFICATE_REVOKED.about(&[&certificate.serial.to_string()]));
    }
    let device = in_directory(aad, &certificate)?;
    fresh(aad, &payload, now)?;
    Ok(DeviceProof { device, header, payload })
}

/// The tenant of a request that a device proves: the device's own, which a path may name or leave open.
pub(crate) fn tenant(path: &TenantRef, device: &Device) -> Result<TenantId, Refusal> {
    match path {
        TenantRef::Common | TenantRef::Organizations => Ok(device.tenant),
        TenantRef::Known(tenant) if *tenant == device.tenant => Ok(device.tenant),
        TenantRef::Known(other) => {
            Err(DEVICE_TENANT.about(&[&device.tenant.to_string(), &other.to_string()]))
        }
        TenantRef::Consumers | TenantRef::Unknown(_) => Err(UNKNOWN_TENANT.about(&[&path.to_string()])),
    }
}

/// The id that a WPJ certificate of ours is for: its subject, which extension .2 repeats.
pub(crate) fn subject(certificate: &Certificate) -> Option<DeviceId> {
    let subject = certificate.subject_common_name.as_deref()?.parse().ok()?;
    (certificate.wpj.device_id.map(DeviceId::new) == Some(subject)).then_some(subject)
}

fn signed(aad: &Aad, jws: &str) -> Result<(SignedRequest, Arc<Certificate>), Refusal> {
    let refused = |error| match error {
        TokenError::Certificate { .. } => DEVICE_NOT_PROVIDED.plain(),
        TokenError::Signature | TokenError::Unsigned | TokenError::Algorithm(_) => DEVICE_SIGNATURE.plain(),
        error => MALFORMED.about(&[&format!("signed request: {error}")]),
    };
    let opened = jws_x5c::open(jws).map_err(refused)?;
    let certificate = aad.chains().vouched(opened.leaf_der(), || ours(aad, opened.leaf_der()))?;
    let request = opened.verify(&certificate.spki_der).map_err(refused)?;
    Ok((request, certificate))
}

fn ours(aad: &Aad, leaf: &[u8]) -> Result<Certificate, Refusal> {
    let certificate = Certificate::parse(leaf).map_err(|_| DEVICE_NOT_PROVIDED.plain())?;
    let signed = certificate.is_signed_by(aad.authority_certificate());
    signed.map_err(|_| DEVICE_CERTIFICATE_FOREIGN.plain())?;
    Ok(certificate)
}

fn in_directory(aad: &Aad, certificate: &Certificate) -> Result<Device, Refusal> {
    let tenant =
        certificate.wpj.tenant_id.map(|tenant| TenantId::new(tenant).to_string()).unwrap_or_default();
    let unknown = || DEVICE_UNKNOWN.about(&[&tenant]);
    let id = subject(certificate).ok_or_else(unknown)?;
    let directory = aad.directory();
    let device = directory.device(id).ok_or_else(unknown)?;
    if !device.enabled {
        return Err(DEVICE_DISABLED.plain());
    }
    if device.thumbprint != certificate.sha1_thumbprint() {
        return Err(DEVICE_CERTIFICATE_SUPERSEDED.about(&[&id.to_string()]));
    }
    Ok(device.clone())
}

/// Checks the nonce of a request.
fn fresh(aad: &Aad, payload: &Map<String, Value>, now: Timestamp) -> Result<(), Refusal> {
    known(aad, payload.get("request_nonce"), now)
}

/// Checks that a nonce is there, ours, and not expired.
pub(crate) fn known(aad: &Aad, nonce: Option<&Value>, now: Timestamp) -> Result<(), Refusal> {
    let nonce = nonce.and_then(Value::as_str).filter(|nonce| !nonce.is_empty());
    let nonce = nonce.ok_or_else(|| NONCE.about(&["not provided"]))?;
    aad.nonces().check(nonce, now).map_err(|fault| match fault {
        NonceFault::Expired => NONCE.about(&["expired"]),
        NonceFault::NotOurs => NONCE.about(&["not one that this service issued"]),
    })
}

/// A text of a payload that a request cannot do without.
pub(crate) fn text<'a>(payload: &'a Map<String, Value>, name: &str) -> Result<&'a str, Refusal> {
    let found = payload.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    found.ok_or_else(|| MISSING_PARAMETER.about(&[name]))
}
