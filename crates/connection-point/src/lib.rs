//! The CMG connection point: a site role beside the management point.
//!
//! It dials every instance of the gateway with its own certificate and keeps the channels, looking after them
//! once a minute (configmgr §1.1). Down a channel come two things: the gateway's wish for the site's settings,
//! and clients' messages. A message is mapped again here, whatever the gateway made of it, and forwarded to
//! the management point with this role's client certificate, as a stream in both directions. What passes is
//! reported every five minutes.

mod account;
mod answer;
mod certificates;
mod config;
mod forward;
mod headers;
mod pulse;
mod running;
mod settings;
mod traffic;

use std::sync::Arc;

use axum::body::Body;
use cmglab_net::{Deps, Forwarder};
use cmglab_site::Site;
use cmglab_tls::CertStore;
use cmglab_tunnel::{MESSAGE_PATH, SETTINGS_PATH};
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use tokio::sync::{Semaphore, watch};

pub use certificates::Candidate;
pub use cmglab_events::kinds::EndpointTraffic;
pub use config::{ConnectionPointConfig, Limits};
pub use running::ConnectionPointHandle;

use certificates::Certificates;
use traffic::Traffic;

/// The connection point. Cheap to clone; clones are the same role.
#[derive(Debug, Clone)]
pub struct ConnectionPoint {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    config: ConnectionPointConfig,
    deps: Deps,
    channel_store: CertStore,
    site: Site,
    certificates: Certificates,
    forwarder: Forwarder,
    traffic: Traffic,
    /// One for each message that may be under way.
    places: Arc<Semaphore>,
}

impl ConnectionPoint {
    /// A connection point of `site`; it dials nothing before [`ConnectionPoint::start`]. For the gateway it
    /// has the certificate of `channel_store`; for the management point it chooses one of `candidates`, the
    /// certificates of its machine, and presents it through the store of `deps`.
    #[must_use]
    pub fn new(
        config: ConnectionPointConfig,
        site: Site,
        deps: Deps,
        channel_store: CertStore,
        candidates: Vec<Candidate>,
    ) -> Self {
        let forwarder = Forwarder::new(&deps);
        let traffic = Traffic::new(&config.cmg_host, deps.clock.now());
        let places = Arc::new(Semaphore::new(config.limits.places()));
        let certificates = Certificates::new(candidates, config.verbose);
        let shared = Shared { config, deps, channel_store, site, certificates, forwarder, traffic, places };
        Self { shared: Arc::new(shared) }
    }

    /// Chooses its client certificate, then dials every instance of the gateway, and again whenever a channel
    /// is lost.
    #[must_use]
    pub fn start(&self) -> ConnectionPointHandle {
        running::start(Arc::clone(&self.shared))
    }

    /// What has passed through each endpoint since the role was made.
    #[must_use]
    pub fn traffic(&self) -> Vec<EndpointTraffic> {
        self.shared.traffic.totals()
    }
}

impl Shared {
    /// Answers what comes down one channel, which `cut` cuts.
    async fn answer(self: Arc<Self>, request: Request<Incoming>, cut: watch::Sender<u64>) -> Response<Body> {
        match request.uri().path() {
            SETTINGS_PATH => settings::answer(&self, request.uri().query()).await,
            MESSAGE_PATH => forward::forward(&self, request, &cut).await,
            _ => plain(StatusCode::NOT_FOUND),
        }
    }
}

fn plain(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests;
