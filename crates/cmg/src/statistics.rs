//! What one instance has done since it started, and how much of it is under way.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Counters of one instance. Cheap to clone; clones count together.
#[derive(Debug, Clone)]
pub(crate) struct Statistics {
    places: Arc<Semaphore>,
    most: usize,
    requests: Arc<AtomicU64>,
    bytes_out: Arc<AtomicU64>,
}

/// One instance's own figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InstanceStatistics {
    /// Requests that reached it, whatever became of them.
    pub requests: u64,
    /// Requests on their way to or from a connection point now.
    pub under_way: usize,
    /// Bytes that it has sent to clients: heads and bodies.
    pub bytes_to_clients: u64,
    /// Channels that it can use now.
    pub channels: usize,
}

/// A request's place among those under way; free again when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    _permit: OwnedSemaphorePermit,
}

impl Statistics {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(most)),
            most,
            requests: Arc::default(),
            bytes_out: Arc::default(),
        }
    }

    /// A place for one more request, or none when the instance is full.
    pub(crate) fn place(&self) -> Option<Place> {
        let permit = Arc::clone(&self.places).try_acquire_owned().ok()?;
        Some(Place { _permit: permit })
    }

    pub(crate) fn request(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn sent(&self, bytes: u64) {
        self.bytes_out.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn read(&self, channels: usize) -> InstanceStatistics {
        InstanceStatistics {
            requests: self.requests.load(Ordering::Relaxed),
            under_way: self.most - self.places.available_permits(),
            bytes_to_clients: self.bytes_out.load(Ordering::Relaxed),
            channels,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_instance_has_no_place_until_one_is_given_back() {
        let statistics = Statistics::new(2);
        let (first, _second) = (statistics.place().unwrap(), statistics.place().unwrap());
        assert!(statistics.place().is_none());
        assert_eq!(statistics.read(0).under_way, 2);
        drop(first);
        assert!(statistics.place().is_some());
        assert_eq!(statistics.read(0).under_way, 1);
    }
}
