//! A message from a management point to a client, in the HTTP response of its request (mp-wire §2).

use std::fmt;

use jiff::Timestamp;

use super::multipart::{self, Spelling};
use super::payload::{self, BOM};
use super::request::Parts;
use super::{ByteRange, CcmError, Endpoint, Hook, Limits, Msg, ReplyCompression};
use crate::ids::MessageId;

/// A reply on its way to a client.
#[derive(Clone, PartialEq, Eq)]
pub struct Reply {
    /// The header. No public client reads it; what we write into it is lab.
    pub msg: Msg,
    /// The document.
    pub payload: String,
}

impl Reply {
    /// The reply to `request`: correlated with it, addressed to where it wants its reply, compressed if
    /// it wants that. `host` is the management point's own name.
    #[must_use]
    pub fn answering(request: &Msg, id: MessageId, sent_time: Timestamp, host: &str, payload: &str) -> Self {
        let (target_host, endpoint) = destination(&request.reply_to);
        let compress = request.wants_compressed_reply();
        let length = payload::utf16_nul(payload).len();
        let msg = Msg {
            correlation: request.id,
            reply_compression: Some(if compress { ReplyCompression::Zlib } else { ReplyCompression::None }),
            body: Some(ByteRange { offset: 0, length }),
            hooks: compress.then(Hook::zlib).into_iter().collect(),
            source_host: host.to_owned(),
            target_address: request.reply_to.clone(),
            target_host: target_host.to_owned(),
            ..Msg::new(id, Endpoint::from_name(endpoint), sent_time)
        };
        Self { msg, payload: payload.to_owned() }
    }

    /// The `Content-Type` and the body of the HTTP response. Send it with a `Content-Length`, never in
    /// chunks: one public client looks that header up.
    ///
    /// The payload is UTF-16 with exactly one NUL and neither byte order mark nor line end: public
    /// clients drop exactly the last character and parse the rest.
    #[must_use]
    pub fn encode(&self) -> (String, Vec<u8>) {
        let plain = payload::utf16_nul(&self.payload);
        let payload = if self.msg.is_compressed() { payload::deflate(&plain) } else { plain };
        let header = [&BOM[..], &payload::utf16(&self.msg.to_reply_xml())].concat();
        multipart::join(Spelling::Reply, &header, &payload)
    }

    /// Reads a reply from the `Content-Type` and the body of an HTTP response. An empty body is not a
    /// reply: it says that the message was dropped or is answered later.
    ///
    /// # Errors
    ///
    /// Every cause of [`CcmError`] but those of signatures.
    pub fn decode(content_type: &str, body: &[u8], limits: &Limits) -> Result<Self, CcmError> {
        let parts = Parts::read(content_type, body, limits)?;
        let (payload, _) = parts.document()?;
        Ok(Self { msg: parts.msg, payload })
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The text may carry tokens.
        f.debug_struct("Reply").field("msg", &self.msg).field("payload", &self.payload.len()).finish()
    }
}

// `direct:<host>:<endpoint>` as host and endpoint; either may be missing.
fn destination(reply_to: &str) -> (&str, &str) {
    let rest = reply_to.split_once(':').map_or(reply_to, |(_, rest)| rest);
    rest.rsplit_once(':').unwrap_or((rest, DEFAULT_ENDPOINT))
}

const DEFAULT_ENDPOINT: &str = "SccmMessaging";
