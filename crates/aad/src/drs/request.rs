//! What the requests of joining devices have in common: the version, the certificate request, the keys
//! (entra §2.1).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cmglab_pki::KeyKind;
use serde::Deserialize;

use super::Denied;
use crate::ask::Ask;
use crate::device::DeviceKey;
use crate::{EcTransportKey, TransportKey};

/// The `api-version` of a request. From 3.0 on devices may have keys on P-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ApiVersion {
    V1,
    V2,
    V3,
}

/// A certificate request, and the kind of key that it says it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KeyRequest {
    pub(super) csr: Vec<u8>,
    pub(super) kind: KeyKind,
}

/// The keys that are to protect session keys; at least one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct TransportKeys {
    pub(super) rsa: Option<TransportKey>,
    pub(super) p256: Option<EcTransportKey>,
}

/// `CertificateRequest` as JSON.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CertificateRequest {
    r#type: String,
    data: String,
    #[serde(default)]
    key_type: Option<String>,
}

/// One of `DeviceKeys` as JSON. Its `Type` and `Encoding` say again what the key itself says.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct KeyWithUse {
    data: String,
    usage: String,
}

impl ApiVersion {
    pub(super) fn of(ask: &Ask) -> Result<Self, Denied> {
        match ask.query.get("api-version") {
            Some("1.0") => Ok(Self::V1),
            Some("2.0") => Ok(Self::V2),
            Some("3.0") => Ok(Self::V3),
            _ => Err(Denied::request("api-version must be 1.0, 2.0 or 3.0.")),
        }
    }
}

impl CertificateRequest {
    pub(super) fn read(&self, version: ApiVersion) -> Result<KeyRequest, Denied> {
        if !self.r#type.eq_ignore_ascii_case("pkcs10") {
            return Err(Denied::request("CertificateRequest.Type must be pkcs10."));
        }
        let csr = STANDARD.decode(&self.data);
        let csr = csr.map_err(|_| Denied::request("CertificateRequest.Data is not base64."))?;
        let kind = match self.key_type.as_deref() {
            None | Some("" | "RSA") => KeyKind::Rsa2048,
            Some("ECC") if version >= ApiVersion::V3 => KeyKind::P256,
            Some("ECC") => {
                return Err(Denied::request("CertificateRequest.KeyType ECC needs api-version 3.0."));
            }
            Some(_) => return Err(Denied::request("CertificateRequest.KeyType must be RSA or ECC.")),
        };
        Ok(KeyRequest { csr, kind })
    }
}

impl TransportKeys {
    /// From `TransportKey`, which is RSA, and from 3.0 on the first of `DeviceKeys` whose use is `STK`.
    pub(super) fn read(
        transport_key: Option<&str>,
        device_keys: &[KeyWithUse],
        version: ApiVersion,
    ) -> Result<Self, Denied> {
        let mut keys = Self::default();
        if let Some(text) = transport_key.filter(|text| !text.is_empty()) {
            keys.take("TransportKey", text)?;
            if keys.rsa.is_none() {
                return Err(Denied::request("TransportKey: the key must be RSA."));
            }
        }
        if device_keys.len() > MAX_KEYS {
            return Err(Denied::request(format!("DeviceKeys has more than {MAX_KEYS} entries.")));
        }
        let mut of_use = device_keys.iter().filter(|key| key.usage.eq_ignore_ascii_case("STK"));
        if let Some(key) = of_use.next().filter(|_| version >= ApiVersion::V3) {
            keys.take("DeviceKeys", &key.data)?;
        }
        if keys == Self::default() {
            return Err(Denied::request(
                "TransportKey is missing; from api-version 3.0 on one of DeviceKeys of usage STK does.",
            ));
        }
        Ok(keys)
    }

    fn take(&mut self, member: &str, text: &str) -> Result<(), Denied> {
        match DeviceKey::parse(text).map_err(|error| Denied::request(format!("{member}: {error}.")))? {
            DeviceKey::Rsa(key) => self.rsa = Some(key),
            DeviceKey::P256(key) => self.p256 = Some(key),
        }
        Ok(())
    }
}

const MAX_KEYS: usize = 8;
