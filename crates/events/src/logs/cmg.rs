//! CMGService.log (configmgr §5.7). Fidelity: documented for the aggregate line, observed for the
//! verbose and validation lines, lab for the channel's own lines.

use super::{LogFile, Page};
use crate::kinds::{CmgEvent, TokenRefusal};

pub(super) fn write(event: &CmgEvent, page: &mut Page<'_>) {
    const LOG: LogFile = LogFile::CmgService;
    match event {
        CmgEvent::Traffic {
            request_uri,
            requests,
            request_bytes,
            responses,
            response_bytes,
            average_ms,
            ..
        } => {
            // The five spaces are the seed's.
            page.info(
                LOG,
                format!(
                    "RequestUri: {request_uri}  RequestCount: {requests}  RequestSize: {request_bytes} Bytes  \
                     ResponseCount: {responses}     ResponseSize: {response_bytes} Bytes  \
                     AverageElapsedTime: {average_ms} ms"
                ),
            );
        }
        CmgEvent::Relaying { message, url } => {
            page.info(LOG, format!("Request - MessageID: {message} RequestURI:{url}"));
        }
        CmgEvent::Relayed { message, status, reason, .. } => {
            page.info(
                LOG,
                format!("Response - MessageID: {message} ResponseHeader: HTTP/1.1 {status} {reason}"),
            );
        }
        CmgEvent::TokenRefused { url, issuer, audience, refusal, cause } => {
            page.error(LOG, token_refused(url, issuer.as_deref(), audience.as_deref(), *refusal, cause));
        }
        CmgEvent::Refused { url, status, reason, cause } => {
            page.error(LOG, format!("ERROR: Request to {url} refused with {status} {reason}: {cause}"));
        }
        CmgEvent::ChannelUp { connection, subject } => {
            page.info(LOG, format!("Connection {connection} established by {subject}"));
        }
        CmgEvent::ChannelDown { connection, cause } => {
            page.warning(LOG, format!("Connection {connection} closed: {cause}"));
        }
        CmgEvent::ChannelRefused { peer, cause } => {
            page.error(LOG, format!("ERROR: Connection from {peer} refused: {cause}"));
        }
        CmgEvent::SettingsApplied { version, tenants } => {
            page.info(LOG, format!("Applied site settings version {version}; onboarded tenants: {tenants}"));
        }
        CmgEvent::KeysUnavailable { url, cause } => {
            page.error(LOG, format!("ERROR: Failed to get token signing keys from {url}: {cause}"));
        }
        CmgEvent::AadAuthInfoAnswered { .. }
        | CmgEvent::InService { .. }
        | CmgEvent::KeysFetched { .. }
        | CmgEvent::TokenAccepted { .. } => {}
    }
}

/// The exception text that the product prints, without its stack trace.
fn token_refused(
    url: &str,
    issuer: Option<&str>,
    audience: Option<&str>,
    refusal: TokenRefusal,
    cause: &str,
) -> String {
    let exception = match refusal {
        TokenRefusal::NoValidator => format!(
            "System.IdentityModel.Tokens.SecurityTokenValidationException: There is no appropriate token \
             validator to validate the token with issuer {} and audience {}",
            issuer.unwrap_or_default(),
            audience.unwrap_or_default()
        ),
        TokenRefusal::Lifetime => format!(
            "System.IdentityModel.Tokens.SecurityTokenExpiredException: IDX10223: Lifetime validation failed. \
             {cause}"
        ),
        TokenRefusal::Invalid => {
            format!("System.IdentityModel.Tokens.SecurityTokenInvalidSignatureException: {cause}")
        }
        TokenRefusal::Missing => format!("System.UnauthorizedAccessException: {cause}"),
    };
    format!("ERROR: Security token validation exception with requesting URL {url}. {exception}")
}
