//! The HTTPS port of the channel, asked by hand.

use cmglab_events::Role;
use cmglab_net::{Answer, Call, Deps, HttpClient};
use http::Method;
use http::header::{HeaderName, UPGRADE};

use super::lab::{Gateway, HOST, Lab, Way, ask, connected, say, within};
use crate::{LARGEST_PIECE, SESSIONS_PATH, Transport, UPGRADE_PATH};

struct Caller {
    client: HttpClient,
    deps: Deps,
}

impl Caller {
    fn new(deps: Deps) -> Self {
        Self { client: HttpClient::new(&deps), deps }
    }

    async fn ask(&self, method: Method, path: &str, body: Vec<u8>) -> Answer {
        let call = Call::new(method, format!("https://{HOST}{path}")).body("application/octet-stream", body);
        within("an answer", self.client.send(&self.deps.events, &call)).await.unwrap()
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, Vec::new()).await
    }

    async fn post(&self, path: &str, body: impl Into<Vec<u8>>) -> Answer {
        self.ask(Method::POST, path, body.into()).await
    }

    /// The path of a new session.
    async fn session(&self) -> String {
        let opened = self.post(SESSIONS_PATH, []).await;
        assert_eq!(opened.status, 200);
        format!("{SESSIONS_PATH}/{}", String::from_utf8(opened.body.to_vec()).unwrap())
    }
}

fn ours(lab: &Lab) -> Caller {
    Caller::new(lab.connection_point())
}

fn ended(answer: &Answer) -> bool {
    (answer.status, answer.reason.as_str()) == (990, "BGB Session Ended")
}

#[tokio::test]
async fn nobody_without_a_certificate_of_the_site_gets_past_any_path() {
    let lab = Lab::new();
    let mut gateway = lab.gateway().await;
    let session = ours(&lab).session().await;
    let up = gateway.channel().await;
    let wrong = lab.machine(Role::Client);
    wrong.store.present(Some(lab.identity("mp-server")));
    for stranger in [lab.machine(Role::Client), wrong].map(Caller::new) {
        for path in [UPGRADE_PATH, &format!("{session}/down?piece=0"), "/cmglab/channel/sessions/x/down"] {
            assert_eq!(stranger.get(path).await.status, 403, "{path}");
        }
        for path in [SESSIONS_PATH, &format!("{session}/up?piece=0")] {
            assert_eq!(stranger.post(path, []).await.status, 403, "{path}");
        }
    }
    assert!(!gateway.has_channel());
    drop(up);
    assert_eq!(ours(&lab).get("/elsewhere").await.status, 404);
}

#[tokio::test]
async fn the_port_says_what_it_would_upgrade_to() {
    let lab = Lab::new();
    let _gateway = lab.gateway().await;
    let caller = ours(&lab);
    let plain = caller.get(UPGRADE_PATH).await;
    assert_eq!((plain.status, plain.headers[UPGRADE].as_bytes()), (426, crate::ALPN));
    let call = Call::get(format!("https://{HOST}{UPGRADE_PATH}"))
        .header(HeaderName::from_static("connection"), "upgrade")
        .header(UPGRADE, "websocket");
    assert_eq!(caller.client.send(&caller.deps.events, &call).await.unwrap().status, 426);
}

#[tokio::test]
async fn a_session_is_its_openers_alone() {
    let lab = Lab::new();
    let _gateway = lab.gateway().await;
    let (owner, other) = (ours(&lab), ours(&lab));
    let session = owner.session().await;
    let down = format!("{session}/down?piece=0");
    assert!(ended(&other.get(&down).await));
    assert!(ended(&other.post(&format!("{session}/up?piece=0"), "x").await));
    let hello = owner.get(&down).await;
    assert!(hello.status == 200 && hello.body.starts_with(b"PRI * HTTP/2.0"), "{hello:?}");
    // A lost answer is given again.
    assert_eq!(owner.get(&down).await.body, hello.body);
}

#[tokio::test]
async fn a_session_that_is_not_known_is_ended() {
    let lab = Lab::new();
    let gateway = lab.gateway().await;
    let caller = ours(&lab);
    for id in ["00000000-0000-0000-0000-000000000000".to_owned(), "x".repeat(10_000)] {
        assert!(ended(&caller.get(&format!("{SESSIONS_PATH}/{id}/down?piece=0")).await));
        assert!(ended(&caller.post(&format!("{SESSIONS_PATH}/{id}/up?piece=0"), "x").await));
    }
    let session = caller.session().await;
    gateway.channels.abort();
    assert!(ended(&caller.get(&format!("{session}/down?piece=0")).await));
    assert_eq!(caller.post(SESSIONS_PATH, []).await.status, 503);
}

#[tokio::test]
async fn pieces_have_their_number_and_their_size() {
    let lab = Lab::new();
    let mut gateway = lab.gateway().await;
    let caller = ours(&lab);
    let session = caller.session().await;
    let (up, down) =
        (|query: &str| format!("{session}/up{query}"), |query: &str| format!("{session}/down{query}"));
    for query in ["", "?piece=", "?piece=-1", "?piece=99999999999999999999", "?other=0"] {
        assert_eq!(caller.post(&up(query), "x").await.status, 400, "{query}");
        assert_eq!(caller.get(&down(query)).await.status, 400, "{query}");
    }
    assert_eq!(caller.post(&up("?piece=1"), "x").await.status, 409);
    assert_eq!(caller.get(&down("?piece=1")).await.status, 409);
    assert_eq!(caller.post(&up("?piece=0"), vec![0; LARGEST_PIECE + 1]).await.status, 413);
    // None of these was taken: the end comes as the first piece, and once more as its repetition.
    for _ in 0..2 {
        assert_eq!(caller.post(&up("?piece=0"), "").await.status, 204);
    }
    within("the channel's end", gateway.channel().await.gone).await.unwrap();
}

#[tokio::test]
async fn there_is_an_end_to_sessions() {
    let lab = Lab::new();
    let mut gateway = lab.gateway().await;
    let caller = ours(&lab);
    let mut sessions = Vec::new();
    loop {
        let opened = caller.post(SESSIONS_PATH, []).await;
        if opened.status != 200 {
            assert_eq!(opened.status, 503);
            break;
        }
        sessions.push(gateway.channel().await);
    }
    assert_eq!(sessions.len(), 64);
    // They are forsaken; from here, time jumps to the next timer whenever nothing else is to be done.
    tokio::time::pause();
    for session in sessions {
        let cause = tokio::time::timeout(super::lab::PATIENCE * 10, session.gone).await.unwrap().unwrap();
        // The engine's own keep-alive is as good a reason.
        assert!(cause.contains("nobody polled") || cause.contains("keep-alive"), "{cause}");
    }
    while gateway.channels.sessions() > 0 {
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
    tokio::time::resume();
    let _connector = lab.connector_by(lab.connection_point(), &[Transport::LongPoll], say("room")).start();
    assert_eq!(ask(&gateway.channel().await.channel, "/").await, "room");
}

#[tokio::test]
async fn one_port_serves_both_ways_and_two_connection_points() {
    let lab = Lab::over(Way { transport: Transport::LongPoll, slow: false });
    let mut gateway: Gateway = lab.gateway().await;
    let _poll = lab.connector(say("poll")).start();
    let poll = gateway.channel().await;
    let _upgrade =
        lab.connector_by(lab.connection_point(), &[Transport::HttpsUpgrade], say("upgrade")).start();
    let upgrade = gateway.channel().await;
    for _ in 0..3 {
        assert_eq!(ask(&poll.channel, "/").await, "poll");
        assert_eq!(ask(&upgrade.channel, "/").await, "upgrade");
    }
    lab.told("both", 2, connected).await;
}
