//! The choice of the client certificate, step by step (configmgr §5.8). Fidelity: documented, with the
//! statuses of .NET's `X509ChainStatusFlags`; only those of a list that is offline are in print.

use crate::kinds::{CertificateDrop, CertificateFilter, CertificateVerdict as V};

pub(super) fn filtered(filter: CertificateFilter, left: usize) -> String {
    let filter = match filter {
        CertificateFilter::DigitalSignature => "digital signature",
        CertificateFilter::AllowedRootCa => "allowed root CA",
        CertificateFilter::PrivateKey => "private key",
        CertificateFilter::ClientAuth => "client auth",
    };
    format!("Filtered cert count with {filter}: {left}")
}

pub(super) fn dropped(thumbprint: &str, cause: CertificateDrop) -> Vec<String> {
    let statuses = match cause {
        CertificateDrop::NotAllowed => return vec![format!("Not allowed cert: {thumbprint}")],
        CertificateDrop::NoPrivateKey => return vec![format!("No private key cert: {thumbprint}")],
        CertificateDrop::NotClientAuth => return vec![format!("Not client auth cert: {thumbprint}")],
        // The product counts what is left, and names none of these.
        CertificateDrop::NoDigitalSignature => return Vec::new(),
        CertificateDrop::Chain(verdict) => statuses(verdict),
    };
    let numbered = statuses.iter().enumerate().map(|(nth, status)| format!("Chain {nth} status: {status}"));
    std::iter::once(format!("Chain build failed cert: {thumbprint}")).chain(numbered).collect()
}

fn statuses(verdict: V) -> &'static [&'static str] {
    match verdict {
        V::RevocationUnknown => &["RevocationStatusUnknown", "OfflineRevocation"],
        V::Revoked => &["Revoked"],
        V::Expired | V::NotYetValid => &["NotTimeValid"],
        V::UnknownIssuer => &["PartialChain"],
        V::WrongUsage => &["NotValidForUsage"],
        V::Absent | V::Malformed | V::Valid => &["NotSignatureValid"],
    }
}
