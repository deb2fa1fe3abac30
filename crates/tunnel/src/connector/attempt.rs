//! One attempt at a channel over one transport.

use std::time::Duration;

use cmglab_net::{Deps, dial};
use tokio::io::{AsyncBufReadExt as _, BufReader};

use super::{Target, http1, poll};
use crate::{ALPN, Stream, Transport};

/// What is tried.
#[derive(Debug, Clone)]
pub(super) struct Attempt {
    pub(super) transport: Transport,
    /// Host and port, as events show them.
    pub(super) server: String,
    pub(super) connection: String,
    host: String,
    port: u16,
}

/// A stream on which the gateway has spoken: only that proves that this connection point was admitted.
pub(super) struct Up {
    pub(super) attempt: Attempt,
    pub(super) stream: Opened,
}

/// Buffered, so that the gateway's first words can be awaited without taking them.
pub(super) type Opened = BufReader<Box<dyn Stream>>;

impl Attempt {
    pub(super) fn new(deps: &Deps, target: &Target, transport: Transport) -> Self {
        let (host, port) =
            (target.host.clone(), target.ports.of(transport, target.instance, target.instances));
        let connection = deps.ids.guid().to_string();
        Self { transport, server: format!("{host}:{port}"), connection, host, port }
    }

    /// Dials, and waits for the gateway's first words; the error is the cause in words.
    pub(super) async fn open(self, deps: &Deps) -> Result<Up, String> {
        let Self { host, port, .. } = &self;
        let opened = match self.transport {
            Transport::TcpTls => tcp(deps, host, *port).await,
            Transport::HttpsUpgrade => http1::upgrade(deps, host, *port).await,
            Transport::LongPoll => poll::open(deps, host, *port).await,
        };
        let stream = self.hello(opened?).await?;
        Ok(Up { attempt: self, stream })
    }

    /// A client of TLS 1.3 believes itself connected before the server has judged its certificate.
    async fn hello(&self, stream: Box<dyn Stream>) -> Result<Opened, String> {
        let mut stream = BufReader::new(stream);
        match tokio::time::timeout(HELLO_PATIENCE, stream.fill_buf()).await {
            Ok(Ok([])) => Err(TURNED_AWAY.to_owned()),
            Ok(Ok(_first_words)) => Ok(stream),
            Ok(Err(error)) if self.transport == Transport::LongPoll => Err(error.to_string()),
            Ok(Err(error)) => Err(format!("{TURNED_AWAY}: {error}")),
            Err(_elapsed) => Err(format!("the gateway said nothing within {HELLO_PATIENCE:?}")),
        }
    }
}

async fn tcp(deps: &Deps, host: &str, port: u16) -> Result<Box<dyn Stream>, String> {
    let stream = dial(deps, host, port, &[ALPN]).await.map_err(|error| error.cause)?;
    if stream.get_ref().1.alpn_protocol() != Some(ALPN) {
        return Err("what answers there does not speak the channel's protocol".to_owned());
    }
    Ok(Box::new(stream))
}

const TURNED_AWAY: &str = "the gateway turned this connection point away";
/// Longer than the gateway takes to fetch CRLs.
pub(super) const HELLO_PATIENCE: Duration = Duration::from_secs(15);
