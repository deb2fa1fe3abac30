use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Scheme and host of a management point, `https://MP.LAB.TEST`: no path, no trailing slash, so that
/// nothing can hide between it and a published prefix.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MpBase(String);

impl MpBase {
    /// The text as given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the management point is reached over TLS.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https://")
    }

    /// Host and, when given, port.
    #[must_use]
    pub fn authority(&self) -> &str {
        self.0.split_once("://").map_or("", |(_, authority)| authority)
    }
}

impl FromStr for MpBase {
    type Err = PartError;

    fn from_str(text: &str) -> Result<Self, PartError> {
        let authority = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        match authority {
            Some(authority) if is_authority(authority) => Ok(Self(text.to_owned())),
            _ => Err(PartError::BadBase { got: text.chars().take(128).collect() }),
        }
    }
}

/// A published path of a management point, `/CCM_STS`: one or more plain segments, no trailing slash.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PathPrefix(String);

impl PathPrefix {
    /// The text as given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `path` is this path or lies below it, in any case.
    #[must_use]
    pub fn covers(&self, path: &str) -> bool {
        path.split_at_checked(self.0.len()).is_some_and(|(head, tail)| {
            head.eq_ignore_ascii_case(&self.0) && (tail.is_empty() || tail.starts_with('/'))
        })
    }

    /// For the names in this crate, all of which are plain segments.
    pub(super) fn of_name(name: &str) -> Self {
        Self(format!("/{name}"))
    }
}

impl FromStr for PathPrefix {
    type Err = PartError;

    fn from_str(text: &str) -> Result<Self, PartError> {
        let plain = |segment: &str| {
            segment.bytes().any(|byte| byte != b'.')
                && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-$".contains(&byte))
        };
        match text.strip_prefix('/') {
            Some(segments) if text.len() <= 256 && segments.split('/').all(plain) => {
                Ok(Self(text.to_owned()))
            }
            _ => Err(PartError::BadPrefix { got: text.chars().take(128).collect() }),
        }
    }
}

/// Why a part of a mapping is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PartError {
    /// Not `https://<host>`.
    #[error("management point base {got:?}: expected https://<host>, without a path or a trailing slash")]
    BadBase {
        /// The text, cut to 128 characters.
        got: String,
    },
    /// Not `/<segment>`.
    #[error(
        "published path {got:?}: expected /<segment>, of letters, digits and ._-$, without a trailing slash"
    )]
    BadPrefix {
        /// The text, cut to 128 characters.
        got: String,
    },
}

macro_rules! text_part {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    };
}

text_part!(MpBase);
text_part!(PathPrefix);

fn is_authority(text: &str) -> bool {
    let (host, port) = text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)));
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    let digits = |port: &str| {
        !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok()
    };
    host.len() <= 253 && host.split('.').all(label) && port.is_none_or(digits)
}
