//! Sockets and HTTP for every role: one accept loop, one way to call another role, one resolver.
//!
//! * [`Deps`] is what every service is made with.
//! * [`serve`] accepts connections; handshakes never block `accept`, ambiguous requests never reach a
//!   handler, every answered request is one `Served` event, and every handler sees a [`Peer`] with the
//!   verdict on its certificate.
//! * [`HttpClient`] calls another role by its real name; [`Forwarder`] relays a body as a stream.
//! * [`OpenIdKeys`] fetches an issuer's signing keys, for every role that verifies tokens.
//! * [`Resolver`] knows the lab's names and no others: no request can leave the lab.

mod body;
mod crl;
mod deps;
mod dial;
mod error;
mod forward;
mod hop_headers;
mod http_client;
mod leftover;
mod openid;
mod patient;
mod peer;
mod range;
mod request_guard;
mod resolver;
mod serve;
mod served;
mod wire;
mod wishes;

pub use body::{counted, counted_as_it_flows, read_capped};
pub use crl::{http_get, judge};
pub use deps::Deps;
pub use dial::dial;
pub use error::{CallError, CallFailure, ServeError, plain_words};
pub use forward::Forwarder;
pub use hop_headers::strip_hop_headers;
pub use http_client::{Answer, Call, HttpClient};
pub use openid::{Fetch, IssuerKeys, KeysUnavailable, OpenIdKeys};
pub use patient::until_still;
pub use peer::{Exchange, Peer};
pub use range::Wanted;
pub use resolver::Resolver;
pub use serve::{Listen, ServerHandle, serve, serve_streams};
pub use served::{Substatus, reason_of, request_head_bytes, response_head_bytes, shown};

/// The header in which a client of the lab names its exchange. The CMG records it and never forwards it.
pub const EXCHANGE_HEADER: &str = "x-cmglab-exchange";

/// The header that carries the CMG's MessageID from connection point to management point. The management
/// point never decides anything by it.
pub const MESSAGE_HEADER: &str = "x-cmglab-message-id";

#[cfg(test)]
mod tests;
