//! SMS_CLOUD_PROXYCONNECTOR.log (configmgr §5.8). Fidelity: documented for the MessageID line, observed
//! for the forwarding and failure lines, lab for the rest.

use super::{LogFile, Page};
use crate::kinds::ConnectionPointEvent as E;

pub(super) fn write(event: &E, page: &mut Page<'_>) {
    const LOG: LogFile = LogFile::ProxyConnector;
    let message = page.event.message.map(|id| id.to_string()).unwrap_or_default();
    match event {
        E::Forwarding { external_url, url } => {
            page.info(
                LOG,
                format!(
                    "Switched to internal URL. Replaced '{external_url}' in   '{external_url}' with '{url}' \
                     and got '{url}"
                ),
            );
            page.info(LOG, format!("Forwarding proxy message {message} to URL: {url}"));
        }
        E::Forwarded { url, endpoint, status, reason, body_bytes, taken_ms, .. } => {
            page.info(LOG, answered(&message, url, endpoint, *status, reason, *body_bytes, *taken_ms));
        }
        E::ForwardFailed { url, endpoint, status, reason, cause, taken_ms, .. } => {
            page.error(LOG, format!("Web exception for message {message}: System.Net.WebException: {cause}"));
            page.info(LOG, answered(&message, url, endpoint, *status, reason, 0, *taken_ms));
        }
        E::NotMapped { external_url } => {
            page.error(LOG, format!("ERROR: No internal URL for '{external_url}' in message {message}"));
        }
        E::ChannelConnected { server, connection } => {
            page.info(LOG, format!("Built Tcp connection {connection} with server {server}"));
        }
        E::ChannelFailed { server, connection, cause } => {
            page.error(
                LOG,
                format!(
                    "ERROR: Failed to build Tcp connection {connection} with server {server}. Exception: \
                     System.Net.WebException: TCP CONNECTION: Failed to authenticate with proxy server ---> \
                     {cause}"
                ),
            );
        }
        E::ChannelClosed { server, cause } => {
            page.warning(LOG, format!("Tcp connection with server {server} closed: {cause}"));
        }
        E::SettingsPushed { version } => {
            page.info(LOG, format!("Sent site settings version {version} to the cloud service"));
        }
    }
}

fn answered(
    message: &str,
    url: &str,
    endpoint: &str,
    status: u16,
    reason: &str,
    body_bytes: u64,
    taken_ms: u64,
) -> String {
    format!(
        "MessageID: {message} RequestURI: {url} EndpointName: {endpoint} ResponseHeader: HTTP/1.1 {status} \
         {reason} ~~ ResponseBodySize: {body_bytes} ElapsedTime: {taken_ms} ms"
    )
}
