//! Requests whose form is what is wrong: refused before any handler, or by its limits.

use cmglab_events::kinds::NetEvent;
use cmglab_events::{Event, Kind, Role};
use cmglab_lab::Topology;

use super::{Edge, Who};
use crate::support::{self, PATIENCE};

/// What the request is, its bytes, status and reason of the answer, forwarded or not. `{S}` and `{M}` are as in
/// the table of rows; `{A}` is a good token's header.
struct Raw(&'static str, String, &'static str, bool);

const HOST: &str = "Host: cmg.lab.test\r\n";
const BAD: &str = "400 Bad Request";

#[rustfmt::skip]
fn raws() -> Vec<Raw> {
    let get = |more: &str| format!("GET {{S}}/CCM_STS HTTP/1.1\r\n{HOST}{{A}}{more}\r\n");
    let post = |more: &str, body: &str| format!("POST {{S}}/CCM_STS HTTP/1.1\r\n{HOST}{{A}}{more}\r\n{body}");
    let line = |line: &str| format!("{line}\r\n{HOST}{{A}}\r\n");
    let large = format!("{:x}\r\n{}\r\n0\r\n\r\n", 3 << 20, "x".repeat(3 << 20));
    vec![
        Raw("sound", get(""), "200 OK", true),
        Raw("sound, with a length", post("Content-Length: 3\r\n", "abc"), "200 OK", true),
        Raw("sound, in chunks", post("Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n"), "200 OK", true),
        Raw("HTTP/1.0", line("GET {S}/CCM_STS HTTP/1.0"), "200 OK", true),
        Raw("HTTP/1.0 without a host", "GET {S}/CCM_STS HTTP/1.0\r\n{A}\r\n".to_owned(), "200 OK", true),
        Raw("no host", "GET {S}/CCM_STS HTTP/1.1\r\n{A}\r\n".to_owned(), BAD, false),
        Raw("two hosts", get("Host: mp.lab.test\r\n"), BAD, false),
        Raw("two equal hosts", get(HOST), BAD, false),
        Raw("TE and CL", post("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", "0\r\n\r\n"), BAD, false),
        Raw("CL and TE", post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), BAD, false),
        Raw("two lengths", post("Content-Length: 3\r\nContent-Length: 4\r\n", "abcd"), BAD, false),
        Raw("two equal lengths", post("Content-Length: 3\r\nContent-Length: 3\r\n", "abc"), BAD, false),
        Raw("lengths in one header", post("Content-Length: 3, 3\r\n", "abc"), BAD, false),
        Raw("a signed length", post("Content-Length: +3\r\n", "abc"), BAD, false),
        Raw("two encodings", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), BAD, false),
        Raw("another encoding", post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), BAD, false),
        Raw("a veiled encoding", post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"), BAD, false),
        Raw("space before the colon", post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n"), BAD, false),
        Raw("folded header", get("X: a\r\n b\r\n"), BAD, false),
        Raw("NUL in a header", get("X: a\0b\r\n"), BAD, false),
        Raw("header without a name", get(": a\r\n"), BAD, false),
        Raw("header without a colon", get("X\r\n"), BAD, false),
        Raw("absolute form", line("GET https://cmg.lab.test{S}/CCM_STS HTTP/1.1"), BAD, false),
        Raw("absolute form of the inside", line("GET https://MP.LAB.TEST/CCM_STS HTTP/1.1"), BAD, false),
        Raw("authority form", line("CONNECT mp.lab.test:443 HTTP/1.1"), BAD, false),
        Raw("no path", line("GET  HTTP/1.1"), BAD, false),
        Raw("a space in the path", line("GET {S}/CCM_STS x HTTP/1.1"), BAD, false),
        Raw("HTTP/0.9", "GET {S}/CCM_STS\r\n\r\n".to_owned(), BAD, false),
        // A caller that speaks HTTP/2 would not understand an answer.
        Raw("HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), "", false),
        Raw("HTTP/1.2", line("GET {S}/CCM_STS HTTP/1.2"), BAD, false),
        Raw("not HTTP", "hello\r\n\r\n".to_owned(), BAD, false),
        Raw("huge header", get(&format!("X: {}\r\n", "x".repeat(80_000))), "431 Request Header Fields Too Large", false),
        Raw("too many headers", get(&"X: a\r\n".repeat(200)), "431 Request Header Fields Too Large", false),
        Raw("over-long path", line(&format!("GET {{S}}/CCM_STS/{} HTTP/1.1", "a".repeat(9000))), "414 CMGService_RequestUriTooLong", false),
        Raw("a length over the limit", format!("CCM_POST {{S}}/ccm_system_tokenauth/request HTTP/1.1\r\n{HOST}{{A}}Content-Length: {}\r\n\r\n{}", 3 << 20, "x".repeat(3 << 20)), "413 CMGService_RequestEntityTooLarge", false),
        Raw("a length over the limit, on leave", format!("CCM_POST {{S}}/ccm_system_tokenauth/request HTTP/1.1\r\n{HOST}{{A}}Content-Length: {}\r\nExpect: 100-continue\r\n\r\n", 3 << 20), "413 CMGService_RequestEntityTooLarge", false),
        Raw("chunks over the limit", format!("CCM_POST {{S}}/ccm_system_tokenauth/request HTTP/1.1\r\n{HOST}{{A}}Transfer-Encoding: chunked\r\n\r\n{large}"), "413 CMGService_RequestEntityTooLarge", true),
        Raw("Connection names the token", get("Connection: authorization\r\n"), "400 CMGService_BadRequest", false),
        Raw("Connection names the host", get("Connection: close, Host\r\n"), "400 CMGService_BadRequest", false),
        Raw("Connection names a header of its own", get("Connection: x-own\r\nX-Own: a\r\n"), "200 OK", true),
        Raw("an upgrade", get("Connection: upgrade\r\nUpgrade: h2c\r\n"), "200 OK", true),
        Raw("the channel's own headers", get("x-cmglab-envelope: forged\r\nx-cmglab-message-id: 00000000-0000-0000-0000-000000000001\r\n"), "200 OK", true),
        Raw("bytes above ASCII", line("GET {S}/CCM_STS/é HTTP/1.1"), "400 CMGService_BadRequest", false),
        // It is dropped before anyone looks: what is judged is still what is sent on.
        Raw("a fragment", line("GET {S}/CCM_STS#/../SMS_MP HTTP/1.1"), "200 OK", true),
        Raw("a fragment that hides the end", line("GET {S}#/CCM_STS HTTP/1.1"), "404 CMGService_NotFound", false),
        Raw("a tab in the path", line("GET {S}/CCM_STS\t/x HTTP/1.1"), BAD, false),
        Raw("NUL in the path", line("GET {S}/CCM_STS\0/x HTTP/1.1"), BAD, false),
        Raw("a bare CR in a header", get("X: a\rb\r\n"), BAD, false),
        Raw("bare line feeds", get("").replace("\r\n", "\n"), "200 OK", true),
        Raw("a request behind an ambiguous one", format!("{}{}", post("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", "0\r\n\r\n"), get("")), BAD, false),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn the_form_of_a_request_decides_before_its_meaning() {
    let edge = Edge::start(Topology::default()).await;
    let machine = edge.credentials.machine(&edge.lab, Who::Aad);
    let mut wrong = Vec::new();
    for Raw(what, bytes, status, forwarded) in raws() {
        let bytes = edge.target(&bytes).replace("{A}", &edge.credentials.headers(Who::Aad));
        let (outcome, _head) = edge.send(&machine, bytes.as_bytes()).await;
        if (outcome.status.as_str(), outcome.forwarded) != (status, forwarded) {
            wrong.push(format!("{what}: {outcome:?}, expected {status}, {forwarded}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    edge.only_the_published_was_reached();
    edge.lab.shutdown().await;
}

/// What is for one hop goes no further; what is the client's own does.
#[tokio::test(flavor = "multi_thread")]
async fn the_management_point_sees_the_clients_request_and_not_its_hop() {
    let edge = Edge::start(Topology::default()).await;
    let machine = edge.credentials.machine(&edge.lab, Who::Ccm);
    let before = support::now(&edge.lab);
    let request = format!(
        "GET {{S}}/CCM_Client/ccmsetup.cab?a=%2e HTTP/1.1\r\n{HOST}{}User-Agent: SMS CCM 5.0\r\nRange: bytes=0-9\r\n\
         Connection: keep-alive, upgrade, x-hop\r\nUpgrade: websocket\r\nX-Hop: a\r\nKeep-Alive: timeout=5\r\n\
         TE: trailers\r\nProxy-Connection: close\r\n\r\n",
        edge.credentials.headers(Who::Ccm)
    );
    let (outcome, head) = edge.send(&machine, edge.target(&request).as_bytes()).await;
    assert_eq!(outcome.status, "206 Partial Content", "the client's Range goes through: {head}");
    for hop in ["upgrade:", "x-cmglab", "transfer-encoding:", "keep-alive:"] {
        assert!(!head.to_ascii_lowercase().contains(hop), "{head}");
    }
    let served = move |event: &Event| {
        event.seq >= before
            && event.role == Role::ManagementPoint
            && matches!(event.kind, Kind::Net(NetEvent::Served(_)))
    };
    let served = edge.lab.events().wait_for("the answer", PATIENCE, served).await.unwrap();
    let Kind::Net(NetEvent::Served(served)) = served.kind else { panic!("{served:?}") };
    assert_eq!((served.stem.as_str(), served.query.as_deref()), ("/CCM_Client/ccmsetup.cab", Some("a=%2e")));
    assert_eq!(served.user_agent.as_deref(), Some("SMS CCM 5.0"));
    assert_eq!(served.host.as_deref().map(str::to_ascii_uppercase).as_deref(), Some("MP.LAB.TEST"));
    edge.lab.shutdown().await;
}
