//! What a device says when it joins (entra §2.1).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cmglab_proto::wpj::JoinType;
use serde::Deserialize;
use serde_json::Value;

use super::Denied;
use crate::TransportKey;
use crate::answer::Trouble;

/// A join request that can be carried out.
pub(super) struct JoinRequest {
    pub(super) csr: Vec<u8>,
    pub(super) transport_key: TransportKey,
    pub(super) join_type: JoinType,
    pub(super) name: String,
    pub(super) os_version: String,
}

/// The JSON of it. Clients send more, in more than one spelling; only this counts.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Wire {
    certificate_request: CertificateRequest,
    #[serde(default)]
    transport_key: Option<String>,
    #[serde(default)]
    device_keys: Option<Value>,
    join_type: u8,
    device_display_name: String,
    #[serde(rename = "OSVersion", default)]
    os_version: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CertificateRequest {
    r#type: String,
    data: String,
    #[serde(default)]
    key_type: Option<String>,
}

impl JoinRequest {
    /// Reads a body.
    pub(super) fn parse(body: &[u8]) -> Result<Self, Trouble> {
        let wire: Wire = serde_json::from_slice(body)
            .map_err(|error| Denied::request(format!("The body is no join request: {error}.")))?;
        let join_type = JoinType::try_from(wire.join_type)
            .map_err(|error| Denied::request(format!("JoinType: {error}.")))?;
        if let Some(gap) = wire.gap(join_type) {
            return Err(Trouble::NotBuilt(gap.to_owned()));
        }
        if !wire.certificate_request.r#type.eq_ignore_ascii_case("pkcs10") {
            return Err(Denied::request("CertificateRequest.Type must be pkcs10.").into());
        }
        let csr = STANDARD
            .decode(&wire.certificate_request.data)
            .map_err(|_| Denied::request("CertificateRequest.Data is not base64."))?;
        let key = wire.transport_key.ok_or_else(|| Denied::request("TransportKey is missing."))?;
        let transport_key =
            TransportKey::parse(&key).map_err(|error| Denied::request(format!("{error}.")))?;
        let name = printable("DeviceDisplayName", wire.device_display_name)?;
        if name.is_empty() {
            return Err(Denied::request("DeviceDisplayName is empty.").into());
        }
        let os_version = printable("OSVersion", wire.os_version)?;
        Ok(Self { csr, transport_key, join_type, name, os_version })
    }
}

impl Wire {
    /// The part of the protocol that the request needs and the lab has not.
    fn gap(&self, join_type: JoinType) -> Option<&'static str> {
        let ecc = |kind: &String| !kind.eq_ignore_ascii_case("RSA");
        match join_type {
            JoinType::Hybrid => Some("JoinType 6, hybrid join"),
            JoinType::JoinAlternative => Some("JoinType 8"),
            _ if self.device_keys.as_ref().is_some_and(|keys| !keys.is_null()) => Some("DeviceKeys"),
            _ if self.certificate_request.key_type.as_ref().is_some_and(ecc) => Some("joins with an ECC key"),
            JoinType::Join | JoinType::Register => None,
        }
    }
}

fn printable(what: &str, text: String) -> Result<String, Denied> {
    if text.chars().count() > MAX_TEXT || text.chars().any(char::is_control) {
        return Err(Denied::request(format!("{what} must be one line of at most {MAX_TEXT} characters.")));
    }
    Ok(text)
}

const MAX_TEXT: usize = 256;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn noise_never_panics(body: Vec<u8>) {
            prop_assert!(JoinRequest::parse(&body).is_err());
        }
    }
}
