//! The keys that sign, and those that are published (entra §1.3).
//!
//! Two keys at least are always published, the one that signs and the one that will, so that whoever
//! verifies must choose by key id. A key that has signed stays published after a rotation until it is
//! retired, as what it signed is still about.

use std::fmt;
use std::sync::Arc;

use cmglab_token::{Jwk, Jwks, Keys, SigningKey};

use crate::{AadError, SigningKeys};

/// The keys at one moment. Cheap to clone.
#[derive(Clone)]
pub(crate) struct KeyRing(Arc<Inner>);

struct Inner {
    current: SigningKey,
    next: SigningKey,
    former: Vec<SigningKey>,
    published: Vec<Jwk>,
    keys: Keys,
}

impl KeyRing {
    pub(crate) fn new(keys: &SigningKeys) -> Result<Self, AadError> {
        Self::of(keys.current.clone(), keys.next.clone(), Vec::new())
    }

    /// The next key signs from now on, `next` is published beside it, and the former stays published.
    pub(crate) fn rotated(&self, next: SigningKey) -> Result<Self, AadError> {
        let mut former = self.0.former.clone();
        former.insert(0, self.0.current.clone());
        former.truncate(MAX_FORMER);
        Self::of(self.0.next.clone(), next, former)
    }

    /// Without the keys that sign no more.
    pub(crate) fn retired(&self) -> Result<Self, AadError> {
        Self::of(self.0.current.clone(), self.0.next.clone(), Vec::new())
    }

    /// The key that signs.
    pub(crate) fn current(&self) -> &SigningKey {
        &self.0.current
    }

    /// What the key sets say.
    pub(crate) fn published(&self) -> &[Jwk] {
        &self.0.published
    }

    /// The same, to verify with.
    pub(crate) fn keys(&self) -> &Keys {
        &self.0.keys
    }

    fn of(current: SigningKey, next: SigningKey, former: Vec<SigningKey>) -> Result<Self, AadError> {
        let kids = || std::iter::once(&current).chain(&former).map(SigningKey::kid);
        if kids().any(|kid| kid == next.kid()) {
            return Err(AadError::SameKey);
        }
        let all = [&current, &next].into_iter().chain(&former);
        let published = all.map(SigningKey::jwk).collect::<Result<Vec<_>, _>>()?;
        let keys = Keys::from_jwks(&published.iter().cloned().collect::<Jwks>())?;
        Ok(Self(Arc::new(Inner { current, next, former, published, keys })))
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRing")
            .field("current", &self.0.current)
            .field("next", &self.0.next)
            .finish_non_exhaustive()
    }
}

const MAX_FORMER: usize = 4;
