//! CCM messaging: what a client and a management point say to each other under `CCM_POST`.
//!
//! A message is a `multipart/mixed` body of exactly two parts: a `<Msg>` header in UTF-16 and a payload,
//! mostly a zlib stream of UTF-16 XML. Both directions are here: a client encodes a [`Request`] and
//! decodes a [`Reply`], a management point does the reverse.
//!
//! Fidelity: observed, after the sources of public clients (mp-wire §1 to §3, §7); the header of a
//! reply and the operational settings are lab. Decoding is lenient about the variants that those
//! clients send and strict about everything that could be read in two ways; encoding writes one form.

mod endpoint;
mod error;
mod hook;
mod limits;
pub mod location;
mod msg;
pub mod multipart;
pub mod payload;
pub mod registration;
mod reply;
mod request;
pub mod sign;
pub mod xml;

pub use endpoint::Endpoint;
pub use error::CcmError;
pub use hook::{ClientAuth, Hook};
pub use limits::Limits;
pub use msg::{Attachment, ByteRange, Msg, ReplyCompression, ReplyMode, SourceId};
pub use registration::{ClientRegistrationRequest, ClientRegistrationResponse};
pub use reply::Reply;
pub use request::{LengthMismatch, Request};

/// The HTTP method of every message (mp-wire §1.1).
pub const METHOD: &str = "CCM_POST";

/// The boundary that we write. One public client splits a reply on this literal instead of reading the
/// header, so it never varies (mp-wire §2, rule 1).
pub const BOUNDARY: &str = "aAbBcCdDv1234567890VxXyYzZ";

/// The `Content-Type` of every message that we write; names [`BOUNDARY`], in quotes.
pub const CONTENT_TYPE: &str = "multipart/mixed; boundary=\"aAbBcCdDv1234567890VxXyYzZ\"";

/// The `User-Agent` of a client that sends messages (mp-wire §1.1).
pub const USER_AGENT: &str = "ConfigMgr Messaging HTTP Sender";

#[cfg(test)]
mod tests;
