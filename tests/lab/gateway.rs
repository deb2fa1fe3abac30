//! Several instances and several connection points: spread, round robin, losses, restarts.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use cmglab_clock::Stopwatch;
use cmglab_events::kinds::{CmgEvent, ConnectionPointEvent, ManagementPointEvent};
use cmglab_events::{Event, Kind};
use cmglab_fault::{Point, Rule, Verdict, When};
use cmglab_ids::Ids;
use cmglab_lab::Lab;
use cmglab_lab::Topology;
use cmglab_lab::topology::ConnectionPointTopology;
use cmglab_net::{CallFailure, Deps, HttpClient};
use cmglab_proto::ids::{ExchangeId, MessageId};

use crate::support::{self, PATIENCE};

fn topology(instances: u8, connection_points: usize) -> Topology {
    let named =
        |nth: usize| ConnectionPointTopology { host: format!("CP{nth}.LAB.TEST"), ..Default::default() };
    let mut topology =
        Topology { connection_points: (1..=connection_points).map(named).collect(), ..Default::default() };
    topology.cmg.instances = instances;
    topology
}

fn channels(lab: &Lab) -> Vec<usize> {
    lab.cmg().instances().map(|instance| instance.statistics().channels).collect()
}

/// One request over a connection of its own, which the front gives to the next instance.
async fn ask(lab: &Lab, deps: &Deps, token: &str) -> (u16, String) {
    let answer = HttpClient::new(deps).send(&deps.events, &support::sts_at_cmg(lab, token)).await.unwrap();
    (answer.status, answer.reason)
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_spread_over_instances_and_requests_over_connection_points() {
    let lab = support::lab(topology(3, 2)).await;
    let deps = support::stranger(&lab);
    let token = support::aad_token(&lab, &deps, "alice@lab.test").await;
    // The first one fetches the revocation lists, and dials again after that.
    ask(&lab, &deps, &token).await;
    let before: Vec<u64> = lab.cmg().instances().map(|one| one.statistics().requests).collect();
    let from = support::now(&lab);
    for _ in 0..12 {
        assert_eq!(ask(&lab, &deps, &token).await, (200, "OK".to_owned()));
    }
    let after = lab.cmg().instances().map(|one| one.statistics().requests);
    let requests: Vec<u64> = after.zip(before).map(|(after, before)| after - before).collect();
    assert_eq!(requests, [4, 4, 4]);
    let mut taken: BTreeMap<(String, String), u32> = BTreeMap::new();
    for event in lab.events().snapshot().iter().filter(|event| event.seq >= from) {
        if let Kind::Cmg(CmgEvent::Dispatched { connection, .. }) = &event.kind {
            *taken.entry((event.machine.to_string(), connection.clone())).or_default() += 1;
        }
    }
    assert_eq!(taken.len(), 6, "each instance through each connection point: {taken:?}");
    assert!(taken.values().all(|count| *count == 2), "{taken:?}");
    lab.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_without_a_channel_answers_503_and_says_so() {
    let lab = support::lab(topology(2, 1)).await;
    let deps = support::stranger(&lab);
    let token = support::aad_token(&lab, &deps, "alice@lab.test").await;
    let refuse = |port: &str| {
        lab.faults().install(Rule {
            at: Point::Dial,
            containing: port.to_owned(),
            when: When::Always,
            verdict: Verdict::Refuse,
        })
    };
    let (tcp, https) = (refuse(":10141"), refuse(":10125"));
    lab.stop_connection_points().await;
    lab.events().wait_for("no channels", PATIENCE, |_| channels(&lab) == [0, 0]).await.unwrap();
    lab.launch_connection_point(0).await;
    lab.events().wait_for("one channel", PATIENCE, |_| channels(&lab) == [1, 0]).await.unwrap();
    let from = support::now(&lab);
    let mut answers = [ask(&lab, &deps, &token).await, ask(&lab, &deps, &token).await];
    answers.sort();
    let told = support::log_lines(&lab, &support::events_of(&lab, cmglab_events::Role::Cmg, from));
    assert_eq!(
        answers,
        [(200, "OK".to_owned()), (503, "CMGService_ServiceUnavailable".to_owned())],
        "{told:#?}"
    );
    let events: Vec<Event> = lab.events().snapshot().into_iter().filter(|event| event.seq >= from).collect();
    let lines = support::log_lines(&lab, &events);
    let says = "no connection point is connected to this instance";
    assert!(
        lines.iter().any(|line| line.starts_with("CMGService.log: ERROR") && line.contains(says)),
        "{lines:#?}"
    );
    drop((tcp, https));
    // The next maintenance dials again at once.
    lab.advance(jiff::SignedDuration::from_mins(1)).await;
    lab.events().wait_for("both again", PATIENCE, |_| channels(&lab) == [1, 1]).await.unwrap();
    lab.shutdown().await;
}

/// What clients were answered, and what the management point carried out.
#[derive(Default)]
struct Tally {
    answers: BTreeMap<(u16, String), u64>,
    hung: u64,
}

/// How long the chaos lasts; `CMGLAB_SOAK_SECONDS` makes it longer.
fn chaos_seconds() -> u64 {
    std::env::var("CMGLAB_SOAK_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(4)
}

#[tokio::test(flavor = "multi_thread")]
async fn connection_points_that_come_and_go_cost_no_request_twice() {
    let seed = std::env::var("CMGLAB_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(7);
    eprintln!("CMGLAB_SEED={seed}");
    let lab = Arc::new(support::lab(topology(4, 2)).await);
    let deps = support::stranger(&lab);
    let token = support::aad_token(&lab, &deps, "alice@lab.test").await;
    let executed = count_executions(&lab);
    let done = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> =
        (0..24).map(|_| tokio::spawn(client(Arc::clone(&lab), token.clone(), Arc::clone(&done)))).collect();

    let (ids, watch) = (Ids::seeded(seed), Stopwatch::start());
    let (mut restarts, mut slowest_ms) = (0, 0);
    while watch.elapsed() < Duration::from_secs(chaos_seconds()) {
        let nth = usize::try_from(ids.below(2)).unwrap();
        lab.stop_connection_point(nth).await;
        lab.events()
            .wait_for("the loss", PATIENCE, |_| channels(&lab).iter().all(|it| *it < 2))
            .await
            .unwrap();
        lab.launch_connection_point(nth).await;
        let again = Stopwatch::start();
        lab.events().wait_for("every channel", PATIENCE, |_| channels(&lab) == [2; 4]).await.unwrap();
        slowest_ms = slowest_ms.max(again.millis());
        restarts += 1;
        // Some work between one loss and the next.
        let due = executed.total.load(Ordering::SeqCst) + 100;
        let carried_out = |_: &Event| executed.total.load(Ordering::SeqCst) >= due;
        lab.events().wait_for("some work", PATIENCE, carried_out).await.unwrap();
    }
    done.store(true, Ordering::SeqCst);
    let mut all = Tally::default();
    for client in clients {
        let tally = client.await.unwrap();
        all.hung += tally.hung;
        for (answer, count) in tally.answers {
            *all.answers.entry(answer).or_default() += count;
        }
    }
    let most = executed.most.load(Ordering::SeqCst);
    eprintln!(
        "{restarts} restarts, all channels back within {slowest_ms} ms; answers {:?}; executed at the management point {}, most often {most} times",
        all.answers,
        executed.total.load(Ordering::SeqCst)
    );
    assert_eq!(all.hung, 0, "a request hung");
    let documented = [
        (200, "OK"),
        (502, "CMGService_BadGateway"),
        (503, "CMGService_ServiceUnavailable"),
        (504, "CMGService_GatewayTimeout"),
    ];
    for (status, reason) in all.answers.keys() {
        assert!(documented.contains(&(*status, reason.as_str())), "{status} {reason}");
    }
    let good = all.answers.get(&(200, "OK".to_owned())).copied().unwrap_or(0);
    assert!(good > 100 && restarts > 1, "{good} good answers in {restarts} restarts");
    assert!(executed.total.load(Ordering::SeqCst) >= good, "an answer of 200 that was never carried out");
    assert_eq!(most, 1, "a request was carried out twice");
    Arc::into_inner(lab).unwrap().shutdown().await;
}

/// Asks until it is told to stop; connections are dropped now and then, so that instances take turns.
async fn client(lab: Arc<Lab>, token: String, done: Arc<AtomicBool>) -> Tally {
    let deps = support::stranger(&lab);
    let mut tally = Tally::default();
    while !done.load(Ordering::SeqCst) {
        let http = HttpClient::new(&deps);
        for _ in 0..5 {
            let voice = deps.events.in_exchange(ExchangeId::new(deps.ids.guid()));
            match http.send(&voice, &support::sts_at_cmg(&lab, &token)).await {
                Ok(answer) => *tally.answers.entry((answer.status, answer.reason)).or_default() += 1,
                Err(error) if error.failure == CallFailure::Timeout => tally.hung += 1,
                Err(error) => *tally.answers.entry((0, error.cause)).or_default() += 1,
            }
        }
    }
    tally
}

#[derive(Default)]
struct Executed {
    total: AtomicU64,
    most: AtomicU64,
}

/// Counts, by the client's exchange, how often the security token service was asked.
fn count_executions(lab: &Lab) -> Arc<Executed> {
    let (heard, executed) = (lab.events().listen(), Arc::new(Executed::default()));
    let counts = Arc::clone(&executed);
    std::thread::spawn(move || {
        let mut exchange_of: BTreeMap<MessageId, ExchangeId> = BTreeMap::new();
        let mut times: BTreeMap<ExchangeId, u64> = BTreeMap::new();
        while let Ok(event) = heard.recv() {
            match event.kind {
                Kind::Cmg(CmgEvent::Relaying { message, .. }) => {
                    exchange_of.insert(message, event.exchange.unwrap());
                }
                Kind::ManagementPoint(ManagementPointEvent::StsRequested { .. }) => {
                    let exchange = exchange_of[&event.message.unwrap()];
                    let count = times.entry(exchange).or_default();
                    *count += 1;
                    counts.total.fetch_add(1, Ordering::SeqCst);
                    counts.most.fetch_max(*count, Ordering::SeqCst);
                }
                _ => {}
            }
        }
    });
    executed
}

#[tokio::test(flavor = "multi_thread")]
async fn the_site_keeps_what_connection_points_report() {
    let lab = support::lab(topology(1, 2)).await;
    let deps = support::stranger(&lab);
    let token = support::aad_token(&lab, &deps, "alice@lab.test").await;
    for _ in 0..4 {
        assert_eq!(ask(&lab, &deps, &token).await.0, 200);
    }
    lab.advance(jiff::SignedDuration::from_mins(5)).await;
    let reported = |event: &Event| {
        let kind = &event.kind;
        matches!(kind, Kind::ConnectionPoint(ConnectionPointEvent::TrafficReported { endpoints, .. }) if !endpoints.is_empty())
    };
    lab.events().wait_for("a report", PATIENCE, reported).await.unwrap();
    lab.drain_connection_points(PATIENCE).await;
    let mut kept = lab.site().traffic(10).await.unwrap();
    kept.sort_by(|a, b| a.server.cmp(&b.server));
    let sums: Vec<_> = kept
        .iter()
        .map(|one| (one.server.as_str(), one.endpoints[0].name.as_str(), one.endpoints[0].total_requests))
        .collect();
    assert_eq!(sums, [("CP1.LAB.TEST", "CCM_STS", 2), ("CP2.LAB.TEST", "CCM_STS", 2)]);
    assert!(kept.iter().all(|one| one.endpoints[0].with_bearer_token == 2 && one.endpoints[0].failed == 0));
    lab.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn channel_ports_can_be_others_than_the_documented_ones() {
    let mut topology = topology(2, 1);
    topology.cmg.ports.tcp = 20_140;
    topology.cmg.ports.https = 20_124;
    let lab = support::lab(topology).await;
    let ports: Vec<u16> = lab.resolver().entries().into_iter().map(|(_name, port, _address)| port).collect();
    assert!([20_140, 20_141, 20_124, 20_125].iter().all(|port| ports.contains(port)), "{ports:?}");
    assert!(!ports.contains(&10_140) && !ports.contains(&10_124), "{ports:?}");
    assert_eq!(channels(&lab), [1, 1]);
    lab.shutdown().await;
}
