//! One message after the other: what the management point sees, and what becomes of its answers.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use cmglab_events::kinds::{ConnectionPointEvent, ForwardFailure};
use cmglab_net::MESSAGE_HEADER;
use futures_util::StreamExt as _;
use http::header::{CONTENT_LENGTH, CONTENT_RANGE, HeaderValue, LOCATION, USER_AGENT};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use tokio::sync::Notify;

use super::lab::{Lab, MP, PATIENCE, ask, posting, send, with_reason};

/// Answers by the last part of the path.
fn app() -> Router {
    Router::new().fallback(|request: Request<Body>| async move {
        let path = request.uri().path().to_owned();
        match path.rsplit('/').next().unwrap() {
            "refuse" => with_reason(403, "Client certificate required", "IIS says no"),
            "broken" => with_reason(500, "Internal Server Error", ""),
            "ended" => with_reason(990, "BGB Session Ended", ""),
            "moved" => {
                let mut response = with_reason(302, "Found", "moved");
                response.headers_mut().insert(LOCATION, HeaderValue::from_static("https://other/"));
                response
            }
            "unchanged" => with_reason(304, "Not Modified", ""),
            "nothing" => with_reason(204, "No Content", ""),
            "part" => {
                let mut response = with_reason(206, "Partial Content", "bc");
                let range = HeaderValue::from_static("bytes 1-2/5");
                response.headers_mut().insert(CONTENT_RANGE, range);
                response.headers_mut().insert("keep-alive", HeaderValue::from_static("timeout=5"));
                response
            }
            "headers" => {
                let names = request.headers().iter().map(|(name, value)| format!("{name}: {value:?}\n"));
                axum::response::Response::new(Body::from(names.collect::<String>()))
            }
            "echo" => axum::response::Response::new(request.into_body()),
            _ => with_reason(200, "OK", "hello"),
        }
    })
}

const MESSAGE: [&str; 5] =
    ["Switched", "Forwarding proxy message", "Web exception", "Received response", "MessageID"];
const TRACE: &str = "~~  at System.Net.HttpWebRequest.EndGetResponse(IAsyncResult asyncResult)~~  at \
                     Microsoft.ConfigurationManager.CloudConnection.ProxyConnector.ConnectionBase.\
                     InternalResponseCallBack(IAsyncResult asynchronousResult)";

/// The lines of one message, without the time it took.
fn story(lab: &Lab) -> Vec<String> {
    let cut = |line: String| line.split(" ElapsedTime").next().unwrap().to_owned();
    lab.log(&MESSAGE).into_iter().map(cut).collect()
}

#[tokio::test]
async fn an_answer_passes_and_the_log_tells_of_it() {
    let lab = Lab::new().await;
    let (_mp, mut gateway) = (lab.mp(app()).await, lab.gateway(1).await);
    let _running = lab.connection_point(Vec::new()).start();
    let channel = gateway.channel().await;
    let answer = ask(&channel, lab.message("/ccm_sts/a%20b?x=1")).await;
    assert_eq!((answer.status, answer.reason.as_str(), &*answer.body), (200, "OK", &b"hello"[..]));
    let outside = "https://CMG.LAB.TEST/CCM_Proxy_ServerAuth/72057594037938216/ccm_sts";
    // The client's spelling stays.
    let expected = [
        format!(
            "Switched to internal URL. Replaced '{outside}' in   '{outside}/a%20b?x=1' with \
             'https://MP.LAB.TEST/ccm_sts' and got 'https://MP.LAB.TEST/ccm_sts/a%20b?x=1"
        ),
        "Forwarding proxy message <id> to URL: https://MP.LAB.TEST/ccm_sts/a%20b?x=1".to_owned(),
        "Received response https://MP.LAB.TEST/ccm_sts/a%20b?x=1 for message <id>: HTTP/1.1 200 OK"
            .to_owned(),
        "MessageID: <id> RequestURI: https://MP.LAB.TEST/ccm_sts/a%20b?x=1 EndpointName: CCM_STS \
         ResponseHeader: HTTP/1.1 200 OK ~~ ResponseBodySize: 5"
            .to_owned(),
    ];
    assert_eq!(story(&lab), expected);
}

#[tokio::test]
async fn without_verbose_logging_the_verbose_lines_are_missing() {
    let lab = Lab::new().await;
    let (_mp, mut gateway) = (lab.mp(app()).await, lab.gateway(1).await);
    let _running = lab.configured(Vec::new(), |config| config.verbose = false).start();
    let channel = gateway.channel().await;
    assert_eq!(ask(&channel, lab.message("/CCM_STS")).await.status, 200);
    let expected = [
        "Forwarding proxy message <id> to URL: https://MP.LAB.TEST/CCM_STS",
        "Received response https://MP.LAB.TEST/CCM_STS for message <id>: HTTP/1.1 200 OK",
    ];
    assert_eq!(story(&lab), expected);
    assert!(lab.log(&["Filtered", "Switched"]).is_empty());
}

#[tokio::test]
async fn refusals_and_redirections_get_the_connection_points_own_reason() {
    let lab = Lab::new().await;
    let (_mp, mut gateway) = (lab.mp(app()).await, lab.gateway(1).await);
    let _running = lab.connection_point(Vec::new()).start();
    let channel = gateway.channel().await;
    for (path, status, reason, exception, size) in [
        ("refuse", 403, "CMGConnector_Clientcertificaterequired", Some("(403) Forbidden."), 11),
        ("broken", 500, "CMGConnector_InternalServerError", Some("(500) Internal Server Error."), 0),
        ("ended", 990, "CMGConnector_BGBSessionEnded", Some("(990) BGB Session Ended."), 0),
        ("moved", 401, "CMGConnector_Unauthorized", None, 5),
    ] {
        let before = story(&lab).len();
        let answer = ask(&channel, lab.message(&format!("/CCM_STS/{path}"))).await;
        assert_eq!((answer.status, answer.reason.as_str()), (status, reason));
        assert!(!answer.headers.contains_key(LOCATION));
        assert_eq!(answer.body.len(), size);
        let url = format!("https://MP.LAB.TEST/CCM_STS/{path}");
        let exception = exception.map(|words| {
            format!(
                "Web exception for message <id>: System.Net.WebException: The remote server returned an error: \
                 {words}{TRACE}"
            )
        });
        let received = format!("Received response {url} for message <id>: HTTP/1.1 {status} {reason}");
        let told = format!(
            "MessageID: <id> RequestURI: {url} EndpointName: CCM_STS ResponseHeader: HTTP/1.1 {status} {reason} \
             ~~ ResponseBodySize: {size}"
        );
        let expected: Vec<_> = exception.into_iter().chain([received, told]).collect();
        assert_eq!(story(&lab)[before + 2..], expected);
    }
    assert_eq!(lab.log(&["Web exception"]).len(), 3);
}

#[tokio::test]
async fn other_answers_pass_untouched() {
    let lab = Lab::new().await;
    let (_mp, mut gateway) = (lab.mp(app()).await, lab.gateway(1).await);
    let _running = lab.connection_point(Vec::new()).start();
    let channel = gateway.channel().await;
    for (path, status, reason) in
        [("unchanged", 304, "Not Modified"), ("nothing", 204, "No Content"), ("part", 206, "Partial Content")]
    {
        let answer = ask(&channel, lab.message(&format!("/CCM_Client/{path}"))).await;
        assert_eq!((answer.status, answer.reason.as_str()), (status, reason));
        if path == "part" {
            assert_eq!(answer.headers[CONTENT_RANGE], "bytes 1-2/5");
            assert_eq!(answer.headers[CONTENT_LENGTH], "2");
            assert!(!answer.headers.contains_key("keep-alive"));
        }
    }
    let mut head = lab.message("/CCM_Client/whole");
    *head.method_mut() = Method::HEAD;
    let answer = ask(&channel, head).await;
    assert_eq!(
        (answer.status, &answer.headers[CONTENT_LENGTH], answer.body.len()),
        (200, &HeaderValue::from(5), 0)
    );
    assert!(lab.log(&["Web exception"]).is_empty());
}

#[tokio::test]
async fn the_management_point_gets_the_clients_request_and_nothing_of_the_channel() {
    let lab = Lab::new().await;
    let (_mp, mut gateway) = (lab.mp(app()).await, lab.gateway(1).await);
    let _running = lab.connection_point(Vec::new()).start();
    let channel = gateway.channel().await;
    let mut request = lab.message("/CCM_STS/headers");
    for (name, value) in [
        ("user-agent", "SMS CCM 5.0"),
        ("range", "bytes=1-2"),
        ("proxy-authenticate", "Basic"),
        ("keep-alive", "timeout=5"),
        ("x-cmglab-exchange", "forged"),
        (MESSAGE_HEADER, "forged"),
    ] {
        request.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    let seen = String::from_utf8(ask(&channel, request).await.body.to_vec()).unwrap();
    let mut names: Vec<_> = seen.lines().map(|line| line.split(": ").next().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["host", "range", "user-agent", MESSAGE_HEADER]);
    assert!(seen.contains(&format!("host: \"{MP}\"")) && seen.contains("user-agent: \"SMS CCM 5.0\""));
    assert!(!seen.contains("forged"));
    let mut plain = HeaderMap::new();
    plain.insert(USER_AGENT, HeaderValue::from_static("x"));
    // A gateway that sends no envelope, or asks for what is not published, opens nothing.
    let mut naked = lab.message("/CCM_STS");
    *naked.headers_mut() = plain;
    assert_eq!(send(&channel, naked).await.unwrap().status(), StatusCode::BAD_REQUEST);
    for path in ["/AdminService", "/CCM_STS%2f..", "/ccm_system/request"] {
        let answer = ask(&channel, lab.message(path)).await;
        assert_eq!((answer.status, answer.reason.as_str()), (404, "CMGConnector_NotFound"));
    }
    assert_eq!(lab.log(&["ERROR: No internal URL"]).len(), 3);
    let sent = |it: &ConnectionPointEvent| matches!(it, ConnectionPointEvent::Forwarding { .. });
    let sent = lab.events.snapshot().into_iter().filter(|event| match &event.kind {
        cmglab_events::Kind::ConnectionPoint(event) => sent(event),
        _ => false,
    });
    assert_eq!(sent.count(), 1);
}

#[tokio::test]
async fn large_bodies_flow_both_ways() {
    const LENGTH: usize = 8 << 20;
    let lab = Lab::new().await;
    let (_mp, mut gateway) = (lab.mp(app()).await, lab.gateway(1).await);
    let role = lab.connection_point(Vec::new());
    let _running = role.start();
    let channel = gateway.channel().await;
    let sent: Vec<u8> = (0..LENGTH).map(|nth| (nth / 7) as u8).collect();
    let answer = ask(&channel, posting(lab.message("/CCM_Incoming/echo"), sent.clone())).await;
    assert!(answer.status == 200 && answer.body == sent);
    assert!(story(&lab).last().unwrap().ends_with(&format!("ResponseBodySize: {LENGTH}")));
    // And one whose length nobody knows.
    let pieces = (0..64).map(|_| Ok::<_, std::io::Error>(Bytes::from_static(&[7; 64 * 1024])));
    let mut request = posting(lab.message("/CCM_Incoming/echo"), "");
    request.headers_mut().remove(CONTENT_LENGTH);
    let request = request.map(|_| Body::from_stream(futures_util::stream::iter(pieces)));
    assert_eq!(ask(&channel, request).await.body.len(), 4 << 20);
    let [traffic] = &role.traffic()[..] else { panic!() };
    assert_eq!((traffic.total_requests, traffic.failed_requests), (2, 0));
    assert!(traffic.total_request_bytes >= 12 << 20 && traffic.total_response_bytes >= 12 << 20);
}

#[tokio::test]
async fn a_management_point_that_cannot_be_had_is_told_in_the_words_of_dotnet() {
    use ForwardFailure as F;
    let lab = Lab::new().await;
    let mut gateway = lab.gateway(1).await;
    let _running = lab.connection_point(Vec::new()).start();
    let channel = gateway.channel().await;
    let failure = async |expected: F| {
        let answer = ask(&channel, lab.message("/CCM_STS")).await;
        assert_eq!((answer.status, answer.reason.as_str()), (502, "CMGConnector_BadGateway"));
        let told = |it: &ConnectionPointEvent| matches!(it, ConnectionPointEvent::ForwardFailed { failure, .. } if *failure == expected);
        lab.told("the failure", told).await;
        lab.log(&["Web exception"]).pop().unwrap()
    };
    const START: &str = "Web exception for message <id>: System.Net.WebException: ";
    let line = failure(F::Name).await;
    assert!(line.starts_with(&format!("{START}The remote name could not be resolved ---> ")), "{line}");
    // A certificate of a server that is another one.
    let mp = lab.mp(app()).await;
    lab.publish_mp("OTHER.LAB.TEST").await;
    lab.machine(cmglab_events::Role::Cmg).resolver.point("OTHER.LAB.TEST", 443, mp.local_addr());
    let line = failure(F::Trust).await;
    let words = "The underlying connection was closed: Could not establish trust relationship for the SSL/TLS \
                 secure channel. ---> ";
    assert!(line.starts_with(&format!("{START}{words}")) && line.ends_with(TRACE), "{line}");
    lab.publish_mp(MP).await;
    assert_eq!(ask(&channel, lab.message("/CCM_STS")).await.status, 200);
    mp.shutdown(PATIENCE).await;
    let line = failure(F::Connect).await;
    assert!(line.starts_with(&format!("{START}Unable to connect to the remote server ---> ")), "{line}");
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_not_passed_as_whole() {
    let (lab, leave) = (Lab::new().await, Arc::new(Notify::new()));
    let breaks = Arc::clone(&leave);
    let app = Router::new().fallback(move || async move {
        let half = futures_util::stream::once(async { Ok(Bytes::from_static(b"half")) });
        let gone = futures_util::stream::once(async move {
            breaks.notified().await;
            Err(std::io::Error::other("gone"))
        });
        axum::response::Response::new(Body::from_stream(half.chain(gone)))
    });
    let (_mp, mut gateway) = (lab.mp(app).await, lab.gateway(1).await);
    let role = lab.connection_point(Vec::new());
    let _running = role.start();
    let response = send(&gateway.channel().await, lab.message("/CCM_STS")).await.unwrap();
    leave.notify_one();
    assert!(response.into_body().collect().await.is_err());
    let ended = |it: &ConnectionPointEvent| {
        matches!(it, ConnectionPointEvent::ForwardAborted { failure: ForwardFailure::Broken, .. })
    };
    lab.told("the break", ended).await;
    let line = lab.log(&["Web exception"]).pop().unwrap();
    assert!(line.contains("The underlying connection was closed: The connection was closed unexpectedly."));
    let told = story(&lab).pop().unwrap();
    assert!(told.ends_with("ResponseBodySize: 4"), "{told}");
    assert_eq!(role.traffic()[0].failed_requests, 1);
}
