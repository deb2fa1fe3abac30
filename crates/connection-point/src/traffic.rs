//! Traffic by endpoint, as it is reported every five minutes of protocol time (configmgr §1.1, §5.8).
//!
//! Fidelity: documented for the interval, observed for the figures' names; that a message counts when it ends
//! is the lab's.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cmglab_events::Source;
use cmglab_events::kinds::{ConnectionPointEvent, EndpointTraffic};
use cmglab_site::ProxyTraffic;
use jiff::Timestamp;

/// The counters. Cheap to clone; clones count together.
#[derive(Debug, Clone)]
pub(crate) struct Traffic {
    counters: Arc<Mutex<Counters>>,
    proxy_server: Arc<str>,
}

/// One endpoint of one management point.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) endpoint: String,
    pub(crate) target_host: String,
}

/// The figures of one message.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Figures {
    pub(crate) bearer: bool,
    pub(crate) request_bytes: u64,
    pub(crate) response_bytes: u64,
    pub(crate) failed: bool,
}

#[derive(Debug)]
struct Counters {
    from: Timestamp,
    under_way: Gauge,
    endpoints: BTreeMap<Key, Endpoint>,
}

#[derive(Debug, Default)]
struct Endpoint {
    under_way: Gauge,
    open: Sums,
    reported: Sums,
}

/// How many there are, and the most there were.
#[derive(Debug, Default, Clone, Copy)]
struct Gauge {
    now: u64,
    most_of_interval: u64,
    most: u64,
}

#[derive(Debug, Default, Clone, Copy)]
struct Sums {
    requests: u64,
    with_bearer: u64,
    request_bytes: u64,
    response_bytes: u64,
    failed: u64,
}

impl Traffic {
    pub(crate) fn new(proxy_server: &str, from: Timestamp) -> Self {
        let counters = Counters { from, under_way: Gauge::default(), endpoints: BTreeMap::new() };
        Self { counters: Arc::new(Mutex::new(counters)), proxy_server: proxy_server.into() }
    }

    /// A message is under way.
    pub(crate) fn begun(&self, key: &Key) {
        let mut counters = self.lock();
        counters.under_way.up();
        counters.endpoints.entry(key.clone()).or_default().under_way.up();
    }

    /// It has ended. `tell` is called while the interval is held open, so that the event of a message and the
    /// report that includes it always stand in this order.
    pub(crate) fn ended(&self, key: &Key, figures: Figures, tell: impl FnOnce()) {
        let mut counters = self.lock();
        tell();
        counters.under_way.down();
        let endpoint = counters.endpoints.entry(key.clone()).or_default();
        endpoint.under_way.down();
        endpoint.open.add(figures);
    }

    /// Ends the open interval and tells it; what was told is given back for the site.
    pub(crate) fn report(&self, voice: &Source, to: Timestamp) -> ProxyTraffic {
        let mut counters = self.lock();
        let from = std::mem::replace(&mut counters.from, to);
        let max_concurrent_requests = counters.under_way.turn();
        let endpoints = counters.endpoints.iter_mut().filter_map(|(key, endpoint)| {
            let most = endpoint.under_way.turn();
            let sums = std::mem::take(&mut endpoint.open);
            endpoint.reported = endpoint.reported.and(sums);
            (most > 0 || sums.requests > 0).then(|| self.figures(key, most, sums))
        });
        let endpoints: Vec<_> = endpoints.collect();
        let report = ProxyTraffic {
            server: voice.machine().to_owned(),
            start: from,
            end: to,
            max_concurrent: narrow(max_concurrent_requests),
            endpoints: endpoints.iter().map(of_site).collect(),
        };
        voice.emit(ConnectionPointEvent::TrafficReported { from, to, max_concurrent_requests, endpoints });
        report
    }

    /// Everything so far.
    pub(crate) fn totals(&self) -> Vec<EndpointTraffic> {
        let counters = self.lock();
        let total = |(key, endpoint): (&Key, &Endpoint)| {
            self.figures(key, endpoint.under_way.most, endpoint.reported.and(endpoint.open))
        };
        counters.endpoints.iter().map(total).collect()
    }

    fn figures(&self, key: &Key, most: u64, sums: Sums) -> EndpointTraffic {
        EndpointTraffic {
            endpoint: key.endpoint.clone(),
            proxy_server: self.proxy_server.to_string(),
            target_host: key.target_host.clone(),
            total_requests: sums.requests,
            total_requests_with_bearer_token: sums.with_bearer,
            max_concurrent_requests: most,
            total_request_bytes: sums.request_bytes,
            total_response_bytes: sums.response_bytes,
            failed_requests: sums.failed,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Counters> {
        self.counters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Gauge {
    fn up(&mut self) {
        self.now += 1;
        self.most_of_interval = self.most_of_interval.max(self.now);
        self.most = self.most.max(self.now);
    }

    fn down(&mut self) {
        self.now = self.now.saturating_sub(1);
    }

    /// The most of the interval that ends; what is under way now is under way in the next one too.
    fn turn(&mut self) -> u64 {
        std::mem::replace(&mut self.most_of_interval, self.now)
    }
}

impl Sums {
    fn add(&mut self, figures: Figures) {
        self.requests += 1;
        self.with_bearer += u64::from(figures.bearer);
        self.request_bytes = self.request_bytes.saturating_add(figures.request_bytes);
        self.response_bytes = self.response_bytes.saturating_add(figures.response_bytes);
        self.failed += u64::from(figures.failed);
    }

    fn and(self, other: Self) -> Self {
        Self {
            requests: self.requests + other.requests,
            with_bearer: self.with_bearer + other.with_bearer,
            request_bytes: self.request_bytes.saturating_add(other.request_bytes),
            response_bytes: self.response_bytes.saturating_add(other.response_bytes),
            failed: self.failed + other.failed,
        }
    }
}

/// As the site keeps it.
fn of_site(endpoint: &EndpointTraffic) -> cmglab_site::EndpointTraffic {
    cmglab_site::EndpointTraffic {
        name: endpoint.endpoint.clone(),
        proxy_server: endpoint.proxy_server.clone(),
        target_host: endpoint.target_host.clone(),
        total_requests: endpoint.total_requests,
        with_bearer_token: endpoint.total_requests_with_bearer_token,
        max_concurrent: narrow(endpoint.max_concurrent_requests),
        request_bytes: endpoint.total_request_bytes,
        response_bytes: endpoint.total_response_bytes,
        failed: endpoint.failed_requests,
    }
}

fn narrow(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
