//! Nonces that prove by themselves who issued them and until when they are good.
//!
//! Fidelity: lab. Real ones are opaque and start with `AwABAA`, are not bound to a tenant, and may be used
//! again until they expire (entra §3.2); so it is with these. Inside are a fixed start, the expiry, bytes
//! that differ, and an HMAC of these; so nothing is stored, however many are asked for.

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cmglab_ids::Ids;
use jiff::{SignedDuration, Timestamp};

/// Issues and checks nonces.
pub(crate) struct Nonces {
    key: hmac::Key,
    lifetime: SignedDuration,
}

/// Why a nonce is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NonceFault {
    Expired,
    NotOurs,
}

impl Nonces {
    /// Fails only when the provider has no randomness.
    pub(crate) fn new(lifetime: SignedDuration) -> Result<Self, Unspecified> {
        Ok(Self { key: hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new())?, lifetime })
    }

    /// A nonce, and when it is refused.
    pub(crate) fn issue(&self, now: Timestamp, ids: &Ids) -> (String, Timestamp) {
        let expires = now.saturating_add(self.lifetime).unwrap_or(Timestamp::MAX);
        let mut bytes = START.to_vec();
        bytes.extend_from_slice(&expires.as_second().to_be_bytes());
        bytes.extend_from_slice(&ids.bytes::<UNIQUE>());
        let tag = hmac::sign(&self.key, &bytes);
        bytes.extend_from_slice(tag.as_ref());
        (URL_SAFE_NO_PAD.encode(bytes), expires)
    }

    /// Checks that a nonce is ours and not yet expired.
    pub(crate) fn check(&self, nonce: &str, now: Timestamp) -> Result<(), NonceFault> {
        if nonce.len() > MAX_TEXT {
            return Err(NonceFault::NotOurs);
        }
        let bytes = URL_SAFE_NO_PAD.decode(nonce).map_err(|_| NonceFault::NotOurs)?;
        let (signed, tag) = bytes.split_at_checked(SIGNED).ok_or(NonceFault::NotOurs)?;
        hmac::verify(&self.key, signed, tag).map_err(|_| NonceFault::NotOurs)?;
        let expires = signed.get(START.len()..START.len() + 8).and_then(|bytes| bytes.try_into().ok());
        let expires = i64::from_be_bytes(expires.ok_or(NonceFault::NotOurs)?);
        if now.as_second() < expires { Ok(()) } else { Err(NonceFault::Expired) }
    }
}

/// With the high bits of the expiry, all zero, this makes `AwABAAAA`.
const START: [u8; 4] = [3, 0, 1, 0];
const UNIQUE: usize = 16;
const SIGNED: usize = START.len() + 8 + UNIQUE;
const MAX_TEXT: usize = 256;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn nonces() -> Nonces {
        Nonces::new(SignedDuration::from_mins(5)).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_nonce_is_good_until_it_expires() {
        let (nonces, ids) = (nonces(), Ids::seeded(1));
        let (nonce, expires) = nonces.issue(at("2026-03-01T12:00:00Z"), &ids);
        assert!(nonce.starts_with("AwABAA"), "{nonce}");
        assert_eq!(expires, at("2026-03-01T12:05:00Z"));
        assert_eq!(nonces.check(&nonce, at("2026-03-01T12:00:00Z")), Ok(()));
        assert_eq!(nonces.check(&nonce, at("2026-03-01T12:04:59Z")), Ok(()));
        assert_eq!(nonces.check(&nonce, at("2026-03-01T12:05:00Z")), Err(NonceFault::Expired));
        assert_ne!(nonces.issue(at("2026-03-01T12:00:00Z"), &ids).0, nonce);
    }

    #[test]
    fn a_nonce_of_another_service_is_not_ours() {
        let now = at("2026-03-01T12:00:00Z");
        let (foreign, _) = nonces().issue(now, &Ids::seeded(1));
        assert_eq!(nonces().check(&foreign, now), Err(NonceFault::NotOurs));
        assert_eq!(nonces().check(&"A".repeat(4000), now), Err(NonceFault::NotOurs));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn noise_is_not_ours(text in "(AwABAA)?[A-Za-z0-9_-]{0,120}") {
            prop_assert_eq!(nonces().check(&text, Timestamp::UNIX_EPOCH), Err(NonceFault::NotOurs));
        }
    }
}
