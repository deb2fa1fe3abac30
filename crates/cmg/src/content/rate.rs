//! How often one file may be asked for.
//!
//! Fidelity: documented for 500 requests in a second for one file (configmgr §1.3); lab for counting them in
//! whole seconds of transport time.

use std::sync::{Mutex, PoisonError};

/// The requests for one file within the present second.
#[derive(Debug, Default)]
pub(super) struct Rate {
    window: Mutex<Window>,
}

#[derive(Debug, Default)]
struct Window {
    second: u64,
    requests: u32,
}

impl Rate {
    /// Counts a request in `second`, and says whether it is one of the first `most`.
    pub(super) fn admits(&self, second: u64, most: u32) -> bool {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        if window.second != second {
            *window = Window { second, requests: 0 };
        }
        window.requests = window.requests.saturating_add(1);
        window.requests <= most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_second_has_its_requests() {
        let rate = Rate::default();
        let taken = [(0, true), (0, true), (0, false), (1, true), (1, true), (1, false), (7, true)];
        for (second, admitted) in taken {
            assert_eq!(rate.admits(second, 2), admitted, "{second}");
        }
    }
}
