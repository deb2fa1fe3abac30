//! The server's side of a handshake.

use std::sync::Arc;

use cmglab_clock::Clock;
use rustls::client::ResolvesClientCert;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme};
use tokio_rustls::TlsAcceptor;

use crate::{ClientJudge, Identity, LabTime, TlsError, provider};

/// How one port speaks TLS.
#[derive(Debug, Clone)]
pub struct ServerTls {
    identity: Identity,
    alpn: Vec<Vec<u8>>,
    judge: Option<ClientJudge>,
}

impl ServerTls {
    /// TLS with this identity that speaks HTTP/1.1 and asks for no client certificate.
    #[must_use]
    pub fn new(identity: Identity) -> Self {
        Self { identity, alpn: vec![b"http/1.1".to_vec()], judge: None }
    }

    /// Speaks these protocols only.
    #[must_use]
    pub fn with_alpn(mut self, alpn: &[&[u8]]) -> Self {
        self.alpn = alpn.iter().map(|id| id.to_vec()).collect();
        self
    }

    /// Asks callers for a certificate, without insisting; `judge` says what it is worth.
    #[must_use]
    pub fn asking(mut self, judge: ClientJudge) -> Self {
        self.judge = Some(judge);
        self
    }

    /// The judge of callers' certificates, where they are asked for.
    #[must_use]
    pub fn judge(&self) -> Option<&ClientJudge> {
        self.judge.as_ref()
    }

    /// The acceptor of this port, on `clock`.
    ///
    /// # Errors
    /// [`TlsError::Identity`] when no protocol version can be offered.
    pub fn acceptor(&self, clock: &Clock) -> Result<TlsAcceptor, TlsError> {
        let provider = provider();
        let builder =
            ServerConfig::builder_with_details(Arc::clone(&provider), Arc::new(LabTime(clock.clone())))
                .with_safe_default_protocol_versions()
                .map_err(|error| TlsError::Identity {
                    whose: "server".to_owned(),
                    cause: error.to_string(),
                })?;
        let builder = match &self.judge {
            Some(_) => builder.with_client_cert_verifier(Arc::new(RecordingVerifier { provider })),
            None => builder.with_no_client_auth(),
        };
        let mut config = builder.with_cert_resolver(Arc::new(OneIdentity(self.identity.certified())));
        config.alpn_protocols.clone_from(&self.alpn);
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

/// Proves that the caller holds the key of the certificate it presents, and nothing more: the verdict
/// belongs to [`ClientJudge`], since refusing here would kill the connection while a TLS 1.3 client
/// believes it stands.
#[derive(Debug)]
struct RecordingVerifier {
    provider: Arc<CryptoProvider>,
}

impl ClientCertVerifier for RecordingVerifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn verify_client_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Always the same certificate, whichever names or issuers the other side lists.
#[derive(Debug)]
pub(crate) struct OneIdentity(pub(crate) Arc<CertifiedKey>);

impl ResolvesServerCert for OneIdentity {
    fn resolve(&self, _client_hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

impl ResolvesClientCert for OneIdentity {
    fn resolve(&self, _hints: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }

    fn has_certs(&self) -> bool {
        true
    }
}
