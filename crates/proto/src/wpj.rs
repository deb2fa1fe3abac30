//! The workplace join certificate: its extensions and the join types.
//!
//! Fidelity: documented for `.2` and `.3`, observed for the others (entra §2.3). The certificate itself
//! is made and read elsewhere; here are the OIDs and the values behind them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The device's GUID.
pub const DEVICE_ID: Oid = Oid(&[1, 2, 840, 113_556, 1, 5, 284, 2]);
/// The object id of the user who joined the device.
pub const USER_OBJECT_ID: Oid = Oid(&[1, 2, 840, 113_556, 1, 5, 284, 3]);
/// The tenant's GUID.
pub const TENANT_ID: Oid = Oid(&[1, 2, 840, 113_556, 1, 5, 284, 5]);
/// How the device is tied to the tenant, [`Membership`].
pub const JOIN_TYPE: Oid = Oid(&[1, 2, 840, 113_556, 1, 5, 284, 7]);
/// The tenant's region, [`Region`].
pub const REGION: Oid = Oid(&[1, 2, 840, 113_556, 1, 5, 284, 8]);
/// The common name of the certificate's issuer.
pub const ISSUER_CN: &str = "MS-Organization-Access";

/// An object identifier; `Display` writes the dotted form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Oid(&'static [u64]);

impl Oid {
    /// The arcs, first to last.
    #[must_use]
    pub const fn arcs(self) -> &'static [u64] {
        self.0
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .enumerate()
            .try_for_each(|(index, arc)| if index > 0 { write!(f, ".{arc}") } else { write!(f, "{arc}") })
    }
}

/// The `JoinType` of a registration request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub enum JoinType {
    /// 0: Azure AD join.
    Join,
    /// 4: Azure AD registration (workplace join).
    Register,
    /// 6: hybrid join, of a device that is in a local domain.
    Hybrid,
    /// 8: a further form of join that newer clients send.
    JoinAlternative,
}

impl JoinType {
    /// How a certificate of this kind of join states its membership.
    #[must_use]
    pub const fn membership(self) -> Membership {
        match self {
            Self::Register => Membership::Registered,
            Self::Join | Self::Hybrid | Self::JoinAlternative => Membership::Joined,
        }
    }
}

impl From<JoinType> for u8 {
    fn from(join_type: JoinType) -> Self {
        match join_type {
            JoinType::Join => 0,
            JoinType::Register => 4,
            JoinType::Hybrid => 6,
            JoinType::JoinAlternative => 8,
        }
    }
}

impl TryFrom<u8> for JoinType {
    type Error = WpjError;

    fn try_from(number: u8) -> Result<Self, WpjError> {
        [Self::Join, Self::Register, Self::Hybrid, Self::JoinAlternative]
            .into_iter()
            .find(|join_type| u8::from(*join_type) == number)
            .ok_or(WpjError::UnknownJoinType { number })
    }
}

/// The value of [`JOIN_TYPE`] in a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Membership {
    /// `0`: registered, not joined.
    Registered,
    /// `1`: joined.
    Joined,
}

impl Membership {
    /// Writes the extension's value.
    #[must_use]
    pub fn encode(self) -> Vec<u8> {
        octet_string(match self {
            Self::Registered => b"0",
            Self::Joined => b"1",
        })
    }

    /// Reads the extension's value.
    ///
    /// # Errors
    /// [`WpjError::UnknownMembership`] for anything but `0` and `1`.
    pub fn decode(value: &[u8]) -> Result<Self, WpjError> {
        match unwrap_text(value) {
            b"0" => Ok(Self::Registered),
            b"1" => Ok(Self::Joined),
            _ => Err(WpjError::UnknownMembership),
        }
    }
}

/// The value of [`REGION`] in a certificate: `AF AS AP EU ME NA SA`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Region(&'static str);

impl Region {
    /// The two letters.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.0
    }

    /// Writes the extension's value.
    #[must_use]
    pub fn encode(self) -> Vec<u8> {
        octet_string(self.0.as_bytes())
    }

    /// Reads the extension's value.
    ///
    /// # Errors
    /// [`WpjError::UnknownRegion`] for a region that is not in the list.
    pub fn decode(value: &[u8]) -> Result<Self, WpjError> {
        let text = unwrap_text(value);
        let known = REGIONS.iter().find(|region| region.as_bytes() == text);
        known.copied().map(Self).ok_or(WpjError::UnknownRegion)
    }
}

impl FromStr for Region {
    type Err = WpjError;

    fn from_str(text: &str) -> Result<Self, WpjError> {
        Self::decode(text.as_bytes())
    }
}

/// Writes a GUID as an extension's value: an OCTET STRING of the 16 bytes in Microsoft's order, the
/// first three fields little-endian.
#[must_use]
pub fn encode_guid(guid: Uuid) -> Vec<u8> {
    octet_string(&guid.to_bytes_le())
}

/// Reads a GUID from an extension's value. The length may stand in the short form (`04 10`) or in the
/// long form (`04 81 10`) that some certificates have.
///
/// # Errors
/// [`WpjError::NotAGuid`] for any other bytes.
pub fn decode_guid(value: &[u8]) -> Result<Uuid, WpjError> {
    value
        .strip_prefix(&[0x04, 0x10])
        .or_else(|| value.strip_prefix(&[0x04, 0x81, 0x10]))
        .and_then(|bytes| bytes.try_into().ok())
        .map(Uuid::from_bytes_le)
        .ok_or(WpjError::NotAGuid { bytes: value.len() })
}

/// Why a value of a workplace join certificate or request is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WpjError {
    /// Not an OCTET STRING of 16 bytes.
    #[error("extension value of {bytes} bytes is not an OCTET STRING of a 16-byte GUID")]
    NotAGuid {
        /// The value's length in bytes.
        bytes: usize,
    },
    /// Neither `0` nor `1`.
    #[error("the certificate's join type is neither 0 (registered) nor 1 (joined)")]
    UnknownMembership,
    /// Not a region of the list.
    #[error("the certificate's region is none of AF AS AP EU ME NA SA")]
    UnknownRegion,
    /// Not a join type of the protocol.
    #[error("join type {number} is unknown; expected 0, 4, 6 or 8")]
    UnknownJoinType {
        /// The number.
        number: u8,
    },
}

fn octet_string(content: &[u8]) -> Vec<u8> {
    // Every content here is at most 16 bytes long, so the length fits one byte.
    let length = u8::try_from(content.len()).unwrap_or_default();
    [&[0x04, length], content].concat()
}

/// The text in an extension's value, with or without the OCTET STRING around it.
fn unwrap_text(value: &[u8]) -> &[u8] {
    match value {
        [0x04, length, text @ ..] if usize::from(*length) == text.len() => text,
        [0x04, 0x81, length, text @ ..] if usize::from(*length) == text.len() => text,
        bare => bare,
    }
}

const REGIONS: [&str; 7] = ["AF", "AS", "AP", "EU", "ME", "NA", "SA"];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rcgen::{CertificateParams, CustomExtension, KeyPair};

    use super::*;

    #[test]
    fn a_guid_is_written_in_microsofts_order() {
        let guid: Uuid = "00112233-4455-6677-8899-aabbccddeeff".parse().unwrap();
        let value = encode_guid(guid);
        let body =
            [0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff];
        assert_eq!(value, [&[0x04, 0x10], &body[..]].concat());
        assert_eq!(decode_guid(&value), Ok(guid));
        assert_eq!(decode_guid(&[&[0x04, 0x81, 0x10], &body[..]].concat()), Ok(guid));
        assert_eq!(decode_guid(&body), Err(WpjError::NotAGuid { bytes: 16 }));
        assert_eq!(decode_guid(&[&value[..], &[0]].concat()), Err(WpjError::NotAGuid { bytes: 19 }));
    }

    #[test]
    fn texts_are_read_bare_and_wrapped() {
        assert_eq!(Membership::Joined.encode(), [0x04, 0x01, b'1']);
        for value in [&b"0"[..], &[0x04, 0x01, b'0'], &[0x04, 0x81, 0x01, b'0']] {
            assert_eq!(Membership::decode(value), Ok(Membership::Registered));
        }
        assert_eq!(Membership::decode(b"2"), Err(WpjError::UnknownMembership));
        let region: Region = "EU".parse().unwrap();
        assert_eq!(Region::decode(&region.encode()), Ok(region));
        assert_eq!("XX".parse::<Region>(), Err(WpjError::UnknownRegion));
    }

    #[test]
    fn join_types_are_numbers() {
        for number in [0, 4, 6, 8] {
            assert_eq!(JoinType::try_from(number).map(u8::from), Ok(number));
        }
        assert_eq!(JoinType::try_from(1), Err(WpjError::UnknownJoinType { number: 1 }));
        assert_eq!(serde_json::from_str::<JoinType>("6").unwrap(), JoinType::Hybrid);
        assert_eq!(JoinType::Register.membership(), Membership::Registered);
        assert_eq!(JoinType::Hybrid.membership(), Membership::Joined);
    }

    #[test]
    fn a_certificate_carries_the_values_as_they_are() {
        let guid = Uuid::from_bytes([7; 16]);
        let mut params = CertificateParams::new([]).unwrap();
        params.custom_extensions = vec![
            CustomExtension::from_oid_content(DEVICE_ID.arcs(), encode_guid(guid)),
            CustomExtension::from_oid_content(REGION.arcs(), "EU".parse::<Region>().unwrap().encode()),
        ];
        let der = params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec();
        let holds = |value: &[u8]| der.windows(value.len()).any(|window| window == value);
        assert!(holds(&[&[0x04, 0x12], &encode_guid(guid)[..]].concat()));
        assert!(holds(&[0x04, 0x04, 0x04, 0x02, b'E', b'U']));
        assert_eq!(DEVICE_ID.to_string(), "1.2.840.113556.1.5.284.2");
    }

    proptest! {
        #[test]
        fn guids_round_trip_and_any_bytes_are_read(bytes: [u8; 16], any: Vec<u8>) {
            let guid = Uuid::from_bytes(bytes);
            prop_assert_eq!(decode_guid(&encode_guid(guid)), Ok(guid));
            let _ = (decode_guid(&any), Membership::decode(&any), Region::decode(&any));
        }
    }
}
