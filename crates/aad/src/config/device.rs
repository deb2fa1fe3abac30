//! Devices that the local domain brings along.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cmglab_proto::ids::{DeviceId, ObjectId, TenantId};
use serde::{Deserialize, Deserializer};

/// A device of the local domain as it is synchronised: the object that a hybrid join needs (entra §2.1).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SyncedDevice {
    /// The device id: in the local domain the objectGUID of the computer, which is also the subject of its
    /// certificate.
    pub id: DeviceId,
    /// The id of its object here.
    pub object_id: ObjectId,
    /// Its tenant.
    pub tenant: TenantId,
    /// Its name.
    pub name: String,
    /// Its SID in the local domain.
    pub onprem_sid: String,
    /// The certificate in its attribute userCertificate, in DER, with an RSA key; the device signs its join
    /// with that key. In files: base64. Without one the object is there and cannot join.
    #[serde(default, deserialize_with = "base64")]
    pub user_certificate: Option<Vec<u8>>,
}

fn base64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<u8>>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    let text: String = text.split_ascii_whitespace().collect();
    STANDARD.decode(text).map(Some).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_are_base64_in_files() {
        let text = r#"{"id":"5dd100cd-df1d-45f5-ba17-a327f43465f8","name":"PC1",
            "object_id":"00000000-0000-0000-0000-000000000001","onprem_sid":"S-1-5-21-1-2-3-4",
            "tenant":"00000000-0000-0000-0000-000000000002","user_certificate":"YWJj"}"#;
        let read = |text: &str| serde_json::from_str::<SyncedDevice>(text);
        assert_eq!(read(text).unwrap().user_certificate.as_deref(), Some(&b"abc"[..]));
        assert_eq!(read(&text.replace("\"YWJj\"", "null")).unwrap().user_certificate, None);
        assert!(read(&text.replace("YWJj", "@")).is_err());
    }
}
