//! What a presented client certificate is worth.

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use cmglab_clock::Clock;
use cmglab_events::kinds::{CertificateVerdict, TlsFailure};
use rustls::pki_types::CertificateDer;
use rustls::server::{VerifierBuilderError, WebPkiClientVerifier};
use rustls::{CertificateError, RootCertStore};

use crate::{CrlCache, TlsError, error, provider, unix_time};

/// Judges callers' certificates: chain to these roots, client authentication usage, dates and, where
/// wanted, revocation. Cheap to clone; clones judge alike.
#[derive(Clone)]
pub struct ClientJudge {
    roots: Arc<ArcSwap<RootCertStore>>,
    crls: Option<CrlCache>,
    clock: Clock,
}

/// The end of a judgement, or what it still needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judgement {
    /// The verdict.
    Verdict(CertificateVerdict),
    /// These CRLs are needed first; without them the verdict is
    /// [`CertificateVerdict::RevocationUnknown`].
    NeedsCrls(Vec<String>),
}

impl ClientJudge {
    /// A judge that trusts `roots` (DER) and, given a cache, checks revocation.
    ///
    /// # Errors
    /// [`TlsError::Root`] when a root cannot be used.
    pub fn new(roots: &[Vec<u8>], crls: Option<CrlCache>, clock: Clock) -> Result<Self, TlsError> {
        let judge = Self { roots: Arc::new(ArcSwap::from_pointee(RootCertStore::empty())), crls, clock };
        judge.replace_roots(roots)?;
        Ok(judge)
    }

    /// Trusts these roots from now on, and no others.
    ///
    /// # Errors
    /// [`TlsError::Root`] when a root cannot be used; the old ones then stay.
    pub fn replace_roots(&self, roots: &[Vec<u8>]) -> Result<(), TlsError> {
        let mut store = RootCertStore::empty();
        for root in roots {
            store
                .add(CertificateDer::from(root.clone()))
                .map_err(|error| TlsError::Root { cause: error.to_string() })?;
        }
        self.roots.store(Arc::new(store));
        Ok(())
    }

    /// Whether the judge looks at CRLs, and so may need some.
    #[must_use]
    pub fn crls(&self) -> Option<&CrlCache> {
        self.crls.as_ref()
    }

    /// Judges a chain (DER, leaf first); an empty one is [`CertificateVerdict::Absent`].
    #[must_use]
    pub fn judge(&self, chain: &[Vec<u8>]) -> Judgement {
        let chain: Vec<CertificateDer<'_>> =
            chain.iter().map(|der| CertificateDer::from(der.as_slice())).collect();
        let Some((leaf, intermediates)) = chain.split_first() else {
            return Judgement::Verdict(CertificateVerdict::Absent);
        };
        // The chain first: an untrusted certificate must not make this machine fetch anything.
        let plain = self.check(leaf, intermediates, Vec::new());
        let (CertificateVerdict::Valid, Some(crls)) = (plain, &self.crls) else {
            return Judgement::Verdict(plain);
        };
        match crls.lists_for(leaf, intermediates, self.clock.now()) {
            Ok(lists) => Judgement::Verdict(self.check(leaf, intermediates, lists)),
            Err(urls) => Judgement::NeedsCrls(urls),
        }
    }

    fn check(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        crls: Vec<rustls::pki_types::CertificateRevocationListDer<'static>>,
    ) -> CertificateVerdict {
        let verifier = WebPkiClientVerifier::builder_with_provider(self.roots.load_full(), provider())
            .with_crls(crls)
            .enforce_revocation_expiration()
            .build();
        let verifier = match verifier {
            Ok(verifier) => verifier,
            Err(VerifierBuilderError::InvalidCrl(_)) => return CertificateVerdict::RevocationUnknown,
            // No roots: nobody is trusted.
            Err(_) => return CertificateVerdict::UnknownIssuer,
        };
        match verifier.verify_client_cert(leaf, intermediates, unix_time(&self.clock)) {
            Ok(_verified) => CertificateVerdict::Valid,
            Err(rustls::Error::InvalidCertificate(cause)) => verdict(&cause),
            Err(rustls::Error::InvalidCertRevocationList(_)) => CertificateVerdict::RevocationUnknown,
            Err(_) => CertificateVerdict::Malformed,
        }
    }
}

fn verdict(cause: &CertificateError) -> CertificateVerdict {
    match (cause, error::failure(cause)) {
        (CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. }, _) => {
            CertificateVerdict::NotYetValid
        }
        (_, TlsFailure::Date) => CertificateVerdict::Expired,
        (_, TlsFailure::Revoked) => CertificateVerdict::Revoked,
        (_, TlsFailure::RevocationOffline) => CertificateVerdict::RevocationUnknown,
        (_, TlsFailure::UnknownIssuer) => CertificateVerdict::UnknownIssuer,
        (_, TlsFailure::WrongUsage) => CertificateVerdict::WrongUsage,
        _ => CertificateVerdict::Malformed,
    }
}

impl fmt::Debug for ClientJudge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientJudge")
            .field("roots", &self.roots.load().len())
            .field("checks_crl", &self.crls.is_some())
            .finish_non_exhaustive()
    }
}
