//! The seeded source of every GUID, nonce, boundary and jitter in a lab.
//!
//! One seed repeats one run: each role draws from a stream of its own ([`Ids::fork`]), so the order in
//! which roles happen to run does not change what any of them draws. Key material never comes from
//! here; keys come from the crypto provider's own generator.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use rand_chacha::ChaCha12Rng;
use rand_core::{Rng, SeedableRng};
use uuid::Uuid;

/// A cheap, shareable handle to one stream of identifiers.
#[derive(Clone)]
pub struct Ids {
    seed: u64,
    rng: Arc<Mutex<ChaCha12Rng>>,
}

impl Ids {
    /// A stream that depends on `seed` alone.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self { seed, rng: Arc::new(Mutex::new(ChaCha12Rng::seed_from_u64(seed))) }
    }

    /// The seed this stream was made from; print it when a test fails.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// An independent stream for `name` (a role, a client). Equal seeds and names give equal streams,
    /// however much was drawn from `self` before.
    #[must_use]
    pub fn fork(&self, name: &str) -> Self {
        Self::seeded(
            name.bytes()
                .fold(self.seed ^ FNV_OFFSET, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(FNV_PRIME)),
        )
    }

    /// A random (version 4) GUID.
    #[must_use]
    pub fn guid(&self) -> Uuid {
        let mut bytes = [0; 16];
        self.fill(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }

    /// Fills `bytes` from the stream. Not for keys.
    pub fn fill(&self, bytes: &mut [u8]) {
        self.rng.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(bytes);
    }

    /// `N` bytes from the stream: nonces, certificate serial numbers.
    #[must_use]
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    /// A number in `0..bound`, or 0 when `bound` is 0. For jitter, where a slight bias is harmless.
    #[must_use]
    pub fn below(&self, bound: u64) -> u64 {
        u64::from_le_bytes(self.bytes()).checked_rem(bound).unwrap_or(0)
    }
}

impl fmt::Debug for Ids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ids").field("seed", &self.seed).finish_non_exhaustive()
    }
}

// FNV-1a, so that a role's name picks its stream the same way on every platform.
const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_seeds_repeat_and_streams_are_independent() {
        let (a, b) = (Ids::seeded(7), Ids::seeded(7));
        let _drawn = a.guid();
        assert_eq!(a.fork("cmg").guid(), b.fork("cmg").guid());
        assert_ne!(b.fork("cmg").guid(), b.fork("mp").guid());
        assert_ne!(Ids::seeded(8).fork("cmg").guid(), b.fork("cmg").guid());
    }

    #[test]
    fn guids_are_version_4() {
        assert_eq!(Ids::seeded(1).guid().get_version_num(), 4);
    }

    #[test]
    fn below_keeps_its_bound() {
        let ids = Ids::seeded(3);
        assert_eq!(ids.below(0), 0);
        assert!((0..100).all(|_| ids.below(10) < 10));
    }
}
