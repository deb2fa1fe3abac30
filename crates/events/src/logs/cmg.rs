//! CMGService.log (configmgr §5.7). Fidelity: documented for the aggregate line, observed for the
//! verbose and validation lines, lab for the channel's own lines.
//!
//! CMGContentService.log: documented for the failure of row 27 (configmgr §7), lab for the rest.
//!
//! CMGHttpHandler.log: lab, since no line of it is public. CloudMgr.log, at the site (configmgr §5.11):
//! documented for `BusyRole` and `RestartingRole`, lab for the rest.

mod validation;

use super::{LogFile, Page};
use crate::kinds::CmgEvent;

const CONTENT: LogFile = LogFile::CmgContentService;
const LOG: LogFile = LogFile::CmgService;
const HANDLER: LogFile = LogFile::CmgHttpHandler;
const CLOUD: LogFile = LogFile::CloudMgr;

/// The documented line; what it is cut short by is not public.
const NO_COMMON_ALGORITHM: &str = "ERROR: Exception processing request. \
    Microsoft.WindowsAzure.Storage.StorageException: The underlying connection was closed: An unexpected error \
    occurred on a receive. ---> System.Net.WebException: The underlying connection was closed: An unexpected \
    error occurred on a receive. ---> System.ComponentModel.Win32Exception: The client and server cannot \
    communicate, because they do not possess a common algorithm";

/// What was refused before the gateway knew the URL asked for. The wording is the lab's.
pub(super) fn malformed(peer: &str, cause: &str, page: &mut Page<'_>) {
    page.error(LOG, format!("ERROR: Malformed request from {peer} refused: {cause}"));
}

pub(super) fn write(event: &CmgEvent, page: &mut Page<'_>) {
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
            page.error(LOG, validation::text(url, issuer.as_deref(), audience.as_deref(), *refusal, cause));
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
        CmgEvent::Dispatched { message, connection } => {
            page.info(HANDLER, format!("Message {message} dispatched to connection {connection}"));
        }
        CmgEvent::Undelivered { message, connection, cause } => {
            page.warning(
                HANDLER,
                format!(
                    "Message {message} not delivered to connection {connection}, nothing was sent: {cause}"
                ),
            );
        }
        CmgEvent::InstanceStatus { service, status, .. } => {
            page.info(CLOUD, format!("Deployment instance status for service {service} is {status:?}."));
        }
        CmgEvent::CostAlert { service, bytes, critical_bytes, stops } => {
            let then = if *stops { "; the service is stopped" } else { "" };
            page.warning(
                CLOUD,
                format!(
                    "Outbound data transfer of service {service} in 14 days is {bytes} bytes, over the critical \
                     threshold of {critical_bytes} bytes{then}"
                ),
            );
        }
        CmgEvent::ContentListed { package, content, client, files, .. } => {
            page.info(
                CONTENT,
                format!("Listed content {content} of package {package} for client {client}; files: {files}"),
            );
        }
        CmgEvent::ContentRefused { url, status, reason, cause } => {
            page.error(CONTENT, format!("ERROR: Request to {url} refused with {status} {reason}: {cause}"));
        }
        CmgEvent::ContentStorageUnreachable { .. } => page.error(CONTENT, NO_COMMON_ALGORITHM),
        CmgEvent::Abandoned { .. }
        | CmgEvent::AadAuthInfoAnswered { .. }
        | CmgEvent::BlobRefused { .. }
        | CmgEvent::BlobServed { .. }
        | CmgEvent::CertificateAccepted { .. }
        | CmgEvent::InService { .. }
        | CmgEvent::KeysFetched { .. }
        | CmgEvent::StorageKeyRotated { .. }
        | CmgEvent::TokenAccepted { .. } => {}
    }
}
