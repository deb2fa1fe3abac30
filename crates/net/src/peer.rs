//! Who is calling.

use std::net::SocketAddr;
use std::sync::Arc;

use cmglab_events::kinds::CertificateVerdict;
use cmglab_proto::ids::ExchangeId;

/// The caller of a request, in its extensions. No handler sees a certificate without its verdict.
#[derive(Debug, Clone)]
pub struct Peer {
    /// The caller's socket.
    pub address: SocketAddr,
    /// The caller's certificate chain (DER, leaf first); empty when none was presented.
    pub chain: Arc<Vec<Vec<u8>>>,
    /// What that chain is worth.
    pub verdict: CertificateVerdict,
}

/// The exchange a request belongs to, in its extensions: the client's own id, or one drawn here for
/// clients that name none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exchange(pub ExchangeId);
