//! What stands before the instances of a service and spreads its clients over them.
//!
//! Fidelity: documented that a load balancer of Azure does it (configmgr §1.3). It works on connections, keeps
//! the caller's address, and sees whether an instance's port is open, not whether the instance has a channel.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cmglab_events::kinds::NetEvent;
use cmglab_net::{Deps, Listen, ServeError, ServerHandle};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

/// A running front. Dropping it closes its socket.
#[derive(Debug)]
pub(crate) struct Front {
    _accepting: AbortOnDropHandle<()>,
}

impl Front {
    /// Listens as `listen` says and hands each connection to the next of `instances`.
    pub(crate) async fn open(
        deps: &Deps,
        listen: &Listen,
        instances: Vec<Arc<ServerHandle>>,
        stop: CancellationToken,
    ) -> Result<Self, ServeError> {
        let url = format!("https://{}", listen.host);
        let trouble = |error: std::io::Error| ServeError::Bind {
            what: url.clone(),
            bind: listen.bind,
            cause: error.to_string(),
            fix: "free the port or choose another address",
        };
        let listener = TcpListener::bind(listen.bind).await.map_err(trouble)?;
        let address = listener.local_addr().map_err(trouble)?;
        deps.resolver.point(&listen.host, listen.port, address);
        deps.events.emit(NetEvent::Listening { url: url.clone(), address: address.to_string() });
        let spread = Spread { instances, next: AtomicUsize::new(0) };
        let accepting = tokio::spawn(async move {
            let _stopped = stop.run_until_cancelled(spread.accept(listener)).await;
        });
        Ok(Self { _accepting: AbortOnDropHandle::new(accepting) })
    }
}

struct Spread {
    instances: Vec<Arc<ServerHandle>>,
    next: AtomicUsize,
}

impl Spread {
    async fn accept(self, listener: TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, address)) => self.hand_over(stream, address),
                Err(error) => {
                    tracing::warn!(%error, "accept failed");
                    tokio::time::sleep(ACCEPT_AGAIN).await;
                }
            }
        }
    }

    /// In turn; an instance whose port is closing is passed over. With none open the caller is cut off.
    fn hand_over(&self, mut stream: TcpStream, address: SocketAddr) {
        let first = self.next.fetch_add(1, Ordering::Relaxed);
        for nth in 0..self.instances.len() {
            let index = first.wrapping_add(nth).checked_rem(self.instances.len());
            let Some(instance) = index.and_then(|index| self.instances.get(index)) else { return };
            match instance.take_over(stream, address) {
                Ok(()) => return,
                Err(untouched) => stream = untouched,
            }
        }
    }
}

const ACCEPT_AGAIN: Duration = Duration::from_millis(50);
