//! Identifiers of the chain, each a type of its own so that none can stand in for another.
//!
//! Fidelity: documented. The spellings are those of the product's logs and of its registration
//! messages (mp-wire §1.3, §8.4); the role id is configmgr §1.6. Every type reads any case, with or
//! without braces, and writes one spelling.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use uuid::Uuid;

/// Why a text is not the identifier it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdError {
    /// The text is not a GUID of 32 hexadecimal digits.
    #[error("{what}: expected a GUID such as 5dd100cd-df1d-45f5-ba17-a327f43465f8, got {got:?}")]
    NotAGuid {
        /// The kind of identifier that was being read.
        what: &'static str,
        /// The text, cut to 64 characters.
        got: String,
    },
    /// A client GUID lacks the `GUID:` in front.
    #[error("client id: expected GUID:<guid>, got {got:?}; put GUID: in front")]
    NoGuidPrefix {
        /// The text, cut to 64 characters.
        got: String,
    },
    /// The text is not a decimal number of at most 64 bits.
    #[error("MP role id: expected a decimal number of at most 20 digits, got {got:?}")]
    NotARoleId {
        /// The text, cut to 64 characters.
        got: String,
    },
    /// The text is not a site code.
    #[error("site code: expected three letters or digits such as LAB, got {got:?}")]
    NotASiteCode {
        /// The text, cut to 64 characters.
        got: String,
    },
}

macro_rules! guid_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        ///
        /// Written in lower case with hyphens.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// Takes over a GUID.
            #[must_use]
            pub const fn new(guid: Uuid) -> Self {
                Self(guid)
            }

            /// The GUID itself.
            #[must_use]
            pub const fn guid(&self) -> Uuid {
                self.0
            }

            /// The GUID of all zeros, which the product writes for "none".
            #[must_use]
            pub const fn zero() -> Self {
                Self(Uuid::nil())
            }

            /// Whether this is the GUID of all zeros.
            #[must_use]
            pub const fn is_zero(&self) -> bool {
                self.0.is_nil()
            }

            /// The upper-case spelling, without braces.
            #[must_use]
            pub fn upper(&self) -> String {
                upper(self.0)
            }

            /// The upper-case spelling in braces, as message headers carry it.
            #[must_use]
            pub fn braced(&self) -> String {
                format!("{{{}}}", upper(self.0))
            }
        }

        impl From<Uuid> for $name {
            fn from(guid: Uuid) -> Self {
                Self(guid)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0.as_hyphenated(), f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                parse_guid($what, text).map(Self)
            }
        }

        string_serde!($name);
    };
}

macro_rules! string_serde {
    ($name:ident) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    };
}

guid_id!(
    /// An Azure AD tenant (`tid`).
    TenantId,
    "tenant id"
);
guid_id!(
    /// An Azure AD device (`deviceid`, the CN of the workplace join certificate).
    DeviceId,
    "device id"
);
guid_id!(
    /// An Azure AD object: a user, a device object or a service principal (`oid`).
    ObjectId,
    "object id"
);
guid_id!(
    /// An application registered in Azure AD (`appid`, client id).
    AppId,
    "application id"
);
guid_id!(
    /// The hierarchy, which the site's own tokens call `TenantId`.
    HierarchyId,
    "hierarchy id"
);
guid_id!(
    /// One message of the CMG's channel or of CCM messaging.
    MessageId,
    "message id"
);
guid_id!(
    /// One request and its answer across the whole chain.
    ExchangeId,
    "exchange id"
);
guid_id!(
    /// A user as the site knows it (the `UserId` of a CCM token); all zeros for a device.
    UserId,
    "user id"
);
guid_id!(
    /// A bulk registration token (its `UniqueId`), by which the console lists and blocks it.
    BulkTokenId,
    "bulk registration token id"
);

/// A client as the site knows it: its SMS id, `GUID:` and an upper-case GUID.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientGuid(Uuid);

impl ClientGuid {
    /// Takes over a GUID.
    #[must_use]
    pub const fn new(guid: Uuid) -> Self {
        Self(guid)
    }

    /// The GUID itself, without the prefix.
    #[must_use]
    pub const fn guid(&self) -> Uuid {
        self.0
    }
}

impl From<Uuid> for ClientGuid {
    fn from(guid: Uuid) -> Self {
        Self(guid)
    }
}

impl fmt::Display for ClientGuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GUID:{}", upper(self.0))
    }
}

impl fmt::Debug for ClientGuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientGuid({})", upper(self.0))
    }
}

impl FromStr for ClientGuid {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        match text.split_at_checked(PREFIX.len()) {
            Some((prefix, guid)) if prefix.eq_ignore_ascii_case(PREFIX) => {
                parse_guid("client id", guid).map(Self)
            }
            _ => Err(IdError::NoGuidPrefix { got: cut(text) }),
        }
    }
}

string_serde!(ClientGuid);

/// The id of a management point role, the number in an external URL: the site's number in the top byte
/// and a small counter below. Early builds used the counter alone (`/9`), so any `u64` is accepted.
///
/// Written in decimal; in JSON a string, because JSON numbers lose bits above 2^53.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoleId(u64);

impl RoleId {
    /// The role with counter `n` at site number `site`; bits of `n` above 56 are dropped.
    #[must_use]
    pub const fn new(site: u8, n: u64) -> Self {
        Self(((site as u64) << SITE_SHIFT) | (n & COUNTER_MASK))
    }

    /// Takes over the number as it stands in a URL.
    #[must_use]
    pub const fn from_u64(id: u64) -> Self {
        Self(id)
    }

    /// The number as it stands in a URL.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The site's number, 0 for the short ids of early builds.
    #[must_use]
    pub const fn site(self) -> u8 {
        self.0.to_be_bytes()[0]
    }

    /// The counter within the site.
    #[must_use]
    pub const fn counter(self) -> u64 {
        self.0 & COUNTER_MASK
    }
}

impl fmt::Display for RoleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for RoleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RoleId({})", self.0)
    }
}

impl FromStr for RoleId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        // One spelling for each id, so that a URL has no second one.
        let decimal = text == "0" || !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
        decimal
            .then(|| text.parse().ok())
            .flatten()
            .map(Self)
            .ok_or_else(|| IdError::NotARoleId { got: cut(text) })
    }
}

string_serde!(RoleId);

/// The three characters that name a site, upper case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SiteCode([u8; 3]);

impl SiteCode {
    /// The three characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Only ASCII letters and digits get in, so this never takes the default.
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for SiteCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for SiteCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SiteCode({self})")
    }
}

impl FromStr for SiteCode {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let bytes: [u8; 3] =
            text.as_bytes().try_into().map_err(|_| IdError::NotASiteCode { got: cut(text) })?;
        if bytes.iter().all(u8::is_ascii_alphanumeric) {
            Ok(Self(bytes.map(|byte| byte.to_ascii_uppercase())))
        } else {
            Err(IdError::NotASiteCode { got: cut(text) })
        }
    }
}

string_serde!(SiteCode);

fn parse_guid(what: &'static str, text: &str) -> Result<Uuid, IdError> {
    let bare = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or(text);
    // Only the hyphenated form: the parser alone would also take 32 bare digits and urn:uuid:.
    if bare.len() == HYPHENATED {
        Uuid::try_parse(bare).map_err(|_| IdError::NotAGuid { what, got: cut(text) })
    } else {
        Err(IdError::NotAGuid { what, got: cut(text) })
    }
}

fn upper(guid: Uuid) -> String {
    guid.as_hyphenated().encode_upper(&mut [0; HYPHENATED]).to_owned()
}

fn cut(text: &str) -> String {
    text.chars().take(64).collect()
}

const PREFIX: &str = "GUID:";
const HYPHENATED: usize = 36;
const SITE_SHIFT: u32 = 56;
const COUNTER_MASK: u64 = (1 << SITE_SHIFT) - 1;

#[cfg(test)]
mod tests;
