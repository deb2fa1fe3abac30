//! What travels beside a request on the channel, in one private header.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cmglab_proto::ids::{ExchangeId, MessageId};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The gateway's side: what is being asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Envelope {
    /// The id the gateway gave this request.
    pub message: MessageId,
    /// The client's exchange, for correlation only.
    pub exchange: Option<ExchangeId>,
    /// Path and query as the gateway received and judged them, byte for byte.
    pub target: String,
    /// Scheme and host the client asked, for the log.
    pub origin: String,
}

/// The connection point's side: what HTTP/2 drops from the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplyEnvelope {
    /// Reason phrase of the answer.
    pub reason: String,
    /// IIS substatus of the answer.
    #[serde(default)]
    pub substatus: u16,
}

/// An envelope that cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// There is none.
    #[error("the message carries no envelope; only a gateway of this lab may speak on the channel")]
    Missing,
    /// It cannot be read.
    #[error("the envelope is unreadable: {cause}")]
    Malformed {
        /// The cause in words.
        cause: String,
    },
}

impl Envelope {
    /// The URL the client asked for.
    #[must_use]
    pub fn external_url(&self) -> String {
        format!("{}{}", self.origin, self.target)
    }

    /// Puts the envelope on a message, in place of any header of that name.
    pub fn attach(&self, headers: &mut HeaderMap) {
        attach(self, headers);
    }

    /// Takes the envelope off a message.
    ///
    /// # Errors
    /// [`EnvelopeError`] when there is none or it cannot be read.
    pub fn detach(headers: &mut HeaderMap) -> Result<Self, EnvelopeError> {
        detach(headers)
    }
}

impl ReplyEnvelope {
    /// Puts the envelope on an answer, in place of any header of that name.
    pub fn attach(&self, headers: &mut HeaderMap) {
        attach(self, headers);
    }

    /// Takes the envelope off an answer.
    ///
    /// # Errors
    /// [`EnvelopeError`] when there is none or it cannot be read.
    pub fn detach(headers: &mut HeaderMap) -> Result<Self, EnvelopeError> {
        detach(headers)
    }
}

fn attach<T: Serialize>(envelope: &T, headers: &mut HeaderMap) {
    headers.remove(&HEADER);
    let json = serde_json::to_vec(envelope).unwrap_or_default();
    if let Ok(value) = HeaderValue::from_str(&URL_SAFE_NO_PAD.encode(json)) {
        headers.insert(HEADER, value);
    }
}

fn detach<T: DeserializeOwned>(headers: &mut HeaderMap) -> Result<T, EnvelopeError> {
    let value = headers.remove(&HEADER).ok_or(EnvelopeError::Missing)?;
    let malformed = |cause: String| EnvelopeError::Malformed { cause };
    if value.len() > LONGEST {
        return Err(malformed(format!("longer than {LONGEST} bytes")));
    }
    let json = URL_SAFE_NO_PAD.decode(value.as_bytes()).map_err(|error| malformed(error.to_string()))?;
    serde_json::from_slice(&json).map_err(|error| malformed(error.to_string()))
}

/// A header of this name from a client or a management point is removed before it could be mistaken.
const HEADER: HeaderName = HeaderName::from_static("x-cmglab-envelope");
/// Room for the longest target that an edge takes (64 KiB).
const LONGEST: usize = 128 * 1024;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn envelope(target: &str) -> Envelope {
        Envelope {
            message: "3087bd34-b82c-4950-b972-e82bb0fb8385".parse().unwrap(),
            exchange: None,
            target: target.to_owned(),
            origin: "https://CMG.LAB.TEST".to_owned(),
        }
    }

    #[test]
    fn it_replaces_a_forged_header_of_its_name() {
        let mut headers = HeaderMap::new();
        headers.append(HEADER, HeaderValue::from_static("forged"));
        headers.append(HEADER, HeaderValue::from_static("twice"));
        envelope("/a").attach(&mut headers);
        assert_eq!(Envelope::detach(&mut headers), Ok(envelope("/a")));
        assert_eq!(Envelope::detach(&mut headers), Err(EnvelopeError::Missing));
    }

    proptest! {
        #[test]
        fn any_target_survives(target in "\\PC{0,200}") {
            let mut headers = HeaderMap::new();
            envelope(&target).attach(&mut headers);
            prop_assert_eq!(Envelope::detach(&mut headers).unwrap().target, target);
        }

        #[test]
        fn any_header_value_is_read_or_refused(value in "[!-~]{0,300}") {
            let mut headers = HeaderMap::new();
            headers.insert(HEADER, HeaderValue::from_str(&value).unwrap());
            let _ = Envelope::detach(&mut headers);
        }
    }
}
