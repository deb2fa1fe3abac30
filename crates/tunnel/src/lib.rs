//! The channel between gateway and connection point.
//!
//! The connection point dials the gateway and keeps the connection; requests then run *against* the
//! direction of the dial. HTTP/2 does not care who dialled: the connection point connects as TLS client
//! and serves HTTP/2 on the stream, the gateway accepts as TLS server and is the HTTP/2 client.
//!
//! [`Envelope`] carries across HTTP/2 what that protocol cannot: the raw target, the MessageID, the
//! client's exchange, and on the way back the reason phrase. The first transport is TCP-TLS on the
//! documented ports 10140 and up (configmgr §1.2).
//!
//! Fidelity: lab. The product's framing between gateway and connection point is not public.

mod connector;
mod envelope;
mod gateway;

use std::error::Error;
use std::time::Duration;

pub use connector::{Connector, ConnectorHandle, Serve};
pub use envelope::{Envelope, EnvelopeError, ReplyEnvelope};
pub use gateway::{Channel, ChannelError, ChannelUp, Registry, accept};

/// The ALPN id of the channel, so that its port is not mistaken for ordinary HTTP/2.
pub const ALPN: &[u8] = b"cmglab-channel/1";

/// The TCP-TLS port of the first CMG instance; instance *n* listens on this plus *n* − 1.
pub const FIRST_PORT: u16 = 10140;

/// Where the gateway asks for the site's settings on the channel; `?after=<version>` waits for a newer one.
pub const SETTINGS_PATH: &str = "/settings";

/// Where the gateway sends messages on the channel.
pub const MESSAGE_PATH: &str = "/message";

/// An error with its causes: the outermost one of hyper says no more than «http2 error».
fn in_words(error: &dyn Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        words = format!("{words}: {inner}");
        cause = inner.source();
    }
    words
}

/// The header in which the connection point names its connection beside the settings, so that the logs of both
/// ends speak of one id.
pub const CONNECTION_HEADER: &str = "x-cmglab-connection";

const STREAM_WINDOW: u32 = 256 * 1024;
const CONNECTION_WINDOW: u32 = 8 * 1024 * 1024;
const MOST_STREAMS: u32 = 4096;
/// More than an edge takes, with the envelope.
const LARGEST_HEAD: u32 = 256 * 1024;
const KEEP_ALIVE: Duration = Duration::from_secs(20);
const KEEP_ALIVE_PATIENCE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests;
