//! Which transport is tried, and when.

use cmglab_events::kinds::{ConnectionPointEvent, LabEvent};
use cmglab_events::logs::{self, LogFile};
use cmglab_events::{Event, Kind};
use cmglab_fault::{Guard, Point, Rule, Verdict, When};
use cmglab_proto::editions::Edition;
use tokio::sync::watch;

use super::lab::{HOST, Lab, TCP_PORT, ask, ask_later, closed, connected, failed, get, held, say, within};
use crate::ConnectorState::{Connected, Disconnected};
use crate::Transport::{HttpsUpgrade, LongPoll, TcpTls};
use crate::{ConnectorState, Transport};

const ALL: [Transport; 3] = [TcpTls, HttpsUpgrade, LongPoll];

fn fault(lab: &Lab, at: Point, containing: &str, verdict: Verdict) -> Guard {
    lab.faults.install(Rule { at, containing: containing.to_owned(), when: When::Always, verdict })
}

fn no_tcp(lab: &Lab) -> Guard {
    fault(lab, Point::Dial, &format!("{HOST}:{TCP_PORT}"), Verdict::Refuse)
}

fn no_upgrade(lab: &Lab) -> Guard {
    fault(lab, Point::Upgrade, "", Verdict::BreakUpgrade)
}

fn no_session(lab: &Lab) -> Guard {
    fault(lab, Point::Poll, "", Verdict::EndSession)
}

/// What failed, in order: transport, server, cause.
fn failures(lab: &Lab) -> Vec<(Transport, String, String)> {
    let failure = |event: Event| match event.kind {
        Kind::ConnectionPoint(ConnectionPointEvent::ChannelFailed { transport, server, cause, .. }) => {
            Some((transport, server, cause))
        }
        _ => None,
    };
    lab.events.snapshot().into_iter().filter_map(failure).collect()
}

/// The connection point's log so far.
fn logged(lab: &Lab) -> Vec<String> {
    let lines = |event: &Event| logs::lines(event, Edition::Y2019);
    let lines = lab.events.snapshot().into_iter().flat_map(|event| lines(&event));
    lines.filter(|line| line.file == LogFile::ProxyConnector).map(|line| line.text()).collect()
}

fn probed_in_vain(event: &ConnectionPointEvent) -> bool {
    matches!(event, ConnectionPointEvent::ProbeFailed { .. })
}

async fn stands(states: &mut watch::Receiver<ConnectorState>, wanted: ConnectorState) {
    within("the state", states.wait_for(|state| *state == wanted)).await.unwrap();
}

#[tokio::test]
async fn the_first_that_works_wins() {
    let lab = Lab::new();
    let mut gateway = lab.gateway().await;
    let connector = lab.connector_by(lab.connection_point(), &ALL, say("here")).start();
    assert_eq!(gateway.channel().await.transport, TcpTls);
    connector.stop().await;
    let reversed = [LongPoll, TcpTls];
    let _connector = lab.connector_by(lab.connection_point(), &reversed, say("here")).start();
    assert_eq!(gateway.channel().await.transport, LongPoll);
    assert_eq!(lab.count(failed), 0);
}

#[tokio::test]
async fn each_one_falls_back_to_the_next() {
    let lab = Lab::new();
    let mut gateway = lab.gateway().await;
    let _tcp = no_tcp(&lab);
    let connector = lab.connector_by(lab.connection_point(), &ALL, say("here")).start();
    assert_eq!(gateway.channel().await.transport, HttpsUpgrade);
    connector.stop().await;
    let refused =
        (TcpTls, format!("{HOST}:10140"), format!("cannot connect to {HOST}:10140: connection refused"));
    assert_eq!(failures(&lab), std::slice::from_ref(&refused));
    let line = logged(&lab).remove(0);
    let (before, after) = line.split_at("ERROR: Failed to build Tcp connection ".len());
    assert_eq!(before, "ERROR: Failed to build Tcp connection ");
    assert!(
        after.get(36..).unwrap().starts_with(&format!(
            " with server {HOST}:10140. Exception: System.Net.WebException: TCP CONNECTION: Failed to \
             authenticate with proxy server ---> System.IO.IOException: Unable to read data from the \
             transport connection: {}~~   at ",
            refused.2
        )),
        "{after}"
    );

    let _upgrade = no_upgrade(&lab);
    let connector = lab.connector_by(lab.connection_point(), &ALL, say("here")).start();
    let up = gateway.channel().await;
    assert_eq!((up.transport, ask(&up.channel, "/").await.as_str()), (LongPoll, "here"));
    connector.stop().await;
    let stripped = "The remote server returned an error: (426) Upgrade Required.".to_owned();
    assert_eq!(failures(&lab)[1..], [refused, (HttpsUpgrade, format!("{HOST}:443"), stripped)]);

    let applied = |point: &str, verdict: &str| {
        let wanted = LabEvent::FaultApplied { point: point.to_owned(), verdict: verdict.to_owned() };
        lab.events.snapshot().iter().any(|event| event.kind == Kind::Lab(wanted.clone()))
    };
    assert!(
        applied("dial", "refuse") && applied("upgrade", "break-upgrade") && !applied("poll", "end-session")
    );
}

#[tokio::test]
async fn a_session_that_is_ended_has_a_cause_of_its_own() {
    const ENDED: &str = "The remote server returned an error: (990) BGB Session Ended.";
    let lab = Lab::new();
    let mut gateway = lab.gateway().await;
    let session = no_session(&lab);
    let connector = lab.connector_by(lab.connection_point(), &[LongPoll], say("here")).start();
    lab.told("ChannelFailed", 2, failed).await;
    assert!(failures(&lab).iter().all(|(_, _, cause)| cause == ENDED), "{:?}", failures(&lab));
    let lines = logged(&lab);
    assert!(
        lines.iter().all(|line| line.starts_with("ERROR: Failed to build Http connection ")),
        "{lines:?}"
    );
    let told =
        format!(" with server {HOST}:443. Exception: System.Net.WebException: {ENDED}~~   at System.Net.");
    assert!(lines.iter().all(|line| line.contains(&told)), "{lines:?}");
    drop(session);
    let mut states = connector.states();
    stands(&mut states, Connected(LongPoll)).await;
    // Of one that stands it is told as well, and another is built.
    let _session = lab.faults.install(Rule {
        at: Point::Poll,
        containing: "/down".to_owned(),
        when: When::First(1),
        verdict: Verdict::EndSession,
    });
    while ask_later(&gateway.channel().await.channel, get("/")).await.unwrap().is_ok() {}
    let event = lab.told("ChannelClosed", 1, closed).await;
    assert!(format!("{event:?}").contains(ENDED), "{event:?}");
    lab.told("ChannelConnected", 2, connected).await;
}

#[tokio::test]
async fn maintenance_returns_to_the_preferred_transport_and_loses_nothing() {
    let lab = Lab::new();
    let mut gateway = lab.gateway().await;
    let (tcp, upgrade) = (no_tcp(&lab), no_upgrade(&lab));
    let mut held = held();
    let connector =
        lab.connector_by(lab.connection_point(), &ALL, std::sync::Arc::clone(&held.serve)).start();
    let mut states = connector.states();
    let first = gateway.channel().await;
    stands(&mut states, Connected(LongPoll)).await;
    // What waits for news of the settings does not hold up the change.
    let news = ask_later(&first.channel, get(crate::SETTINGS_PATH));
    let under_way = ask_later(&first.channel, get("/"));
    for _ in 0..2 {
        within("both requests", held.came.recv()).await.unwrap();
    }
    connector.maintain();
    lab.told("ProbeFailed", 2, probed_in_vain).await;
    assert_eq!(connector.state(), Connected(LongPoll));

    drop(upgrade);
    stands(&mut states, Connected(LongPoll)).await;
    connector.maintain();
    let second = gateway.channel().await;
    stands(&mut states, Connected(HttpsUpgrade)).await;
    assert_eq!((second.transport, lab.count(probed_in_vain)), (HttpsUpgrade, 3));
    assert_eq!(within("no news", news).await.unwrap().unwrap().status(), 503);
    assert!(!under_way.is_finished());
    held.gate.add_permits(1);
    assert_eq!(within("the answer", under_way).await.unwrap().unwrap().status(), 200);
    within("the old channel's end", first.gone).await.unwrap();

    drop(tcp);
    connector.maintain();
    let third = gateway.channel().await;
    stands(&mut states, Connected(TcpTls)).await;
    within("the old channel's end", second.gone).await.unwrap();
    held.gate.add_permits(1);
    assert_eq!(ask(&third.channel, "/").await, "done");
    // There is no better one.
    connector.maintain();
    assert!(!gateway.has_channel());
    assert_eq!((lab.count(connected), lab.count(closed)), (3, 2));
}

#[tokio::test]
async fn maintenance_wakes_one_that_waits() {
    let lab = Lab::new();
    let tcp = no_tcp(&lab);
    let mut gateway = lab.gateway().await;
    let connector = lab.connector(say("here")).start();
    let mut states = connector.states();
    // From here, time jumps to the next timer whenever nothing else is to be done: it soon waits long.
    tokio::time::pause();
    lab.told("ChannelFailed", 9, failed).await;
    stands(&mut states, Disconnected).await;
    tokio::time::resume();
    for nth in 10..15 {
        connector.maintain();
        let soon = lab.told("ChannelFailed", nth, failed);
        tokio::time::timeout(std::time::Duration::from_secs(2), soon).await.expect("at once");
        stands(&mut states, Disconnected).await;
    }
    drop(tcp);
    connector.maintain();
    assert_eq!(ask(&gateway.channel().await.channel, "/").await, "here");
}
