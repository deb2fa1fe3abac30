//! The bytes of a payload: UTF-16LE text behind an optional zlib stream (mp-wire §1.2, §2).

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;

use super::CcmError;

/// A text, and how many bytes of the payload it took.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Decoded {
    /// Everything before the first NUL, without byte order mark and surrounding white space.
    pub(crate) text: String,
    /// Bytes up to and including the first NUL, or all of them when there is none.
    pub(crate) length: usize,
}

/// `text` as UTF-16LE, with neither byte order mark nor NUL: the bytes that a registration signs.
#[must_use]
pub fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// `text` as UTF-16LE and one NUL of two bytes: a payload before compression, and the bytes that most
/// signatures cover.
#[must_use]
pub fn utf16_nul(text: &str) -> Vec<u8> {
    let mut bytes = utf16(text);
    bytes.extend_from_slice(&NUL);
    bytes
}

/// A zlib stream (RFC 1950) of `bytes`.
#[must_use]
pub fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    #[expect(clippy::expect_used, reason = "writing to a Vec does not fail")]
    {
        encoder.write_all(bytes).expect("a Vec takes every byte");
        encoder.finish().expect("a Vec takes every byte")
    }
}

/// What a zlib stream holds, never more than `limit` bytes. Bytes behind the stream are ignored.
///
/// # Errors
///
/// [`CcmError::BadZlib`] when the stream is broken or ends early, [`CcmError::InflatedTooLarge`].
pub fn inflate(bytes: &[u8], limit: usize) -> Result<Vec<u8>, CcmError> {
    let one_more = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let mut out = Vec::new();
    ZlibDecoder::new(bytes).take(one_more).read_to_end(&mut out).map_err(|_| CcmError::BadZlib)?;
    if out.len() > limit {
        return Err(CcmError::InflatedTooLarge { limit });
    }
    Ok(out)
}

/// Reads UTF-16LE up to the first NUL. What stands behind it is not looked at: senders leave line ends
/// and odd bytes there.
pub(crate) fn decode(bytes: &[u8], part: &'static str) -> Result<Decoded, CcmError> {
    let (units, odd) = bytes.as_chunks::<2>();
    let end = units.iter().position(|unit| *unit == NUL);
    if end.is_none() && !odd.is_empty() {
        return Err(CcmError::BadUtf16 { part });
    }
    let body = &units[..end.unwrap_or(units.len())];
    let body = body.strip_prefix(&[BOM]).unwrap_or(body);
    let text = char::decode_utf16(body.iter().map(|unit| u16::from_le_bytes(*unit)))
        .collect::<Result<String, _>>()
        .map_err(|_| CcmError::BadUtf16 { part })?;
    if text.starts_with(SWAPPED_BOM) {
        return Err(CcmError::BadUtf16 { part });
    }
    let length = end.map_or(bytes.len(), |units| (units + 1) * NUL.len());
    Ok(Decoded { text: text.trim().to_owned(), length })
}

/// The byte order mark that opens the header part.
pub(crate) const BOM: [u8; 2] = [0xff, 0xfe];
const NUL: [u8; 2] = [0, 0];
// A big-endian byte order mark, read as little-endian.
const SWAPPED_BOM: char = '\u{fffe}';
