//! What the connection point did.

use serde::Serialize;

/// An event of the CMG connection point.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ConnectionPointEvent {
    /// An established channel ended.
    ChannelClosed {
        /// CMG host and port.
        server: String,
        /// The cause in words.
        cause: String,
    },
    /// A channel stands.
    ChannelConnected {
        /// CMG host and port.
        server: String,
        /// Connection id.
        connection: String,
    },
    /// A channel could not be built.
    ChannelFailed {
        /// CMG host and port.
        server: String,
        /// Connection id that was tried.
        connection: String,
        /// The cause in words.
        cause: String,
    },
    /// A message could not be delivered to the management point.
    ForwardFailed {
        /// Verb.
        method: String,
        /// Internal URL.
        url: String,
        /// Published endpoint.
        endpoint: String,
        /// HTTP status answered in its place.
        status: u16,
        /// Reason phrase answered in its place.
        reason: String,
        /// The cause in words.
        cause: String,
        /// Milliseconds of transport time.
        taken_ms: u64,
    },
    /// The management point answered a message.
    Forwarded {
        /// Verb.
        method: String,
        /// Internal URL.
        url: String,
        /// Published endpoint.
        endpoint: String,
        /// HTTP status.
        status: u16,
        /// Reason phrase as sent on to the CMG.
        reason: String,
        /// Bytes of the answer's body.
        body_bytes: u64,
        /// Milliseconds of transport time.
        taken_ms: u64,
    },
    /// A message is being sent to the management point.
    Forwarding {
        /// URL as the client asked for it.
        external_url: String,
        /// Internal URL.
        url: String,
    },
    /// A message matches no mapping here, whatever the CMG thought.
    NotMapped {
        /// URL as the client asked for it.
        external_url: String,
    },
    /// The site's settings went to the CMG.
    SettingsPushed {
        /// Version of the document.
        version: u64,
    },
}
