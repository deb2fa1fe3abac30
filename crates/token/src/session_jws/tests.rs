use proptest::prelude::*;

use super::*;

const CTX: [u8; 24] = [0xfb; 24];

fn key() -> SessionKey {
    SessionKey::from_bytes([1; 32])
}

fn payload() -> Value {
    json!({"refresh_token": "prt", "resource": null, "iat": "1795289721"})
}

fn request(version: KdfVersion) -> String {
    sign(&payload(), &key(), &CTX, version, &Map::new()).unwrap()
}

/// Signed with a header of one's choice; the key is derived by version 1.
fn with_header(header: &Value) -> String {
    let key = hmac_key(&key().derive(KdfVersion::V1, &CTX, &serde_json::to_vec(&payload()).unwrap()));
    let header = compact::encode_json("header", header).unwrap();
    let payload = compact::encode_json("payload", &payload()).unwrap();
    let tag = |message: &[u8]| Ok::<_, TokenError>(hmac::sign(&key, message).as_ref().to_vec());
    compact::sign(&header, &payload, tag).unwrap()
}

#[test]
fn both_versions_verify_with_their_key_only() {
    for version in [KdfVersion::V1, KdfVersion::V2] {
        let request = SessionRequest::parse(&request(version)).unwrap();
        assert_eq!(request.kdf_version(), version);
        assert_eq!(request.unverified()["refresh_token"], "prt");
        assert_eq!(json!(request.verify(&key()).unwrap()), payload());
        let other = SessionKey::from_bytes([2; 32]);
        assert_eq!(request.verify(&other), Err(TokenError::Signature));
    }
}

#[test]
fn another_payload_does_not_verify() {
    let good = request(KdfVersion::V1);
    let parts = Parts::of(&good).unwrap();
    let payload = compact::encode(br#"{"refresh_token":"other"}"#);
    let forged = format!("{}.{payload}.{}", parts.header, parts.signature);
    assert_eq!(SessionRequest::parse(&forged).unwrap().verify(&key()), Err(TokenError::Signature));
    let short = format!("{}.{}.", parts.header, parts.payload);
    assert_eq!(SessionRequest::parse(&short).unwrap().verify(&key()), Err(TokenError::Signature));
}

#[test]
fn the_context_comes_in_either_alphabet() {
    let standard = STANDARD.encode([0xfb; 20]);
    assert!(standard.contains('+') && standard.ends_with('='));
    let key = |ctx: &[u8]| {
        let bytes = serde_json::to_vec(&payload()).unwrap();
        hmac_key(&key().derive(KdfVersion::V1, ctx, &bytes))
    };
    for ctx in [standard.clone(), standard.replace('=', ""), standard.replace('+', "-").replace('/', "_")] {
        let header = compact::encode_json("header", &json!({"alg": "HS256", "ctx": ctx})).unwrap();
        let payload = compact::encode_json("payload", &payload()).unwrap();
        let tag =
            |message: &[u8]| Ok::<_, TokenError>(hmac::sign(&key(&[0xfb; 20]), message).as_ref().to_vec());
        let jws = compact::sign(&header, &payload, tag).unwrap();
        assert!(SessionRequest::parse(&jws).unwrap().verify(&self::key()).is_ok(), "{ctx}");
    }
}

#[test]
fn headers_are_taken_as_clients_write_them() {
    let ctx = STANDARD.encode(CTX);
    let good = [
        json!({"alg": "HS256", "ctx": ctx}),
        json!({"alg": "HS256", "ctx": ctx, "kdf_ver": 1}),
        json!({"alg": "HS256", "ctx": ctx, "kdf_ver": "1", "kid": "session"}),
        json!({"alg": "HS256", "ctx": ctx, "kdf_ver": null, "kid": 7, "typ": "JWT"}),
    ];
    for header in good {
        assert!(SessionRequest::parse(&with_header(&header)).unwrap().verify(&key()).is_ok(), "{header}");
    }
    let two = SessionRequest::parse(&with_header(&json!({"alg": "HS256", "ctx": ctx, "kdf_ver": "2"})));
    assert_eq!(two.unwrap().kdf_version(), KdfVersion::V2);
}

#[test]
fn odd_headers_are_refused() {
    let ctx = |length: usize| json!({"alg": "HS256", "ctx": STANDARD.encode(vec![1; length])});
    for fine in [16, 24, 32, 64] {
        assert!(SessionRequest::parse(&with_header(&ctx(fine))).is_ok());
    }
    let mut bad = vec![ctx(15), ctx(65), json!({"alg": "HS256"}), json!({"alg": "HS256", "ctx": "!"})];
    for kdf_ver in [json!(0), json!(3), json!("x"), json!(true), json!(1.5), json!([1])] {
        bad.push(json!({"alg": "HS256", "ctx": STANDARD.encode(CTX), "kdf_ver": kdf_ver}));
    }
    bad.push(json!({"alg": "HS256", "ctx": STANDARD.encode(CTX), "crit": ["x"]}));
    for header in bad {
        let result = SessionRequest::parse(&with_header(&header));
        assert!(matches!(result, Err(TokenError::Malformed { .. })), "{header}");
    }
}

#[test]
fn other_algorithms_are_refused() {
    let with = |alg: &str| {
        SessionRequest::parse(&with_header(&json!({"alg": alg, "ctx": STANDARD.encode(CTX)}))).map(drop)
    };
    assert_eq!(with("HS256"), Ok(()));
    assert_eq!(with("none"), Err(TokenError::Unsigned));
    for alg in ["HS512", "RS256", "hs256"] {
        assert_eq!(with(alg), Err(TokenError::Algorithm(alg.to_owned())));
    }
}

#[test]
fn extra_header_members_do_not_replace_ours() {
    let extra = json!({"kid": "k", "alg": "none", "ctx": "x"});
    let jws = sign(&payload(), &key(), &CTX, KdfVersion::V2, extra.as_object().unwrap()).unwrap();
    let request = SessionRequest::parse(&jws).unwrap();
    assert!(request.verify(&key()).is_ok());
    assert_eq!(request.header()["kid"], "k");
}

#[test]
fn long_requests_are_refused_and_debug_is_silent() {
    let sized = |size: usize| {
        let jws = sign(&json!({"x": "x".repeat(size)}), &key(), &CTX, KdfVersion::V1, &Map::new());
        SessionRequest::parse(&jws.unwrap())
    };
    assert!(sized(48_000).is_ok());
    assert!(matches!(sized(MAX_REQUEST), Err(TokenError::TooLarge { .. })));
    let text = format!("{:?}", SessionRequest::parse(&request(KdfVersion::V1)).unwrap());
    assert!(text.contains("refresh_token") && !text.contains("prt"), "{text}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn noise_never_panics(text in "[A-Za-z0-9_.-]{0,300}", header in ".{0,80}", payload in ".{0,80}") {
        let _noise = SessionRequest::parse(&text);
        let jws = format!("{}.{}.{text}", compact::encode(header.as_bytes()), compact::encode(payload.as_bytes()));
        let _noise = SessionRequest::parse(&jws);
    }

    #[test]
    fn requests_round_trip(
        bytes: [u8; 32],
        ctx in prop::collection::vec(any::<u8>(), 16..=64),
        text in ".{0,100}",
    ) {
        let key = SessionKey::from_bytes(bytes);
        let payload = json!({"refresh_token": text});
        for version in [KdfVersion::V1, KdfVersion::V2] {
            let jws = sign(&payload, &key, &ctx, version, &Map::new()).unwrap();
            let request = SessionRequest::parse(&jws).unwrap();
            prop_assert_eq!(&json!(request.verify(&key).unwrap()), &payload);
        }
    }

    #[test]
    fn an_altered_character_never_passes(at in 0usize..10_000, with in "[A-Za-z0-9_-]") {
        let good = request(KdfVersion::V2);
        let at = at % good.len();
        let mut jws = good.clone();
        jws.replace_range(at..=at, &with);
        let passes = SessionRequest::parse(&jws).is_ok_and(|request| request.verify(&key()).is_ok());
        prop_assert_eq!(passes, jws == good);
    }
}
