use std::io::Read;

use flate2::read::DeflateDecoder;

/// The checksum of a data block: over its data, then over its two lengths.
pub(super) fn checksum(data: &[u8], compressed: u16, plain: u16) -> u32 {
    let lengths = [compressed.to_le_bytes(), plain.to_le_bytes()].concat();
    fold(&lengths, fold(data, 0))
}

/// Words of four bytes, little-endian, combined by exclusive or; the last, short one is big-endian.
fn fold(data: &[u8], seed: u32) -> u32 {
    let mut words = data.chunks_exact(4);
    let sum = words.by_ref().fold(seed, |sum, word| sum ^ little_endian(word));
    sum ^ words.remainder().iter().fold(0, |word, byte| (word << 8) | u32::from(*byte))
}

fn little_endian(word: &[u8]) -> u32 {
    word.iter().rev().fold(0, |value, byte| (value << 8) | u32::from(*byte))
}

/// Decompresses one block. It may look back into `history`, the plain text of the block before.
pub(super) fn inflate(block: &[u8], history: &[u8], plain_len: usize) -> Option<Vec<u8>> {
    // The decoder takes no dictionary, so the history goes in front as a stored block of its own.
    let preamble = if history.is_empty() { Vec::new() } else { stored(history) };
    let stream = preamble.as_slice().chain(block.strip_prefix(MSZIP)?);
    let wanted = history.len() + plain_len;
    let mut plain = Vec::with_capacity(wanted);
    // One byte more than stated, to notice a block that is too long.
    let limit = u64::try_from(wanted + 1).ok()?;
    DeflateDecoder::new(stream).take(limit).read_to_end(&mut plain).ok()?;
    if plain.len() != wanted {
        return None;
    }
    plain.drain(..history.len());
    Some(plain)
}

/// A deflate block without compression, not the last of its stream (RFC 1951 §3.2.4); blocks here are far below its 64 KiB.
fn stored(plain: &[u8]) -> Vec<u8> {
    let length = u16::try_from(plain.len()).unwrap_or(u16::MAX);
    let mut block = vec![0]; // not the last, not compressed
    block.extend(length.to_le_bytes());
    block.extend((!length).to_le_bytes());
    block.extend(plain);
    block
}

/// The most plain text of one block, in bytes.
pub(super) const BLOCK: usize = 32 * 1024;
const MSZIP: &[u8] = b"CK";
