//! The service's state: its name resolves, its port accepts TLS, its certificate is good, and it answers.
//!
//! Fidelity: documented that the state comes first (configmgr §6), and that the served certificate shows at
//! this public path (§1.5); lab for the texts.

use cmglab_events::kinds::TlsFailure;
use cmglab_net::{Call, CallError, CallFailure};
use cmglab_proto::url::{AuthScheme, SERVICE_METADATA};

use super::advice;
use super::probe::Probe;
use super::report::{Fault, Tested};

/// Any answer will do: what the service knows is another question.
pub(super) async fn test(probe: &Probe<'_>) -> Tested<()> {
    let url = probe.at_service(AuthScheme::MutualAuth, &format!("/{SERVICE_METADATA}"));
    match probe.send(&Call::get(url)).await {
        Ok(_answer) => {
            let service = &probe.request.service;
            Ok((format!("It answers on port 443, and its certificate is trusted and for '{service}'."), ()))
        }
        Err(error) => Err(Fault { description: description(&error), advice: advice::connection(&error) }),
    }
}

/// The check that failed, and how.
fn description(error: &CallError) -> String {
    let check = match error.failure {
        CallFailure::UnknownName => "Name resolution",
        CallFailure::Connect | CallFailure::Timeout => "The connection to port 443",
        CallFailure::Tls(TlsFailure::UnknownIssuer) => "The certificate's check for a trusted root",
        CallFailure::Tls(TlsFailure::WrongName) => "The certificate's name check (CN and alternative names)",
        CallFailure::Tls(TlsFailure::RevocationOffline) => "The certificate's CRL check",
        CallFailure::Tls(TlsFailure::Revoked) => "The certificate's revocation check",
        CallFailure::Tls(TlsFailure::Date) => "The certificate's validity check",
        CallFailure::Tls(TlsFailure::WrongUsage) => "The certificate's usage check (server authentication)",
        CallFailure::Tls(_) => "The TLS handshake",
        _ => "The HTTP request",
    };
    format!("{check} failed: {}.", error.cause)
}
