use std::sync::LazyLock;

use jiff::SignedDuration;
use proptest::prelude::*;

use super::*;
use crate::{Expect, Jwks, Keys, Verified, peek, verify};

const ISSUER: &str = "https://sts.windows.net/t/";
const AUDIENCE: &str = "https://ConfigMgrService";

static KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::generate(now(), "test").unwrap());

fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

fn order(flaws: &[Flaw]) -> Mint {
    let claims = json!({"iss": ISSUER, "aud": AUDIENCE, "tid": "t"});
    let claims = claims.as_object().cloned().unwrap();
    Mint { claims, kind: HeaderKind::AadV1, flaws: flaws.to_vec() }
}

fn check(order: &Mint) -> Result<Verified<Value>, TokenError> {
    let keys = Keys::from_jwks(&Jwks::from_iter([KEY.jwk().unwrap()])).unwrap();
    let leeway = SignedDuration::from_mins(5);
    let expect = Expect { issuers: &[ISSUER], audiences: &[AUDIENCE], now: now(), leeway };
    verify(&order.mint(&KEY, now()).unwrap().token, &keys, &expect)
}

#[test]
fn without_flaws_it_passes_and_is_marked() {
    for kind in [HeaderKind::AadV1, HeaderKind::AadV2, HeaderKind::Ccm] {
        let order = Mint { kind, ..order(&[]) };
        let verified = check(&order).unwrap();
        assert_eq!((verified.valid_from, verified.claims["tid"].as_str()), (now(), Some("t")));
        assert_eq!(verified.valid_to.duration_since(now()).as_secs(), 3900);
        let token = order.mint(&KEY, now()).unwrap().token;
        let header: Value = compact::decode_json("header", token.split('.').next().unwrap()).unwrap();
        assert_eq!(header["x_cmglab"], "forged");
        assert_eq!(
            (header.get("kid").is_some(), header.get("x5t").is_some()),
            match kind {
                HeaderKind::AadV1 => (true, true),
                HeaderKind::AadV2 => (true, false),
                HeaderKind::Ccm => (false, true),
            }
        );
    }
}

#[test]
fn each_flaw_is_refused_for_its_own_reason() {
    assert!(check(&order(&[])).is_ok());
    let refusal = |flaw: Flaw| check(&order(&[flaw])).unwrap_err();
    assert!(matches!(refusal(Flaw::Expired), TokenError::Expired { .. }));
    assert!(matches!(refusal(Flaw::NotYetValid), TokenError::NotYetValid { .. }));
    let found = |text: &str| text.to_owned();
    assert!(
        matches!(refusal(Flaw::Audience(found("a"))), TokenError::Audience { found, .. } if found == ["a"])
    );
    assert!(matches!(refusal(Flaw::Issuer(found("i"))), TokenError::Issuer { found, .. } if found == "i"));
    assert_eq!(refusal(Flaw::Signature), TokenError::Signature);
    assert!(matches!(refusal(Flaw::UnknownKid), TokenError::UnknownKey { kid: Some(_) }));
    assert_eq!(refusal(Flaw::Unsigned), TokenError::Unsigned);
    assert_eq!(refusal(Flaw::ForeignKey), TokenError::Signature);
    assert_eq!(refusal(Flaw::WithoutClaim(found("exp"))), TokenError::MissingClaim(found("exp")));
}

#[test]
fn an_unknown_key_is_unknown_in_every_header() {
    for kind in [HeaderKind::AadV1, HeaderKind::AadV2, HeaderKind::Ccm] {
        let order = Mint { kind, ..order(&[Flaw::UnknownKid]) };
        assert!(matches!(check(&order), Err(TokenError::UnknownKey { kid: Some(_) })));
    }
}

#[test]
fn chosen_times_are_kept_and_shifted_by_flaws() {
    let chosen = json!({"iat": 5, "nbf": 10, "exp": 110});
    let times = |flaws: &[Flaw]| {
        let order = Mint { claims: chosen.as_object().cloned().unwrap(), ..order(flaws) };
        let (_, claims) = peek(&order.mint(&KEY, now()).unwrap().token).unwrap();
        ["iat", "nbf", "exp"].map(|name| claims[name].as_i64().unwrap())
    };
    let now = now().as_second();
    assert_eq!(times(&[]), [5, 10, 110]);
    assert_eq!(times(&[Flaw::Expired]), [5, now - 3700, now - 3600]);
    assert_eq!(times(&[Flaw::NotYetValid]), [5, now + 3600, now + 3700]);
}

#[test]
fn an_order_reads_from_json() {
    let json = json!({
        "claims": {"aud": "a"},
        "kind": "aad-v2",
        "flaws": ["not-yet-valid", {"audience": "x"}, {"without-claim": "tid"}, "unknown-kid"],
    });
    let order: Mint = serde_json::from_value(json.clone()).unwrap();
    assert_eq!(order.kind, HeaderKind::AadV2);
    assert_eq!(order.flaws[2], Flaw::WithoutClaim("tid".to_owned()));
    assert_eq!(serde_json::to_value(&order).unwrap(), json);
    let short: Mint = serde_json::from_value(json!({"claims": {}})).unwrap();
    assert_eq!(short, Mint::default());
    let bad = [
        json!({}),
        json!({"claims": {}, "flaw": []}),
        json!({"claims": {}, "flaws": ["none"]}),
        json!({"claims": {}, "flaws": ["audience"]}),
        json!({"claims": {}, "kind": "v1"}),
        json!({"claims": []}),
    ];
    for json in bad {
        assert!(serde_json::from_value::<Mint>(json.clone()).is_err(), "{json}");
    }
}

#[test]
fn flaws_that_exclude_each_other_are_refused() {
    for (one, other) in EXCLUDED {
        for flaws in [[one.clone(), other.clone()], [other, one]] {
            let result = order(&flaws).mint(&KEY, now());
            assert!(matches!(result, Err(TokenError::Malformed { what: "flaws", .. })), "{flaws:?}");
        }
    }
    assert!(order(&[Flaw::Expired, Flaw::Signature, Flaw::UnknownKid]).mint(&KEY, now()).is_ok());
}

#[test]
fn limits_hold_and_debug_hides_the_token() {
    let flaws = |count: usize| order(&vec![Flaw::Expired; count]).mint(&KEY, now());
    assert!(flaws(16).is_ok());
    assert!(matches!(flaws(17), Err(TokenError::TooLarge { .. })));
    let sized = |size: usize| {
        let claims = json!({"x": "x".repeat(size)}).as_object().cloned().unwrap();
        Mint { claims, ..Mint::default() }.mint(&KEY, now())
    };
    assert!(sized(40_000).is_ok());
    assert!(matches!(sized(50_000), Err(TokenError::TooLarge { .. })));
    let forged = order(&[Flaw::Signature]).mint(&KEY, now()).unwrap();
    assert_eq!(format!("{forged:?}"), "Forged { flaws: [Signature], .. }");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn odd_times_never_panic(nbf: i64, exp: i64, late: bool) {
        let claims = json!({"nbf": nbf, "exp": exp}).as_object().cloned().unwrap();
        let flaw = if late { Flaw::Expired } else { Flaw::NotYetValid };
        let claims = Mint { claims, flaws: vec![flaw], ..Mint::default() }.claims_at(now());
        prop_assert!(claims.contains_key("iat"));
    }
}
