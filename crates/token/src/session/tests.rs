use proptest::prelude::*;

use super::*;

/// RFC 2104 from the digest alone, and the block put together first: shares nothing with the code under
/// test but SHA-256.
fn derived_by_hand(key: &[u8; 32], version: KdfVersion, ctx: &[u8], payload: &[u8]) -> Vec<u8> {
    let sha256 = |bytes: &[u8]| digest::digest(&SHA256, bytes).as_ref().to_vec();
    let context = match version {
        KdfVersion::V1 => ctx.to_vec(),
        KdfVersion::V2 => sha256(&[ctx, payload].concat()),
    };
    let block = [b"\0\0\0\x01AzureAD-SecureConversation\0", context.as_slice(), b"\0\0\x01\0"].concat();
    let pad = |with: u8| -> Vec<u8> {
        key.iter().copied().chain(std::iter::repeat(0)).take(64).map(|byte| byte ^ with).collect()
    };
    let inner = sha256(&[pad(0x36), block].concat());
    sha256(&[pad(0x5c), inner].concat())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn known_keys_are_derived() {
    let (key, ctx) = (SessionKey::from_bytes([1; 32]), [2; 24]);
    let derived = |version| hex(key.derive(version, &ctx, br#"{"a":1}"#).expose());
    let first = "bc33fa55ab0f7b1611bca6e4ef73543a3b9ce1cfb905791debbeb120b8b4b830";
    assert_eq!(derived(KdfVersion::V1), first);
    let second = "27018e65da737bf7fb5ab9e7978c5c160956167bf1add1c27467e65186893bc6";
    assert_eq!(derived(KdfVersion::V2), second);
}

#[test]
fn generated_keys_differ() {
    let (one, other) = (SessionKey::generate().unwrap(), SessionKey::generate().unwrap());
    assert_ne!(one, other);
    assert_eq!(one, SessionKey::from_bytes(*one.expose()));
}

#[test]
fn debug_tells_nothing() {
    let key = SessionKey::from_bytes([1; 32]);
    assert_eq!(format!("{key:?}"), "SessionKey { .. }");
    assert_eq!(format!("{:?}", key.derive(KdfVersion::V1, b"", b"")), "DerivedKey { .. }");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn two_computations_agree(
        key: [u8; 32],
        ctx in prop::collection::vec(any::<u8>(), 0..70),
        payload in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let session = SessionKey::from_bytes(key);
        for version in [KdfVersion::V1, KdfVersion::V2] {
            let by_hand = derived_by_hand(&key, version, &ctx, &payload);
            let derived = session.derive(version, &ctx, &payload);
            prop_assert_eq!(derived.expose().as_slice(), by_hand);
        }
    }
}
