use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cmglab_pki::{KeyKind, PrivateKey};
use proptest::prelude::*;

use super::*;

fn blob_of(bits: u32, modulus: &[u8], exponent: &[u8], prime: u32) -> Vec<u8> {
    let sizes = [exponent.len(), modulus.len()].map(|size| u32::try_from(size).unwrap());
    let words = [bits, sizes[0], sizes[1], prime, 0];
    let header: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    [MAGIC, &header, exponent, modulus].concat()
}

fn encoded(bits: u32, modulus: &[u8], prime: u32) -> String {
    STANDARD.encode(blob_of(bits, modulus, &[1, 0, 1], prime))
}

fn ec_jwk(point: &[u8]) -> String {
    let (x, y) = (STANDARD.encode(&point[1..33]), URL_SAFE_NO_PAD.encode(&point[33..]));
    format!(r#"{{"kty":"EC","x":"{x}","y":"{y}","crv":"P-256","kid":"A"}}"#)
}

#[test]
fn every_form_of_rsa_is_read() {
    let expected = DeviceKey::Rsa(TransportKey { modulus: vec![0xab; 256], exponent: vec![1, 0, 1] });
    assert_eq!(DeviceKey::parse(&encoded(2048, &[0xab; 256], 0)).as_ref(), Ok(&expected));
    for modulus in [URL_SAFE_NO_PAD.encode([0xab; 256]), STANDARD.encode([0xab; 256])] {
        let jwk = format!(r#"{{"kty":"RSA","kid":"x","n":"{modulus}","e":"AQAB"}}"#);
        assert_eq!(DeviceKey::parse(&STANDARD.encode(&jwk)).as_ref(), Ok(&expected));
        assert_eq!(DeviceKey::parse(&jwk).as_ref(), Ok(&expected));
        let foreign = jwk.replace("\"RSA\"", "\"EC\"");
        assert_eq!(DeviceKey::parse(&STANDARD.encode(foreign)), Err(TransportKeyError::NotAKey));
    }
    assert_eq!(format!("{expected:?}"), "Rsa(TransportKey(RSA 2048))");
}

#[test]
fn a_p256_key_is_read_if_it_is_one() {
    let key = PrivateKey::generate(KeyKind::P256).unwrap();
    let jwk = ec_jwk(key.public_key());
    let expected = DeviceKey::P256(EcTransportKey { point: key.public_key().to_vec() });
    assert_eq!(DeviceKey::parse(&jwk).as_ref(), Ok(&expected));
    assert_eq!(DeviceKey::parse(&STANDARD.encode(&jwk)).as_ref(), Ok(&expected));
    let mut beside = key.public_key().to_vec();
    beside[64] ^= 1;
    assert_eq!(DeviceKey::parse(&ec_jwk(&beside)), Err(TransportKeyError::NotAKey));
    assert_eq!(DeviceKey::parse(&jwk.replace("P-256", "P-384")), Err(TransportKeyError::NotAKey));
}

#[test]
fn other_keys_are_refused() {
    let parse = |text: String| DeviceKey::parse(&text).unwrap_err();
    assert_eq!(parse(encoded(1024, &[0xab; 128], 0)), TransportKeyError::Size { bits: 1024 });
    assert_eq!(parse(encoded(2048, &[0x7b; 256], 0)), TransportKeyError::Size { bits: 2047 });
    assert_eq!(parse(encoded(2047, &[0xab; 256], 0)), TransportKeyError::NotAKey);
    assert_eq!(parse(encoded(2048, &[0xaa; 256], 0)), TransportKeyError::NotAKey);
    assert_eq!(parse(encoded(2048, &[0xab; 256], 1)), TransportKeyError::NotAKey);
    assert_eq!(parse("@".to_owned()), TransportKeyError::NotBase64);
    assert_eq!(parse(String::new()), TransportKeyError::NotAKey);
    for exponent in [&[][..], &[0], &[1], &[2], &[1; 9]] {
        let blob = blob_of(2048, &[0xab; 256], exponent, 0);
        assert_eq!(TransportKey::from_blob(&blob), Err(TransportKeyError::NotAKey), "{exponent:?}");
    }
}

/// A real key: the provider writes the same DER.
#[test]
fn pkcs1_is_that_of_the_key() {
    use aws_lc_rs::rsa::{PublicKey, PublicKeyComponents};
    let key = PrivateKey::generate(KeyKind::Rsa2048).unwrap();
    let parsed = PublicKey::from_der(key.spki_der()).unwrap();
    let PublicKeyComponents { n, e }: PublicKeyComponents<Vec<u8>> = (&parsed).into();
    let read = TransportKey::from_blob(&blob_of(2048, &n, &e, 0)).unwrap();
    assert_eq!(read.pkcs1_der(), key.public_key());
}

#[test]
fn key_ids_are_digests_of_the_blob() {
    assert_eq!(key_id(b"abc"), "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn noise_never_panics(magic: bool, bytes: Vec<u8>) {
        let bytes = if magic { [MAGIC, &bytes].concat() } else { bytes };
        let _result = DeviceKey::parse(&STANDARD.encode(bytes));
    }

    #[test]
    fn curious_numbers_never_panic(kty in "RSA|EC", number in "[A-Za-z0-9_+/=-]{0,400}") {
        let jwk = format!(
            r#"{{"kty":"{kty}","n":"{number}","e":"{number}","crv":"P-256","x":"{number}","y":"{number}"}}"#
        );
        let _result = DeviceKey::parse(&jwk);
    }
}
