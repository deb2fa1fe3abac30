use std::fmt;

use super::AuthScheme;
use crate::ids::RoleId;

/// A request target as the CMG routes it, from the raw bytes of the request line.
///
/// Segments match in any case. `rest` and `query` keep the client's bytes. `Display` writes the target
/// again, with the documented spelling of the routing part.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum CmgPath {
    /// `/CCM_Proxy_<scheme>/<role>/<endpoint>…`: a published endpoint of a management point.
    Proxy {
        /// What the caller must prove itself with.
        scheme: AuthScheme,
        /// The management point.
        role: RoleId,
        /// The path on the management point, raw, beginning with `/`.
        rest: String,
        /// What follows the `?`, raw; `None` without a `?`.
        query: Option<String>,
    },
    /// `/CCM_Proxy_ServerAuth/AADAuthInfo`: the onboarding facts of a tenant, without authentication.
    AadAuthInfo {
        /// What follows the `?`, raw.
        query: Option<String>,
    },
    /// `/CCM_Proxy_<scheme>/ServiceMetadata`: the page that shows the served certificate.
    ServiceMetadata {
        /// The scheme asked for.
        scheme: AuthScheme,
    },
    /// A well-formed target that names none of the above: not found.
    Other,
}

impl CmgPath {
    /// Reads a raw request target (path and query, as in the request line).
    ///
    /// # Errors
    /// [`TargetError`] for a target that two readers could understand in two ways. Such a request is
    /// refused before it is routed.
    pub fn parse(target: &[u8]) -> Result<Self, TargetError> {
        let target = check_bytes(target)?;
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (target, None),
        };
        check_path(path)?;
        Self::route(path, query)
    }

    fn route(path: &str, query: Option<&str>) -> Result<Self, TargetError> {
        let (first, tail) = split_segment(path);
        if first.contains('%') {
            return Err(TargetError::EncodedRouting);
        }
        let Some(scheme) = AuthScheme::from_segment(first) else {
            return Ok(Self::Other);
        };
        let (second, rest) = split_segment(tail);
        if second.contains('%') {
            return Err(TargetError::EncodedRouting);
        }
        let query = query.map(str::to_owned);
        if let Ok(role) = second.parse() {
            let rest = if rest.is_empty() { "/" } else { rest }.to_owned();
            return Ok(Self::Proxy { scheme, role, rest, query });
        }
        Ok(match scheme {
            AuthScheme::ServerAuth if rest.is_empty() && second.eq_ignore_ascii_case(AAD_AUTH_INFO) => {
                Self::AadAuthInfo { query }
            }
            _ if rest.is_empty() && second.eq_ignore_ascii_case(SERVICE_METADATA) => {
                Self::ServiceMetadata { scheme }
            }
            _ => Self::Other,
        })
    }
}

impl fmt::Display for CmgPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let query = match self {
            Self::Proxy { scheme, role, rest, query } => {
                write!(f, "/{}/{role}{rest}", scheme.segment())?;
                query
            }
            Self::AadAuthInfo { query } => {
                write!(f, "/{}/{AAD_AUTH_INFO}", AuthScheme::ServerAuth.segment())?;
                query
            }
            Self::ServiceMetadata { scheme } => {
                return write!(f, "/{}/{SERVICE_METADATA}", scheme.segment());
            }
            Self::Other => return f.write_str("/"),
        };
        query.as_ref().map_or(Ok(()), |query| write!(f, "?{query}"))
    }
}

/// Why a request target is refused before routing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TargetError {
    /// More than [`MAX_TARGET`] bytes.
    #[error("request target of {bytes} bytes; at most {MAX_TARGET} are read")]
    TooLong {
        /// The length in bytes.
        bytes: usize,
    },
    /// `https://host/…`, `*` or `host:port`: only a path belongs in the request line here.
    #[error("request target is not a path; send the origin form, /path?query")]
    NotAPath,
    /// A control character (NUL among them), a space or a byte above 0x7e.
    #[error("request target holds byte {byte:#04x} at {at}; percent-encode it")]
    BadByte {
        /// The byte.
        byte: u8,
        /// Where it stands, from 0.
        at: usize,
    },
    /// A `#`: a fragment is never sent.
    #[error("request target holds a fragment; leave out # and what follows")]
    Fragment,
    /// A backslash in the path.
    #[error("request path holds a backslash; segments are parted by /")]
    Backslash,
    /// Two slashes in a row in the path.
    #[error("request path holds an empty segment (//)")]
    DoubleSlash,
    /// A segment of nothing but dots, seen also behind spaces or before parameters (`..;x`).
    #[error("request path holds a dot segment; send the path resolved")]
    DotSegment,
    /// An escape of a dot, a slash, a backslash or a control character, encoded once or more often.
    #[error("request path encodes a dot, a slash, a backslash or a control character; send it as it is")]
    EncodedSeparator,
    /// Escapes that are no UTF-8, or a character that Windows may take for a dot, a slash or a backslash.
    #[error("request path encodes something other than plain UTF-8 text; send ASCII, or UTF-8 in escapes")]
    EncodedText,
    /// A `%` without two hexadecimal digits.
    #[error("request path holds a % without two hexadecimal digits")]
    BadEscape,
    /// An escape in the part that routes: the scheme, the role id, the endpoint of the CMG itself.
    #[error("the routing part of the path holds a percent escape; send it plain")]
    EncodedRouting,
}

fn check_bytes(target: &[u8]) -> Result<&str, TargetError> {
    if target.len() > MAX_TARGET {
        return Err(TargetError::TooLong { bytes: target.len() });
    }
    if target.first() != Some(&b'/') {
        return Err(TargetError::NotAPath);
    }
    if let Some((at, &byte)) = target.iter().enumerate().find(|(_, byte)| !byte.is_ascii_graphic()) {
        return Err(TargetError::BadByte { byte, at });
    }
    if target.contains(&b'#') {
        return Err(TargetError::Fragment);
    }
    // Every byte was found to be ASCII above.
    str::from_utf8(target).map_err(|error| TargetError::BadByte { byte: 0x80, at: error.valid_up_to() })
}

fn check_path(path: &str) -> Result<(), TargetError> {
    if path.contains('\\') {
        return Err(TargetError::Backslash);
    }
    if path.contains("//") {
        return Err(TargetError::DoubleSlash);
    }
    if path.split('/').any(is_dot_segment) {
        return Err(TargetError::DotSegment);
    }
    path.match_indices('%').try_for_each(|(at, _)| check_escape(&path.as_bytes()[at + 1..]))?;
    check_text(path)
}

/// Windows drops trailing dots and spaces from a name, so `...` and `..%20` are as suspect as `..`; some
/// servers drop what follows a `;`.
fn is_dot_segment(segment: &str) -> bool {
    let name = segment.split_once(';').map_or(segment, |(name, _parameters)| name);
    let bare = name.replace("%20", "");
    !bare.is_empty() && bare.bytes().all(|byte| byte == b'.')
}

/// What the escapes stand for must be UTF-8 without look-alikes of a separator: a reader that maps Unicode to
/// an older code page reads `%ef%bc%8f` as a slash.
fn check_text(path: &str) -> Result<(), TargetError> {
    let mut bytes = path.as_bytes();
    let mut text = Vec::with_capacity(bytes.len());
    while let Some((&first, rest)) = bytes.split_first() {
        let escaped = if first == b'%' { hex_pair(rest) } else { None };
        text.push(escaped.unwrap_or(first));
        bytes = if escaped.is_some() { rest.get(2..).unwrap_or_default() } else { rest };
    }
    let text = str::from_utf8(&text).map_err(|_| TargetError::EncodedText)?;
    if text.contains(LOOK_ALIKES) { Err(TargetError::EncodedText) } else { Ok(()) }
}

/// Looks through any depth of encoding: `%252e` is read as `%2e` by a reader that decodes twice.
fn check_escape(mut after: &[u8]) -> Result<(), TargetError> {
    while let Some(deeper) = after.strip_prefix(b"25") {
        if hex_pair(deeper).is_none() {
            return Ok(());
        }
        after = deeper;
    }
    match hex_pair(after).ok_or(TargetError::BadEscape)? {
        // 0xc0 and 0xc1 begin only over-long UTF-8, which hides a dot or a slash from a careless reader.
        0..=0x1f | 0x7f | b'.' | b'/' | b'\\' | 0xc0 | 0xc1 => Err(TargetError::EncodedSeparator),
        _ => Ok(()),
    }
}

fn hex_pair(bytes: &[u8]) -> Option<u8> {
    let digit = |at: usize| bytes.get(at).and_then(|&byte| char::from(byte).to_digit(16));
    u8::try_from(digit(0)? * 16 + digit(1)?).ok()
}

/// The first segment of `path` (which begins with `/` or is empty) and what follows it.
fn split_segment(path: &str) -> (&str, &str) {
    let bare = path.strip_prefix('/').unwrap_or(path);
    bare.find('/').map_or((bare, ""), |at| bare.split_at(at))
}

/// One dot leader to ellipsis, fraction and division slash, and the small and fullwidth forms.
const LOOK_ALIKES: [char; 11] = [
    '\u{2024}', '\u{2025}', '\u{2026}', '\u{2044}', '\u{2215}', '\u{2216}', '\u{fe52}', '\u{fe68}',
    '\u{ff0e}', '\u{ff0f}', '\u{ff3c}',
];
/// The longest request target that is read, in bytes. Lab.
pub const MAX_TARGET: usize = 8 * 1024;
/// The segment of the onboarding endpoint.
pub const AAD_AUTH_INFO: &str = "AADAuthInfo";
/// The segment of the page that shows the served certificate.
pub const SERVICE_METADATA: &str = "ServiceMetadata";

#[cfg(test)]
mod tests;
