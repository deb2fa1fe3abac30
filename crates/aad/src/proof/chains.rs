//! Device certificates whose issuer has been checked, so that each is checked once.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};

/// Remembers that a certificate is signed by the authority of the service, and nothing else about it: dates
/// and the device's standing are looked at each time.
#[derive(Debug, Default)]
pub(crate) struct Chains(Mutex<HashSet<[u8; 32]>>);

impl Chains {
    /// Whether `leaf` is signed by the authority: by memory, else by `check`. Only a yes is remembered.
    pub(super) fn vouch(&self, leaf: &[u8], check: impl FnOnce() -> bool) -> bool {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, leaf).as_ref());
        if self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&hash) {
            return true;
        }
        let sound = check();
        if sound {
            let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if known.len() >= MAX_KNOWN {
                known.clear();
            }
            known.insert(hash);
        }
        sound
    }
}

const MAX_KNOWN: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_yes_is_remembered() {
        let chains = Chains::default();
        assert!(!chains.vouch(b"leaf", || false));
        assert!(chains.vouch(b"leaf", || true));
        assert!(chains.vouch(b"leaf", || panic!("it is known")));
        assert!(!chains.vouch(b"other", || false));
    }

    #[test]
    fn it_does_not_grow_without_end() {
        let chains = Chains::default();
        for number in 0..=MAX_KNOWN {
            assert!(chains.vouch(&number.to_le_bytes(), || true));
        }
        assert_eq!(chains.0.lock().unwrap().len(), 1);
    }
}
