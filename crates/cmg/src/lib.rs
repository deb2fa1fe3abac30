//! The cloud management gateway.
//!
//! A request passes, in this order: the site's settings must be known; the raw target must have one meaning
//! ([`route`](self)); the token must satisfy a validator chosen by issuer and audience (`gate`); then
//! it is relayed over a connection point's channel (`relay`). What is invalid is refused here and never
//! forwarded (configmgr §1.4).

mod answer;
mod channel;
mod config;
mod gate;
mod relay;
mod route;
mod settings;
mod traffic;

use std::sync::Arc;

use axum::Router;
use cmglab_net::{Deps, Listen, OpenIdKeys, ServeError, ServerHandle};
use cmglab_tls::{ClientJudge, TlsError};
use cmglab_tunnel::Registry;
use tokio_util::sync::CancellationToken;

pub use config::CmgConfig;

use settings::CurrentSettings;
use traffic::Traffic;

/// One gateway instance. Cheap to clone; clones are the same instance.
#[derive(Debug, Clone)]
pub struct Cmg {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    config: CmgConfig,
    deps: Deps,
    settings: CurrentSettings,
    keys: OpenIdKeys,
    channels: Registry,
    traffic: Traffic,
    judge: ClientJudge,
    stop: CancellationToken,
}

impl Cmg {
    /// An instance that knows nothing yet: it learns tenants, keys and mappings from the site, through the
    /// first channel that is dialled in.
    ///
    /// # Errors
    /// [`TlsError`] when the judge of client certificates cannot be made.
    pub fn new(config: CmgConfig, deps: Deps) -> Result<Self, TlsError> {
        let judge = ClientJudge::new(&[], Some(deps.store.crls().clone()), deps.clock.clone())?;
        let traffic = Traffic::new(deps.clock.now());
        let keys = OpenIdKeys::new(&deps);
        let (settings, channels, stop) =
            (CurrentSettings::default(), Registry::new(), CancellationToken::new());
        let shared = Shared { config, deps, settings, keys, channels, traffic, judge, stop };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// The judge of client certificates on the public port: it trusts the roots that the site uploads.
    #[must_use]
    pub fn judge(&self) -> ClientJudge {
        self.shared.judge.clone()
    }

    /// The public port's service.
    pub fn router(&self) -> Router {
        Router::new().fallback(route::handle).with_state(Arc::clone(&self.shared))
    }

    /// Opens the port that connection points dial, and keeps the statistics of both ports.
    ///
    /// # Errors
    /// [`ServeError`] when the port cannot be opened.
    pub async fn accept_channels(&self, listen: Listen) -> Result<ServerHandle, ServeError> {
        tokio::spawn(traffic::report(Arc::clone(&self.shared)));
        channel::accept(Arc::clone(&self.shared), listen).await
    }

    /// Reports the traffic of the open interval, as at the end of every interval, and stops reporting.
    pub fn drain(&self) {
        self.shared.stop.cancel();
        self.shared.traffic.flush(&self.shared.deps);
    }
}

impl Shared {
    fn origin(&self) -> String {
        format!("https://{}", self.config.host)
    }
}
