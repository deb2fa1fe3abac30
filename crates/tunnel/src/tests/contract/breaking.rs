//! Channels break, and come back.

use std::sync::Arc;
use std::time::Duration;

use cmglab_events::Role;
use cmglab_events::kinds::ConnectionPointEvent;
use tokio::sync::watch;

use crate::tests::lab::{
    Lab, PATIENCE, Way, ask, ask_later, closed, connected, failed, get, held, say, within,
};
use crate::{ConnectorState, Transport};

pub(super) async fn what_was_sent_is_lost_by_a_cut_and_what_was_not_comes_back(way: Way) {
    let lab = Lab::over(way);
    let mut gateway = lab.gateway().await;
    let mut held = held();
    let (cut, watched) = watch::channel(0);
    let connector = lab.connector(Arc::clone(&held.serve)).cut_by(watched).start();
    let up = gateway.channel().await;
    within(
        "the channel",
        connector.states().wait_for(|state| *state == ConnectorState::Connected(way.transport)),
    )
    .await
    .unwrap();
    let sent = ask_later(&up.channel, get("/sent"));
    within("the request", held.came.recv()).await.unwrap();
    cut.send_modify(|count| *count += 1);
    let failure = within("the failure", sent).await.unwrap().unwrap_err();
    assert!(failure.unsent.is_none(), "it may have been carried out");
    within("the handler's end", held.dropped.recv()).await.unwrap();
    within("the channel's end", up.gone).await.unwrap();
    let failure = up.channel.send(get("/unsent")).await.unwrap_err();
    assert_eq!(failure.unsent.expect("it never left").uri().path(), "/unsent");
    // What came back can go over the next channel.
    let next = gateway.channel().await;
    held.gate.add_permits(1);
    assert_eq!(ask(&next.channel, "/unsent").await, "done");
}

pub(super) async fn requests_that_wait_for_their_turn_come_back_from_a_cut(way: Way) {
    const AGREED: usize = crate::MOST_STREAMS as usize;
    let lab = Lab::over(way);
    let mut gateway = lab.gateway().await;
    let mut held = held();
    let (cut, watched) = watch::channel(0);
    let _connector = lab.connector(Arc::clone(&held.serve)).cut_by(watched).start();
    let up = gateway.channel().await;
    let asked: Vec<_> = (0..AGREED + 50).map(|_| ask_later(&up.channel, get("/"))).collect();
    for _ in 0..AGREED {
        within("as many as agreed", held.came.recv()).await.unwrap();
    }
    cut.send_modify(|count| *count += 1);
    let mut unsent = 0;
    for failure in asked {
        let failure = within("the failure", failure).await.unwrap().unwrap_err();
        unsent += usize::from(failure.unsent.is_some());
    }
    // The engine may count as sent what it has only prepared to send, which errs on the safe side. Over a long
    // poll it does so for all that wait.
    let least = if way.transport == Transport::LongPoll { 0 } else { 45 };
    assert!((least..=50).contains(&unsent), "{unsent}");
    assert!(held.came.try_recv().is_err());
}

pub(super) async fn a_cut_channel_is_dialled_again(way: Way) {
    let lab = Lab::over(way);
    let mut gateway = lab.gateway().await;
    let mut held = held();
    let (cut, watched) = watch::channel(0);
    let _connector = lab.connector(Arc::clone(&held.serve)).cut_by(watched).start();
    for round in 1..=3 {
        let up = gateway.channel().await;
        lab.told("ChannelConnected", round, connected).await;
        let under_way = ask_later(&up.channel, get("/"));
        within("the request", held.came.recv()).await.unwrap();
        cut.send_modify(|count| *count += 1);
        assert!(within("the answer", under_way).await.unwrap().is_err());
        within("the handler's end", held.dropped.recv()).await.unwrap();
        assert!(within("the channel's end", up.gone).await.is_ok());
        lab.told("ChannelClosed", round, closed).await;
    }
    let up = gateway.channel().await;
    held.gate.add_permits(1);
    assert_eq!(ask(&up.channel, "/").await, "done");
}

/// A long poll survives a broken link, and for it a refused one stands in; see its own tests.
pub(super) async fn a_link_that_breaks_is_noticed_at_both_ends(way: Way) {
    let lab = Lab::over(way);
    let mut gateway = lab.gateway().await;
    lab.between(&mut gateway).await;
    let mut held = held();
    let _connector = lab.connector(Arc::clone(&held.serve)).start();
    let up = gateway.channel().await;
    lab.told("ChannelConnected", 1, connected).await;
    let under_way = ask_later(&up.channel, get("/"));
    within("the request", held.came.recv()).await.unwrap();
    gateway.between.as_ref().unwrap().cut();
    if way.transport == Transport::LongPoll {
        held.gate.add_permits(1);
        assert!(within("the answer", under_way).await.unwrap().is_ok());
        return;
    }
    assert!(within("the answer", under_way).await.unwrap().unwrap_err().unsent.is_none());
    within("the channel's end", up.gone).await.unwrap();
    lab.told("ChannelClosed", 1, closed).await;
    held.gate.add_permits(1);
    assert_eq!(ask(&gateway.channel().await.channel, "/").await, "done");
}

pub(super) async fn a_stopped_connector_leaves_nothing_behind(way: Way) {
    let lab = Lab::over(way);
    let baseline = tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let mut gateway = lab.gateway().await;
    let mut held = held();
    let connector = lab.connector(Arc::clone(&held.serve)).start();
    let up = gateway.channel().await;
    let under_way = ask_later(&up.channel, get("/"));
    within("the request", held.came.recv()).await.unwrap();
    let states = connector.states();
    within("the stop", connector.stop()).await;
    assert_eq!(*states.borrow(), ConnectorState::Stopped);
    assert!(within("the answer", under_way).await.unwrap().is_err());
    within("the handler's end", held.dropped.recv()).await.unwrap();
    assert!(within("the channel's end", up.gone).await.is_ok());
    let again = lab.connector(say("again")).start();
    let up_again = gateway.channel().await;
    assert_eq!(ask(&up_again.channel, "/").await, "again");
    drop((again, up.channel, up_again));
    gateway.shutdown(PATIENCE).await;
    drop(gateway);
    tasks_end(baseline).await;
}

pub(super) async fn a_drained_connector_finishes_what_is_under_way(way: Way) {
    let lab = Lab::over(way);
    let mut gateway = lab.gateway().await;
    let mut held = held();
    let connector = lab.connector(Arc::clone(&held.serve)).start();
    let up = gateway.channel().await;
    let under_way = ask_later(&up.channel, get("/"));
    within("the request", held.came.recv()).await.unwrap();
    let mut states = connector.states();
    let draining = tokio::spawn(async move { connector.drain(PATIENCE).await });
    within("the drain", states.wait_for(|state| *state == ConnectorState::Draining)).await.unwrap();
    // It tells the gateway, which gets back what it then tries to send.
    let refused = async {
        loop {
            let asked = ask_later(&up.channel, get("/more"));
            tokio::select! {
                answer = asked => return answer.unwrap().unwrap_err(),
                _came = held.came.recv() => held.gate.add_permits(1),
            }
        }
    };
    assert!(within("a refusal", refused).await.unsent.is_some());
    assert!(!draining.is_finished());
    held.gate.add_permits(5);
    assert_eq!(within("the answer", under_way).await.unwrap().unwrap().status(), 200);
    within("the end of the drain", draining).await.unwrap();
    within("the channel's end", up.gone).await.unwrap();
    let told = lab.told("ChannelClosed", 1, closed).await;
    assert!(format!("{told:?}").contains("drained here"));
    assert_eq!(lab.count(connected), 1);
}

pub(super) async fn a_gateway_that_shuts_down_lets_requests_under_way_finish(way: Way) {
    let lab = Lab::over(way);
    let mut gateway = lab.gateway().await;
    let mut held = held();
    let _connector = lab.connector(Arc::clone(&held.serve)).start();
    let up = gateway.channel().await;
    let channel = up.channel;
    let under_way = tokio::spawn(async move { ask(&channel, "/").await });
    within("the request", held.came.recv()).await.unwrap();
    let shutdown = async {
        let closing = gateway.shutdown(PATIENCE * 2);
        tokio::pin!(closing);
        tokio::select! {
            () = &mut closing => panic!("a request is under way"),
            gone = up.gone => assert_eq!(gone.unwrap(), "the gateway is closing"),
        }
        held.gate.add_permits(1);
        closing.await;
    };
    within("the shutdown", shutdown).await;
    assert_eq!(under_way.await.unwrap(), "done");
}

pub(super) async fn a_gateway_that_restarts_is_found_again(way: Way) {
    let lab = Lab::over(way);
    let mut gateway = lab.gateway().await;
    let _connector = lab.connector(say("here")).start();
    let up = gateway.channel().await;
    assert_eq!(ask(&up.channel, "/").await, "here");
    within("the gateway's end", gateway.abort()).await;
    lab.told("ChannelClosed", 1, closed).await;
    assert!(up.channel.send(get("/")).await.unwrap_err().unsent.is_some());
    let mut gateway = lab.gateway().await;
    assert_eq!(ask(&gateway.channel().await.channel, "/").await, "here");
    lab.told("ChannelConnected", 2, connected).await;
}

pub(super) async fn a_partition_that_heals_costs_nothing_but_time(way: Way) {
    let lab = Lab::over(way);
    let mut gateway = lab.gateway().await;
    lab.between(&mut gateway).await;
    let _connector = lab.connector(say("here")).start();
    let up = gateway.channel().await;
    assert_eq!(ask(&up.channel, "/").await, "here");
    let between = gateway.between.as_ref().unwrap();
    for _ in 0..3 {
        between.partition();
        let asked: Vec<_> = (0..20).map(|_| ask_later(&up.channel, get("/"))).collect();
        let waited =
            tokio::time::timeout(Duration::from_millis(20), futures_util::future::select_all(asked)).await;
        assert!(waited.is_err(), "nothing moves");
        let asked: Vec<_> = (0..20).map(|_| ask_later(&up.channel, get("/"))).collect();
        between.heal();
        for answer in asked {
            assert!(within("an answer", answer).await.unwrap().is_ok());
        }
    }
    assert_eq!((lab.count(connected), lab.count(closed)), (1, 0));
}

pub(super) async fn a_partition_that_stays_is_given_up(way: Way) {
    let lab = Lab::over(way);
    let mut gateway = lab.gateway().await;
    lab.between(&mut gateway).await;
    let mut held = held();
    let _connector = lab.connector(Arc::clone(&held.serve)).start();
    lab.told("ChannelConnected", 1, connected).await;
    gateway.between.as_ref().unwrap().partition();
    let up = gateway.channel().await;
    // From here, time jumps to the next timer whenever nothing else is to be done.
    tokio::time::pause();
    lab.told("ChannelClosed", 1, closed).await;
    tokio::time::timeout(PATIENCE * 10, up.gone).await.expect("the gateway's own insight").unwrap();
    tokio::time::resume();
    gateway.between.as_ref().unwrap().heal();
    held.gate.add_permits(1);
    let next = gateway.channel().await;
    assert_eq!(ask(&next.channel, "/").await, "done");
    assert!(held.came.try_recv().is_ok());
}

pub(super) async fn a_stranger_gets_no_channel(way: Way) {
    let lab = Lab::over(way);
    let mut gateway = lab.gateway().await;
    let without = lab.machine(Role::ConnectionPoint);
    let wrong = lab.machine(Role::ConnectionPoint);
    // A certificate of the same site, for another purpose.
    wrong.store.present(Some(lab.identity("mp-server")));
    let strangers =
        [without, wrong].map(|deps| lab.connector_by(deps, &[way.transport], say("stranger")).start());
    lab.told("ChannelFailed", 6, failed).await;
    assert!(!gateway.has_channel());
    assert_eq!(lab.count(connected), 0);
    let refused = |event: &ConnectionPointEvent| match event {
        ConnectionPointEvent::ChannelFailed { transport, cause, .. } => {
            let tcp = cause.starts_with("the gateway turned this connection point away");
            let https = cause == "The remote server returned an error: (403) Forbidden.";
            *transport == way.transport && (tcp != https) && (tcp == (way.transport.word() == "Tcp"))
        }
        _ => false,
    };
    assert_eq!(lab.count(refused), lab.count(failed));
    drop(strangers);
    let _ours = lab.connector(say("ours")).start();
    assert_eq!(ask(&gateway.channel().await.channel, "/").await, "ours");
}

/// Waits until nothing but `baseline` tasks are alive.
async fn tasks_end(baseline: usize) {
    let metrics = tokio::runtime::Handle::current().metrics();
    let ended = async {
        while metrics.num_alive_tasks() > baseline {
            tokio::task::yield_now().await;
        }
    };
    within("the end of every task", ended).await;
}
