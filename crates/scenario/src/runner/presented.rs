//! Client certificates in the state that a scenario asks for.

use cmglab_ids::Ids;
use cmglab_lab::Lab;
use cmglab_pki::{Eku, Identity, KeyKind, Overrides, PrivateKey, SubjectName, Validity};
use jiff::SignedDuration;

use crate::model::PresentedCertificate;

use super::actor::{Impossible, words};

/// Issues one. What is revoked is so from now on; who has a revocation list finds out with the next.
pub(super) fn certificate(
    lab: &Lab,
    state: PresentedCertificate,
    ids: &Ids,
) -> Result<cmglab_tls::Identity, Impossible> {
    use PresentedCertificate as State;
    let now = lab.clock().now();
    let overrides = match state {
        State::Expired => Validity::ended(now, SignedDuration::from_hours(1)).map_err(words)?.into(),
        State::WrongUsage => Overrides { eku: Some(vec![Eku::ServerAuth]), ..Overrides::default() },
        _ => Overrides::default(),
    };
    let issuer = if state == State::UnknownIssuer { "public-issuing" } else { "client-issuing" };
    let issuer = lab.authorities().get(issuer).map_err(words)?;
    let key = PrivateKey::generate(KeyKind::P256).map_err(words)?;
    let names = [SubjectName::dns(NAME)];
    let issued = issuer.issue_with("pki-client", &names, &overrides, &key, now, ids).map_err(words)?;
    let issued = match state {
        State::Revoked => {
            issuer.revoke(&issued.certificate().map_err(words)?.serial, now);
            issued
        }
        State::WithoutIntermediates => issued.without_intermediates(),
        _ => issued,
    };
    ready(&issued)
}

fn ready(issued: &Identity) -> Result<cmglab_tls::Identity, Impossible> {
    cmglab_tls::Identity::new(NAME, issued.chain().to_vec(), issued.key().pkcs8_der()).map_err(words)
}

const NAME: &str = "STRANGER.LAB.TEST";
