//! Keys encrypted to an RSA key (RFC 7518 section 4.3), and the session key among them.
//!
//! Fidelity: documented (MS-OAPXBC) for the encrypted key (entra section 4.2), which is the session key itself
//! and all that a device reads. What the other parts hold is filler and observed (AADInternals, which decrypts
//! them and looks): one space (0x20) under AES-256-GCM that authenticates no header, so by the RFC it does not
//! open.

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rsa::{
    OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepAlgorithm, OaepPrivateDecryptingKey,
    OaepPublicEncryptingKey, PrivateDecryptingKey, PublicEncryptingKey, PublicKey,
};
use serde_json::json;
use zeroize::Zeroizing;

use super::content::{Sealed, seal_gcm};
use super::parts::{ENC, Parts, join};
use crate::session::SessionKey;
use crate::{TokenError, compact};

/// Encrypts the session key to a device: RSA-OAEP with SHA-1, as `session_key_jwe` has it. `public` is the
/// device's transport key, RSA of 2048 to 8192 bits, in DER: a `SubjectPublicKeyInfo` or an `RSAPublicKey`.
///
/// # Errors
/// [`TokenError::Key`] when `public` is no such key.
pub fn wrap_session_key(public: &[u8], key: &SessionKey) -> Result<String, TokenError> {
    let (protected, encrypted_key) = header_and_key("RSA-OAEP", public, key.expose())?;
    let Sealed { iv, ciphertext, tag } = seal_gcm(key.expose(), "", FILLER)?;
    Ok(join(&protected, [&encrypted_key, &iv, &ciphertext, &tag]))
}

/// Decrypts the session key with the private transport key, PKCS#8 in DER. Reads the header and the
/// encrypted key, and like real clients nothing else.
///
/// # Errors
/// [`TokenError::TooLarge`] past 128 KiB, [`TokenError::Malformed`]; [`TokenError::Unsigned`] and
/// [`TokenError::Algorithm`] when it is not RSA-OAEP with A256GCM; [`TokenError::Key`] when the private key
/// is none; [`TokenError::Decryption`].
pub fn unwrap_session_key(jwe: &str, pkcs8: &[u8]) -> Result<SessionKey, TokenError> {
    let parts = Parts::of(jwe)?;
    let algorithm = parts.algorithm(&["RSA-OAEP"])?;
    let key = decrypt_key(algorithm, pkcs8, &parts.encrypted_key)?.ok_or(TokenError::Decryption)?;
    Ok(SessionKey::from_bytes(*key))
}

/// The first two parts of a message to an RSA key whose content is encrypted with `key`.
pub(super) fn header_and_key(
    algorithm: &str,
    public: &[u8],
    key: &[u8; 32],
) -> Result<(String, Vec<u8>), TokenError> {
    let encrypted_key = encrypt_key(algorithm, public, key)?;
    let protected = compact::encode_json("header", &json!({"alg": algorithm, "enc": ENC}))?;
    Ok((protected, encrypted_key))
}

/// The content key, or none when `encrypted` is no content key encrypted to this private key.
pub(super) fn decrypt_key(
    algorithm: &str,
    pkcs8: &[u8],
    encrypted: &[u8],
) -> Result<Option<Zeroizing<[u8; 32]>>, TokenError> {
    let private = PrivateDecryptingKey::from_pkcs8(pkcs8).map_err(TokenError::key)?;
    let private = OaepPrivateDecryptingKey::new(private).map_err(TokenError::key)?;
    let mut buffer = Zeroizing::new(vec![0; private.min_output_size()]);
    let key = private.decrypt(oaep(algorithm)?, encrypted, &mut buffer, None).ok();
    Ok(key.and_then(|key| <[u8; 32]>::try_from(&*key).ok()).map(Zeroizing::new))
}

fn encrypt_key(algorithm: &str, public: &[u8], key: &[u8; 32]) -> Result<Vec<u8>, TokenError> {
    let spki: PublicKeyX509Der<'_> =
        PublicKey::from_der(public).map_err(TokenError::key)?.as_der().map_err(TokenError::key)?;
    let public = PublicEncryptingKey::from_der(spki.as_ref()).map_err(TokenError::key)?;
    let public = OaepPublicEncryptingKey::new(public).map_err(TokenError::key)?;
    let mut encrypted = vec![0; public.ciphertext_size()];
    let length = public.encrypt(oaep(algorithm)?, key, &mut encrypted, None).map_err(TokenError::key)?.len();
    encrypted.truncate(length);
    Ok(encrypted)
}

fn oaep(algorithm: &str) -> Result<&'static OaepAlgorithm, TokenError> {
    match algorithm {
        "RSA-OAEP" => Ok(&OAEP_SHA1_MGF1SHA1),
        "RSA-OAEP-256" => Ok(&OAEP_SHA256_MGF1SHA256),
        other => Err(TokenError::Algorithm(other.to_owned())),
    }
}

const FILLER: &[u8] = b" ";
