use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64_STANDARD;
use proptest::prelude::*;
use serde_json::json;

use super::*;

/// A device: its certificate in base64, and its key.
struct Device {
    x5c: String,
    key: Key,
}

enum Key {
    Rsa(RsaKeyPair),
    P256(EcdsaKeyPair),
}

impl Device {
    fn rsa() -> Self {
        use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
        Self { x5c: certificate_for(der.as_ref()), key: Key::Rsa(pair) }
    }

    fn p256() -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        Self { x5c: certificate_for(pair.to_pkcs8v1().unwrap().as_ref()), key: Key::P256(pair) }
    }

    fn alg(&self) -> &'static str {
        match self.key {
            Key::Rsa(_) => "RS256",
            Key::P256(_) => "ES256",
        }
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Unspecified> {
        match &self.key {
            Key::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)?;
                Ok(signature)
            }
            Key::P256(pair) => Ok(pair.sign(&SystemRandom::new(), message)?.as_ref().to_vec()),
        }
    }

    fn request(&self, header: &Value) -> String {
        let payload = json!({"request_nonce": "AwABAA", "grant_type": "device_token", "iat": "1"});
        sign(header, &payload, |message| self.sign(message)).unwrap()
    }

    fn header(&self) -> Value {
        json!({"alg": self.alg(), "typ": "JWT", "kdf_ver": 2, "x5c": self.x5c})
    }
}

fn certificate_for(pkcs8: &[u8]) -> String {
    let key = rcgen::KeyPair::try_from(pkcs8).unwrap();
    let certificate = rcgen::CertificateParams::default().self_signed(&key).unwrap();
    BASE64_STANDARD.encode(certificate.der())
}

fn with(mut header: Value, name: &str, value: Value) -> Value {
    header[name] = value;
    header
}

#[test]
fn both_kinds_of_key_pass_and_the_parts_come_back() {
    for device in [Device::rsa(), Device::p256()] {
        let request = verify(&device.request(&device.header())).unwrap();
        assert_eq!(request.header["kdf_ver"], 2);
        assert_eq!(request.payload["grant_type"], "device_token");
        assert_eq!(BASE64_STANDARD.encode(request.leaf_der()), device.x5c);
        assert_eq!(request.chain.len(), 1);
        assert!(!format!("{request:?}").contains("device_token"));
    }
}

#[test]
fn rsa_keys_may_use_either_padding() {
    let device = Device::rsa();
    let Key::Rsa(pair) = &device.key else { panic!("an RSA key") };
    let header = with(device.header(), "alg", json!("PS256"));
    let pss = |message: &[u8]| {
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(&RSA_PSS_SHA256, &SystemRandom::new(), message, &mut signature).map(|()| signature)
    };
    assert!(verify(&sign(&header, &json!({"iat": "1795289721"}), pss).unwrap()).is_ok());
    assert_eq!(verify(&device.request(&header)), Err(TokenError::Signature));
    assert_eq!(verify(&sign(&device.header(), &json!({}), pss).unwrap()), Err(TokenError::Signature));
}

#[test]
fn a_header_may_hold_members_of_odd_types() {
    let device = Device::p256();
    let header = with(with(device.header(), "kid", json!(7)), "x5t", json!(["x"]));
    assert!(verify(&device.request(&header)).is_ok());
    let critical = with(device.header(), "crit", json!(["b64"]));
    assert!(matches!(verify(&device.request(&critical)), Err(TokenError::Malformed { .. })));
}

#[test]
fn x5c_is_text_or_a_list_with_breaks_and_without_padding() {
    let device = Device::p256();
    let broken: Vec<_> = device.x5c.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line)).collect();
    let forms = [
        json!([device.x5c]),
        json!([device.x5c, device.x5c]),
        json!(broken.join("\r\n")),
        json!([format!(" {}\n", broken.join("\n"))]),
        json!(device.x5c.trim_end_matches('=')),
    ];
    for form in forms {
        let request = device.request(&with(device.header(), "x5c", form.clone()));
        assert!(verify(&request).is_ok(), "{form}");
    }
}

#[test]
fn a_missing_or_odd_certificate_is_refused() {
    let device = Device::p256();
    let bad = [json!(null), json!(7), json!([]), json!([7]), json!("!"), json!("MA=="), json!("")];
    for form in bad {
        let request = device.request(&with(device.header(), "x5c", form.clone()));
        assert!(matches!(verify(&request), Err(TokenError::Certificate { .. })), "{form}");
    }
    let bare = device.request(&json!({"alg": "ES256"}));
    assert!(matches!(verify(&bare), Err(TokenError::Certificate { .. })));
    let many = device.request(&with(device.header(), "x5c", json!(vec![device.x5c.as_str(); 9])));
    assert!(matches!(verify(&many), Err(TokenError::TooLarge { .. })));
}

#[test]
fn another_devices_certificate_does_not_fit_the_signature() {
    let (device, other) = (Device::p256(), Device::p256());
    assert!(verify(&device.request(&device.header())).is_ok());
    assert_eq!(verify(&device.request(&other.header())), Err(TokenError::Signature));
}

#[test]
fn the_algorithm_must_fit_the_key_and_be_accepted() {
    let device = Device::p256();
    for other in ["RS256", "PS256", "HS256", "ES384", "es256"] {
        let request = device.request(&with(device.header(), "alg", json!(other)));
        assert_eq!(verify(&request), Err(TokenError::Algorithm(other.to_owned())));
    }
    let none = device.request(&with(device.header(), "alg", json!("none")));
    assert_eq!(verify(&none), Err(TokenError::Unsigned));
}

#[test]
fn an_oversized_request_is_refused() {
    let device = Device::p256();
    let request = device.request(&with(device.header(), "x", json!("x".repeat(MAX_REQUEST))));
    assert!(matches!(verify(&request), Err(TokenError::TooLarge { .. })));
}

#[test]
fn an_error_of_the_signer_comes_back() {
    let result = sign(&json!({}), &json!({}), |_| Err("the key is gone"));
    assert_eq!(result, Err(TokenError::Key { reason: "the key is gone".to_owned() }));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn noise_never_panics(text in "[A-Za-z0-9_.-]{0,300}", der in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(verify(&text).is_err());
        let header = compact::encode_json("header", &json!({"alg": "RS256", "x5c": BASE64_STANDARD.encode(&der)}));
        let request = format!("{}.e30.{text}", header.unwrap());
        prop_assert!(verify(&request).is_err());
    }
}
