mod rfc7516;

use std::sync::LazyLock;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::KeyPair;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::content::{Sealed, open_gcm, seal_gcm};
use super::key::header_and_key;
use super::parts::{Parts, join};
use super::*;
use crate::session::{KdfVersion, SessionKey};
use crate::{TokenError, compact};

/// An RSA key in its forms.
struct Device {
    pkcs8: Vec<u8>,
    pkcs1_public: Vec<u8>,
    spki: Vec<u8>,
}

fn device() -> Device {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let pkcs8: Pkcs8V1Der<'_> = pair.as_der().unwrap();
    let spki: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
    let (pkcs8, spki) = (pkcs8.as_ref().to_vec(), spki.as_ref().to_vec());
    Device { pkcs8, pkcs1_public: pair.public_key().as_ref().to_vec(), spki }
}

static DEVICE: LazyLock<Device> = LazyLock::new(device);
static OTHER: LazyLock<Device> = LazyLock::new(device);

fn key() -> SessionKey {
    SessionKey::from_bytes([1; 32])
}

fn header_of(jwe: &str) -> String {
    let protected = jwe.split('.').next().unwrap();
    String::from_utf8(compact::decode("header", protected).unwrap()).unwrap()
}

/// One part replaced by `with`.
fn part(jwe: &str, index: usize, with: &str) -> String {
    let mut parts: Vec<_> = jwe.split('.').collect();
    parts[index] = with;
    parts.join(".")
}

fn flipped(jwe: &str, index: usize) -> String {
    let mut bytes = compact::decode("part", jwe.split('.').nth(index).unwrap()).unwrap();
    bytes[0] ^= 1;
    part(jwe, index, &compact::encode(&bytes))
}

/// A whole message by the RFC.
fn encrypt_to(
    algorithm: &str,
    public: &[u8],
    key: &[u8; 32],
    plaintext: &[u8],
) -> Result<String, TokenError> {
    let (protected, encrypted_key) = header_and_key(algorithm, public, key)?;
    let Sealed { iv, ciphertext, tag } = seal_gcm(key, &protected, plaintext)?;
    Ok(join(&protected, [&encrypted_key, &iv, &ciphertext, &tag]))
}

fn direct(header: &Value, key: &[u8; 32], plaintext: &[u8]) -> String {
    let protected = compact::encode_json("header", header).unwrap();
    let Sealed { iv, ciphertext, tag } = seal_gcm(key, &protected, plaintext).unwrap();
    join(&protected, [&[], &iv, &ciphertext, &tag])
}

#[test]
fn a_session_key_reaches_its_device_only() {
    for public in [&DEVICE.spki, &DEVICE.pkcs1_public] {
        let jwe = wrap_session_key(public, &key()).unwrap();
        assert_eq!(header_of(&jwe), r#"{"alg":"RSA-OAEP","enc":"A256GCM"}"#);
        assert_eq!(unwrap_session_key(&jwe, &DEVICE.pkcs8), Ok(key()));
        assert_eq!(unwrap_session_key(&jwe, &OTHER.pkcs8), Err(TokenError::Decryption));
        // The rest is a space that authenticates no header, which the RFC does not have.
        let parts = Parts::of(&jwe).unwrap();
        let filler = open_gcm(&[1; 32], &parts.iv, "", &parts.ciphertext, &parts.tag);
        assert_eq!(filler.as_deref(), Ok(&[32][..]));
        assert_eq!(decrypt(&jwe, &DecryptionKey::Rsa(&DEVICE.pkcs8)), Err(TokenError::Decryption));
    }
}

#[test]
fn unwrapping_passes_over_filler() {
    let jwe = wrap_session_key(&DEVICE.spki, &key()).unwrap();
    let filler = flipped(&flipped(&jwe, 3), 4);
    assert_eq!(unwrap_session_key(&filler, &DEVICE.pkcs8), Ok(key()));
    assert_eq!(unwrap_session_key(&flipped(&jwe, 1), &DEVICE.pkcs8), Err(TokenError::Decryption));
}

#[test]
fn keys_of_other_kinds_are_refused() {
    assert!(matches!(wrap_session_key(b"no key", &key()), Err(TokenError::Key { .. })));
    assert!(matches!(wrap_session_key(&DEVICE.pkcs8, &key()), Err(TokenError::Key { .. })));
    let jwe = wrap_session_key(&DEVICE.spki, &key()).unwrap();
    assert!(matches!(unwrap_session_key(&jwe, &DEVICE.spki), Err(TokenError::Key { .. })));
    let newer = encrypt_to("RSA-OAEP-256", &DEVICE.spki, &[1; 32], b"").unwrap();
    let refused = Err(TokenError::Algorithm("RSA-OAEP-256".to_owned()));
    assert_eq!(unwrap_session_key(&newer, &DEVICE.pkcs8), refused);
}

#[test]
fn answers_open_with_their_key_in_both_forms() {
    let payload = br#"{"token_type":"Bearer"}"#;
    for (cipher, vector) in [(AnswerCipher::Cbc, 16), (AnswerCipher::Gcm, 12)] {
        let jwe = seal(payload, &key(), &[2; 24], cipher).unwrap();
        let header =
            r#"{"alg":"dir","enc":"A256GCM","ctx":"AgICAgICAgICAgICAgICAgICAgICAgIC","kid":"session"}"#;
        assert_eq!(header_of(&jwe), header);
        let parts: Vec<_> = jwe.split('.').collect();
        assert_eq!(parts[1], "");
        assert_eq!(compact::decode("iv", parts[2]).unwrap().len(), vector);
        assert_eq!(compact::decode("tag", parts[4]).unwrap().len(), 16);
        assert_eq!(open(&jwe, &key()).unwrap(), payload);
        // With another key the padding of the first form fits by chance once in 256; the content never does.
        assert_ne!(open(&jwe, &SessionKey::from_bytes([2; 32])).ok().as_deref(), Some(&payload[..]));
    }
}

#[test]
fn only_the_real_gcm_is_authenticated() {
    let (cbc, gcm) = [AnswerCipher::Cbc, AnswerCipher::Gcm]
        .map(|cipher| seal(b"payload", &key(), &[2; 24], cipher).unwrap())
        .into();
    assert_eq!(open(&flipped(&cbc, 4), &key()).unwrap(), b"payload");
    assert_eq!(open(&flipped(&gcm, 4), &key()), Err(TokenError::Decryption));
    assert_eq!(open(&flipped(&gcm, 3), &key()), Err(TokenError::Decryption));
    assert_eq!(open(&gcm, &SessionKey::from_bytes([2; 32])), Err(TokenError::Decryption));
    // What clients that trust the header read is the very same message.
    let derived = key().derive(KdfVersion::V1, &[2; 24], b"");
    assert_eq!(decrypt(&gcm, &DecryptionKey::Direct(derived.expose())).unwrap().plaintext, b"payload");
}

#[test]
fn odd_answers_are_refused() {
    let good = seal(b"payload", &key(), &[2; 24], AnswerCipher::Cbc).unwrap();
    assert!(open(&good, &key()).is_ok());
    let header = |header: Value| part(&good, 0, &compact::encode_json("header", &header).unwrap());
    let malformed = [
        part(&good, 1, "AA"),
        part(&good, 2, &compact::encode(&[0; 15])),
        part(&good, 2, ""),
        part(&good, 3, ""),
        part(&good, 3, &compact::encode(&[0; 17])),
        part(&good, 3, "="),
        header(json!({"alg": "dir", "enc": "A256GCM"})),
        header(json!({"alg": "dir", "enc": "A256GCM", "ctx": "!"})),
        header(json!({"alg": "dir", "ctx": "AAAA"})),
        header(json!([])),
        format!("{good}."),
        good.rsplit_once('.').unwrap().0.to_owned(),
    ];
    for jwe in malformed {
        assert!(matches!(open(&jwe, &key()), Err(TokenError::Malformed { .. })), "{jwe}");
    }
    let other = header(json!({"alg": "dir", "enc": "A128GCM", "ctx": "AAAA"}));
    assert_eq!(open(&other, &key()), Err(TokenError::Algorithm("A128GCM".to_owned())));
}

#[test]
fn sizes_are_limited() {
    let sealed = |size: usize| seal(&vec![b'x'; size], &key(), &[2; 24], AnswerCipher::Cbc);
    assert_eq!(open(&sealed(64 << 10).unwrap(), &key()).unwrap().len(), 64 << 10);
    assert!(matches!(sealed((64 << 10) + 1), Err(TokenError::TooLarge { .. })));
    assert!(matches!(seal(b"", &key(), &[2; 65], AnswerCipher::Cbc), Err(TokenError::TooLarge { .. })));
    let long = "x".repeat((128 << 10) + 1);
    assert!(matches!(open(&long, &key()), Err(TokenError::TooLarge { .. })));
    assert!(matches!(decrypt(&long, &DecryptionKey::Direct(&[0; 32])), Err(TokenError::TooLarge { .. })));
}

#[test]
fn both_paddings_and_direct_keys_decrypt() {
    for algorithm in ["RSA-OAEP", "RSA-OAEP-256"] {
        let jwe = encrypt_to(algorithm, &DEVICE.spki, &[7; 32], b"content").unwrap();
        let decrypted = decrypt(&jwe, &DecryptionKey::Rsa(&DEVICE.pkcs8)).unwrap();
        assert_eq!(
            (decrypted.plaintext.as_slice(), &decrypted.header["alg"]),
            (&b"content"[..], &json!(algorithm))
        );
        for index in [1, 2, 3, 4] {
            let changed = decrypt(&flipped(&jwe, index), &DecryptionKey::Rsa(&DEVICE.pkcs8));
            assert_eq!(changed, Err(TokenError::Decryption), "{algorithm} {index}");
        }
        assert_eq!(decrypt(&jwe, &DecryptionKey::Rsa(&OTHER.pkcs8)), Err(TokenError::Decryption));
    }
    let jwe = direct(&json!({"alg": "dir", "enc": "A256GCM"}), &[7; 32], b"content");
    assert_eq!(decrypt(&jwe, &DecryptionKey::Direct(&[7; 32])).unwrap().plaintext, b"content");
    assert_eq!(decrypt(&jwe, &DecryptionKey::Direct(&[8; 32])), Err(TokenError::Decryption));
}

#[test]
fn the_key_decides_on_the_algorithm() {
    let with = |header: Value| {
        decrypt(&direct(&header, &[7; 32], b"content"), &DecryptionKey::Direct(&[7; 32])).map(drop)
    };
    assert_eq!(with(json!({"alg": "dir", "enc": "A256GCM", "kid": "any"})), Ok(()));
    for algorithm in ["RSA-OAEP", "RSA1_5", "A256KW", "DIR"] {
        let refused = Err(TokenError::Algorithm(algorithm.to_owned()));
        assert_eq!(with(json!({"alg": algorithm, "enc": "A256GCM"})), refused);
    }
    assert_eq!(
        with(json!({"alg": "dir", "enc": "A256CBC"})),
        Err(TokenError::Algorithm("A256CBC".to_owned()))
    );
    for name in ["zip", "crit"] {
        let header = json!({"alg": "dir", "enc": "A256GCM", name: ["DEF"]});
        assert!(matches!(with(header), Err(TokenError::Malformed { .. })), "{name}");
    }
    let direct = direct(&json!({"alg": "dir", "enc": "A256GCM"}), &[7; 32], b"");
    let refused = Err(TokenError::Algorithm("dir".to_owned()));
    assert_eq!(decrypt(&direct, &DecryptionKey::Rsa(&DEVICE.pkcs8)), refused);
    let keyed = decrypt(&part(&direct, 1, "AA"), &DecryptionKey::Direct(&[7; 32]));
    assert!(matches!(keyed, Err(TokenError::Malformed { .. })));
}

#[test]
fn debug_tells_no_content() {
    let jwe = direct(&json!({"alg": "dir", "enc": "A256GCM"}), &[7; 32], b"content");
    let key = DecryptionKey::Direct(&[7; 32]);
    assert_eq!(format!("{key:?}"), "Direct(..)");
    let text = format!("{:?}", decrypt(&jwe, &key).unwrap());
    assert!(text.contains("A256GCM") && !text.contains("99"), "{text}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn noise_never_panics(
        text in "[A-Za-z0-9_.-]{0,300}",
        header in prop::option::of(".{0,60}"),
        iv in prop::collection::vec(any::<u8>(), 0..20),
        ciphertext in prop::collection::vec(any::<u8>(), 0..100),
        tag in prop::collection::vec(any::<u8>(), 0..20),
    ) {
        let header = header.unwrap_or_else(|| r#"{"alg":"dir","enc":"A256GCM","ctx":"AgIC"}"#.to_owned());
        let parts = join(&compact::encode(header.as_bytes()), [&[], &iv, &ciphertext, &tag]);
        for jwe in [text, parts] {
            let _noise = (open(&jwe, &key()), decrypt(&jwe, &DecryptionKey::Direct(&[7; 32])));
        }
    }

    #[test]
    fn noise_as_encrypted_key_never_panics(encrypted in prop::collection::vec(any::<u8>(), 0..300)) {
        let protected = compact::encode(br#"{"alg":"RSA-OAEP","enc":"A256GCM"}"#);
        let jwe = join(&protected, [&encrypted, &[0; 12], &[], &[0; 16]]);
        prop_assert_eq!(unwrap_session_key(&jwe, &DEVICE.pkcs8), Err(TokenError::Decryption));
        prop_assert!(decrypt(&jwe, &DecryptionKey::Rsa(&DEVICE.pkcs8)).is_err());
    }

    #[test]
    fn answers_round_trip(
        bytes: [u8; 32],
        ctx in prop::collection::vec(any::<u8>(), 0..=64),
        payload in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        let key = SessionKey::from_bytes(bytes);
        for cipher in [AnswerCipher::Cbc, AnswerCipher::Gcm] {
            let jwe = seal(&payload, &key, &ctx, cipher).unwrap();
            prop_assert_eq!(&open(&jwe, &key).unwrap(), &payload);
        }
    }
}
