//! The two keys of a storage account.
//!
//! Fidelity: documented for the rotation every 180 days (configmgr §1.3) and for an account having two keys, so
//! that links of the previous one stay good; lab for which one is made anew: always the one that does not sign.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_lc_rs::hmac::{self, HMAC_SHA256};

use super::ContentError;

/// Both keys accept; one signs.
pub(super) struct AccountKeys {
    pair: Mutex<Pair>,
}

struct Pair {
    signing: Named,
    other: Named,
}

struct Named {
    name: &'static str,
    key: hmac::Key,
}

impl AccountKeys {
    pub(super) fn generate() -> Result<Self, ContentError> {
        let pair = Pair { signing: Named::generate("key1")?, other: Named::generate("key2")? };
        Ok(Self { pair: Mutex::new(pair) })
    }

    pub(super) fn sign(&self, text: &str) -> Vec<u8> {
        hmac::sign(&self.lock().signing.key, text.as_bytes()).as_ref().to_vec()
    }

    /// Takes as long for a wrong signature as for a right one.
    pub(super) fn verify(&self, text: &str, signature: &[u8]) -> bool {
        let pair = self.lock();
        let by = |named: &Named| hmac::verify(&named.key, text.as_bytes(), signature).is_ok();
        let (signing, other) = (by(&pair.signing), by(&pair.other));
        signing | other
    }

    /// Makes the key anew that does not sign, and signs with it from now on. What the other one signed is good
    /// until the next rotation. Answers with the new key's name.
    pub(super) fn rotate(&self) -> Result<&'static str, ContentError> {
        let mut pair = self.lock();
        let fresh = Named::generate(pair.other.name)?;
        let name = fresh.name;
        pair.other = std::mem::replace(&mut pair.signing, fresh);
        Ok(name)
    }

    fn lock(&self) -> MutexGuard<'_, Pair> {
        self.pair.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Named {
    /// 512 bits, as Azure makes them.
    fn generate(name: &'static str) -> Result<Self, ContentError> {
        let mut bytes = [0; 64];
        aws_lc_rs::rand::fill(&mut bytes).map_err(|_| ContentError::Key)?;
        let key = hmac::Key::new(HMAC_SHA256, &bytes);
        bytes.fill(0);
        Ok(Self { name, key })
    }
}

impl fmt::Debug for AccountKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountKeys").field("signing", &self.lock().signing.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_lives_until_its_key_is_made_anew() {
        let keys = AccountKeys::generate().unwrap();
        let signature = keys.sign("text");
        assert!(keys.verify("text", &signature));
        assert!(!keys.verify("other", &signature) && !keys.verify("text", &signature[1..]));
        assert_eq!(keys.rotate().unwrap(), "key2");
        assert!(keys.verify("text", &signature));
        assert_ne!(keys.sign("text"), signature);
        assert_eq!(keys.rotate().unwrap(), "key1");
        assert!(!keys.verify("text", &signature));
    }
}
