//! A machine's certificate store.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::{ArcSwap, ArcSwapOption};
use cmglab_clock::Clock;
use rustls::client::Resumption;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, RootCertStore};

use crate::client::CrlAwareVerifier;
use crate::{CrlCache, LabTime, TlsError, provider};

/// A certificate chain with its private key, ready for handshakes. Cheap to clone.
#[derive(Clone)]
pub struct Identity {
    key: Arc<CertifiedKey>,
}

impl Identity {
    /// An identity from its chain (DER, leaf first) and its key (PKCS#8 DER). `whose` names it in errors.
    ///
    /// # Errors
    /// [`TlsError::Identity`] when the key cannot be read or does not belong to the leaf.
    pub fn new(whose: &str, chain: Vec<Vec<u8>>, pkcs8: &[u8]) -> Result<Self, TlsError> {
        let chain = chain.into_iter().map(CertificateDer::from).collect();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pkcs8)).clone_key();
        let key = CertifiedKey::from_der(chain, key, &provider())
            .map_err(|error| TlsError::Identity { whose: whose.to_owned(), cause: error.to_string() })?;
        Ok(Self { key: Arc::new(key) })
    }

    /// The chain, leaf first.
    pub fn chain(&self) -> impl Iterator<Item = &[u8]> {
        self.key.cert.iter().map(AsRef::as_ref)
    }

    pub(crate) fn certified(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.key)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({} certificates, key [REDACTED])", self.key.cert.len())
    }
}

/// Trusted roots, personal certificate, CRL cache and CRL policy of one machine. Cheap to clone; clones
/// are the same store.
#[derive(Clone)]
pub struct CertStore {
    shared: Arc<Shared>,
}

struct Shared {
    clock: Clock,
    roots: ArcSwap<RootCertStore>,
    roots_der: ArcSwap<Vec<Vec<u8>>>,
    identity: ArcSwapOption<Identity>,
    crls: CrlCache,
    checks_crl: AtomicBool,
    changes: AtomicU64,
    built: Mutex<Vec<Built>>,
}

/// The configuration of one epoch, for one list of protocols; a role speaks two at most.
struct Built {
    epoch: u64,
    alpn: Vec<Vec<u8>>,
    config: Arc<ClientConfig>,
}

impl CertStore {
    /// An empty store: trusts nobody, presents nothing, checks CRLs.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self {
            shared: Arc::new(Shared {
                clock,
                roots: ArcSwap::from_pointee(RootCertStore::empty()),
                roots_der: ArcSwap::default(),
                identity: ArcSwapOption::empty(),
                crls: CrlCache::default(),
                checks_crl: AtomicBool::new(true),
                changes: AtomicU64::new(0),
                built: Mutex::default(),
            }),
        }
    }

    /// Trusts one more root (DER).
    ///
    /// # Errors
    /// [`TlsError::Root`] when it is not a certificate that can be a trust anchor.
    pub fn trust(&self, root: &[u8]) -> Result<(), TlsError> {
        let mut added = RootCertStore::empty();
        added
            .add(CertificateDer::from(root.to_vec()))
            .map_err(|error| TlsError::Root { cause: error.to_string() })?;
        self.shared.roots.rcu(|roots| {
            let mut roots = RootCertStore::clone(roots);
            roots.roots.extend(added.roots.iter().cloned());
            roots
        });
        self.shared.roots_der.rcu(|all| all.iter().cloned().chain([root.to_vec()]).collect::<Vec<_>>());
        self.changed();
        Ok(())
    }

    /// The trusted roots (DER), in the order in which they were trusted.
    #[must_use]
    pub fn roots(&self) -> Vec<Vec<u8>> {
        self.shared.roots_der.load().to_vec()
    }

    /// Presents this certificate to servers that ask for one; `None` presents nothing.
    pub fn present(&self, identity: Option<Identity>) {
        self.shared.identity.store(identity.map(Arc::new));
        self.changed();
    }

    /// Whether servers' certificates are checked for revocation, at every depth, failing closed.
    pub fn check_crl(&self, on: bool) {
        if self.shared.checks_crl.swap(on, Ordering::SeqCst) != on {
            self.changed();
        }
    }

    /// Whether revocation is checked now.
    #[must_use]
    pub fn checks_crl(&self) -> bool {
        self.shared.checks_crl.load(Ordering::SeqCst)
    }

    /// The CRL cache of this machine.
    #[must_use]
    pub fn crls(&self) -> &CrlCache {
        &self.shared.crls
    }

    /// Marks that an earlier decision may no longer hold, for a cause that this store cannot see.
    pub fn changed(&self) {
        self.shared.changes.fetch_add(1, Ordering::SeqCst);
    }

    /// The TLS epoch: changes with trust, identity, policy, CRLs and jumps of the clock. A connection
    /// made in an earlier epoch must not be used again.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        let shared = &self.shared;
        let changes = shared.changes.load(Ordering::SeqCst);
        changes.wrapping_add(shared.crls.changes()).wrapping_add(shared.clock.jumps())
    }

    /// The configuration for connections of the present epoch. Session resumption is off, since a
    /// resumed session skips certificate and CRL checks.
    ///
    /// # Errors
    /// [`TlsError::Identity`] when the personal certificate cannot be used.
    pub fn client_config(&self, alpn: &[&[u8]]) -> Result<Arc<ClientConfig>, TlsError> {
        let epoch = self.epoch();
        let alpn: Vec<Vec<u8>> = alpn.iter().map(|id| id.to_vec()).collect();
        let mut built = self.shared.built.lock().unwrap_or_else(PoisonError::into_inner);
        built.retain(|built| built.epoch == epoch);
        if let Some(found) = built.iter().find(|built| built.alpn == alpn) {
            return Ok(Arc::clone(&found.config));
        }
        let config = Arc::new(self.build(alpn.clone())?);
        built.push(Built { epoch, alpn, config: Arc::clone(&config) });
        Ok(config)
    }

    fn build(&self, alpn: Vec<Vec<u8>>) -> Result<ClientConfig, TlsError> {
        let provider = provider();
        let roots = self.shared.roots.load_full();
        let time = Arc::new(LabTime(self.shared.clock.clone()));
        let crls = self.checks_crl().then(|| self.shared.crls.clone());
        let builder = ClientConfig::builder_with_details(Arc::clone(&provider), time)
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsError::Root { cause: error.to_string() })?;
        let builder =
            match CrlAwareVerifier::new(Arc::clone(&roots), provider, crls, self.shared.clock.clone()) {
                Some(verifier) => builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)),
                // An empty store trusts nobody: webpki's own verifier says so for every chain.
                None => builder.with_root_certificates(roots),
            };
        let mut config = match self.shared.identity.load_full() {
            Some(identity) => {
                builder.with_client_cert_resolver(Arc::new(crate::server::OneIdentity(identity.certified())))
            }
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = alpn;
        config.resumption = Resumption::disabled();
        Ok(config)
    }
}

impl fmt::Debug for CertStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CertStore")
            .field("roots", &self.shared.roots.load().len())
            .field("checks_crl", &self.checks_crl())
            .field("epoch", &self.epoch())
            .finish_non_exhaustive()
    }
}
