//! Why a message was refused.

/// A message, a document in it, or a signature that cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CcmError {
    /// The `Content-Type` is not `multipart/…`.
    #[error("content type: expected multipart/mixed, got {got:?}")]
    NotMultipart {
        /// The header, cut short.
        got: String,
    },
    /// The `Content-Type` names no usable boundary.
    #[error("content type: no boundary of 1 to 70 printable characters; add boundary=\"…\"")]
    NoBoundary,
    /// The body does not begin with the boundary, or nothing closes it.
    #[error("multipart body: no {missing}; check that the body matches the boundary of its content type")]
    Framing {
        /// The delimiter that is missing.
        missing: &'static str,
    },
    /// The body has some other number of parts than two.
    #[error("multipart body: expected a header and a payload, got {found} parts")]
    PartCount {
        /// How many parts there are; counting stops after the third.
        found: usize,
    },
    /// The header lines of a part are not closed by an empty line, or too long.
    #[error("multipart body: part {part} has no empty line after its header lines")]
    PartHeader {
        /// The part, 0 or 1.
        part: usize,
    },
    /// The body is longer than [`Limits::body`](super::Limits::body).
    #[error("message body: {actual} bytes, over the limit of {limit}")]
    BodyTooLarge {
        /// Length of the body in bytes.
        actual: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// The payload inflates to more than [`Limits::inflated`](super::Limits::inflated).
    #[error("payload: inflates to more than the limit of {limit} bytes")]
    InflatedTooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// The payload is said to be compressed and is no complete zlib stream.
    #[error("payload: not a complete zlib stream, though the zlib-compress hook announces one")]
    BadZlib,
    /// A text is not UTF-16LE.
    #[error("{part}: not UTF-16LE text (lone surrogate, odd length, or big-endian)")]
    BadUtf16 {
        /// Which text.
        part: &'static str,
    },
    /// A document is not XML, or uses what is refused: a DTD, processing instructions, foreign entities.
    #[error("XML at byte {at}: {cause}")]
    BadXml {
        /// Offset into the UTF-8 text.
        at: usize,
        /// What is wrong there.
        cause: String,
    },
    /// Elements lie too deep inside each other.
    #[error("XML: more than {limit} elements inside each other")]
    TooDeep {
        /// The limit.
        limit: u16,
    },
    /// Too many of something that is counted.
    #[error("more than {limit} {what}")]
    TooMany {
        /// What was counted.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// The document is another one than expected.
    #[error("expected <{expected}>, got <{got}>")]
    WrongRoot {
        /// The root element that was wanted.
        expected: &'static str,
        /// The root element that came, cut short.
        got: String,
    },
    /// An element or attribute that must be there is not.
    #[error("<{parent}> lacks {name}")]
    Missing {
        /// The element that should hold it.
        parent: String,
        /// The element or attribute.
        name: &'static str,
    },
    /// Something that must be there once is there more often, so that two readers could differ.
    #[error("{name} occurs more than once")]
    Ambiguous {
        /// The element, hook or property.
        name: String,
    },
    /// A value is not of the form it should have.
    #[error("{name}: expected {expected}, got {got:?}")]
    BadValue {
        /// The element, attribute or property.
        name: String,
        /// The form that was wanted.
        expected: &'static str,
        /// The value, cut short.
        got: String,
    },
    /// Bytes that should be a public RSA key are not one.
    #[error("public key: expected {expected}")]
    BadKey {
        /// The form that was wanted.
        expected: &'static str,
    },
    /// A signature is declared with an algorithm other than SHA-1 or SHA-256 with RSA.
    #[error("signature: algorithm {oid:?} is not supported; use 1.2.840.113549.1.1.11")]
    UnsupportedHash {
        /// The object identifier as given, cut short.
        oid: String,
    },
    /// A signature is required and absent.
    #[error("signature: {what} is not signed")]
    NotSigned {
        /// What should be signed.
        what: &'static str,
    },
    /// A signature does not match the bytes and the key.
    #[error("signature: {what} does not verify with this key")]
    BadSignature {
        /// What was signed.
        what: &'static str,
    },
    /// The private key refused to sign.
    #[error("signature: the private key cannot sign with RSA and SHA-256")]
    CannotSign,
}

impl CcmError {
    /// A [`CcmError::BadValue`] that quotes at most 64 characters of `got`.
    pub(crate) fn bad_value(name: &str, expected: &'static str, got: &str) -> Self {
        Self::BadValue { name: cut(name), expected, got: cut(got) }
    }
}

/// The start of a foreign text, so that an error stays short whatever it quotes.
pub(crate) fn cut(text: &str) -> String {
    text.chars().take(64).collect()
}
