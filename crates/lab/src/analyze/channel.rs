//! The channel from the gateway through a connection point to one management point.
//!
//! Fidelity: documented for the failing text with an Azure AD token (configmgr §7 row 22); lab for the other
//! texts, and for which path a client certificate is shown to: the one that the lab's management point serves
//! to certificates.

use cmglab_net::Call;
use cmglab_proto::sts::{self, BearerToken};
use cmglab_proto::url::AuthScheme;
use http::Method;

use super::probe::{Probe, Trouble};
use super::report::{Fault, Tested};
use super::sign_in::Proof;
use super::{AnalyzedManagementPoint, advice};

/// What opens the management point's further paths.
#[derive(Debug)]
pub(super) enum Access {
    Token(BearerToken),
    Certificate,
}

pub(super) async fn test(
    probe: &Probe<'_>,
    point: &AnalyzedManagementPoint,
    proof: &Proof,
) -> Tested<Access> {
    match proof {
        Proof::AadToken(token) => with_token(probe, point, token).await,
        Proof::Certificate => with_certificate(probe, point).await,
    }
}

async fn with_token(
    probe: &Probe<'_>,
    point: &AnalyzedManagementPoint,
    token: &BearerToken,
) -> Tested<Access> {
    let fault = |trouble: &Trouble| Fault {
        description: format!("Failed to get ConfigMgr token with Azure AD token. {}", trouble.sentence()),
        advice: advice::channel(trouble),
    };
    let url = probe.at_management_point(AuthScheme::ServerAuth, point.role, sts::PATH);
    let answer =
        probe.ask(&Call::get(url).bearer(token.expose())).await.map_err(|trouble| fault(&trouble))?;
    let token = sts::read_answer(&answer.headers, &answer.body);
    let token = token.map_err(|error| fault(&Trouble::Unusable(error.to_string())))?;
    Ok(("Got a ConfigMgr token with the Azure AD token.".to_owned(), Access::Token(token)))
}

async fn with_certificate(probe: &Probe<'_>, point: &AnalyzedManagementPoint) -> Tested<Access> {
    let url = probe.at_management_point(AuthScheme::MutualAuth, point.role, CABINET);
    match probe.ask(&Call::new(Method::HEAD, url)).await {
        Ok(_found) => {
            let found = "The management point was reached with the client certificate.";
            Ok((found.to_owned(), Access::Certificate))
        }
        Err(trouble) => {
            let failed = "Failed to reach the management point with the client certificate.";
            Err(Fault {
                description: format!("{failed} {}", trouble.sentence()),
                advice: advice::certificate_channel(&trouble),
            })
        }
    }
}

/// The first file that any client fetches.
pub(super) const CABINET: &str = "/CCM_Client/ccmsetup.cab";
