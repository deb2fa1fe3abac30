//! Reading CRLs.

use jiff::Timestamp;
use x509_parser::prelude::FromDer;
use x509_parser::revocation_list::CertificateRevocationList;

use crate::dates::from_x509;
use crate::error::limited;
use crate::{PkiError, verify};

use super::{Certificate, Serial, common_name, parse};

/// What a CRL says (RFC 5280 section 5).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Crl {
    /// The CRL as read.
    pub der: Vec<u8>,
    /// The issuer in text form.
    pub issuer: String,
    /// The first common name of the issuer.
    pub issuer_common_name: Option<String>,
    /// The CRL number; none when absent or past 64 bits.
    pub number: Option<u64>,
    /// When it was issued.
    pub this_update: Timestamp,
    /// When it goes stale.
    pub next_update: Option<Timestamp>,
    /// The serial numbers on it, with the time of their revocation.
    pub revoked: Vec<(Serial, Timestamp)>,
}

impl Crl {
    /// Reads one CRL in DER.
    ///
    /// # Errors
    /// [`PkiError::TooLarge`] past 4 MiB; [`PkiError::Malformed`] says what does not parse.
    pub fn parse(der: &[u8]) -> Result<Self, PkiError> {
        let crl = parse_crl(der)?;
        let revoked = crl.iter_revoked_certificates().map(|entry| {
            let at = from_x509(WHAT, entry.revocation_date.timestamp())?;
            Ok((Serial::from_der_bytes(entry.raw_serial())?, at))
        });
        let next_update = crl.next_update().map(|date| from_x509(WHAT, date.timestamp()));
        Ok(Self {
            der: der.to_vec(),
            issuer: crl.issuer().to_string(),
            issuer_common_name: common_name(crl.issuer()),
            number: crl.crl_number().and_then(|number| u64::try_from(number).ok()),
            this_update: from_x509(WHAT, crl.last_update().timestamp())?,
            next_update: next_update.transpose()?,
            revoked: revoked.collect::<Result<_, PkiError>>()?,
        })
    }

    /// Whether `serial` is on it.
    #[must_use]
    pub fn revokes(&self, serial: &Serial) -> bool {
        self.revoked.iter().any(|(revoked, _)| revoked == serial)
    }

    /// Whether it is past its nextUpdate at `now`. A CRL without one never goes stale.
    #[must_use]
    pub fn is_stale(&self, now: Timestamp) -> bool {
        self.next_update.is_some_and(|next| next <= now)
    }

    /// Checks that `issuer` signed it.
    ///
    /// # Errors
    /// [`PkiError::Signature`].
    pub fn is_signed_by(&self, issuer: &Certificate) -> Result<(), PkiError> {
        let (crl, above) = (parse_crl(&self.der)?, parse(&issuer.der)?);
        if crl.issuer().as_raw() != above.subject().as_raw() {
            return Err(PkiError::Signature { what: WHAT, reason: "its issuer has another name" });
        }
        let (tbs, algorithm) = (&crl.tbs_cert_list, &crl.signature_algorithm);
        verify::same_algorithm(WHAT, &tbs.signature, algorithm)?;
        verify::signature(WHAT, above.public_key(), algorithm, tbs.as_ref(), &crl.signature_value)
    }
}

fn parse_crl(der: &[u8]) -> Result<CertificateRevocationList<'_>, PkiError> {
    limited(WHAT, der, MAX_DER)?;
    let (rest, crl) =
        CertificateRevocationList::from_der(der).map_err(|error| PkiError::malformed(WHAT, error))?;
    if rest.is_empty() { Ok(crl) } else { Err(PkiError::malformed(WHAT, "bytes follow its end")) }
}

const WHAT: &str = "CRL";
const MAX_DER: usize = 4 << 20;
