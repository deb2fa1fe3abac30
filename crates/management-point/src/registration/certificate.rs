//! The certificates of a registration request. Validation always runs, whichever token came along.
//!
//! Fidelity: documented that it runs and what it logs (configmgr §5.10); observed that self-signed
//! certificates are taken and RSA-2048 is due (mp-wire §3.2). Revocation is not checked: a self-signed
//! certificate names no list.

use aws_lc_rs::digest::{SHA256, digest};
use cmglab_events::kinds::{CertificateFault, ManagementPointEvent};
use cmglab_pki::read::{Certificate, sha1_thumbprint};
use cmglab_proto::ccm::sign::PublicKey;
use cmglab_site::{Sha256, Site};
use jiff::Timestamp;

use crate::bearer::printable;
use crate::refused::Refused;

/// A certificate and what it is worth.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) fault: Option<CertificateFault>,
    /// The key, when it is one that can sign messages.
    pub(super) key: Option<PublicKey>,
    /// SHA-256 of the certificate.
    pub(super) sha256: Sha256,
    thumbprint: String,
    issued_to: String,
}

impl Judged {
    pub(super) fn event(&self) -> ManagementPointEvent {
        ManagementPointEvent::RegistrationCertificate {
            thumbprint: self.thumbprint.clone(),
            issued_to: self.issued_to.clone(),
            fault: self.fault,
        }
    }
}

/// The roots and intermediates that the site's administrator uploaded.
pub(super) async fn authorities(site: &Site) -> Result<Vec<Certificate>, Refused> {
    let settings = site.settings().await?;
    let roots = settings.client_authorities_der().unwrap_or_default();
    Ok(roots.iter().filter_map(|der| Certificate::parse(der).ok()).collect())
}

/// Judges a certificate (DER): form, key, dates, and who signed it.
pub(super) fn judge(der: &[u8], authorities: &[Certificate], now: Timestamp) -> Judged {
    let mut sha256 = [0; 32];
    sha256.copy_from_slice(digest(&SHA256, der).as_ref());
    let thumbprint = sha1_thumbprint(der);
    let Ok(certificate) = Certificate::parse(der) else {
        let fault = Some(CertificateFault::Malformed);
        return Judged { fault, key: None, sha256, thumbprint, issued_to: String::new() };
    };
    let key = PublicKey::from_der(&certificate.spki_der).ok();
    let name = certificate.subject_common_name.as_deref().unwrap_or(&certificate.subject);
    let issued_to = printable(name);
    let fault = fault(&certificate, key.as_ref(), authorities, now);
    Judged { fault, key, sha256, thumbprint, issued_to }
}

fn fault(
    certificate: &Certificate,
    key: Option<&PublicKey>,
    authorities: &[Certificate],
    now: Timestamp,
) -> Option<CertificateFault> {
    if key.is_none() {
        return Some(CertificateFault::WeakKey);
    }
    if now.as_second() < certificate.validity.not_before.as_second() {
        return Some(CertificateFault::NotYetValid);
    }
    if !certificate.validity.contains(now) {
        return Some(CertificateFault::Expired);
    }
    if certificate.subject == certificate.issuer {
        let holds = certificate.is_signed_by(certificate).is_ok();
        return (!holds).then_some(CertificateFault::Malformed);
    }
    let signs = |authority: &&Certificate| authority.is_ca && authority.validity.contains(now);
    let trusted = authorities.iter().filter(signs).any(|one| certificate.is_signed_by(one).is_ok());
    (!trusted).then_some(CertificateFault::Untrusted)
}
