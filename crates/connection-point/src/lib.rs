//! The CMG connection point: a site role beside the management point.
//!
//! It dials the gateway with its own certificate and keeps the channel (configmgr §1.1). Down the channel
//! come two things: the gateway's wish for the site's settings, and clients' messages. A message is mapped
//! again here, whatever the gateway made of it, and forwarded to the management point with this role's
//! client certificate, as a stream in both directions.

mod forward;
mod settings;

use std::sync::Arc;

use axum::body::Body;
use cmglab_net::{Deps, Forwarder};
use cmglab_site::Site;
use cmglab_tls::CertStore;
use cmglab_tunnel::{Connector, ConnectorHandle, MESSAGE_PATH, SETTINGS_PATH, Serve};
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

/// Which gateway to serve.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectionPointConfig {
    /// The gateway's service name.
    pub cmg_host: String,
    /// The port of its instance's TCP-TLS channel (10140 for the first).
    pub cmg_port: u16,
}

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
    forwarder: Forwarder,
    cut: watch::Sender<u64>,
}

impl ConnectionPoint {
    /// A connection point of `site`; it dials nothing before [`ConnectionPoint::start`]. It has two
    /// certificates: that of `channel_store` for the gateway, that of `deps` for the management point.
    #[must_use]
    pub fn new(config: ConnectionPointConfig, site: Site, deps: Deps, channel_store: CertStore) -> Self {
        let (forwarder, cut) = (Forwarder::new(&deps), watch::Sender::new(0));
        Self { shared: Arc::new(Shared { config, deps, channel_store, site, forwarder, cut }) }
    }

    /// Dials the gateway now, and again whenever the channel is lost.
    #[must_use]
    pub fn start(&self) -> ConnectorHandle {
        let shared = Arc::clone(&self.shared);
        let serve: Serve = Arc::new(move |request| Box::pin(Arc::clone(&shared).answer(request)));
        let Shared { config, deps, channel_store, .. } = &*self.shared;
        let dialling = Deps { store: channel_store.clone(), ..deps.clone() };
        Connector::new(dialling, &config.cmg_host, config.cmg_port, serve)
            .cut_by(self.shared.cut.subscribe())
            .start()
    }
}

impl Shared {
    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Response<Body> {
        match request.uri().path() {
            SETTINGS_PATH => settings::answer(&self, request.uri().query()).await,
            MESSAGE_PATH => forward::forward(&self, request).await,
            _ => plain(StatusCode::NOT_FOUND),
        }
    }
}

fn plain(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
