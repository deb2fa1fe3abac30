//! Serial numbers, as certificates and CRLs identify what they speak of.

use std::fmt;

use crate::PkiError;

use super::hex;

/// A certificate's serial number: big-endian, without leading zeros. Prints as capital hex.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Serial(Vec<u8>);

impl Serial {
    /// Reads capital or small hex, as [`fmt::Display`] writes it.
    ///
    /// # Errors
    /// [`PkiError::Malformed`] when it is not hex, is empty or is longer than 40 digits.
    pub fn from_hex(text: &str) -> Result<Self, PkiError> {
        let digits: Option<Vec<u8>> =
            text.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
        let digits = digits.filter(|digits| digits.len().is_multiple_of(2) && digits.len() <= 2 * MAX_BYTES);
        let digits =
            digits.ok_or_else(|| PkiError::malformed(WHAT, "not an even number of hex digits, up to 40"))?;
        let bytes: Vec<u8> = digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
        Self::from_der_bytes(&bytes)
    }

    /// The number, big-endian.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn from_der_bytes(bytes: &[u8]) -> Result<Self, PkiError> {
        let bytes = bytes.strip_prefix(&[0]).unwrap_or(bytes);
        match bytes.len() {
            0 => Err(PkiError::malformed(WHAT, "it is zero")),
            1..=MAX_BYTES => Ok(Self(bytes.to_vec())),
            _ => Err(PkiError::malformed(WHAT, "it has more than 20 bytes")),
        }
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Serial({self})")
    }
}

const WHAT: &str = "serial number";
/// RFC 5280 section 4.1.2.2.
const MAX_BYTES: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_round_trips() {
        let serial = Serial::from_hex("00ab01").unwrap();
        assert_eq!(serial.to_string(), "AB01");
        assert_eq!(Serial::from_hex(&serial.to_string()).unwrap(), serial);
    }

    #[test]
    fn odd_long_and_foreign_text_is_refused() {
        assert!(Serial::from_hex(&"7F".repeat(20)).is_ok());
        for bad in ["", "00", "ABC", "XY", "äö", &"7F".repeat(21)] {
            assert!(Serial::from_hex(bad).is_err(), "{bad}");
        }
    }
}
