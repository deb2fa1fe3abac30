//! A message from a client to a management point (mp-wire §1).

use std::fmt;

use super::multipart::{self, Spelling};
use super::payload::{self, BOM};
use super::sign::{self, HashAlgorithm, PublicKey, Signer};
use super::{Attachment, ByteRange, CcmError, ClientAuth, Limits, Msg};
use crate::ids::ClientGuid;

/// A message on its way to a management point.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// The header.
    pub msg: Msg,
    /// The first document of the payload: its original text, on which signatures inside it rest.
    pub payload: String,
    /// Texts of the further documents, in the order of the header's attachments.
    pub attachments: Vec<String>,
    /// The payload as transmitted; the payload signature covers exactly these bytes.
    pub payload_bytes: Vec<u8>,
    /// Set when the header declares another length than the payload has. Some clients always do.
    pub length_mismatch: Option<LengthMismatch>,
}

/// A declared length that is not the real one. Worth a log line, not a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LengthMismatch {
    /// What the header says, in bytes.
    pub declared: usize,
    /// Bytes of the uncompressed payload up to and including its first NUL.
    pub actual: usize,
}

impl Request {
    /// A message with one document. Compresses when `msg` has the hook for it, and sets the header's
    /// body range.
    #[must_use]
    pub fn new(msg: Msg, payload: &str) -> Self {
        Self::with_attachments(msg, payload, &[])
    }

    /// A message with further documents, each a name and a text, all in one payload. Fidelity: lab; what
    /// stands between the documents is not public, here each ends with one NUL.
    #[must_use]
    pub fn with_attachments(mut msg: Msg, payload: &str, attachments: &[(&str, &str)]) -> Self {
        let mut plain = payload::utf16_nul(payload);
        msg.body = Some(ByteRange { offset: 0, length: plain.len() });
        msg.attachments.clear();
        for (name, text) in attachments {
            let bytes = payload::utf16_nul(text);
            let range = ByteRange { offset: plain.len(), length: bytes.len() };
            msg.attachments.push(Attachment { name: (*name).to_owned(), range });
            plain.extend_from_slice(&bytes);
        }
        if msg.is_compressed() {
            // Native senders join a line end to the text before they compress it.
            plain.extend_from_slice(b"\r\n");
            plain = payload::deflate(&plain);
        }
        Self {
            msg,
            payload: payload.trim().to_owned(),
            attachments: attachments.iter().map(|(_, text)| text.trim().to_owned()).collect(),
            payload_bytes: plain,
            length_mismatch: None,
        }
    }

    /// Reads a message from the `Content-Type` and the body of an HTTP request.
    ///
    /// # Errors
    ///
    /// Every cause of [`CcmError`] but those of signatures, which are verified apart.
    pub fn decode(content_type: &str, body: &[u8], limits: &Limits) -> Result<Self, CcmError> {
        let parts = Parts::read(content_type, body, limits)?;
        let (payload, length_mismatch) = parts.document()?;
        let attachments = parts.attachments()?;
        let payload_bytes = parts.payload.to_vec();
        Ok(Self { msg: parts.msg, payload, attachments, payload_bytes, length_mismatch })
    }

    /// The `Content-Type` and the body of the HTTP request (mp-wire §1.2).
    #[must_use]
    pub fn encode(&self) -> (String, Vec<u8>) {
        let header = [&BOM[..], &payload::utf16(&self.msg.to_request_xml())].concat();
        multipart::join(Spelling::Request, &header, &self.payload_bytes)
    }

    /// Signs the payload, and the client's id when there is one already, as computer `sender`.
    ///
    /// # Errors
    ///
    /// [`CcmError::CannotSign`], [`CcmError::BadKey`].
    pub fn sign(
        &mut self,
        key: &dyn Signer,
        sender: &str,
        client: Option<ClientGuid>,
    ) -> Result<(), CcmError> {
        let auth = ClientAuth {
            sender: sender.to_owned(),
            public_key: Some(sign::to_hex(&key.public_key()?.to_blob()?)),
            client_id_signature: match client {
                Some(client) => Some(sign::sign_text(key, &client.to_string())?),
                None => None,
            },
            payload_signature: Some(sign::sign(key, &self.payload_bytes)?),
            capabilities: Some("NonSSL".to_owned()),
            hash_algorithm: HashAlgorithm::Sha256,
            token: None,
        };
        self.msg.set_client_auth(&auth);
        Ok(())
    }

    /// Verifies the payload signature with the key that the site has for the sender.
    ///
    /// # Errors
    ///
    /// [`CcmError::NotSigned`], [`CcmError::BadSignature`], [`CcmError::UnsupportedHash`].
    pub fn verify_payload(&self, key: &PublicKey) -> Result<(), CcmError> {
        let what = "payload";
        let auth = self.msg.client_auth()?.unwrap_or_default();
        let signature = auth.payload_signature.ok_or(CcmError::NotSigned { what })?;
        key.verify(auth.hash_algorithm, &self.payload_bytes, &signature, what)
    }

    /// Verifies the signature over the sender's id. Not every client sends one, and not every one signs
    /// the same spelling; the payload signature is what counts.
    ///
    /// # Errors
    ///
    /// As [`Request::verify_payload`]; also [`CcmError::NotSigned`] when no client is named.
    pub fn verify_client_id(&self, key: &PublicKey) -> Result<(), CcmError> {
        let what = "client id";
        let auth = self.msg.client_auth()?.unwrap_or_default();
        let signature = auth.client_id_signature.ok_or(CcmError::NotSigned { what })?;
        let client = self.msg.source_client().ok_or(CcmError::NotSigned { what })?;
        key.verify_text(auth.hash_algorithm, &client.to_string(), &signature, what)
    }

    /// The text of the attachment of that name.
    #[must_use]
    pub fn attachment(&self, name: &str) -> Option<&str> {
        let at = self.msg.attachments.iter().position(|known| known.name == name)?;
        self.attachments.get(at).map(String::as_str)
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The text may carry tokens.
        f.debug_struct("Request")
            .field("msg", &self.msg)
            .field("payload_bytes", &self.payload_bytes.len())
            .field("length_mismatch", &self.length_mismatch)
            .finish_non_exhaustive()
    }
}

/// What both directions read in the same way.
pub(super) struct Parts<'a> {
    pub(super) msg: Msg,
    payload: &'a [u8],
    plain: Vec<u8>,
}

impl<'a> Parts<'a> {
    pub(super) fn read(content_type: &str, body: &'a [u8], limits: &Limits) -> Result<Self, CcmError> {
        if body.len() > limits.body {
            return Err(CcmError::BodyTooLarge { actual: body.len(), limit: limits.body });
        }
        let [header, payload] = multipart::split(body, multipart::boundary(content_type)?)?;
        let msg = Msg::parse(&payload::decode(header.body, "message header")?.text, limits)?;
        let plain = if msg.is_compressed() {
            payload::inflate(payload.body, limits.inflated)?
        } else {
            payload.body.to_vec()
        };
        Ok(Self { msg, payload: payload.body, plain })
    }

    pub(super) fn document(&self) -> Result<(String, Option<LengthMismatch>), CcmError> {
        let bytes = match (self.msg.body, self.msg.attachments.is_empty()) {
            // The range matters only where something else follows; alone it is often wrong.
            (Some(range), false) => self.slice(range)?,
            _ => &self.plain,
        };
        let decoded = payload::decode(bytes, "payload")?;
        let actual = decoded.length;
        let mismatch = self.msg.body.filter(|range| range.length != actual);
        Ok((decoded.text, mismatch.map(|range| LengthMismatch { declared: range.length, actual })))
    }

    fn attachments(&self) -> Result<Vec<String>, CcmError> {
        let texts = self
            .msg
            .attachments
            .iter()
            .map(|attachment| Ok(payload::decode(self.slice(attachment.range)?, "attachment")?.text));
        texts.collect()
    }

    fn slice(&self, range: ByteRange) -> Result<&[u8], CcmError> {
        let end = range.offset.checked_add(range.length);
        end.and_then(|end| self.plain.get(range.offset..end)).ok_or_else(|| {
            let got = format!("{} bytes at {}", range.length, range.offset);
            CcmError::bad_value("Attachment", "a range within the payload", &got)
        })
    }
}
