//! How a machine of the lab judges a server: webpki's verifier, and CRLs on top, failing closed.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use cmglab_clock::Clock;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{VerifierBuilderError, WebPkiServerVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, OtherError, RootCertStore, SignatureScheme};

use crate::CrlCache;

/// The judgement stopped for want of these CRLs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrlNeeded {
    /// Distribution points of the presented chain that are not in the cache or are stale.
    pub urls: Vec<String>,
}

impl fmt::Display for CrlNeeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no current CRL in the cache for {}", self.urls.join(", "))
    }
}

impl Error for CrlNeeded {}

#[derive(Debug)]
pub(crate) struct CrlAwareVerifier {
    plain: Arc<WebPkiServerVerifier>,
    roots: Arc<RootCertStore>,
    provider: Arc<CryptoProvider>,
    crls: Option<CrlCache>,
    clock: Clock,
}

impl CrlAwareVerifier {
    /// `crls` is `None` when this machine does not check revocation. `None` when there are no roots.
    pub(crate) fn new(
        roots: Arc<RootCertStore>,
        provider: Arc<CryptoProvider>,
        crls: Option<CrlCache>,
        clock: Clock,
    ) -> Option<Self> {
        let plain = WebPkiServerVerifier::builder_with_provider(Arc::clone(&roots), Arc::clone(&provider));
        Some(Self { plain: plain.build().ok()?, roots, provider, crls, clock })
    }

    fn with_revocation(&self, presented: &Presented<'_>, crls: &CrlCache) -> Result<(), rustls::Error> {
        let lists = crls
            .lists_for(presented.leaf, presented.intermediates, self.clock.now())
            .map_err(|urls| CertificateError::Other(OtherError(Arc::new(CrlNeeded { urls }))))?;
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::clone(&self.roots), Arc::clone(&self.provider))
                .with_crls(lists)
                .enforce_revocation_expiration()
                .build()
                .map_err(unusable)?;
        presented.verify_by(&verifier)
    }
}

/// There are roots, or nothing would have got this far; a list that webpki cannot read is as good as none.
fn unusable(error: VerifierBuilderError) -> rustls::Error {
    match error {
        VerifierBuilderError::InvalidCrl(cause) => rustls::Error::InvalidCertRevocationList(cause),
        other => rustls::Error::General(other.to_string()),
    }
}

struct Presented<'a> {
    leaf: &'a CertificateDer<'a>,
    intermediates: &'a [CertificateDer<'a>],
    name: &'a ServerName<'a>,
    ocsp: &'a [u8],
    now: UnixTime,
}

impl Presented<'_> {
    fn verify_by(&self, verifier: &WebPkiServerVerifier) -> Result<(), rustls::Error> {
        verifier
            .verify_server_cert(self.leaf, self.intermediates, self.name, self.ocsp, self.now)
            .map(|_verified| ())
    }
}

impl ServerCertVerifier for CrlAwareVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let presented =
            Presented { leaf: end_entity, intermediates, name: server_name, ocsp: ocsp_response, now };
        presented.verify_by(&self.plain)?;
        if let Some(crls) = &self.crls {
            self.with_revocation(&presented, crls)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.plain.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.plain.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.plain.supported_verify_schemes()
    }
}
