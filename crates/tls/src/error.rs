//! Typed causes of TLS failures.

use std::error::Error;
use std::io;

use cmglab_events::kinds::TlsFailure;
use rustls::CertificateError;

use crate::CrlNeeded;

/// A TLS configuration that cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A certificate or key is not what it should be.
    #[error("TLS identity of {whose}: {cause}; give the chain leaf first as DER and the key as PKCS#8")]
    Identity {
        /// The subject the identity was meant for.
        whose: String,
        /// The cause in words.
        cause: String,
    },
    /// A trusted root cannot be used.
    #[error("trusted root: {cause}; give one DER certificate of a CA")]
    Root {
        /// The cause in words.
        cause: String,
    },
}

/// Why a handshake towards a server failed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlsProblem {
    /// The certificate was judged and refused.
    Refused(TlsFailure),
    /// The judgement needs CRLs that are not in the cache; fetch them and try once more.
    NeedsCrls(Vec<String>),
}

impl TlsProblem {
    /// Digs the TLS cause out of any error of a connection, or `None` when TLS is not to blame.
    #[must_use]
    pub fn of(error: &(dyn Error + 'static)) -> Option<Self> {
        find_rustls(error).and_then(Self::from_rustls)
    }

    fn from_rustls(error: &rustls::Error) -> Option<Self> {
        let certificate = match error {
            rustls::Error::InvalidCertificate(certificate) => certificate,
            rustls::Error::InvalidCertRevocationList(_) => {
                return Some(Self::Refused(TlsFailure::RevocationOffline));
            }
            _ => return Some(Self::Refused(TlsFailure::Other)),
        };
        if let CertificateError::Other(other) = certificate
            && let Some(needed) = other.0.downcast_ref::<CrlNeeded>()
        {
            return Some(Self::NeedsCrls(needed.urls.clone()));
        }
        Some(Self::Refused(failure(certificate)))
    }
}

pub(crate) fn failure(error: &CertificateError) -> TlsFailure {
    use CertificateError as C;
    match error {
        C::Expired | C::ExpiredContext { .. } | C::NotValidYet | C::NotValidYetContext { .. } => {
            TlsFailure::Date
        }
        C::Revoked => TlsFailure::Revoked,
        C::UnknownRevocationStatus | C::ExpiredRevocationList | C::ExpiredRevocationListContext { .. } => {
            TlsFailure::RevocationOffline
        }
        C::UnknownIssuer | C::BadSignature => TlsFailure::UnknownIssuer,
        C::NotValidForName | C::NotValidForNameContext { .. } => TlsFailure::WrongName,
        C::InvalidPurpose | C::InvalidPurposeContext { .. } => TlsFailure::WrongUsage,
        _ => TlsFailure::Other,
    }
}

/// `source()` alone misses it: the rustls error sits in an `io::Error` inside an `io::Error`.
fn find_rustls<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    let mut current = Some(error);
    while let Some(error) = current {
        if let Some(found) = error.downcast_ref::<rustls::Error>() {
            return Some(found);
        }
        if let Some(io) = error.downcast_ref::<io::Error>()
            && let Some(inner) = io.get_ref()
            && let Some(found) = find_rustls(inner)
        {
            return Some(found);
        }
        current = error.source();
    }
    None
}
