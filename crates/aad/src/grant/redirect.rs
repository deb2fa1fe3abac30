//! Whether a redirect URI leads back to an application, at the token endpoints.
//!
//! Fidelity: observed. URIs of the broker (`ms-appx-web`) are compared without regard to case, as clients
//! write its name and the client id in either; all others as at the authorization endpoint.

use crate::App;
use crate::authorize::registered;

/// Whether an application has registered `uri`.
pub(crate) fn takes(app: &App, uri: &str) -> bool {
    let known = &app.redirect_uris;
    registered(uri, known)
        || (of_broker(uri) && known.iter().any(|one| of_broker(one) && one.eq_ignore_ascii_case(uri)))
}

fn of_broker(uri: &str) -> bool {
    uri.split_once("://").is_some_and(|(scheme, _)| scheme.eq_ignore_ascii_case(BROKER))
}

const BROKER: &str = "ms-appx-web";

#[cfg(test)]
mod tests {
    use cmglab_proto::ids::{AppId, ObjectId, TenantId};

    use super::*;

    #[test]
    fn only_the_brokers_own_are_compared_without_case() {
        let uris =
            ["ms-appx-web://Microsoft.AAD.BrokerPlugin/abc", "https://app.test/back", "http://localhost"];
        let app = App {
            redirect_uris: uris.map(str::to_owned).into(),
            ..App::new(AppId::zero(), ObjectId::zero(), "App", TenantId::zero())
        };
        for uri in [
            uris[0],
            "MS-APPX-WEB://microsoft.aad.brokerplugin/ABC",
            "https://app.test/back",
            "http://localhost:8400",
        ] {
            assert!(takes(&app, uri), "{uri}");
        }
        for uri in
            ["ms-appx-web://Microsoft.AAD.BrokerPlugin/abd", "https://APP.test/back", "https://app.test/"]
        {
            assert!(!takes(&app, uri), "{uri}");
        }
    }
}
