//! The state message that reports traffic (configmgr §5.8). Fidelity: observed; the form of its times, which
//! are blank in print, is the lab's.

use std::fmt::Write as _;

use jiff::Timestamp;

use crate::kinds::EndpointTraffic;

/// The message, with `~~` where the product breaks lines.
pub(super) fn report(
    server: &str,
    from: Timestamp,
    to: Timestamp,
    max_concurrent_requests: u64,
    endpoints: &[EndpointTraffic],
) -> String {
    let mut xml = String::from("<ProxyTrafficStateDetails");
    attribute(&mut xml, "ServerName", server);
    attribute(&mut xml, "StartTime", &seconds(from));
    attribute(&mut xml, "EndTime", &seconds(to));
    attribute(&mut xml, "MaxConcurrentRequests", &max_concurrent_requests.to_string());
    xml.push_str(">  <EndPoints>~~");
    for endpoint in endpoints {
        write_endpoint(&mut xml, endpoint);
    }
    xml.push_str("  </EndPoints>~~</ProxyTrafficStateDetails>");
    xml
}

fn write_endpoint(xml: &mut String, endpoint: &EndpointTraffic) {
    xml.push_str("    <EndPoint");
    attribute(xml, "Name", &endpoint.endpoint);
    attribute(xml, "ProxyServer", &endpoint.proxy_server);
    attribute(xml, "TargetHost", &endpoint.target_host);
    for (name, figure) in [
        ("TotalRequests", endpoint.total_requests),
        ("TotalRequestsWithBearerToken", endpoint.total_requests_with_bearer_token),
        ("MaxConcurrentRequests", endpoint.max_concurrent_requests),
        ("TotalRequestBytes", endpoint.total_request_bytes),
        ("TotalResponseBytes", endpoint.total_response_bytes),
        ("FailedRequests", endpoint.failed_requests),
    ] {
        attribute(xml, name, &figure.to_string());
    }
    xml.push_str("/>~~");
}

fn attribute(xml: &mut String, name: &str, value: &str) {
    let _infallible = write!(xml, " {name}=\"");
    for character in value.chars() {
        match character {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '"' => xml.push_str("&quot;"),
            // XML has no way to write these.
            control if control.is_control() => xml.push('\u{fffd}'),
            other => xml.push(other),
        }
    }
    xml.push('"');
}

fn seconds(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
