//! What an administrator can do, by what went wrong (configmgr §7).

use cmglab_events::kinds::TlsFailure;
use cmglab_net::{CallError, CallFailure};

use super::probe::Trouble;

/// Nobody answers, or not as whom we asked for.
pub(super) fn connection(error: &CallError) -> &'static str {
    match error.failure {
        CallFailure::UnknownName => {
            "Point a CNAME record of the service name to the deployment, and see that the name is spelled as in \
             the console."
        }
        CallFailure::Connect | CallFailure::Timeout => {
            "Start the service if it was stopped by hand or by the alert on outbound data, and let port 443 out."
        }
        CallFailure::Tls(failure) => certificate(failure),
        _ => "Look for a proxy or firewall that changes HTTP traffic between this machine and the CMG.",
    }
}

/// The server's certificate was refused.
fn certificate(failure: TlsFailure) -> &'static str {
    match failure {
        TlsFailure::UnknownIssuer => {
            "Import the root of the CMG's server certificate into the trusted roots of this machine and of the \
             clients."
        }
        TlsFailure::WrongName => {
            "Give the CMG a certificate for the name that clients use; if it has one, look for a proxy that \
             inspects TLS."
        }
        TlsFailure::RevocationOffline => {
            "Publish the CRL where the internet can fetch it, or clear the site's option that clients check it."
        }
        TlsFailure::Revoked => "Give the CMG a new server certificate; its own was revoked.",
        TlsFailure::Date => "Renew the CMG's server certificate, or set this machine's clock.",
        TlsFailure::WrongUsage => "Give the CMG a certificate for server authentication.",
        _ => "Let this machine and the CMG agree on TLS 1.2 or later.",
    }
}

/// Azure AD gave no answer that could be used.
pub(super) fn azure_ad(trouble: &Trouble) -> &'static str {
    match trouble {
        Trouble::Unanswered(_) => "Let this machine reach login.microsoftonline.com on port 443.",
        _ => SIGN_IN,
    }
}

/// The gateway does not know what it should.
pub(super) fn configuration(trouble: &Trouble) -> &'static str {
    match trouble {
        Trouble::Refused { status: 404, .. } => TENANT,
        Trouble::Refused { status: 503, .. } => NO_CONNECTION_POINT,
        Trouble::Unanswered(error) => connection(error),
        _ => "Read CMGService.log on the CMG.",
    }
}

/// A request with a token got no further than this.
pub(super) fn channel(trouble: &Trouble) -> &'static str {
    match trouble {
        Trouble::Unanswered(error) => connection(error),
        Trouble::Refused { status, reason } => refusal(*status, reason),
        Trouble::Unusable(_) => "Read the management point's logs, CCM_STS.log first.",
    }
}

/// The same with a client certificate.
pub(super) fn certificate_channel(trouble: &Trouble) -> &'static str {
    match trouble {
        Trouble::Unusable(_) => {
            "Compare the file with the one on the management point; something changed it."
        }
        other => channel(other),
    }
}

/// The reason's prefix tells who refused (configmgr §5.8).
fn refusal(status: u16, reason: &str) -> &'static str {
    let by_connector = reason.starts_with(CONNECTOR);
    match (status, reason) {
        (401, "CMGService_Invalid_Token") => {
            "Onboard the user's tenant, allow Azure AD authentication for it, and see that the App ID URI of the \
             server app is the one that the site knows; set the clocks if they differ."
        }
        (401, "CMGService_Unauthorized") => {
            "Upload the whole chain of the client certificate to the CMG, the intermediates too, and use a \
             certificate for client authentication."
        }
        (403, _) if !by_connector => {
            "Use a client certificate that has neither expired nor been revoked, and let the CMG reach its CRL."
        }
        (404, _) if !by_connector => MAPPING,
        (503, _) if !by_connector => NO_CONNECTION_POINT,
        (502 | 504, _) if !by_connector => {
            "Read SMS_CLOUD_PROXYCONNECTOR.log: the channel broke, or the connection point did not answer in time."
        }
        (401, _) if by_connector => {
            "Run Azure AD user discovery so that the site knows the user. If CCM_STS.log has no line of this \
             request, remove the redirect from the management point's web site."
        }
        (403, "CMGConnector_Clientcertificaterequired") => CONNECTION_POINT_CERTIFICATE,
        (403, _) => {
            "Bind the SMS Role SSL Certificate to port 443 of the management point; after a move from HTTPS to \
             enhanced HTTP the old one may still be there."
        }
        (500, _) if by_connector => {
            "Read CCM_STS.log and MP logs: put the token library that belongs to CCM_STS into its folder, let the \
             management point reach login.microsoftonline.com, and see that the site database answers."
        }
        (502..=504, _) => {
            "See that the management point runs and that the connection point reaches it on port 443 and trusts \
             its certificate."
        }
        _ => {
            "Read CMGService.log, SMS_CLOUD_PROXYCONNECTOR.log and the management point's logs, in this order."
        }
    }
}

pub(super) const SIGN_IN: &str =
    "See what the AADSTS number means, and sign in as a user who may use a password.";
pub(super) const TENANT: &str = "Onboard the tenant in the console's Azure services, with the app that users sign in to, and allow Azure AD \
     authentication for it.";
pub(super) const MAPPING: &str =
    "Allow CMG traffic on the management point, and compare its role id with the one in the path.";
const NO_CONNECTION_POINT: &str =
    "Start the CMG connection point, and let it reach the CMG on ports 443, 10140-10155 and 10124-10139.";
const CONNECTION_POINT_CERTIFICATE: &str = "Give the connection point a certificate for client authentication whose chain the management point trusts \
     and whose CRL it can fetch.";
const CONNECTOR: &str = "CMGConnector_";
