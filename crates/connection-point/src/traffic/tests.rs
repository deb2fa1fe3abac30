//! Reports and totals, against a plain list of what was counted.

use cmglab_clock::Clock;
use cmglab_events::{Events, Kind, Role};
use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Step {
    Begin(usize),
    End(usize, u64, u64, bool, bool),
    Report,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0..3_usize).prop_map(Step::Begin),
        4 => (0..3_usize, 0..1_000_000_u64, 0..1_000_000_u64, any::<bool>(), any::<bool>())
            .prop_map(|(key, request, response, bearer, failed)| Step::End(key, request, response, bearer, failed)),
        1 => Just(Step::Report),
    ];
    proptest::collection::vec(step, 0..200)
}

fn keys() -> [Key; 3] {
    [("CCM_STS", "a"), ("CCM_STS", "b"), ("SMS_MP", "a")]
        .map(|(endpoint, host)| Key { endpoint: endpoint.to_owned(), target_host: host.to_owned() })
}

/// The figures that can be summed.
fn sums(traffic: &EndpointTraffic) -> [u64; 5] {
    [
        traffic.total_requests,
        traffic.total_requests_with_bearer_token,
        traffic.total_request_bytes,
        traffic.total_response_bytes,
        traffic.failed_requests,
    ]
}

fn add(to: &mut [u64; 5], more: [u64; 5]) {
    to.iter_mut().zip(more).for_each(|(sum, one)| *sum += one);
}

struct Bench {
    events: Events,
    voice: Source,
    clock: Clock,
    traffic: Traffic,
}

impl Bench {
    fn new() -> Self {
        let clock = Clock::running_from("2026-03-01T12:00:00Z".parse().unwrap(), 0.0);
        let events = Events::new();
        let voice = events.source("CP1", Role::ConnectionPoint, &clock);
        Self { events, voice, traffic: Traffic::new("CMG.LAB.TEST", clock.now()), clock }
    }

    fn report(&self) -> (u64, Vec<EndpointTraffic>) {
        let _told = self.traffic.report(&self.voice, self.clock.now());
        match self.events.snapshot().pop().unwrap().kind {
            Kind::ConnectionPoint(ConnectionPointEvent::TrafficReported {
                max_concurrent_requests,
                endpoints,
                ..
            }) => (max_concurrent_requests, endpoints),
            other => panic!("{other:?}"),
        }
    }
}

proptest! {
    #[test]
    fn reports_add_up_to_what_was_counted(steps in steps()) {
        let (bench, keys) = (Bench::new(), keys());
        let (mut counted, mut reported) = ([[0; 5]; 3], [[0; 5]; 3]);
        let (mut open, mut most, mut most_at_once) = ([0_u64; 3], [0_u64; 3], 0);
        let place = |traffic: &EndpointTraffic| {
            keys.iter().position(|key| (&key.endpoint, &key.target_host) == (&traffic.endpoint, &traffic.target_host))
        };
        for step in steps.into_iter().chain([Step::Report]) {
            match step {
                Step::Begin(key) => {
                    bench.traffic.begun(&keys[key]);
                    open[key] += 1;
                    most[key] = most[key].max(open[key]);
                    most_at_once = open.iter().sum::<u64>().max(most_at_once);
                }
                Step::End(key, ..) if open[key] == 0 => {}
                Step::End(key, request_bytes, response_bytes, bearer, failed) => {
                    let figures = Figures { bearer, request_bytes, response_bytes, failed };
                    bench.traffic.ended(&keys[key], figures, || {});
                    open[key] -= 1;
                    let bits = [bearer, failed].map(u64::from);
                    add(&mut counted[key], [1, bits[0], request_bytes, response_bytes, bits[1]]);
                }
                Step::Report => {
                    let (at_once, endpoints) = bench.report();
                    prop_assert_eq!(at_once, most_at_once);
                    for one in &endpoints {
                        let key = place(one).unwrap();
                        add(&mut reported[key], sums(one));
                        prop_assert_eq!(one.max_concurrent_requests, most[key]);
                    }
                    for key in (0..3).filter(|key| most[*key] > 0) {
                        prop_assert!(endpoints.iter().any(|one| place(one) == Some(key)));
                    }
                    (most, most_at_once) = (open, open.iter().sum());
                }
            }
            let mut totals = [[0; 5]; 3];
            bench.traffic.totals().iter().for_each(|one| totals[place(one).unwrap()] = sums(one));
            prop_assert_eq!(totals, counted);
        }
        prop_assert_eq!(reported, counted);
    }
}

#[test]
fn an_idle_endpoint_is_not_reported_again() {
    let (bench, [key, ..]) = (Bench::new(), keys());
    bench.traffic.begun(&key);
    bench.traffic.ended(&key, Figures::default(), || {});
    assert_eq!(bench.report().1.len(), 1);
    assert_eq!(bench.report(), (0, Vec::new()));
    assert_eq!(bench.traffic.totals()[0].max_concurrent_requests, 1, "totals keep the most there was");
}
