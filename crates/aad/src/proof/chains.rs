//! Device certificates whose issuer has been checked, so that each is checked once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};
use cmglab_pki::read::Certificate;

/// Remembers that a certificate is signed by the authority of the service, and what it says. Its dates,
/// whether it is revoked, and the device's standing are looked at each time.
#[derive(Debug, Default)]
pub(crate) struct Chains(Mutex<HashMap<[u8; 32], Arc<Certificate>>>);

impl Chains {
    /// The certificate `leaf` if it is signed by the authority: by memory, else by `check`. Only a yes is
    /// remembered.
    pub(super) fn vouched<E>(
        &self,
        leaf: &[u8],
        check: impl FnOnce() -> Result<Certificate, E>,
    ) -> Result<Arc<Certificate>, E> {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, leaf).as_ref());
        if let Some(known) = self.lock().get(&hash) {
            return Ok(known.clone());
        }
        let sound = Arc::new(check()?);
        let mut known = self.lock();
        if known.len() >= MAX_KNOWN {
            known.clear();
        }
        known.insert(hash, sound.clone());
        Ok(sound)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<[u8; 32], Arc<Certificate>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const MAX_KNOWN: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate() -> Certificate {
        Certificate::parse(crate::tests::lab::authority().cert_der()).unwrap()
    }

    #[test]
    fn only_a_yes_is_remembered() {
        let chains = Chains::default();
        assert_eq!(chains.vouched(b"leaf", || Err("foreign")).unwrap_err(), "foreign");
        assert!(chains.vouched(b"leaf", || Ok::<_, ()>(certificate())).is_ok());
        assert!(chains.vouched::<()>(b"leaf", || panic!("it is known")).is_ok());
        assert!(chains.vouched(b"other", || Err("foreign")).is_err());
    }

    #[test]
    fn it_does_not_grow_without_end() {
        let (chains, certificate) = (Chains::default(), certificate());
        for number in 0..=MAX_KNOWN {
            assert!(chains.vouched(&number.to_le_bytes(), || Ok::<_, ()>(certificate.clone())).is_ok());
        }
        assert_eq!(chains.lock().len(), 1);
    }
}
