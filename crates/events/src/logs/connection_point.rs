//! SMS_CLOUD_PROXYCONNECTOR.log (configmgr §5.8).
//!
//! Fidelity: documented for the MessageID line, the change of URLs, the choice of the client certificate and
//! the minute's maintenance; observed for forwarding, exceptions, the traffic report and both failures to
//! build a connection; lab for the rest. Verbose, as far as is known, are the change of URLs, the MessageID
//! line and the choice of the certificate.

mod certificates;
mod dotnet;
mod traffic;

use cmglab_proto::transport::Transport;

use super::{LogFile, Page};
use crate::kinds::ConnectionPointEvent as E;

const LOG: LogFile = LogFile::ProxyConnector;

pub(super) fn write(event: &E, page: &mut Page<'_>) {
    match event {
        E::Forwarding { .. }
        | E::Answered { .. }
        | E::Forwarded { .. }
        | E::ForwardAborted { .. }
        | E::ForwardFailed { .. }
        | E::NotMapped { .. }
        | E::TurnedAway { .. } => message(event, page),
        E::ChannelConnected { .. }
        | E::ChannelFailed { .. }
        | E::ChannelClosed { .. }
        | E::ProbeFailed { .. } => channel(event, page),
        E::CertificateDropped { thumbprint, cause, verbose: true } => {
            for line in certificates::dropped(thumbprint, *cause) {
                page.info(LOG, line);
            }
        }
        E::CertificatesFiltered { filter, left, verbose: true } => {
            page.info(LOG, certificates::filtered(*filter, *left));
        }
        E::CertificateDropped { verbose: false, .. } | E::CertificatesFiltered { verbose: false, .. } => {}
        E::CertificateSelected { thumbprint: Some(thumbprint) } => {
            page.info(LOG, format!("Selected client certificate: {thumbprint}"));
        }
        E::CertificateSelected { thumbprint: None } => {
            page.warning(LOG, "No client certificate to present to management points");
        }
        E::Maintaining => page.info(LOG, "Maintaining connections..."),
        E::SettingsPushed { version } => {
            page.info(LOG, format!("Sent site settings version {version} to the cloud service"));
        }
        E::TrafficReported { from, to, max_concurrent_requests, endpoints } => {
            let server = &page.event.machine;
            let report = traffic::report(server, *from, *to, *max_concurrent_requests, endpoints);
            page.info(LOG, format!("ReportTrafficData - state message to send: ~~{report}"));
        }
    }
}

/// What becomes of one message.
fn message(event: &E, page: &mut Page<'_>) {
    let id = page.event.message.map(|id| id.to_string()).unwrap_or_default();
    match event {
        E::Forwarding { external_url, external_prefix, internal_prefix, url, verbose } => {
            if *verbose {
                // The last quotation mark is missing in print too.
                let switched = format!(
                    "Switched to internal URL. Replaced '{external_prefix}' in   '{external_url}' with \
                     '{internal_prefix}' and got '{url}"
                );
                page.info(LOG, switched);
            }
            page.info(LOG, format!("Forwarding proxy message {id} to URL: {url}"));
        }
        E::Answered { url, mp_status, mp_reason, status, reason } => {
            if *mp_status >= 400 {
                page.error(LOG, dotnet::web_exception(&id, &dotnet::refused(*mp_status, mp_reason)));
            }
            page.info(LOG, format!("Received response {url} for message {id}: HTTP/1.1 {status} {reason}"));
        }
        E::Forwarded { url, endpoint, status, reason, body_bytes, taken_ms, verbose: true, .. } => {
            page.info(LOG, answered(&id, url, endpoint, (*status, reason), *body_bytes, *taken_ms));
        }
        E::ForwardFailed { url, endpoint, status, reason, failure, cause, taken_ms, verbose, .. } => {
            page.error(LOG, dotnet::web_exception(&id, &dotnet::failed(*failure, cause)));
            if *verbose {
                page.info(LOG, answered(&id, url, endpoint, (*status, reason), 0, *taken_ms));
            }
        }
        E::ForwardAborted { failure, cause, .. } => {
            page.error(LOG, dotnet::web_exception(&id, &dotnet::failed(*failure, cause)));
        }
        E::NotMapped { external_url } => {
            page.error(LOG, format!("ERROR: No internal URL for '{external_url}' in message {id}"));
        }
        E::TurnedAway { external_url, under_way } => {
            let text = format!(
                "ERROR: Message {id} for '{external_url}' turned away; messages under way: {under_way}"
            );
            page.error(LOG, text);
        }
        _ => {}
    }
}

fn answered(
    id: &str,
    url: &str,
    endpoint: &str,
    (status, reason): (u16, &str),
    body_bytes: u64,
    taken_ms: u64,
) -> String {
    format!(
        "MessageID: {id} RequestURI: {url} EndpointName: {endpoint} ResponseHeader: HTTP/1.1 {status} \
         {reason} ~~ ResponseBodySize: {body_bytes} ElapsedTime: {taken_ms} ms"
    )
}

/// What becomes of the channel to one instance.
fn channel(event: &E, page: &mut Page<'_>) {
    match event {
        E::ChannelConnected { transport, server, connection } => {
            let word = transport.word();
            page.info(LOG, format!("Built {word} connection {connection} with server {server}"));
        }
        E::ChannelFailed { transport, server, connection, cause } => {
            page.error(LOG, not_built(*transport, server, connection, cause));
        }
        E::ChannelClosed { transport, server, connection, cause } => {
            let word = transport.word();
            page.warning(LOG, format!("{word} connection {connection} with server {server} closed: {cause}"));
        }
        E::ProbeFailed { transport, server, cause, .. } => {
            let word = transport.word();
            page.info(
                LOG,
                format!("Keeping the present connection: no {word} connection with server {server}: {cause}"),
            );
        }
        _ => {}
    }
}

/// Both texts are observed; of an HTTP failure the one for 990 is, and others follow its form.
fn not_built(transport: Transport, server: &str, connection: &str, cause: &str) -> String {
    let word = transport.word();
    let what = match transport {
        Transport::TcpTls => {
            "TCP CONNECTION: Failed to authenticate with proxy server ---> System.IO.IOException: Unable to read \
             data from the transport connection: "
        }
        Transport::HttpsUpgrade | Transport::LongPoll => "",
    };
    let stack = match transport {
        Transport::TcpTls => TCP_STACK,
        Transport::HttpsUpgrade | Transport::LongPoll => HTTP_STACK,
    };
    format!(
        "ERROR: Failed to build {word} connection {connection} with server {server}. Exception: \
         System.Net.WebException: {what}{cause}{stack}"
    )
}

/// The frames are observed; their namespace, which the samples cut short, is that of the other frames.
const TCP_STACK: &str = "~~   at Microsoft.ConfigurationManager.CloudConnection.ProxyConnector.TcpConnection.Connect()\
    ~~   at Microsoft.ConfigurationManager.CloudConnection.ProxyConnector.ConnectionBase.Start()\
    ~~   at Microsoft.ConfigurationManager.CloudConnection.ProxyConnector.ConnectionManager.MaintainConnections()";
const HTTP_STACK: &str = "~~   at System.Net.HttpWebRequest.GetResponse()\
    ~~   at Microsoft.ConfigurationManager.CloudConnection.ProxyConnector.HttpConnection.Send(Boolean isProxyData, \
    Byte[] data, Int32& statusCode, Byte[]& payload)";

#[cfg(test)]
mod tests;
