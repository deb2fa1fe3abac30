//! Statistics by URI: what CMGService.log reports every five minutes of protocol time (configmgr §5.7).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use cmglab_events::kinds::CmgEvent;
use cmglab_net::Deps;
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::Shared;

/// Counters of the open interval. Cheap to clone; clones count together.
#[derive(Debug, Clone)]
pub(crate) struct Traffic {
    open: Arc<Mutex<Interval>>,
}

#[derive(Debug)]
struct Interval {
    from: Timestamp,
    uris: BTreeMap<String, Sums>,
}

#[derive(Debug, Default)]
struct Sums {
    requests: u64,
    request_bytes: u64,
    responses: u64,
    response_bytes: u64,
    taken_ms: u64,
}

impl Traffic {
    pub(crate) fn new(from: Timestamp) -> Self {
        Self { open: Arc::new(Mutex::new(Interval { from, uris: BTreeMap::new() })) }
    }

    /// Begins an interval now; the one before was reported when the instance ended.
    pub(crate) fn restart(&self, from: Timestamp) {
        self.lock().from = from;
    }

    /// Counts one request, and its answer's bytes if it had one. `tell` is called while the interval is held open, so that the event
    /// of a request and the report that includes it always stand in this order.
    pub(crate) fn count(
        &self,
        uri: &str,
        request_bytes: u64,
        response_bytes: Option<u64>,
        taken_ms: u64,
        tell: impl FnOnce(),
    ) {
        let mut open = self.lock();
        tell();
        // Paths carry no client data beyond what is published, but their number is still bounded.
        let known = open.uris.contains_key(uri) || open.uris.len() < MOST_URIS;
        let sums = open.uris.entry(if known { uri } else { OTHERS }.to_owned()).or_default();
        sums.requests += 1;
        sums.request_bytes += request_bytes;
        if let Some(response_bytes) = response_bytes {
            sums.responses += 1;
            sums.response_bytes += response_bytes;
            sums.taken_ms += taken_ms;
        }
    }

    /// Ends the open interval and reports it, one event for each URI.
    pub(crate) fn flush(&self, deps: &Deps) {
        let mut open = self.lock();
        let to = deps.clock.now();
        let from = std::mem::replace(&mut open.from, to);
        for (request_uri, sums) in std::mem::take(&mut open.uris) {
            deps.events.emit(CmgEvent::Traffic {
                request_uri,
                requests: sums.requests,
                request_bytes: sums.request_bytes,
                responses: sums.responses,
                response_bytes: sums.response_bytes,
                average_ms: sums.taken_ms.checked_div(sums.responses).unwrap_or(0),
                from,
                to,
            });
        }
    }

    fn lock(&self) -> MutexGuard<'_, Interval> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reports every interval for as long as the instance runs.
pub(crate) async fn report(instance: Weak<Shared>, run: CancellationToken) {
    let Some(mut interval) = instance.upgrade().map(|it| it.deps.clock.interval(INTERVAL)) else { return };
    while run.run_until_cancelled(interval.tick()).await.is_some() {
        let Some(shared) = instance.upgrade() else { return };
        shared.traffic.flush(&shared.deps);
    }
}

const INTERVAL: SignedDuration = SignedDuration::from_mins(5);
const MOST_URIS: usize = 1024;
const OTHERS: &str = "/…";
