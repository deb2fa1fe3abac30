//! What was verified once need not be verified again until it expires.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};
use serde::de::DeserializeOwned;

use crate::{Expect, Keys, TokenError, Verified, verify};

/// Verified tokens by the SHA-256 of their text. Holds no token.
///
/// Times, issuer and audience are checked at every hit; the signature is not, so [`Cache::clear`] it when
/// the key set changes.
pub struct Cache<C> {
    capacity: usize,
    entries: Mutex<Entries<C>>,
}

struct Entries<C> {
    by_hash: HashMap<Hash, Arc<Verified<C>>>,
    oldest_first: VecDeque<Hash>,
}

type Hash = [u8; 32];

impl<C: DeserializeOwned> Cache<C> {
    /// A cache of at most `capacity` tokens; the oldest makes room.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        let entries = Entries { by_hash: HashMap::new(), oldest_first: VecDeque::new() };
        Self { capacity, entries: Mutex::new(entries) }
    }

    /// The token's claims, from the cache or by verifying it now.
    ///
    /// # Errors
    /// As [`verify()`]. A refusal is not remembered.
    pub fn verify(
        &self,
        token: &str,
        keys: &Keys,
        expect: &Expect<'_>,
    ) -> Result<Arc<Verified<C>>, TokenError> {
        let hash = hash(token);
        let known = self.entries().by_hash.get(&hash).cloned();
        if let Some(known) = known {
            expect.check_parties(&known.issuer, &known.audiences)?;
            expect.check_times(known.valid_from, known.valid_to)?;
            return Ok(known);
        }
        let verified = Arc::new(verify(token, keys, expect)?);
        self.insert(hash, &verified);
        Ok(verified)
    }

    /// Forgets everything.
    pub fn clear(&self) {
        let mut entries = self.entries();
        entries.by_hash.clear();
        entries.oldest_first.clear();
    }

    /// How many tokens it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries().by_hash.len()
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn insert(&self, hash: Hash, verified: &Arc<Verified<C>>) {
        let mut entries = self.entries();
        if self.capacity == 0 || entries.by_hash.insert(hash, Arc::clone(verified)).is_some() {
            return;
        }
        entries.oldest_first.push_back(hash);
        if entries.oldest_first.len() > self.capacity
            && let Some(oldest) = entries.oldest_first.pop_front()
        {
            entries.by_hash.remove(&oldest);
        }
    }
}

impl<C> Cache<C> {
    fn entries(&self) -> MutexGuard<'_, Entries<C>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<C> fmt::Debug for Cache<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held = self.entries().by_hash.len();
        f.debug_struct("Cache").field("capacity", &self.capacity).field("held", &held).finish()
    }
}

fn hash(token: &str) -> Hash {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    hash
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};
    use serde_json::{Value, json};

    use super::*;
    use crate::{HeaderKind, Jwks, SigningKey, forge};

    struct Fixture {
        key: SigningKey,
        keys: Keys,
        now: Timestamp,
    }

    impl Fixture {
        fn new() -> Self {
            let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
            let key = SigningKey::generate(now, "test").unwrap();
            let keys = Keys::from_jwks(&Jwks::from_iter([key.jwk().unwrap()])).unwrap();
            Self { key, keys, now }
        }

        fn token(&self, id: u32) -> String {
            let now = self.now.as_second();
            let claims = json!({"iss": "i", "aud": "a", "nbf": now, "exp": now + 60, "id": id});
            self.key.sign(HeaderKind::AadV2, &claims).unwrap()
        }

        fn expect(&self, after: i64) -> Expect<'static> {
            let now = self.now + SignedDuration::from_secs(after);
            Expect { issuers: &["i"], audiences: &["a"], now, leeway: SignedDuration::ZERO }
        }
    }

    #[test]
    fn a_hit_is_checked_by_the_clock_and_the_parties() {
        let (lab, cache) = (Fixture::new(), Cache::<Value>::new(8));
        let token = lab.token(1);
        let first = cache.verify(&token, &lab.keys, &lab.expect(0)).unwrap();
        let second = cache.verify(&token, &lab.keys, &lab.expect(59)).unwrap();
        assert!(Arc::ptr_eq(&first, &second));
        let late = cache.verify(&token, &lab.keys, &lab.expect(60));
        assert!(matches!(late, Err(TokenError::Expired { .. })));
        let early = cache.verify(&token, &lab.keys, &lab.expect(-1));
        assert!(matches!(early, Err(TokenError::NotYetValid { .. })));
        let elsewhere = Expect { audiences: &["b"], ..lab.expect(0) };
        assert!(matches!(cache.verify(&token, &lab.keys, &elsewhere), Err(TokenError::Audience { .. })));
    }

    #[test]
    fn keys_are_not_needed_for_a_hit_until_cleared() {
        let (lab, cache) = (Fixture::new(), Cache::<Value>::new(8));
        let token = lab.token(1);
        cache.verify(&token, &lab.keys, &lab.expect(0)).unwrap();
        assert!(cache.verify(&token, &Keys::default(), &lab.expect(0)).is_ok());
        cache.clear();
        assert!(cache.is_empty());
        let unknown = cache.verify(&token, &Keys::default(), &lab.expect(0));
        assert!(matches!(unknown, Err(TokenError::UnknownKey { .. })));
    }

    #[test]
    fn it_is_bounded_and_keeps_no_refusals() {
        let (lab, cache) = (Fixture::new(), Cache::<Value>::new(2));
        let tokens: Vec<_> = (0..3).map(|id| lab.token(id)).collect();
        assert!(
            cache.verify(&forge::flipped_signature(&tokens[0]).unwrap(), &lab.keys, &lab.expect(0)).is_err()
        );
        assert_eq!(cache.len(), 0);
        for token in &tokens {
            cache.verify(token, &lab.keys, &lab.expect(0)).unwrap();
        }
        assert_eq!(cache.len(), 2);
        assert!(cache.verify(&tokens[0], &Keys::default(), &lab.expect(0)).is_err());
        assert!(cache.verify(&tokens[2], &Keys::default(), &lab.expect(0)).is_ok());
        assert_eq!(format!("{cache:?}"), "Cache { capacity: 2, held: 2 }");
    }
}
