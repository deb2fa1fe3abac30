//! Which kinds of token an endpoint is for.
//!
//! Fidelity: lab, from what the documentation says of each kind (configmgr §3, mp-wire §8.1): the security
//! token service exchanges what proves a client from outside for a site token; content is for holders of one;
//! messages may carry any, since registration comes with an Azure AD or a bulk registration token. A token that
//! only gets a client in opens nothing else.

use cmglab_events::kinds::BearerKind;

/// Whether `endpoint` is for tokens of this kind.
pub(super) fn accepts(endpoint: &str, kind: BearerKind) -> bool {
    use BearerKind::{Aad, BulkRegistration, Ccm, ClientToken};
    let accepted: &[BearerKind] = match endpoint.to_ascii_lowercase().as_str() {
        "ccm_sts" => &[Aad, BulkRegistration, ClientToken],
        "ccm_system_tokenauth" => &[Aad, BulkRegistration, Ccm, ClientToken],
        "ccm_client" | "ccm_incoming" => &[Ccm],
        _ => &[Aad, Ccm],
    };
    accepted.contains(&kind)
}

/// The kind in words.
pub(super) fn name(kind: BearerKind) -> &'static str {
    match kind {
        BearerKind::Aad => "an Azure AD token",
        BearerKind::BulkRegistration => "a bulk registration token",
        BearerKind::Ccm => "a CCM token",
        BearerKind::ClientToken => "a client authentication token",
        _ => "this kind of token",
    }
}

#[cfg(test)]
mod tests {
    use BearerKind::{Aad, BulkRegistration, Ccm, ClientToken};

    use super::*;

    #[test]
    fn each_kind_opens_its_own_endpoints_in_any_spelling() {
        for (endpoint, accepted) in [
            ("CCM_STS", [true, true, false, true]),
            ("ccm_system_TokenAuth", [true, true, true, true]),
            ("CCM_Client", [false, false, true, false]),
            ("CCM_Incoming", [false, false, true, false]),
            ("AdminService", [true, false, true, false]),
        ] {
            let kinds = [Aad, BulkRegistration, Ccm, ClientToken];
            assert_eq!(kinds.map(|kind| accepts(endpoint, kind)), accepted, "{endpoint}");
        }
    }
}
