//! Forms and queries, read from raw bytes: some clients send a form without saying so
//! (entra §6.3), so nothing here looks at Content-Type.

use std::fmt;

/// The pairs of an `application/x-www-form-urlencoded` text.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Form(Vec<(String, String)>);

/// Why a text is not a form that can be relied on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FormError {
    #[error("it is not UTF-8")]
    NotUtf8,
    #[error("parameter '{0}' is there twice")]
    Repeated(String),
    #[error("it has more than {MAX_PAIRS} parameters")]
    TooMany,
}

impl Form {
    /// Reads a form. A stray `%` stands for itself, as browsers have it; a parameter may stand only once
    /// (RFC 6749 §3.2).
    pub(crate) fn parse(text: &[u8]) -> Result<Self, FormError> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for pair in text.split(|&byte| byte == b'&').filter(|pair| !pair.is_empty()) {
            if pairs.len() == MAX_PAIRS {
                return Err(FormError::TooMany);
            }
            let equals = pair.iter().position(|&byte| byte == b'=').unwrap_or(pair.len());
            let (name, value) = pair.split_at(equals);
            let name = decode(name, true)?;
            if pairs.iter().any(|(earlier, _)| *earlier == name) {
                return Err(FormError::Repeated(name.chars().take(64).collect()));
            }
            pairs.push((name, decode(value.strip_prefix(b"=").unwrap_or(value), true)?));
        }
        Ok(Self(pairs))
    }

    /// A parameter's value; an empty one counts as absent.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// All pairs, in order.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// Values may be passwords and tokens.
impl fmt::Debug for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

/// Writes a form or a query.
pub(crate) fn encode(pairs: &[(&str, String)]) -> String {
    let pairs: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect();
    pairs.join("&")
}

fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let escape = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(escape).collect()
}

/// Decodes a value of a form.
pub(crate) fn decode_value(text: &str) -> Result<String, FormError> {
    decode(text.as_bytes(), true)
}

/// Decodes a segment of a path.
pub(crate) fn decode_segment(text: &str) -> Result<String, FormError> {
    decode(text.as_bytes(), false)
}

fn decode(text: &[u8], plus_is_space: bool) -> Result<String, FormError> {
    if !text.iter().any(|byte| matches!(byte, b'%' | b'+')) {
        return String::from_utf8(text.to_vec()).map_err(|_| FormError::NotUtf8);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        bytes.push(match (first, after) {
            (b'+', _) if plus_is_space => b' ',
            (b'%', [high, low, beyond @ ..]) => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => {
                    rest = beyond;
                    high << 4 | low
                }
                _ => b'%',
            },
            _ => first,
        });
    }
    String::from_utf8(bytes).map_err(|_| FormError::NotUtf8)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

const MAX_PAIRS: usize = 64;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_escapes_spaces_and_absent_values() {
        let form = Form::parse(b"grant_type=password&scope=a%2Fb+c&empty=&flag&&rest=50%").unwrap();
        assert_eq!(form.get("grant_type"), Some("password"));
        assert_eq!(form.get("scope"), Some("a/b c"));
        assert_eq!(form.get("rest"), Some("50%"));
        assert_eq!((form.get("empty"), form.get("flag"), form.get("none")), (None, None, None));
        assert_eq!(decode_segment("alice%40lab+x").as_deref(), Ok("alice@lab+x"));
    }

    #[test]
    fn refuses_what_could_be_read_two_ways() {
        assert!(Form::parse(b"a=1&b=1").is_ok());
        assert_eq!(Form::parse(b"a=1&a=1"), Err(FormError::Repeated("a".to_owned())));
        assert_eq!(Form::parse(b"a=%ff"), Err(FormError::NotUtf8));
        let many = |count: usize| (0..count).map(|n| format!("{n}=1&")).collect::<String>();
        assert!(Form::parse(many(MAX_PAIRS).as_bytes()).is_ok());
        assert_eq!(Form::parse(many(MAX_PAIRS + 1).as_bytes()), Err(FormError::TooMany));
    }

    #[test]
    fn values_are_not_shown() {
        let form = Form::parse(b"password=secret").unwrap();
        assert_eq!(format!("{form:?}"), r#"{"password"}"#);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn noise_never_panics(bytes: Vec<u8>) {
            let _result = Form::parse(&bytes);
        }

        #[test]
        fn what_is_escaped_comes_back(value in ".{1,40}") {
            let escaped: String = value.bytes().map(|byte| format!("%{byte:02x}")).collect();
            for text in [format!("v={escaped}"), encode(&[("v", value.clone())])] {
                let form = Form::parse(text.as_bytes()).unwrap();
                prop_assert_eq!(form.get("v"), Some(value.as_str()));
            }
        }
    }
}
