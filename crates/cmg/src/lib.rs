//! The cloud management gateway.
//!
//! A service has one to sixteen instances ([`Cmg`]), each with its own listeners, channels and statistics, and
//! behind them what spreads clients over them ([`CmgService`]).
//!
//! A request passes, in this order: the site's settings must be known; the raw target must have one meaning
//! (`route`); the token must satisfy a validator chosen by issuer and audience (`gate`), or the client
//! certificate must be good (`mutual`); then it is relayed over a connection point's channel (`relay`). What is
//! invalid is refused here and never forwarded (configmgr §1.4).

mod answer;
mod channel;
mod config;
mod content;
mod egress;
mod front;
mod gate;
mod instance;
mod relay;
mod route;
mod service;
mod settings;
mod statistics;
mod traffic;

use arc_swap::ArcSwap;
use cmglab_net::{Deps, OpenIdKeys};
use cmglab_tls::ClientJudge;
use cmglab_tunnel::Registry;
use tokio_util::sync::CancellationToken;

pub use config::{CmgConfig, Limits, VmSize};
pub use content::{CmgContent, ContentAsk, ContentError, ContentStore, Storage, StorageConfig};
pub use egress::{CostAlert, Meter};
pub use instance::Cmg;
pub use service::{CmgService, InstancePorts};
pub use statistics::InstanceStatistics;

use settings::CurrentSettings;
use statistics::Statistics;
use traffic::Traffic;

#[derive(Debug)]
struct Shared {
    config: CmgConfig,
    deps: Deps,
    settings: CurrentSettings,
    keys: OpenIdKeys,
    channels: Registry,
    traffic: Traffic,
    statistics: Statistics,
    egress: Meter,
    /// Where the gateway is content-enabled.
    content: Option<CmgContent>,
    judge: ClientJudge,
    connection_points: ClientJudge,
    /// Cancelled when the virtual machine goes down; a new one stands for its next run.
    run: ArcSwap<CancellationToken>,
}

impl Shared {
    fn origin(&self) -> String {
        format!("https://{}", self.config.host)
    }

    fn this_run(&self) -> CancellationToken {
        CancellationToken::clone(&self.run.load())
    }
}
