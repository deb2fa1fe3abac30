//! Golden texts of the connection point's lines.

use cmglab_clock::Clock;
use cmglab_proto::editions::Edition;

use crate::kinds::{
    CertificateDrop, CertificateFilter, CertificateVerdict, ConnectionPointEvent as E, EndpointTraffic,
    ForwardFailure,
};
use crate::logs::lines;
use crate::{Events, Role};

const MESSAGE: &str = "3087bd34-0000-4000-8000-000000000001";
const URL: &str = "https://MP.LAB.TEST/SMS_MP/.sms_aut?SITESIGNCERT";

fn written(event: E) -> Vec<String> {
    let (events, clock) = (Events::new(), Clock::running_from("2026-03-01T12:00:00Z".parse().unwrap(), 0.0));
    let source = events.source("CP&1", Role::ConnectionPoint, &clock).in_message(MESSAGE.parse().unwrap());
    source.emit(event);
    let event = events.snapshot().pop().unwrap();
    lines(&event, Edition::Y2019).iter().map(|line| line.text()).collect()
}

#[test]
fn a_refusal_of_the_management_point() {
    let answered = |mp_status, status, reason: &str| E::Answered {
        url: URL.into(),
        mp_status,
        mp_reason: "Client certificate required".into(),
        status,
        reason: reason.into(),
    };
    let received = |end: &str| format!("Received response {URL} for message {MESSAGE}: HTTP/1.1 {end}");
    let exception = format!(
        "Web exception for message {MESSAGE}: System.Net.WebException: The remote server returned an error: \
         (403) Forbidden.~~  at System.Net.HttpWebRequest.EndGetResponse(IAsyncResult asyncResult)~~  at \
         Microsoft.ConfigurationManager.CloudConnection.ProxyConnector.ConnectionBase.\
         InternalResponseCallBack(IAsyncResult asynchronousResult)"
    );
    let reason = "CMGConnector_Clientcertificaterequired";
    let expected = [exception, received(&format!("403 {reason}"))];
    assert_eq!(written(answered(403, 403, reason)), expected);
    assert_eq!(written(answered(200, 200, "OK")), [received("200 OK")]);
    assert_eq!(written(answered(302, 401, "x")), [received("401 x")]);
    assert!(written(answered(990, 990, "x"))[0].contains("(990) Client certificate required.~~"));
}

#[test]
fn what_only_verbose_logs_show() {
    let forwarding = |verbose| E::Forwarding {
        external_url: "https://CMG/x/a?b".into(),
        external_prefix: "https://CMG/x".into(),
        internal_prefix: "https://MP/y".into(),
        url: "https://MP/y/a?b".into(),
        verbose,
    };
    let always = format!("Forwarding proxy message {MESSAGE} to URL: https://MP/y/a?b");
    let switched = "Switched to internal URL. Replaced 'https://CMG/x' in   'https://CMG/x/a?b' with \
                    'https://MP/y' and got 'https://MP/y/a?b";
    assert_eq!(written(forwarding(true)), [switched.to_owned(), always.clone()]);
    assert_eq!(written(forwarding(false)), [always]);
    let forwarded = |verbose| E::Forwarded {
        method: "GET".into(),
        url: URL.into(),
        endpoint: "SMS_MP".into(),
        status: 200,
        reason: "OK".into(),
        body_bytes: 5274,
        taken_ms: 44,
        verbose,
    };
    let line = format!(
        "MessageID: {MESSAGE} RequestURI: {URL} EndpointName: SMS_MP ResponseHeader: HTTP/1.1 200 OK ~~ \
         ResponseBodySize: 5274 ElapsedTime: 44 ms"
    );
    assert_eq!(written(forwarded(true)), [line]);
    assert!(written(forwarded(false)).is_empty());
    let dropped = |cause, verbose| E::CertificateDropped { thumbprint: "AB".into(), cause, verbose };
    assert!(written(dropped(CertificateDrop::NotAllowed, false)).is_empty());
    assert_eq!(written(dropped(CertificateDrop::NotAllowed, true)), ["Not allowed cert: AB"]);
    assert_eq!(written(dropped(CertificateDrop::NoPrivateKey, true)), ["No private key cert: AB"]);
    assert_eq!(written(dropped(CertificateDrop::NotClientAuth, true)), ["Not client auth cert: AB"]);
    let offline = CertificateDrop::Chain(CertificateVerdict::RevocationUnknown);
    let expected = [
        "Chain build failed cert: AB",
        "Chain 0 status: RevocationStatusUnknown",
        "Chain 1 status: OfflineRevocation",
    ];
    assert_eq!(written(dropped(offline, true)), expected);
    for (filter, words) in [
        (CertificateFilter::DigitalSignature, "digital signature"),
        (CertificateFilter::AllowedRootCa, "allowed root CA"),
        (CertificateFilter::PrivateKey, "private key"),
        (CertificateFilter::ClientAuth, "client auth"),
    ] {
        let filtered = |verbose| E::CertificatesFiltered { filter, left: 7, verbose };
        assert_eq!(written(filtered(true)), [format!("Filtered cert count with {words}: 7")]);
        assert!(written(filtered(false)).is_empty());
    }
}

#[test]
fn failures_in_the_words_of_dotnet() {
    for (failure, words) in [
        (ForwardFailure::Timeout, "The operation has timed out~~"),
        (ForwardFailure::Cancelled, "The request was aborted: The request was canceled.~~"),
        (
            ForwardFailure::Connect,
            "Unable to connect to the remote server ---> System.Net.Sockets.SocketException: cause~~",
        ),
        (
            ForwardFailure::Trust,
            "The underlying connection was closed: Could not establish trust relationship for the SSL/TLS \
             secure channel. ---> System.Security.Authentication.AuthenticationException: cause~~",
        ),
    ] {
        let aborted = E::ForwardAborted {
            method: "GET".into(),
            url: URL.into(),
            endpoint: "SMS_MP".into(),
            failure,
            cause: "cause".into(),
            taken_ms: 1,
        };
        let lines = written(aborted);
        let start = format!("Web exception for message {MESSAGE}: System.Net.WebException: {words}");
        assert!(lines.len() == 1 && lines[0].starts_with(&start), "{lines:?}");
    }
}

#[test]
fn the_traffic_report_is_the_published_message() {
    let endpoint = EndpointTraffic {
        endpoint: "BGB".into(),
        proxy_server: "DOMAINCMG.CLOUDAPP.NET".into(),
        target_host: "ps.contoso.com\"<>\n".into(),
        total_requests: 2,
        total_requests_with_bearer_token: 0,
        max_concurrent_requests: 2,
        total_request_bytes: 2594,
        total_response_bytes: 716,
        failed_requests: 0,
    };
    let report = |endpoints| E::TrafficReported {
        from: "2026-03-01T12:00:00.7Z".parse().unwrap(),
        to: "2026-03-01T12:05:00Z".parse().unwrap(),
        max_concurrent_requests: 2,
        endpoints,
    };
    let start = "ReportTrafficData - state message to send: ~~<ProxyTrafficStateDetails \
                 ServerName=\"CP&amp;1\" StartTime=\"2026-03-01T12:00:00Z\" EndTime=\"2026-03-01T12:05:00Z\" \
                 MaxConcurrentRequests=\"2\">  <EndPoints>~~";
    let one = "    <EndPoint Name=\"BGB\" ProxyServer=\"DOMAINCMG.CLOUDAPP.NET\" \
               TargetHost=\"ps.contoso.com&quot;&lt;&gt;\u{fffd}\" TotalRequests=\"2\" \
               TotalRequestsWithBearerToken=\"0\" MaxConcurrentRequests=\"2\" TotalRequestBytes=\"2594\" \
               TotalResponseBytes=\"716\" FailedRequests=\"0\"/>~~";
    let end = "  </EndPoints>~~</ProxyTrafficStateDetails>";
    assert_eq!(written(report(vec![endpoint.clone()])), [format!("{start}{one}{end}")]);
    assert_eq!(written(report(vec![endpoint.clone(), endpoint])), [format!("{start}{one}{one}{end}")]);
    assert_eq!(written(report(Vec::new())), [format!("{start}{end}")]);
    assert_eq!(written(E::Maintaining), ["Maintaining connections..."]);
}
