//! What is told by the clock: maintenance every minute, traffic every five.

use axum::Router;
use axum::body::Body;
use cmglab_events::kinds::EndpointTraffic;
use http::Request;
use http::header::{AUTHORIZATION, HeaderValue};
use jiff::SignedDuration;

use super::lab::{Lab, MP, PATIENCE, ask, posting, with_reason};

fn app() -> Router {
    Router::new().fallback(|request: Request<Body>| async move {
        if request.uri().path().ends_with("/refuse") {
            return with_reason(403, "Forbidden", "no");
        }
        axum::response::Response::new(request.into_body())
    })
}

/// Of all reports together: requests, with a token, bytes in, bytes out, failed.
fn sums(traffic: &[EndpointTraffic], endpoint: &str) -> [u64; 5] {
    let mut sums = [0; 5];
    for one in traffic.iter().filter(|one| one.endpoint == endpoint) {
        let figures = [
            one.total_requests,
            one.total_requests_with_bearer_token,
            one.total_request_bytes,
            one.total_response_bytes,
            one.failed_requests,
        ];
        sums.iter_mut().zip(figures).for_each(|(sum, one)| *sum += one);
    }
    sums
}

#[tokio::test]
async fn the_report_says_what_really_passed() {
    let lab = Lab::new().await;
    let (_mp, mut gateway) = (lab.mp(app()).await, lab.gateway(1).await);
    let role = lab.connection_point(Vec::new());
    let running = role.start();
    let channel = gateway.channel().await;
    let mut with_token = lab.message("/CCM_STS/one");
    with_token.headers_mut().insert(AUTHORIZATION, HeaderValue::from_static("Bearer secret"));
    ask(&channel, with_token).await;
    ask(&channel, posting(lab.message("/CCM_STS/refuse"), vec![7; 2000])).await;
    ask(&channel, posting(lab.message("/CCM_Incoming/three"), vec![7; 100_000])).await;
    lab.clock.advance(SignedDuration::from_mins(5)).await;
    ask(&channel, posting(lab.message("/CCM_Incoming/four"), vec![7; 10])).await;
    running.drain(PATIENCE).await;

    let reports = lab.reports();
    assert_eq!(reports.len(), 2, "one at the end of the interval, one at its own end");
    let mut wire = Vec::new();
    for stem in ["/CCM_STS/one", "/CCM_STS/refuse", "/CCM_Incoming/three", "/CCM_Incoming/four"] {
        let served = lab.served(stem).await;
        wire.push([served.request_bytes, served.response_bytes]);
    }
    let sts = [2, 1, wire[0][0] + wire[1][0], wire[0][1] + wire[1][1], 1];
    assert_eq!(sums(&reports[0].1, "CCM_STS"), sts, "as the management point counted on the wire");
    assert_eq!(sums(&reports[0].1, "CCM_Incoming"), [1, 0, wire[2][0], wire[2][1], 0]);
    assert_eq!(sums(&reports[1].1, "CCM_Incoming"), [1, 0, wire[3][0], wire[3][1], 0]);
    assert_eq!(reports[1].1.len(), 1);
    let all: Vec<_> = reports.into_iter().flat_map(|(_most, endpoints)| endpoints).collect();
    for endpoint in ["CCM_STS", "CCM_Incoming"] {
        assert_eq!(sums(&all, endpoint), sums(&role.traffic(), endpoint));
    }
    assert!(role.traffic().iter().all(|one| one.target_host == MP && one.proxy_server == "CMG.LAB.TEST"));

    let line = &lab.log(&["ReportTrafficData"])[1];
    let expected = format!(
        "ReportTrafficData - state message to send: ~~<ProxyTrafficStateDetails \
         ServerName=\"connection-point\" StartTime=\"2026-03-01T12:05:00Z\" EndTime=\"2026-03-01T12:05:00Z\" \
         MaxConcurrentRequests=\"1\">  <EndPoints>~~    <EndPoint Name=\"CCM_Incoming\" \
         ProxyServer=\"CMG.LAB.TEST\" TargetHost=\"MP.LAB.TEST\" TotalRequests=\"1\" \
         TotalRequestsWithBearerToken=\"0\" MaxConcurrentRequests=\"1\" TotalRequestBytes=\"{}\" \
         TotalResponseBytes=\"{}\" FailedRequests=\"0\"/>~~  </EndPoints>~~</ProxyTrafficStateDetails>",
        wire[3][0], wire[3][1]
    );
    assert_eq!(*line, expected);
}

#[tokio::test]
async fn every_instance_has_its_channel_and_every_minute_they_are_looked_at() {
    let lab = Lab::new().await;
    let (_mp, mut first, mut second) = (lab.mp(app()).await, lab.gateway(1).await, lab.gateway(2).await);
    let running = lab.configured(Vec::new(), |config| config.instances = 2).start();
    for channel in [first.channel().await, second.channel().await] {
        assert_eq!(ask(&channel, lab.message("/CCM_STS")).await.status, 200);
    }
    assert!(lab.log(&["Maintaining"]).is_empty());
    lab.clock.advance(SignedDuration::from_secs(59)).await;
    assert!(lab.log(&["Maintaining"]).is_empty());
    lab.clock.advance(SignedDuration::from_secs(1)).await;
    assert_eq!(lab.log(&["Maintaining"]), ["Maintaining connections..."]);
    lab.clock.advance(SignedDuration::from_mins(9)).await;
    assert_eq!((lab.log(&["Maintaining"]).len(), lab.reports().len()), (10, 2));
    running.stop().await;
    lab.clock.advance(SignedDuration::from_mins(10)).await;
    assert_eq!((lab.log(&["Maintaining"]).len(), lab.reports().len()), (10, 2));
}
