//! MutualAuth: the caller proves itself with a client certificate.
//!
//! Fidelity: observed for 401 when only the root was uploaded, documented for the revocation check being an
//! option, lab for the other statuses, which are those that IIS gives (configmgr §1.4, §4.2). The list of
//! trusted issuers (CTL) is the uploaded roots, so the chain alone decides.

use cmglab_events::kinds::{CertificateVerdict, CmgEvent};
use cmglab_net::Peer;
use cmglab_pki::read::Certificate;
use cmglab_proto::refusal::CmgRefusal;

use super::{Refusal, Visit};
use crate::Shared;

/// Lets a caller pass whose certificate is good now: one that was good when the connection was made may have
/// expired, been revoked or lost its authority since, and the other way round. A bearer token is neither wanted nor looked at: it goes
/// through, as any other header does.
pub(super) async fn admit(shared: &Shared, visit: &Visit, peer: Option<&Peer>) -> Result<(), Refusal> {
    let verdict = match peer {
        Some(peer) => cmglab_net::judge(&shared.deps, &shared.judge, &peer.chain).await,
        None => CertificateVerdict::Absent,
    };
    if let Some((refusal, cause)) = refusal(verdict) {
        return Err(Refusal::new(refusal, cause));
    }
    let leaf = peer.and_then(|peer| peer.chain.first());
    let subject = leaf.and_then(|leaf| Certificate::parse(leaf).ok()).map(|leaf| leaf.subject);
    visit
        .voice
        .emit(CmgEvent::CertificateAccepted { url: visit.url.clone(), subject: subject.unwrap_or_default() });
    Ok(())
}

fn refusal(verdict: CertificateVerdict) -> Option<(CmgRefusal, &'static str)> {
    use CertificateVerdict as V;
    Some(match verdict {
        V::Valid => return None,
        V::Absent => (CmgRefusal::CertificateRequired, "MutualAuth needs a client certificate"),
        V::Revoked => (CmgRefusal::RevokedCertificate, "the client certificate is revoked"),
        V::RevocationUnknown => (
            CmgRefusal::RevokedCertificate,
            "a CRL of the client certificate's chain cannot be had, which counts as revoked",
        ),
        V::Expired => (CmgRefusal::ExpiredCertificate, "the client certificate has expired"),
        V::NotYetValid => (CmgRefusal::ExpiredCertificate, "the client certificate is not valid yet"),
        V::UnknownIssuer => (
            CmgRefusal::UntrustedCertificate,
            "the client certificate does not chain to an uploaded root through uploaded intermediates",
        ),
        V::WrongUsage => {
            (CmgRefusal::UntrustedCertificate, "the client certificate is not for client authentication")
        }
        _ => (CmgRefusal::UntrustedCertificate, "the client certificate cannot be read"),
    })
}
