//! Why a call or a listener failed.

use std::net::SocketAddr;

use cmglab_events::kinds::TlsFailure;

/// A call to another role that got no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{cause}")]
pub struct CallError {
    /// The kind of failure, to act on.
    pub failure: CallFailure,
    /// The cause in words.
    pub cause: String,
}

/// The kinds of failed calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallFailure {
    /// The connection broke before the answer was whole.
    Broken,
    /// Nobody accepts connections there.
    Connect,
    /// The request could not be formed.
    Request,
    /// No answer in time.
    Timeout,
    /// The server's certificate was refused, or the handshake failed.
    Tls(TlsFailure),
    /// The answer is larger than the caller takes.
    TooLarge,
    /// Not a name of this lab.
    UnknownName,
}

impl CallError {
    /// A failure with its cause in words.
    #[must_use]
    pub fn new(failure: CallFailure, cause: impl Into<String>) -> Self {
        Self { failure, cause: cause.into() }
    }

    /// The TLS check that failed, when it was one.
    #[must_use]
    pub fn tls(&self) -> Option<TlsFailure> {
        match self.failure {
            CallFailure::Tls(failure) => Some(failure),
            _ => None,
        }
    }
}

/// A listener that could not be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The socket could not be bound.
    #[error("{what}: cannot listen on {bind}: {cause}; {fix}")]
    Bind {
        /// The URL that was to be served.
        what: String,
        /// The address.
        bind: SocketAddr,
        /// The cause in words.
        cause: String,
        /// What to do.
        fix: &'static str,
    },
    /// TLS could not be set up.
    #[error("{what}: {cause}")]
    Tls {
        /// The URL that was to be served.
        what: String,
        /// The cause in words.
        cause: String,
    },
}
