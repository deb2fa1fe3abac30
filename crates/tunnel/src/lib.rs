//! The channel between gateway and connection point.
//!
//! The connection point dials the gateway and keeps the connection; requests then run *against* the
//! direction of the dial. HTTP/2 does not care who dialled: the connection point connects as TLS client
//! and serves HTTP/2 on the stream, the gateway accepts as TLS server and is the HTTP/2 client.
//!
//! That engine runs over any stream of bytes, and there are three ways to one ([`Transport`], configmgr
//! §1.2): a TLS connection of its own ([`accept`]), an HTTPS connection that is upgraded, and a pair of
//! ordinary HTTPS requests, of which one waits (both [`HttpsChannels`]). A [`Connector`] tries them in the
//! order of its [`Target`].
//!
//! [`Envelope`] carries across HTTP/2 what that protocol cannot: the raw target, the MessageID, the
//! client's exchange, and on the way back the reason phrase.
//!
//! Fidelity: documented are the ports and the one-minute maintenance, observed is `990 BGB Session Ended`;
//! the framing between gateway and connection point is not public, and so the lab's.

mod connector;
mod envelope;
mod gateway;
mod https;
mod pieces;
mod pipe;

use std::error::Error;
use std::time::Duration;

use cmglab_net::plain_words;
use tokio::io::{AsyncRead, AsyncWrite};

pub use cmglab_proto::transport::{ChannelPorts, Transport};
pub use connector::{Connector, ConnectorHandle, ConnectorState, Serve, Target};
pub use envelope::{Envelope, EnvelopeError, ReplyEnvelope};
pub use gateway::{Channel, ChannelUp, Registry, SendFailure, accept};
pub use https::HttpsChannels;

/// The ALPN id of the channel, so that its port is not mistaken for ordinary HTTP/2; also the protocol that
/// an HTTPS connection is upgraded to.
pub const ALPN: &[u8] = b"cmglab-channel/1";

/// Where the gateway asks for the site's settings on the channel; `?after=<version>` waits for a newer one.
pub const SETTINGS_PATH: &str = "/settings";

/// Where the gateway sends messages on the channel.
pub const MESSAGE_PATH: &str = "/message";

/// The header in which the connection point names its connection beside the settings, so that the logs of both
/// ends speak of one id.
pub const CONNECTION_HEADER: &str = "x-cmglab-connection";

/// What the engine runs over.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// An error with its causes: the outermost one of hyper says no more than «http2 error».
fn in_words(error: &dyn Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        words = format!("{words}: {inner}");
        cause = inner.source();
    }
    plain_words(&words)
}

/// [`ALPN`] as a header's value.
const UPGRADE: &str = "cmglab-channel/1";
/// Where an HTTPS connection becomes a channel.
const UPGRADE_PATH: &str = "/cmglab/channel";
/// Where a long poll's session is opened; below it, by its id, are its two requests.
const SESSIONS_PATH: &str = "/cmglab/channel/sessions";
/// The most bytes in one request or answer of a long poll.
const LARGEST_PIECE: usize = 256 * 1024;
/// How long a poll waits for bytes before it is answered without any.
const POLL_WAIT: Duration = Duration::from_secs(20);
/// Answered for a session that is not known, or no longer (configmgr §5.8). Observed.
const SESSION_ENDED: (u16, &str) = (990, "BGB Session Ended");

const STREAM_WINDOW: u32 = 256 * 1024;
/// Room for every stream's window at once: however many readers hang, none takes room from another.
const CONNECTION_WINDOW: u32 = MOST_STREAMS * STREAM_WINDOW;
const MOST_STREAMS: u32 = 4096;
/// More than an edge takes, with the envelope.
const LARGEST_HEAD: u32 = 256 * 1024;
const KEEP_ALIVE: Duration = Duration::from_secs(20);
const KEEP_ALIVE_PATIENCE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests;
