//! The token forge: any token, without a grant, for tests of whoever verifies.

use cmglab_events::kinds::AadEvent;
use cmglab_token::forge::{Forged, Mint};

use crate::{Aad, AadError};

impl Aad {
    /// Mints a token as it is asked for, signed with the key in force unless a flaw says otherwise. It says
    /// in its header that it is forged, and an event tells of it.
    ///
    /// # Errors
    /// [`AadError::Key`] when the wanted flaws contradict each other or the claims are too large.
    pub fn forge(&self, mint: &Mint) -> Result<Forged, AadError> {
        let deps = self.deps();
        let forged = mint.mint(self.ring().current(), deps.clock.now())?;
        let flaws = forged.flaws.iter().map(|flaw| format!("{flaw:?}")).collect();
        deps.events.emit(AadEvent::TokenForged { flaws });
        Ok(forged)
    }
}
