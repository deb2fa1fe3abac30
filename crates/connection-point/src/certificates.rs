//! The choice of the certificate that is presented to management points (configmgr §4.2, §5.8).
//!
//! Fidelity: documented for the filters, their order and the chain that is built with revocation; the rule
//! that the longest validity wins is documented for clients and inferred for this role.

mod choice;

use std::sync::{Mutex, MutexGuard, PoisonError};

use cmglab_events::kinds::ConnectionPointEvent;
use cmglab_net::Deps;
use cmglab_tls::Identity;
use jiff::Timestamp;

use choice::{Choice, Known};

/// A certificate of the connection point's machine.
#[derive(Debug, Clone)]
pub struct Candidate {
    chain: Vec<Vec<u8>>,
    identity: Option<Identity>,
}

impl Candidate {
    /// A certificate whose private key is on the machine.
    #[must_use]
    pub fn with_key(identity: Identity) -> Self {
        Self { chain: identity.chain().map(<[u8]>::to_vec).collect(), identity: Some(identity) }
    }

    /// A certificate (chain as DER, leaf first) whose private key is not on the machine.
    #[must_use]
    pub fn without_key(chain: Vec<Vec<u8>>) -> Self {
        Self { chain, identity: None }
    }
}

/// The candidates, and what was last made of them.
#[derive(Debug)]
pub(crate) struct Certificates {
    known: Vec<Known>,
    verbose: bool,
    last: Mutex<Option<Last>>,
}

#[derive(Debug)]
struct Last {
    told: Vec<ConnectionPointEvent>,
    chosen: Option<usize>,
    epoch: u64,
    /// When it may turn out differently even if nothing has changed.
    good_until: Timestamp,
}

impl Certificates {
    pub(crate) fn new(candidates: Vec<Candidate>, verbose: bool) -> Self {
        Self { known: candidates.into_iter().map(Known::of).collect(), verbose, last: Mutex::new(None) }
    }

    /// Chooses, presents and tells.
    pub(crate) async fn choose(&self, deps: &Deps) {
        self.last().take();
        self.choose_anew(deps).await;
    }

    /// Chooses again when trust, lists or the clock have changed, or the last choice is no longer good. Tells
    /// only what is new.
    pub(crate) async fn look_again(&self, deps: &Deps) {
        let is_good = |last: &Last| last.epoch == deps.store.epoch() && deps.clock.now() < last.good_until;
        let good = self.last().as_ref().is_some_and(is_good);
        if !good {
            self.choose_anew(deps).await;
        }
    }

    async fn choose_anew(&self, deps: &Deps) {
        let Choice { told, chosen, good_until } = choice::choose(deps, &self.known, self.verbose).await;
        let before = self.last().take();
        if before.as_ref().is_none_or(|before| before.chosen != chosen) {
            let identity = chosen.and_then(|nth| self.known.get(nth)).and_then(Known::identity);
            deps.store.present(identity);
        }
        if before.is_none_or(|before| before.told != told) {
            told.iter().for_each(|event| deps.events.emit(event.clone()));
        }
        *self.last() = Some(Last { told, chosen, epoch: deps.store.epoch(), good_until });
    }

    fn last(&self) -> MutexGuard<'_, Option<Last>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
