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
        Self { failure, cause: plain_words(&cause.into()) }
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

/// The words of a cause as an administrator should read them: without the numbers and links that libraries put
/// behind theirs.
#[must_use]
pub fn plain_words(words: &str) -> String {
    let words = match words.find(UNEXPECTED_END) {
        Some(at) => format!("{}the other side closed the connection", &words[..at]),
        None => words.to_owned(),
    };
    match words.find(" (os error ") {
        Some(at) => {
            let rest = words[at..].find(')').map_or("", |end| &words[at + end + 1..]);
            format!("{}{rest}", &words[..at])
        }
        None => words,
    }
}

/// How rustls begins to say it, before a link to its manual.
const UNEXPECTED_END: &str = "peer closed connection without sending TLS close_notify";

#[cfg(test)]
mod word_tests {
    use super::plain_words;

    #[test]
    fn numbers_and_links_are_left_out() {
        let refused = "cannot reach CMG:10140: Connection refused (os error 111); open it";
        assert_eq!(plain_words(refused), "cannot reach CMG:10140: Connection refused; open it");
        let ended = "broke: peer closed connection without sending TLS close_notify: https://docs.rs/x";
        assert_eq!(plain_words(ended), "broke: the other side closed the connection");
        assert_eq!(plain_words("as it is"), "as it is");
    }
}
