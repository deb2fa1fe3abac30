//! CA certificates that someone trusts, as one PEM text.

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use crate::error::limited;
use crate::{PkiError, pem};

/// A list of CA certificates.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustBundle(Vec<Vec<u8>>);

impl TrustBundle {
    /// Reads every `CERTIFICATE` block of a PEM text; other blocks and text between them are skipped.
    ///
    /// # Errors
    /// [`PkiError::TooLarge`] past 1 MiB or 256 certificates; [`PkiError::Malformed`] when a block is broken.
    pub fn from_pem(text: &str) -> Result<Self, PkiError> {
        limited(WHAT, text.as_bytes(), MAX_TEXT)?;
        let mut bundle = Self::default();
        for der in CertificateDer::pem_slice_iter(text.as_bytes()) {
            bundle.0.push(der.map_err(|error| PkiError::malformed(WHAT, error))?.to_vec());
            if bundle.0.len() > MAX_CERTIFICATES {
                return Err(PkiError::TooLarge { what: WHAT, size: bundle.0.len(), limit: MAX_CERTIFICATES });
            }
        }
        Ok(bundle)
    }

    /// Adds a certificate, given in DER, unless it is there already.
    pub fn add(&mut self, der: &[u8]) {
        if !self.0.iter().any(|known| known == der) {
            self.0.push(der.to_vec());
        }
    }

    /// The certificates in DER.
    #[must_use]
    pub fn certificates(&self) -> &[Vec<u8>] {
        &self.0
    }

    /// The certificates as PEM blocks.
    #[must_use]
    pub fn to_pem(&self) -> String {
        pem::certificates(&self.0)
    }
}

impl FromIterator<Vec<u8>> for TrustBundle {
    fn from_iter<T: IntoIterator<Item = Vec<u8>>>(ders: T) -> Self {
        let mut bundle = Self::default();
        ders.into_iter().for_each(|der| bundle.add(&der));
        bundle
    }
}

const WHAT: &str = "trust bundle";
const MAX_TEXT: usize = 1 << 20;
const MAX_CERTIFICATES: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pem_round_trips() {
        let bundle: TrustBundle = [vec![1; 100], vec![2; 48], vec![1; 100]].into_iter().collect();
        assert_eq!(bundle.certificates().len(), 2);
        assert_eq!(TrustBundle::from_pem(&bundle.to_pem()).unwrap(), bundle);
    }

    #[test]
    fn limits_hold() {
        let block = pem::encode("CERTIFICATE", b"x");
        assert!(TrustBundle::from_pem(&block.repeat(MAX_CERTIFICATES)).is_ok());
        let error = TrustBundle::from_pem(&block.repeat(MAX_CERTIFICATES + 1));
        assert!(matches!(error, Err(PkiError::TooLarge { .. })));
        assert!(matches!(TrustBundle::from_pem(&" ".repeat(MAX_TEXT + 1)), Err(PkiError::TooLarge { .. })));
    }

    #[test]
    fn a_broken_block_is_refused() {
        let broken = "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n";
        assert!(matches!(TrustBundle::from_pem(broken), Err(PkiError::Malformed { .. })));
        assert!(TrustBundle::from_pem("no blocks").unwrap().certificates().is_empty());
    }
}
