//! What a presented client certificate is worth.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwap;
use cmglab_clock::Clock;
use cmglab_events::kinds::{CertificateVerdict, TlsFailure};
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer};
use rustls::server::{VerifierBuilderError, WebPkiClientVerifier};
use rustls::{CertificateError, RootCertStore};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::{CrlCache, TlsError, error, provider, unix_time};

/// Judges callers' certificates: chain to the trusted roots, client authentication usage, dates and, where
/// wanted, revocation. Cheap to clone; clones judge alike.
#[derive(Clone)]
pub struct ClientJudge {
    trust: Arc<ArcSwap<Trust>>,
    revocation: Arc<AtomicBool>,
    presented: Presented,
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
    /// A judge that trusts `authorities` (DER, see [`Self::trust`]) and, given a cache, checks revocation
    /// until told otherwise. Intermediates that a caller presents beside its own certificate help to build
    /// the chain.
    ///
    /// # Errors
    /// [`TlsError::Root`] when an authority cannot be used.
    pub fn new(authorities: &[Vec<u8>], crls: Option<CrlCache>, clock: Clock) -> Result<Self, TlsError> {
        let judge = Self {
            trust: Arc::default(),
            revocation: Arc::new(AtomicBool::new(true)),
            presented: Presented::Used,
            crls,
            clock,
        };
        judge.trust(authorities)?;
        Ok(judge)
    }

    /// The same judge, which builds chains from the trusted authorities alone: what a caller presents beside
    /// its own certificate is passed over.
    ///
    /// So a gateway judges to which only the root was uploaded: it answers 401 although clients may well
    /// send their intermediates. Observed for the answer, inferred for its reason (configmgr §4.2).
    #[must_use]
    pub fn by_uploads_alone(mut self) -> Self {
        self.presented = Presented::PassedOver;
        self
    }

    /// Trusts these authorities (DER) from now on, and no others: the self-issued ones as roots, the rest as
    /// intermediates, which are worth nothing without their root.
    ///
    /// # Errors
    /// [`TlsError::Root`] when one cannot be used; the old ones then stay.
    pub fn trust(&self, authorities: &[Vec<u8>]) -> Result<(), TlsError> {
        self.trust.store(Arc::new(Trust::of(authorities)?));
        Ok(())
    }

    /// Checks revocation from now on, or no longer. A judge that was made without a cache never does.
    pub fn check_revocation(&self, on: bool) {
        self.revocation.store(on, Ordering::SeqCst);
    }

    /// The lists that the judge looks at, of which it may need some.
    #[must_use]
    pub fn crls(&self) -> Option<&CrlCache> {
        self.crls.as_ref().filter(|_| self.revocation.load(Ordering::SeqCst))
    }

    /// Judges a chain (DER, leaf first); an empty one is [`CertificateVerdict::Absent`].
    #[must_use]
    pub fn judge(&self, chain: &[Vec<u8>]) -> Judgement {
        let Some((leaf, beside)) = chain.split_first() else {
            return Judgement::Verdict(CertificateVerdict::Absent);
        };
        let trust = self.trust.load();
        let beside: &[Vec<u8>] = if self.presented == Presented::Used { beside } else { &[] };
        let above = path(leaf, beside.iter().chain(&trust.intermediates));
        let leaf = CertificateDer::from(leaf.as_slice());
        // The chain first: an untrusted certificate must not make this machine fetch anything.
        let plain = self.check(&trust, &leaf, &above, Vec::new());
        let (CertificateVerdict::Valid, Some(crls)) = (plain, self.crls()) else {
            return Judgement::Verdict(plain);
        };
        match crls.lists_for(&leaf, &above, self.clock.now()) {
            Ok(lists) => Judgement::Verdict(self.check(&trust, &leaf, &above, lists)),
            Err(urls) => Judgement::NeedsCrls(urls),
        }
    }

    fn check(
        &self,
        trust: &Trust,
        leaf: &CertificateDer<'_>,
        above: &[CertificateDer<'_>],
        crls: Vec<CertificateRevocationListDer<'static>>,
    ) -> CertificateVerdict {
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::clone(&trust.roots), provider())
            .with_crls(crls)
            .enforce_revocation_expiration()
            .build();
        let verifier = match verifier {
            Ok(verifier) => verifier,
            Err(VerifierBuilderError::InvalidCrl(_)) => return CertificateVerdict::RevocationUnknown,
            // No roots: nobody is trusted.
            Err(_) => return CertificateVerdict::UnknownIssuer,
        };
        match verifier.verify_client_cert(leaf, above, unix_time(&self.clock)) {
            Ok(_verified) => CertificateVerdict::Valid,
            Err(rustls::Error::InvalidCertificate(cause)) => verdict(&cause),
            Err(rustls::Error::InvalidCertRevocationList(_)) => CertificateVerdict::RevocationUnknown,
            Err(_) => CertificateVerdict::Malformed,
        }
    }
}

/// What becomes of the intermediates that a caller presents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Presented {
    Used,
    PassedOver,
}

#[derive(Debug)]
struct Trust {
    roots: Arc<RootCertStore>,
    intermediates: Vec<Vec<u8>>,
}

impl Trust {
    fn of(authorities: &[Vec<u8>]) -> Result<Self, TlsError> {
        let mut roots = RootCertStore::empty();
        let mut intermediates = Vec::new();
        for der in authorities {
            let unusable = |cause: String| TlsError::Root { cause };
            let names = Names::of(der).ok_or_else(|| unusable("not a certificate".to_owned()))?;
            if names.subject == names.issuer {
                roots
                    .add(CertificateDer::from(der.as_slice()))
                    .map_err(|error| unusable(error.to_string()))?;
            } else {
                intermediates.push(der.clone());
            }
        }
        Ok(Self { roots: Arc::new(roots), intermediates })
    }
}

impl Default for Trust {
    fn default() -> Self {
        Self { roots: Arc::new(RootCertStore::empty()), intermediates: Vec::new() }
    }
}

/// Subject and issuer of a certificate, each as DER.
#[derive(PartialEq)]
struct Names<'a> {
    subject: &'a [u8],
    issuer: &'a [u8],
}

impl<'a> Names<'a> {
    fn of(der: &'a [u8]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        Some(Self { subject: certificate.subject.as_raw(), issuer: certificate.issuer.as_raw() })
    }
}

/// Those of `authorities` that stand above `leaf`, by their names: no other one's CRL is of interest.
fn path<'a>(leaf: &[u8], authorities: impl Iterator<Item = &'a Vec<u8>>) -> Vec<CertificateDer<'a>> {
    let mut left: Vec<(&[u8], Names<'_>)> = Vec::new();
    for der in authorities.take(MOST_AUTHORITIES) {
        // One that was uploaded may be presented too.
        if let Some(names) = Names::of(der)
            && !left.iter().any(|(known, _)| known == der)
        {
            left.push((der, names));
        }
    }
    let Some(leaf) = Names::of(leaf) else { return Vec::new() };
    let (mut path, mut wanted) = (Vec::<CertificateDer<'_>>::new(), vec![leaf.issuer.to_vec()]);
    while let Some(subject) = wanted.pop() {
        // Several may bear one name: an authority that was renewed, for example.
        for (der, names) in left.extract_if(.., |(_, names)| names.subject == subject) {
            wanted.push(names.issuer.to_vec());
            path.push(der.into());
        }
    }
    path
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
            .field("roots", &self.trust.load().roots.len())
            .field("intermediates", &self.trust.load().intermediates.len())
            .field("checks_crl", &self.crls().is_some())
            .finish_non_exhaustive()
    }
}

/// More than 256 uploads and a presented chain can be, and a bound for what a stranger may present.
const MOST_AUTHORITIES: usize = 320;
