//! What an authority has revoked, and the CRL that says so.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::{Span, Timestamp};
use rcgen::{CertificateRevocationListParams, Issuer, KeyIdMethod, RevokedCertParams, SerialNumber};

use crate::issue::Signer;
use crate::{PkiError, Serial, dates};

/// Revoked serial numbers with the time of their revocation.
#[derive(Default)]
pub(crate) struct Ledger(Mutex<BTreeMap<Serial, Timestamp>>);

impl Ledger {
    pub(crate) fn revoke(&self, serial: &Serial, now: Timestamp) {
        let mut revoked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        revoked.entry(serial.clone()).or_insert(now);
    }

    pub(crate) fn is_revoked(&self, serial: &Serial, now: Timestamp) -> bool {
        let revoked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        revoked.get(serial).is_some_and(|&at| at <= now)
    }

    /// No issuing distribution point: the CRL covers everything its issuer signs, wherever it was fetched.
    pub(crate) fn crl(
        &self,
        issuer: &Issuer<'_, Signer>,
        lifetime: &Span,
        now: Timestamp,
        number: u64,
    ) -> Result<Vec<u8>, PkiError> {
        let params = CertificateRevocationListParams {
            this_update: dates::to_x509(now)?,
            next_update: dates::to_x509(dates::calendar(now, lifetime)?)?,
            crl_number: SerialNumber::from(number),
            issuing_distribution_point: None,
            revoked_certs: self.revoked(now)?,
            key_identifier_method: KeyIdMethod::Sha256,
        };
        Ok(params.signed_by(issuer).map_err(PkiError::signing)?.der().to_vec())
    }

    fn revoked(&self, now: Timestamp) -> Result<Vec<RevokedCertParams>, PkiError> {
        let revoked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = revoked.iter().filter(|&(_, &at)| at <= now);
        known
            .map(|(serial, &at)| {
                Ok(RevokedCertParams {
                    serial_number: SerialNumber::from_slice(serial.as_bytes()),
                    revocation_time: dates::to_x509(at)?,
                    reason_code: None,
                    invalidity_date: None,
                })
            })
            .collect()
    }
}
