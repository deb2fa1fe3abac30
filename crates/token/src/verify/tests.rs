use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{HeaderKind, Jwk, SigningKey, forge};

/// Two keys are published, so that the right one has to be chosen.
struct Lab {
    key: SigningKey,
    other: SigningKey,
    stranger: SigningKey,
    keys: Keys,
}

static LAB: LazyLock<Lab> = LazyLock::new(|| {
    let key = || SigningKey::generate(now(), "test").unwrap();
    let (key, other, stranger) = (key(), key(), key());
    let set: Jwks = [other.jwk().unwrap(), key.jwk().unwrap()].into_iter().collect();
    Lab { keys: Keys::from_jwks(&set).unwrap(), key, other, stranger }
});

const ISSUER: &str = "https://sts.windows.net/t/";
const AUDIENCE: &str = "https://ConfigMgrService";

fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

fn expect() -> Expect<'static> {
    Expect {
        issuers: &["urn:other", ISSUER],
        audiences: &[AUDIENCE, "urn:another"],
        now: now(),
        leeway: SignedDuration::from_mins(5),
    }
}

fn claims() -> Value {
    let now = now().as_second();
    json!({"iss": ISSUER, "aud": AUDIENCE, "iat": now, "nbf": now, "exp": now + 3900, "deviceid": "d"})
}

fn good() -> String {
    LAB.key.sign(HeaderKind::AadV1, &claims()).unwrap()
}

fn check(token: &str) -> Result<Verified<Value>, TokenError> {
    verify(token, &LAB.keys, &expect())
}

#[test]
fn good_tokens_of_every_kind_and_key_pass() {
    for key in [&LAB.key, &LAB.other] {
        for kind in [HeaderKind::AadV1, HeaderKind::AadV2, HeaderKind::Ccm] {
            let verified = check(&key.sign(kind, &claims()).unwrap()).unwrap();
            assert_eq!(verified.claims, claims());
            assert_eq!(verified.issuer, ISSUER);
            assert_eq!(verified.audiences, [AUDIENCE]);
            assert_eq!(verified.valid_from, now());
            assert_eq!(verified.valid_to, now() + SignedDuration::from_secs(3900));
        }
    }
}

#[test]
fn the_jwt_library_agrees_with_our_signatures() {
    let Jwk { n, e, .. } = LAB.key.jwk().unwrap();
    let key = DecodingKey::from_rsa_components(&n, &e).unwrap();
    let token = good();
    let decoded = jsonwebtoken::decode::<Value>(&token, &key, &validation(&expect())).unwrap();
    assert_eq!(decoded.claims, claims());
    assert_eq!(decoded.header.kid.as_deref(), Some(LAB.key.kid()));
}

#[test]
fn bad_signatures_are_refused() {
    let good = good();
    assert!(check(&good).is_ok());
    assert_eq!(check(&forge::flipped_signature(&good).unwrap()), Err(TokenError::Signature));
    assert_eq!(check(&forge::resigned(&good, &LAB.stranger, |_| {}).unwrap()), Err(TokenError::Signature));
    assert!(check(&forge::resigned(&good, &LAB.key, |_| {}).unwrap()).is_ok());
    let foreign = LAB.stranger.sign(HeaderKind::AadV1, &claims()).unwrap();
    let kid = Some(LAB.stranger.kid().to_owned());
    assert_eq!(check(&foreign), Err(TokenError::UnknownKey { kid }));
}

#[test]
fn other_algorithms_are_refused() {
    let good = good();
    assert_eq!(check(&forge::unsigned(&good).unwrap()), Err(TokenError::Unsigned));
    for none in ["none", "None", "NONE"] {
        let token = forge::with_header_member(&good, "alg", &json!(none)).unwrap();
        assert_eq!(check(&token), Err(TokenError::Unsigned));
    }
    for other in ["HS256", "RS512", "PS256", "ES256", "rs256", ""] {
        let token = forge::with_header_member(&good, "alg", &json!(other)).unwrap();
        assert_eq!(check(&token), Err(TokenError::Algorithm(other.to_owned())));
    }
}

#[test]
fn a_key_id_counts_before_a_thumbprint() {
    let good = good();
    let token = forge::with_header_member(&good, "kid", &json!("unknown")).unwrap();
    assert_eq!(check(&token), Err(TokenError::UnknownKey { kid: Some("unknown".to_owned()) }));
    let ccm = LAB.key.sign(HeaderKind::Ccm, &claims()).unwrap();
    let nameless = forge::with_header_member(&ccm, "x5t", &Value::Null).unwrap();
    assert_eq!(check(&nameless), Err(TokenError::UnknownKey { kid: None }));
}

#[test]
fn foreign_parties_are_refused() {
    let good = good();
    let token = forge::from_issuer(&good, &LAB.key, "https://sts.windows.net/u/").unwrap();
    let expected = vec!["urn:other".to_owned(), ISSUER.to_owned()];
    let found = "https://sts.windows.net/u/".to_owned();
    assert_eq!(check(&token), Err(TokenError::Issuer { found, expected }));
    let token = forge::for_audience(&good, &LAB.key, "https://graph.microsoft.com").unwrap();
    let expected = vec![AUDIENCE.to_owned(), "urn:another".to_owned()];
    let found = vec!["https://graph.microsoft.com".to_owned()];
    assert_eq!(check(&token), Err(TokenError::Audience { found, expected }));
    assert!(check(&forge::for_audience(&good, &LAB.key, "urn:another").unwrap()).is_ok());
    assert!(check(&forge::from_issuer(&good, &LAB.key, "urn:other").unwrap()).is_ok());
}

#[test]
fn nobody_expected_means_nobody_accepted() {
    let token = good();
    let nobody = Expect { issuers: &[], ..expect() };
    assert!(matches!(verify::<Value>(&token, &LAB.keys, &nobody), Err(TokenError::Issuer { .. })));
    let nobody = Expect { audiences: &[], ..expect() };
    assert!(matches!(verify::<Value>(&token, &LAB.keys, &nobody), Err(TokenError::Audience { .. })));
}

#[test]
fn times_follow_the_given_clock() {
    let token = good();
    let at = |seconds: i64| {
        let now = now() + SignedDuration::from_secs(seconds);
        verify::<Value>(&token, &LAB.keys, &Expect { now, ..expect() }).map(|_| ())
    };
    assert_eq!(at(-300), Ok(()));
    assert!(matches!(at(-301), Err(TokenError::NotYetValid { valid_from, .. }) if valid_from == now()));
    assert_eq!(at(4199), Ok(()));
    let valid_to = now() + SignedDuration::from_secs(3900);
    let late = now() + SignedDuration::from_secs(4200);
    assert_eq!(at(4200), Err(TokenError::Expired { valid_to, now: late }));
    let expired = check(&forge::expired(&token, &LAB.key, now()).unwrap());
    assert!(matches!(expired, Err(TokenError::Expired { .. })));
    let early = check(&forge::not_yet_valid(&token, &LAB.key, now()).unwrap());
    assert!(matches!(early, Err(TokenError::NotYetValid { .. })));
}

#[test]
fn required_claims_are_required_with_their_type() {
    let good = good();
    for name in REQUIRED {
        let missing = Err(TokenError::MissingClaim(name.to_owned()));
        assert_eq!(check(&forge::without_claim(&good, &LAB.key, name).unwrap()), missing);
        let odd = |value: Value| {
            check(
                &forge::resigned(&good, &LAB.key, |claims| drop(claims.insert(name.into(), value))).unwrap(),
            )
        };
        assert_eq!(odd(Value::Null), missing);
        assert_eq!(odd(json!(true)), missing);
        // The JWT library trips over an object where it wants a number; refused is what counts.
        assert!(odd(json!({})).is_err());
        assert!(odd(json!([1])).is_err());
    }
    let bare = forge::resigned(&good, &LAB.key, serde_json::Map::clear).unwrap();
    assert_eq!(check(&bare), Err(TokenError::MissingClaim("iss".to_owned())));
}

#[test]
fn several_audiences_are_fine_and_several_issuers_are_not() {
    let with = |name: &str, value: Value| {
        check(&forge::resigned(&good(), &LAB.key, |claims| drop(claims.insert(name.into(), value))).unwrap())
    };
    assert_eq!(with("aud", json!(["x", AUDIENCE])).unwrap().audiences, ["x", AUDIENCE]);
    assert!(matches!(with("aud", json!(["x", "y"])), Err(TokenError::Audience { .. })));
    assert_eq!(with("iss", json!([ISSUER])), Err(TokenError::MissingClaim("iss".to_owned())));
}

#[test]
fn numeric_dates_are_whole_fractional_or_refused() {
    let with = |value: Value| {
        let change = |claims: &mut serde_json::Map<String, Value>| drop(claims.insert("exp".into(), value));
        check(&forge::resigned(&good(), &LAB.key, change).unwrap()).map(|verified| verified.valid_to)
    };
    let later = now().as_second() + 60;
    let valid_to = Timestamp::from_second(later).unwrap();
    assert_eq!(with(json!(later)), Ok(valid_to));
    assert_eq!(with(json!(later as f64 + 0.5)), Ok(valid_to));
    for bad in [json!(later.to_string()), json!(-1), json!(1e300), json!(i64::MAX), json!(u64::MAX)] {
        assert_eq!(with(bad.clone()), Err(TokenError::MissingClaim("exp".to_owned())), "{bad}");
    }
}

#[test]
fn claims_must_fit_their_type() {
    #[derive(Debug, serde::Deserialize)]
    struct Claims {
        deviceid: String,
    }
    let fit = verify::<Claims>(&good(), &LAB.keys, &expect()).unwrap();
    assert_eq!(fit.claims.deviceid, "d");
    let odd = forge::without_claim(&good(), &LAB.key, "deviceid").unwrap();
    assert!(matches!(verify::<Claims>(&odd, &LAB.keys, &expect()), Err(TokenError::Malformed { .. })));
}

#[test]
fn long_tokens_and_broken_keys_are_refused() {
    let sized = |size: usize| {
        let token = forge::resigned(&good(), &LAB.key, |claims| {
            drop(claims.insert("x".into(), json!("x".repeat(size))));
        });
        check(&token.unwrap())
    };
    assert!(sized(11_000).is_ok());
    assert!(matches!(sized(12_000), Err(TokenError::TooLarge { .. })));
    let broken = Jwk { n: "!".to_owned(), ..LAB.key.jwk().unwrap() };
    assert!(matches!(Keys::from_jwks(&Jwks::from_iter([broken])), Err(TokenError::Malformed { .. })));
    let encrypting = Jwk { usage: Some("enc".to_owned()), ..LAB.key.jwk().unwrap() };
    let keys = Keys::from_jwks(&Jwks::from_iter([encrypting])).unwrap();
    assert!(matches!(verify::<Value>(&good(), &keys, &expect()), Err(TokenError::UnknownKey { .. })));
}

#[test]
fn bytes_are_verified_by_any_key_of_the_set() {
    let signature = LAB.key.sign_bytes(b"pid=1").unwrap();
    assert_eq!(LAB.keys.verify_bytes(b"pid=1", &signature), Ok(()));
    assert_eq!(LAB.keys.verify_bytes(b"pid=2", &signature), Err(TokenError::Signature));
    assert_eq!(LAB.keys.verify_bytes(b"pid=1", &signature[1..]), Err(TokenError::Signature));
    assert_eq!(Keys::default().verify_bytes(b"pid=1", &signature), Err(TokenError::Signature));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_altered_character_never_passes(at in 0usize..100_000, with in "[A-Za-z0-9_.=-]") {
        static GOOD: LazyLock<String> = LazyLock::new(good);
        let at = at % GOOD.len();
        let mut token = GOOD.clone();
        token.replace_range(at..=at, &with);
        prop_assert_eq!(check(&token).is_ok(), token == *GOOD);
    }
}
