//! One instance of the gateway.

use std::sync::Arc;

use arc_swap::ArcSwap;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use cmglab_net::{Deps, Listen, OpenIdKeys, ServeError, ServerHandle, counted, response_head_bytes};
use cmglab_tls::{ClientJudge, TlsError};
use cmglab_tunnel::{HttpsChannels, Registry};
use http::{Request, Response};
use tokio_util::sync::CancellationToken;

use crate::config::CmgConfig;
use crate::content::CmgContent;
use crate::egress::Meter;
use crate::settings::CurrentSettings;
use crate::statistics::{InstanceStatistics, Statistics};
use crate::traffic::{self, Traffic};
use crate::{Shared, channel, route};

/// One gateway instance. Cheap to clone; clones are the same instance.
#[derive(Debug, Clone)]
pub struct Cmg {
    pub(crate) shared: Arc<Shared>,
}

impl Cmg {
    /// An instance that knows nothing yet: it learns tenants, keys and mappings from the site, through the
    /// first channel that is dialled in. `connection_points` judges who may dial; what leaves the
    /// instance is counted by `egress`, which all instances of a service share, as they do the `content`.
    ///
    /// # Errors
    /// [`TlsError`] when the judge of client certificates cannot be made.
    pub fn new(
        config: CmgConfig,
        deps: Deps,
        connection_points: ClientJudge,
        egress: Meter,
        content: Option<CmgContent>,
    ) -> Result<Self, TlsError> {
        let judge =
            ClientJudge::new(&[], Some(deps.store.crls().clone()), deps.clock.clone())?.by_uploads_alone();
        let shared = Shared {
            traffic: Traffic::new(deps.clock.now()),
            keys: OpenIdKeys::new(&deps),
            settings: CurrentSettings::default(),
            channels: Registry::new(),
            statistics: Statistics::new(config.limits.most_requests),
            egress,
            content,
            judge,
            connection_points,
            run: ArcSwap::from_pointee(CancellationToken::new()),
            config,
            deps,
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// The judge of client certificates on the public port: it trusts the authorities that the site uploads.
    #[must_use]
    pub fn judge(&self) -> ClientJudge {
        self.shared.judge.clone()
    }

    /// The role instance name of its virtual machine.
    #[must_use]
    pub fn name(&self) -> &str {
        self.shared.deps.events.machine()
    }

    /// The public port's service.
    pub fn router(&self) -> Router {
        Router::new().fallback(answer).with_state(Arc::clone(&self.shared))
    }

    /// What takes the channels that connection points build over HTTPS; its paths belong on the public port
    /// of a single instance, and on a port of their own otherwise (configmgr §1.2).
    pub(crate) fn https_channels(&self) -> HttpsChannels {
        channel::over_https(&self.shared)
    }

    /// Opens the TCP-TLS port that connection points dial.
    ///
    /// # Errors
    /// [`ServeError`] when the port cannot be opened.
    pub async fn accept_channels(&self, listen: Listen) -> Result<ServerHandle, ServeError> {
        channel::accept(Arc::clone(&self.shared), listen).await
    }

    /// What it has done so far.
    #[must_use]
    pub fn statistics(&self) -> InstanceStatistics {
        self.shared.statistics.read(self.shared.channels.len())
    }

    /// Starts its statistics: a report every five minutes of protocol time.
    pub fn begin(&self) {
        let run = CancellationToken::new();
        self.shared.run.swap(Arc::new(run.clone())).cancel();
        self.shared.traffic.restart(self.shared.deps.clock.now());
        tokio::spawn(traffic::report(Arc::downgrade(&self.shared), run));
    }

    /// Reports the traffic of the open interval, as at the end of every interval, and forgets what the site
    /// has told, as a machine does that goes down.
    pub fn end(&self) {
        self.shared.this_run().cancel();
        self.shared.traffic.flush(&self.shared.deps);
        self.shared.settings.forget();
    }
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request<Body>) -> Response<Body> {
    shared.statistics.request();
    let (statistics, egress) = (shared.statistics.clone(), shared.egress.clone());
    let response = route::handle(State(shared), request).await;
    let head = response_head_bytes(&response);
    response.map(|body| {
        counted(body, move |bytes| {
            statistics.sent(head + bytes);
            egress.add(head + bytes);
        })
    })
}
