//! The one TLS entry point of the house: no other crate names a rustls type.
//!
//! * [`CertStore`] is what Windows calls a machine's certificate store: trusted roots, a personal
//!   certificate, the CRL cache and whether CRLs are checked. Its [`CertStore::epoch`] changes whenever a
//!   decision made earlier may no longer hold; whoever pools connections drops them then.
//! * [`ServerTls`] asks callers for a certificate, proves possession, and never aborts a handshake for a
//!   certificate it does not like: [`ClientJudge`] gives the verdict afterwards, and the role refuses at
//!   HTTP level, as IIS does.
//! * rustls checks only the CRLs it is given, and nothing at all when given none. Failing closed is done
//!   here: a missing CRL is a typed [`TlsProblem::NeedsCrls`], so that the caller can fetch it and try
//!   once more.

mod client;
mod crl;
mod error;
mod judge;
mod server;
mod store;

pub use client::CrlNeeded;
pub use crl::CrlCache;
pub use error::{TlsError, TlsProblem};
pub use judge::{ClientJudge, Judgement};
pub use server::ServerTls;
pub use store::{CertStore, Identity};

/// The types that sockets are wrapped with, for `net` and `tunnel`.
pub mod stream {
    pub use tokio_rustls::client::TlsStream as ClientStream;
    pub use tokio_rustls::server::TlsStream as ServerStream;
    pub use tokio_rustls::{TlsAcceptor, TlsConnector};
}

use std::sync::Arc;
use std::time::Duration;

use cmglab_clock::Clock;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::UnixTime;
use rustls::time_provider::TimeProvider;

/// The one crypto provider: aws-lc-rs with classic groups.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// Protocol time as rustls wants it.
#[derive(Debug)]
pub(crate) struct LabTime(pub(crate) Clock);

impl TimeProvider for LabTime {
    fn current_time(&self) -> Option<UnixTime> {
        Some(unix_time(&self.0))
    }
}

pub(crate) fn unix_time(clock: &Clock) -> UnixTime {
    let seconds = u64::try_from(clock.now().as_second()).unwrap_or(0);
    UnixTime::since_unix_epoch(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests;
