//! What a device says when it joins (entra §2.1).

use cmglab_proto::wpj::JoinType;
use serde::Deserialize;

use super::Denied;
use super::request::{ApiVersion, CertificateRequest, KeyRequest, KeyWithUse, TransportKeys};

/// A join request that can be carried out.
#[derive(Debug)]
pub(super) struct JoinRequest {
    pub(super) key: KeyRequest,
    pub(super) transport: TransportKeys,
    pub(super) join_type: JoinType,
    pub(super) name: String,
    pub(super) os_version: String,
}

/// The JSON of it. Clients send more, in more than one spelling (`attributes`, `Attributes`); only this
/// counts.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Wire {
    certificate_request: CertificateRequest,
    #[serde(default)]
    transport_key: Option<String>,
    #[serde(default)]
    device_keys: Option<Vec<KeyWithUse>>,
    join_type: u8,
    device_display_name: String,
    #[serde(rename = "OSVersion", default)]
    os_version: Option<String>,
}

impl JoinRequest {
    /// Reads a body.
    pub(super) fn parse(body: &[u8], version: ApiVersion) -> Result<Self, Denied> {
        let wire: Wire = serde_json::from_slice(body)
            .map_err(|error| Denied::request(format!("The body is no join request: {error}.")))?;
        let join_type = JoinType::try_from(wire.join_type)
            .map_err(|error| Denied::request(format!("JoinType: {error}.")))?;
        if join_type == JoinType::Hybrid {
            return Err(Denied::request(
                "JoinType 6 is a PUT to /EnrollmentServer/device/ and the device id.",
            ));
        }
        let keys = wire.device_keys.unwrap_or_default();
        let name = printable("DeviceDisplayName", wire.device_display_name)?;
        if name.is_empty() {
            return Err(Denied::request("DeviceDisplayName is empty."));
        }
        Ok(Self {
            key: wire.certificate_request.read(version)?,
            transport: TransportKeys::read(wire.transport_key.as_deref(), &keys, version)?,
            join_type,
            name,
            os_version: printable("OSVersion", wire.os_version.unwrap_or_default())?,
        })
    }
}

/// A text that may be shown to people.
pub(super) fn printable(what: &str, text: String) -> Result<String, Denied> {
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
            prop_assert!(JoinRequest::parse(&body, ApiVersion::V3).is_err());
        }
    }
}
