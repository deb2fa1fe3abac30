//! Bad input at the gateway and behind it: a typed refusal with its event, never a panic or a hang.

use std::time::Duration;

use cmglab_events::kinds::{CmgEvent, ManagementPointEvent, NetEvent};
use cmglab_events::{Kind, Role};
use cmglab_lab::Lab;
use cmglab_net::{Call, Deps, dial};
use cmglab_proto::ccm::{self, payload};
use http::Method;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::{self, PATIENCE};

/// Sends bytes as they are and returns the status line of the answer; empty when there was none.
async fn raw(deps: &Deps, bytes: &[u8]) -> String {
    let mut stream = dial(deps, "CMG.LAB.TEST", 443, &[b"http/1.1"]).await.unwrap();
    // The gateway may have answered and closed before all was sent.
    let _sent = stream.write_all(bytes).await;
    let mut answer = vec![0; 4096];
    let read = tokio::time::timeout(PATIENCE, stream.read(&mut answer)).await.expect("no hang");
    let text = String::from_utf8_lossy(&answer[..read.unwrap_or(0)]).into_owned();
    text.lines().next().unwrap_or_default().to_owned()
}

fn proxy(lab: &Lab, rest: &str) -> String {
    format!("/CCM_Proxy_ServerAuth/{}{rest}", lab.topology().management_point.role_id)
}

#[tokio::test(flavor = "multi_thread")]
async fn ambiguous_requests_are_refused_before_any_handler() {
    let lab = support::lab(Default::default()).await;
    let deps = support::stranger(&lab);
    let sound = "GET /CCM_STS HTTP/1.1\r\nHost: cmg.lab.test\r\n\r\n";
    assert_eq!(raw(&deps, sound.as_bytes()).await, "HTTP/1.1 404 CMGService_NotFound");
    let long = "x".repeat(80_000);
    let start = support::now(&lab);
    for (what, request) in [
        ("two hosts", "GET /CCM_STS HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n".to_owned()),
        ("no host", "GET /CCM_STS HTTP/1.1\r\n\r\n".to_owned()),
        (
            "TE and CL",
            "POST /CCM_STS HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n".to_owned(),
        ),
        ("two lengths", "POST /CCM_STS HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd".to_owned()),
        ("absolute form", "GET https://other/CCM_STS HTTP/1.1\r\nHost: a\r\n\r\n".to_owned()),
        ("folded header", "GET /CCM_STS HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n".to_owned()),
        ("oversized header", format!("GET /CCM_STS HTTP/1.1\r\nHost: a\r\nX: {long}\r\n\r\n")),
        ("not HTTP", "hello\r\n\r\n".to_owned()),
    ] {
        let before = support::now(&lab);
        let line = raw(&deps, request.as_bytes()).await;
        assert!(line.starts_with("HTTP/1.1 400") || line.starts_with("HTTP/1.1 431"), "{what}: {line}");
        let told = move |event: &cmglab_events::Event| {
            event.seq >= before && matches!(event.kind, Kind::Net(NetEvent::MalformedRequest { .. }))
        };
        lab.events().wait_for(what, PATIENCE, told).await.unwrap();
    }
    assert_eq!(support::events_of(&lab, Role::ConnectionPoint, start), []);
    assert_eq!(support::events_of(&lab, Role::ManagementPoint, start), []);
    lab.shutdown().await;
}

/// What a caller puts in a URL is its own affair: it is shown without secrets and cut short.
#[tokio::test(flavor = "multi_thread")]
async fn no_secret_of_a_query_is_told_and_no_event_is_larger_for_it() {
    let lab = support::lab(Default::default()).await;
    let deps = support::stranger(&lab);
    let aad = support::aad_token(&lab, &deps, "alice@lab.test").await;
    for (query, status) in
        [("?access_token=CANARY&other=seen".to_owned(), "200"), (format!("?{}", "x".repeat(7000)), "200")]
    {
        let target = proxy(&lab, &format!("/CCM_STS{query}"));
        let request =
            format!("GET {target} HTTP/1.1\r\nHost: cmg.lab.test\r\nAuthorization: Bearer {aad}\r\n\r\n");
        let line = raw(&deps, request.as_bytes()).await;
        assert!(line.starts_with(&format!("HTTP/1.1 {status}")), "{line}");
    }
    let events = lab.events().clone();
    lab.shutdown().await;
    let told: Vec<String> =
        events.snapshot().iter().map(|event| serde_json::to_string(event).unwrap()).collect();
    assert!(told.iter().any(|event| event.contains("other=seen")), "the rest of the query is told");
    assert!(!told.iter().any(|event| event.contains("CANARY")));
    assert!(told.iter().all(|event| event.len() < 6000), "{:?}", told.iter().map(String::len).max());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_header_cannot_take_a_credential_away_behind_the_gate() {
    let lab = support::lab(Default::default()).await;
    let deps = support::stranger(&lab);
    let aad = support::aad_token(&lab, &deps, "alice@lab.test").await;
    for (connection, status) in [("keep-alive", "200 OK"), ("authorization", "400 CMGService_BadRequest")] {
        let target = proxy(&lab, "/CCM_STS");
        let request = format!(
            "GET {target} HTTP/1.1\r\nHost: cmg.lab.test\r\nConnection: {connection}\r\n\
             Authorization: Bearer {aad}\r\n\r\n"
        );
        assert_eq!(raw(&deps, request.as_bytes()).await, format!("HTTP/1.1 {status}"));
    }
    lab.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn path_tricks_reach_nothing() {
    let lab = support::lab(Default::default()).await;
    let deps = support::stranger(&lab);
    let aad = support::aad_token(&lab, &deps, "alice@lab.test").await;
    let before = support::now(&lab);
    for rest in [
        "/CCM_STS/../SMS_MP/.sms_aut?MPLIST",
        "/CCM_STS/%2e%2e/SMS_MP/.sms_aut?MPLIST",
        "/CCM_STS%2f..%2fSMS_MP",
        "/CCM_STS/%252e%252e/SMS_MP",
        "/CCM_STS\\..\\SMS_MP",
        "//SMS_MP/.sms_aut",
        "/%43CM_STS/..;/SMS_MP",
    ] {
        let target = proxy(&lab, rest);
        let request =
            format!("GET {target} HTTP/1.1\r\nHost: cmg.lab.test\r\nAuthorization: Bearer {aad}\r\n\r\n");
        let line = raw(&deps, request.as_bytes()).await;
        assert!(line.starts_with("HTTP/1.1 400") || line.starts_with("HTTP/1.1 404"), "{rest}: {line}");
    }
    assert_eq!(support::events_of(&lab, Role::ConnectionPoint, before), []);
    // Its plain twin is relayed.
    let target = proxy(&lab, "/CCM_STS");
    let request =
        format!("GET {target} HTTP/1.1\r\nHost: cmg.lab.test\r\nAuthorization: Bearer {aad}\r\n\r\n");
    assert_eq!(raw(&deps, request.as_bytes()).await, "HTTP/1.1 200 OK");
    lab.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_and_verbs_hold_at_the_edge() {
    let lab = support::lab(Default::default()).await;
    let deps = support::stranger(&lab);
    let aad = support::aad_token(&lab, &deps, "alice@lab.test").await;
    let url = format!("https://CMG.LAB.TEST{}", proxy(&lab, "/ccm_system_tokenauth/request"));
    let large = Call::new(Method::POST, &url).bearer(&aad).body("application/octet-stream", vec![0; 3 << 20]);
    let answer = support::call(&deps, &large).await.unwrap();
    assert_eq!((answer.status, answer.reason.as_str()), (413, "CMGService_RequestEntityTooLarge"));
    for token in ["", "x", "a.b.c", &"A".repeat(20_000), &format!("{aad}.more")] {
        let call = Call::get(format!("https://CMG.LAB.TEST{}", proxy(&lab, "/CCM_STS"))).bearer(token);
        let answer = support::call(&deps, &call).await.unwrap();
        assert_eq!((answer.status, answer.reason.as_str()), (401, "CMGService_Invalid_Token"));
    }
    let call = Call::new(Method::DELETE, &url).bearer(&aad);
    assert_eq!(support::call(&deps, &call).await.unwrap().status, 405);
    let long =
        Call::get(format!("https://CMG.LAB.TEST{}", proxy(&lab, &format!("/CCM_STS/{}", "a".repeat(9000)))));
    assert_eq!(support::call(&deps, &long).await.unwrap().status, 414);
    let refused = support::events_of(&lab, Role::Cmg, 0).into_iter().filter(|event| {
        matches!(event.kind, Kind::Cmg(CmgEvent::Refused { .. } | CmgEvent::TokenRefused { .. }))
    });
    assert!(refused.count() >= 8);
    lab.shutdown().await;
}

/// The protocol's own refusal is an empty 200; the event and the log line say what was wrong.
#[tokio::test(flavor = "multi_thread")]
async fn bad_messages_are_answered_by_an_empty_200_and_told() {
    let lab = support::lab(Default::default()).await;
    let deps = support::stranger(&lab);
    let aad = support::aad_token(&lab, &deps, "alice@lab.test").await;
    let ccm_token = support::ccm_token(&lab, &deps, &aad).await;
    let url = format!("https://CMG.LAB.TEST{}", proxy(&lab, "/ccm_system_tokenauth/request"));
    let bomb = payload::deflate(&vec![0; 64 << 20]);
    let deep = payload::deflate(&payload::utf16_nul(&"<a>".repeat(50_000)));
    for (what, body) in [
        ("no multipart", b"hello".to_vec()),
        ("zlib bomb", envelope(&bomb)),
        ("deep XML", envelope(&deep)),
        ("broken zlib", envelope(b"\x78\x9cgarbage")),
        ("unknown document", envelope(&payload::deflate(&payload::utf16_nul("<Nothing/>")))),
    ] {
        let before = support::now(&lab);
        let ask = Call::new(Method::from_bytes(b"CCM_POST").unwrap(), &url)
            .bearer(&ccm_token)
            .body(&format!("multipart/mixed; boundary=\"{}\"", ccm::BOUNDARY), body);
        let answer = tokio::time::timeout(Duration::from_secs(20), support::call(&deps, &ask)).await;
        let answer = answer.expect("no hang").unwrap();
        assert_eq!((answer.status, answer.body.len()), (200, 0), "{what}");
        let told = support::events_of(&lab, Role::ManagementPoint, before);
        let dropped = told.iter().any(|event| {
            matches!(event.kind, Kind::ManagementPoint(ManagementPointEvent::MessageDropped { .. }))
        });
        assert!(dropped, "{what}: {told:#?}");
        assert!(!support::log_lines(&lab, &told).is_empty(), "{what}");
    }
    lab.shutdown().await;
}

fn envelope(payload: &[u8]) -> Vec<u8> {
    let message = "<Msg ReplyCompression=\"zlib\" SchemaVersion=\"1.1\"><Body Type=\"ByteRange\" Length=\"0\" \
                   Offset=\"0\"/><CorrelationID>{00000000-0000-0000-0000-000000000000}</CorrelationID><Hooks>\
                   <Hook3 Name=\"zlib-compress\"/></Hooks><ID>{5DD100CD-DF1D-45F5-BA17-A327F43465F8}</ID>\
                   <Payload Type=\"inline\"/><Priority>0</Priority><Protocol>http</Protocol>\
                   <ReplyMode>Sync</ReplyMode><ReplyTo>direct:PC:SccmMessaging</ReplyTo>\
                   <SentTime>2026-01-02T03:04:05Z</SentTime><SourceHost>PC</SourceHost>\
                   <TargetAddress>mp:MP_LocationManager</TargetAddress>\
                   <TargetEndpoint>MP_LocationManager</TargetEndpoint><TargetHost>MP</TargetHost>\
                   <Timeout>60000</Timeout></Msg>";
    let boundary = ccm::BOUNDARY.as_bytes();
    [
        b"--",
        boundary,
        b"\r\ncontent-type: text/plain; charset=UTF-16\r\n\r\n\xff\xfe",
        payload::utf16(message).as_slice(),
        b"\r\n--",
        boundary,
        b"\r\ncontent-type: application/octet-stream\r\n\r\n",
        payload,
        b"\r\n--",
        boundary,
        b"--",
    ]
    .concat()
}
