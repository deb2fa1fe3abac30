//! The content encryptions: AES-256-GCM, and AES-256-CBC under its name.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::cipher::{
    AES_256, DecryptionContext, EncryptionContext, PaddedBlockDecryptingKey, PaddedBlockEncryptingKey,
    UnboundCipherKey,
};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand;

use crate::TokenError;

/// What an encryption makes besides the key.
pub(super) struct Sealed {
    pub(super) iv: Vec<u8>,
    pub(super) ciphertext: Vec<u8>,
    pub(super) tag: Vec<u8>,
}

/// AES-256-GCM with a random nonce.
pub(super) fn seal_gcm(key: &[u8; 32], additional: &str, plaintext: &[u8]) -> Result<Sealed, TokenError> {
    let iv: [u8; NONCE_LEN] = random()?;
    let mut ciphertext = plaintext.to_vec();
    gcm(key)
        .and_then(|key| {
            let nonce = Nonce::assume_unique_for_key(iv);
            key.seal_in_place_append_tag(nonce, Aad::from(additional), &mut ciphertext)
        })
        .map_err(TokenError::key)?;
    let tag = ciphertext.split_off(plaintext.len());
    Ok(Sealed { iv: iv.to_vec(), ciphertext, tag })
}

/// Strict: a nonce of 96 bits and a tag of 128 (RFC 7518 section 5.3).
pub(super) fn open_gcm(
    key: &[u8; 32],
    iv: &[u8],
    additional: &str,
    ciphertext: &[u8],
    tag: &[u8],
) -> Result<Vec<u8>, TokenError> {
    let nonce = Nonce::try_assume_unique_for_key(iv)
        .map_err(|_| TokenError::malformed("initialization vector", "not 96 bits long"))?;
    if tag.len() != TAG {
        return Err(TokenError::malformed("authentication tag", "not 128 bits long"));
    }
    let mut message = [ciphertext, tag].concat();
    let opened = gcm(key).and_then(|key| {
        let length = key.open_in_place(nonce, Aad::from(additional), &mut message)?.len();
        Ok(length)
    });
    let length = opened.map_err(|_| TokenError::Decryption)?;
    message.truncate(length);
    Ok(message)
}

/// AES-256-CBC with PKCS#7 padding under a random vector. Nothing authenticates it; the tag is filler.
pub(super) fn seal_cbc(key: &[u8; 32], plaintext: &[u8]) -> Result<Sealed, TokenError> {
    let iv: [u8; BLOCK] = random()?;
    let mut ciphertext = plaintext.to_vec();
    UnboundCipherKey::new(&AES_256, key)
        .and_then(PaddedBlockEncryptingKey::cbc_pkcs7)
        .and_then(|key| key.less_safe_encrypt(&mut ciphertext, EncryptionContext::Iv128(iv.into())))
        .map_err(TokenError::key)?;
    Ok(Sealed { iv: iv.to_vec(), ciphertext, tag: random::<TAG>()?.to_vec() })
}

pub(super) fn open_cbc(key: &[u8; 32], iv: [u8; BLOCK], ciphertext: &[u8]) -> Result<Vec<u8>, TokenError> {
    // PKCS#7 always pads, so the shortest message is one block.
    if ciphertext.is_empty() || !ciphertext.len().is_multiple_of(BLOCK) {
        return Err(TokenError::malformed("ciphertext", "not whole blocks of 128 bits"));
    }
    let mut message = ciphertext.to_vec();
    let opened =
        UnboundCipherKey::new(&AES_256, key).and_then(PaddedBlockDecryptingKey::cbc_pkcs7).and_then(|key| {
            let length = key.decrypt(&mut message, DecryptionContext::Iv128(iv.into()))?.len();
            Ok(length)
        });
    let length = opened.map_err(|_| TokenError::Decryption)?;
    message.truncate(length);
    Ok(message)
}

pub(super) fn random<const LENGTH: usize>() -> Result<[u8; LENGTH], TokenError> {
    let mut bytes = [0; LENGTH];
    rand::fill(&mut bytes).map_err(TokenError::key)?;
    Ok(bytes)
}

fn gcm(key: &[u8; 32]) -> Result<LessSafeKey, Unspecified> {
    UnboundKey::new(&AES_256_GCM, key).map(LessSafeKey::new)
}

/// In bytes, as are the others.
pub(super) const BLOCK: usize = 16;
const TAG: usize = 16;
