use std::sync::LazyLock;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use serde_json::json;

use super::*;

/// An application: its certificate and its key.
struct App {
    der: Vec<u8>,
    key: Key,
}

enum Key {
    Rsa(RsaKeyPair),
    P256(EcdsaKeyPair),
}

static RSA: LazyLock<App> = LazyLock::new(|| {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let pkcs8: Pkcs8V1Der<'_> = pair.as_der().unwrap();
    App { der: certificate_for(pkcs8.as_ref()), key: Key::Rsa(pair) }
});

static P256: LazyLock<App> = LazyLock::new(p256);

fn p256() -> App {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    App { der: certificate_for(pair.to_pkcs8v1().unwrap().as_ref()), key: Key::P256(pair) }
}

fn certificate_for(pkcs8: &[u8]) -> Vec<u8> {
    let key = rcgen::KeyPair::try_from(pkcs8).unwrap();
    rcgen::CertificateParams::default().self_signed(&key).unwrap().der().to_vec()
}

impl App {
    fn credential(&self) -> Credential {
        Credential::from_certificate(&self.der).unwrap()
    }

    /// Signs with what `alg` says if the key can, else with what it can.
    fn sign(&self, alg: &str, message: &[u8]) -> Result<Vec<u8>, Unspecified> {
        match &self.key {
            Key::Rsa(pair) => {
                let scheme: &'static dyn RsaEncoding =
                    if alg == "PS256" { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(scheme, &SystemRandom::new(), message, &mut signature).map(|()| signature)
            }
            Key::P256(pair) => Ok(pair.sign(&SystemRandom::new(), message)?.as_ref().to_vec()),
        }
    }

    fn assertion(&self, alg: &str, mut header: Value) -> String {
        header["alg"] = json!(alg);
        let claims = json!({"iss": "app", "sub": "app", "aud": "endpoint", "exp": 1795290230.4799907});
        let header = compact::encode_json("header", &header).unwrap();
        let claims = compact::encode_json("claims", &claims).unwrap();
        compact::sign(&header, &claims, |message| self.sign(alg, message)).unwrap()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

#[test]
fn every_algorithm_passes_with_its_key() {
    let registered = [P256.credential(), RSA.credential()];
    for (app, alg, index) in [(&RSA, "RS256", 1), (&RSA, "PS256", 1), (&P256, "ES256", 0)] {
        let jws = app.assertion(alg, json!({"x5t": registered[index].x5t()}));
        let assertion = verify_assertion(&jws, &registered).unwrap();
        assert_eq!((assertion.credential, &assertion.claims["iss"]), (index, &json!("app")));
        assert!(!format!("{assertion:?}").contains("endpoint"));
    }
}

#[test]
fn the_algorithm_must_fit_the_key_and_be_accepted() {
    let registered = [P256.credential(), RSA.credential()];
    let with = |app: &App, alg: &str| {
        let x5t = app.credential().x5t();
        verify_assertion(&app.assertion(alg, json!({"x5t": x5t})), &registered).map(drop)
    };
    for (app, alg) in [(&RSA, "ES256"), (&P256, "RS256"), (&P256, "PS256"), (&RSA, "HS256"), (&RSA, "RS512")]
    {
        assert_eq!(with(app, alg), Err(TokenError::Algorithm(alg.to_owned())));
    }
    assert_eq!(with(&RSA, "none"), Err(TokenError::Unsigned));
    // The other padding under this name.
    let jws = RSA.assertion("RS256", json!({"x5t": registered[1].x5t()}));
    let parts = Parts::of(&jws).unwrap();
    let header =
        compact::encode_json("header", &json!({"alg": "PS256", "x5t": registered[1].x5t()})).unwrap();
    let renamed = format!("{header}.{}.{}", parts.payload, parts.signature);
    assert_eq!(verify_assertion(&renamed, &registered), Err(TokenError::Signature));
}

#[test]
fn certificates_are_named_as_libraries_name_them() {
    let app = &*P256;
    let credential = app.credential();
    let (sha1, sha256) = (credential.sha1.clone(), credential.sha256.clone());
    let lines: Vec<_> = STANDARD.encode(&app.der).into_bytes().chunks(64).map(<[u8]>::to_vec).collect();
    let broken = String::from_utf8(lines.join(&b'\n')).unwrap();
    let padded = format!("{}=", credential.x5t_s256());
    let headers = [
        json!({"x5t": credential.x5t()}),
        json!({"x5t": format!("{}=", credential.x5t())}),
        json!({"x5t": STANDARD.encode(&sha1)}),
        json!({"x5t": hex(&sha1)}),
        json!({"x5t#S256": credential.x5t_s256()}),
        json!({"x5t#S256": padded, "x5c": [broken]}),
        json!({"kid": hex(&sha1)}),
        json!({"kid": hex(&sha1).to_lowercase()}),
        json!({"kid": hex(&sha256)}),
        json!({"kid": credential.x5t()}),
        json!({"kid": "a name of their own", "x5c": [broken]}),
        json!({"kid": 7, "x5c": STANDARD.encode(&app.der)}),
        json!({"x5t": "no thumbprint", "x5c": [broken, STANDARD.encode(&RSA.der)]}),
    ];
    for header in headers {
        let jws = app.assertion("ES256", header.clone());
        let found = verify_assertion(&jws, &[RSA.credential(), credential.clone()]).unwrap();
        assert_eq!(found.credential, 1, "{header}");
        assert!(matches!(verify_assertion(&jws, &[RSA.credential()]), Err(TokenError::UnknownKey { .. })));
    }
}

#[test]
fn an_assertion_that_names_nothing_registered_is_refused() {
    let registered = [P256.credential()];
    let with = |header: Value| verify_assertion(&P256.assertion("ES256", header), &registered).map(drop);
    assert_eq!(with(json!({"x5t": registered[0].x5t()})), Ok(()));
    assert_eq!(with(json!({})), Err(TokenError::UnknownKey { kid: None }));
    for kid in ["", "k", "zz".repeat(20).as_str(), "\u{20ac}".repeat(16).as_str()] {
        assert_eq!(with(json!({"kid": kid})), Err(TokenError::UnknownKey { kid: Some(kid.to_owned()) }));
    }
    assert!(matches!(with(json!({"x5c": ["!"]})), Err(TokenError::Certificate { .. })));
    assert!(matches!(with(json!({"x5c": vec!["MA=="; 9]})), Err(TokenError::TooLarge { .. })));
    assert_eq!(with(json!({"x5c": []})), Err(TokenError::UnknownKey { kid: None }));
}

#[test]
fn the_key_is_the_registered_one_not_the_one_sent_along() {
    let stranger = p256();
    let registered = [P256.credential()];
    let own = STANDARD.encode(&stranger.der);
    let honest = stranger.assertion("ES256", json!({"x5c": [own]}));
    assert!(verify_assertion(&honest, &[stranger.credential()]).is_ok());
    assert_eq!(verify_assertion(&honest, &registered), Err(TokenError::UnknownKey { kid: None }));
    let posing = [
        json!({"x5t": registered[0].x5t(), "x5c": [own]}),
        json!({"x5c": [STANDARD.encode(&P256.der), own]}),
        json!({"kid": registered[0].x5t(), "jwk": {"kty": "EC"}}),
    ];
    for header in posing {
        let jws = stranger.assertion("ES256", header.clone());
        assert_eq!(verify_assertion(&jws, &registered), Err(TokenError::Signature), "{header}");
    }
}

#[test]
fn one_key_verifies_whatever_the_header_names() {
    for (app, alg) in [(&*RSA, "RS256"), (&*RSA, "PS256"), (&*P256, "ES256")] {
        let jws = app.assertion(alg, json!({"kid": "any"}));
        let spki = app.credential().spki().to_vec();
        assert_eq!(verify_with_key(&jws, &spki).unwrap().claims["sub"], "app");
        assert!(matches!(verify_with_key(&jws, b"no key"), Err(TokenError::Key { .. })));
    }
    let jws = p256().assertion("ES256", json!({}));
    assert_eq!(verify_with_key(&jws, P256.credential().spki()), Err(TokenError::Signature));
}

#[test]
fn limits_hold() {
    let sized = |size: usize| {
        verify_with_key(&P256.assertion("ES256", json!({"x": "x".repeat(size)})), P256.credential().spki())
    };
    assert!(sized(40_000).is_ok());
    assert!(matches!(sized(MAX_ASSERTION), Err(TokenError::TooLarge { .. })));
    let critical = P256.assertion("ES256", json!({"crit": ["b64"], "b64": false}));
    let refused = verify_with_key(&critical, P256.credential().spki());
    assert!(matches!(refused, Err(TokenError::Malformed { .. })));
}

#[test]
fn certificates_tell_their_dates_and_must_be_some() {
    let credential = P256.credential();
    assert!(credential.valid_from() < credential.valid_to());
    assert_eq!((credential.x5t().len(), credential.x5t_s256().len()), (27, 43));
    let longer = [P256.der.as_slice(), &[0]].concat();
    for der in [&b""[..], b"no certificate", &longer] {
        assert!(matches!(Credential::from_certificate(der), Err(TokenError::Certificate { .. })));
    }
}

#[test]
fn dates_are_numbers_or_text() {
    let at = Timestamp::from_second(1_795_290_230).unwrap();
    let good = [
        json!(1_795_290_230),
        json!(1_795_290_230.479_990_7),
        json!("1795290230"),
        json!("1795290230.48"),
        json!(" 1795290230 "),
        json!(1.795290230e9),
    ];
    for value in good {
        assert_eq!(numeric_date(&value), Some(at), "{value}");
    }
    let bad = [
        json!(null),
        json!(true),
        json!([1]),
        json!(""),
        json!("soon"),
        json!("NaN"),
        json!("inf"),
        json!(-1),
        json!(1e300),
        json!(u64::MAX),
    ];
    for value in bad {
        assert_eq!(numeric_date(&value), None, "{value}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn noise_never_panics(
        text in "[A-Za-z0-9_.-]{0,200}",
        name in ".{0,64}",
        der in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let registered = [P256.credential()];
        prop_assert!(verify_assertion(&text, &registered).is_err());
        let header = json!({"alg": "ES256", "kid": name, "x5t": name, "x5t#S256": name, "x5c": name});
        let jws = format!("{}.e30.{text}", compact::encode_json("header", &header).unwrap());
        prop_assert!(verify_assertion(&jws, &registered).is_err());
        prop_assert!(verify_with_key(&jws, &der).is_err());
        let _noise = (Credential::from_certificate(&der), numeric_date(&json!(name)), thumbprint(&name));
    }

    #[test]
    fn an_altered_character_never_passes(at in 0usize..10_000, with in "[A-Za-z0-9_-]") {
        static GOOD: LazyLock<String> = LazyLock::new(|| P256.assertion("ES256", json!({"kid": "k"})));
        let at = at % GOOD.len();
        let mut jws = GOOD.clone();
        jws.replace_range(at..=at, &with);
        prop_assert_eq!(verify_with_key(&jws, P256.credential().spki()).is_ok(), jws == *GOOD);
    }
}
