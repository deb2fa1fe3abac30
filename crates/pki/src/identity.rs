//! A certificate with its chain and key: what one side of a TLS connection presents.

use std::fmt;

use zeroize::Zeroizing;

use crate::{PkiError, PrivateKey, pem, read};

/// A certificate chain, leaf first and without the root, and the leaf's key.
#[derive(Clone)]
pub struct Identity {
    chain: Vec<Vec<u8>>,
    key: PrivateKey,
}

impl Identity {
    /// An identity from its parts; `chain` is DER, leaf first. Nothing is checked.
    #[must_use]
    pub fn new(chain: Vec<Vec<u8>>, key: PrivateKey) -> Self {
        Self { chain, key }
    }

    /// The chain in DER, leaf first, root left out.
    #[must_use]
    pub fn chain(&self) -> &[Vec<u8>] {
        &self.chain
    }

    /// The leaf in DER; empty when the chain is.
    #[must_use]
    pub fn leaf(&self) -> &[u8] {
        self.chain.first().map_or(&[], Vec::as_slice)
    }

    /// The leaf, parsed.
    ///
    /// # Errors
    /// [`PkiError::Malformed`] when the chain was not made by this crate and does not parse.
    pub fn certificate(&self) -> Result<read::Certificate, PkiError> {
        read::Certificate::parse(self.leaf())
    }

    /// The leaf's key.
    #[must_use]
    pub fn key(&self) -> &PrivateKey {
        &self.key
    }

    /// The same without intermediates: what a server set up wrongly presents.
    #[must_use]
    pub fn without_intermediates(&self) -> Self {
        Self { chain: self.chain.first().cloned().into_iter().collect(), key: self.key.clone() }
    }

    /// The chain as PEM, leaf first.
    #[must_use]
    pub fn chain_pem(&self) -> String {
        pem::certificates(&self.chain)
    }

    /// The key as PKCS#8 PEM.
    #[must_use]
    pub fn key_pem(&self) -> Zeroizing<String> {
        self.key.pkcs8_pem()
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let thumbprint = read::sha1_thumbprint(self.leaf());
        f.debug_struct("Identity")
            .field("leaf", &thumbprint)
            .field("certificates", &self.chain.len())
            .field("key", &self.key)
            .finish()
    }
}
