//! Who switches the gateway and its connection points on and off, and waits for what comes of it.

use std::time::Duration;

use cmglab_events::kinds::{CmgEvent, ConnectionPointEvent};
use cmglab_events::{Event, Kind};
use cmglab_lab::Lab;
use cmglab_proto::transport::Transport;

use super::actor::{Impossible, words};

/// The one at the switches.
#[derive(Debug)]
pub(super) struct Operator<'a> {
    lab: &'a Lab,
    /// Channels to each instance of the gateway when all that was started works.
    channels: usize,
    /// The version of the site's settings that was last seen at every instance.
    settled: u64,
}

impl<'a> Operator<'a> {
    pub(super) fn new(lab: &'a Lab) -> Self {
        let channels = lab.topology().connection_points.iter().filter(|one| one.running).count();
        Self { lab, channels, settled: 0 }
    }

    /// Ends when the gateway is in service through each of them.
    pub(super) async fn start_connection_points(&mut self) -> Result<(), Impossible> {
        self.lab.start_connection_points().await.map_err(words)?;
        self.channels = self.lab.connection_points().len();
        Ok(())
    }

    /// Ends when each has a channel to each instance, or has tried every transport in vain.
    pub(super) async fn launch_connection_points(&mut self) -> Result<(), Impossible> {
        let from = self.lab.events().snapshot().last().map_or(0, |event| event.seq + 1);
        for nth in 0..self.lab.connection_points().len() {
            self.lab.launch_connection_point(nth).await;
        }
        for round in self.first_rounds() {
            let is_over = |event: &Event| event.seq >= from && round.ends_with(event);
            self.wait("the first round of a connection point", FIRST_ROUND, is_over).await?;
        }
        self.channels = self.fewest_channels();
        Ok(())
    }

    /// Ends when the gateway knows that its channels are gone, so that the next request finds none.
    pub(super) async fn stop_connection_points(&mut self) -> Result<(), Impossible> {
        self.lab.stop_connection_points().await;
        self.channels = 0;
        self.no_channels().await
    }

    /// Ends when its connection points are back, as many as there were.
    pub(super) async fn start_gateway(&mut self) -> Result<(), Impossible> {
        self.lab.cmg().start().await.map_err(words)?;
        let due = self.channels;
        self.wait("the channels", BACK, |_event| self.fewest_channels() >= due).await?;
        self.settle().await
    }

    /// Ends when its ports are closed.
    pub(super) async fn stop_gateway(&self) -> Result<(), Impossible> {
        self.lab.cmg().stop(GRACE).await;
        self.no_channels().await
    }

    /// Waits until the gateway has the site's present settings; an instance without a channel never will.
    pub(super) async fn settle(&mut self) -> Result<(), Impossible> {
        let due = self.lab.site().settings().await.map_err(words)?.version;
        // Events of long ago are no longer to be had.
        if self.settled >= due {
            return Ok(());
        }
        let mut all = true;
        for instance in self.lab.cmg().instances() {
            if instance.statistics().channels == 0 {
                all = false;
                continue;
            }
            let name = instance.name();
            let applied = |event: &Event| match &event.kind {
                Kind::Cmg(CmgEvent::SettingsApplied { version, .. }) => {
                    *version >= due && *event.machine == *name
                }
                _ => false,
            };
            self.wait("the site's settings at the gateway", PATIENCE, applied).await?;
        }
        if all {
            self.settled = due;
        }
        Ok(())
    }

    async fn no_channels(&self) -> Result<(), Impossible> {
        let all_gone = || self.lab.cmg().instances().all(|one| one.statistics().channels == 0);
        self.wait("the end of the channels", PATIENCE, |_event| all_gone()).await
    }

    fn fewest_channels(&self) -> usize {
        self.lab.cmg().instances().map(|one| one.statistics().channels).min().unwrap_or(0)
    }

    /// One for each connection point and instance.
    fn first_rounds(&self) -> Vec<Round> {
        let cmg = &self.lab.topology().cmg;
        let transports = cmg.order_of_trial();
        let points = self.lab.connection_points().iter();
        let rounds = points.flat_map(|point| {
            let of_instance = |instance| Round {
                machine: point.host().to_owned(),
                host: cmg.host.clone(),
                tried: transports
                    .iter()
                    .map(|one| (*one, cmg.ports.of(*one, instance, cmg.instances)))
                    .collect(),
            };
            (1..=cmg.instances).map(of_instance).collect::<Vec<_>>()
        });
        rounds.collect()
    }

    async fn wait(
        &self,
        what: &str,
        patience: Duration,
        matches: impl Fn(&Event) -> bool,
    ) -> Result<(), Impossible> {
        self.lab.events().wait_for(what, patience, matches).await.map(drop).map_err(words)
    }
}

/// One connection point's first trial of every transport to one instance.
struct Round {
    machine: String,
    host: String,
    tried: Vec<(Transport, u16)>,
}

impl Round {
    /// A channel, or the failure of the last transport.
    fn ends_with(&self, event: &Event) -> bool {
        use ConnectionPointEvent::{ChannelConnected, ChannelFailed};
        let last = self.tried.last();
        let to = |transport: Transport, server: &str| {
            let mut known = self.tried.iter().filter(|(one, _port)| *one == transport);
            known.any(|(_one, port)| server == format!("{}:{port}", self.host))
        };
        *event.machine == *self.machine
            && match &event.kind {
                Kind::ConnectionPoint(ChannelConnected { transport, server, .. }) => to(*transport, server),
                Kind::ConnectionPoint(ChannelFailed { transport, server, .. }) => {
                    last.is_some_and(|(one, _port)| one == transport) && to(*transport, server)
                }
                _ => false,
            }
    }
}

const PATIENCE: Duration = Duration::from_secs(10);
/// Azure's own for a role that is stopped.
const GRACE: Duration = Duration::from_secs(1);
/// The patience of a connection point with three transports.
const FIRST_ROUND: Duration = Duration::from_secs(50);
/// Connection points that found nobody wait for up to a minute before they dial again.
const BACK: Duration = Duration::from_secs(65);
