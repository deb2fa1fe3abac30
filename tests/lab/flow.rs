//! The documented flow, end to end.

use std::collections::BTreeMap;

use cmglab_client::{Registration, ReturnCode};
use cmglab_events::kinds::{CmgEvent, NetEvent};
use cmglab_events::{Event, Kind, Role};
use jiff::SignedDuration;

use crate::support;

#[tokio::test(flavor = "multi_thread")]
async fn a_joined_device_installs_registers_and_keeps_talking() {
    let lab = support::lab(Default::default()).await;
    let mut client = lab.client().await.unwrap();
    let outcome = client.install(&support::command_line(&lab)).await;
    assert_eq!(outcome.return_code, ReturnCode::Success, "{outcome:?}");
    let Registration::Registered { approval: 3, .. } = client.register().await.unwrap() else {
        panic!("registered by Azure AD: approval 3");
    };
    client.refresh_location().await.unwrap();
    let before = support::now(&lab);
    lab.advance(SignedDuration::from_hours(8)).await;
    client.refresh_location().await.unwrap();
    let lines = support::log_lines(&lab, &support::events_of(&lab, Role::Client, before));
    let renewed =
        ["is already expired or close to expire", "Getting CCM Token from", "Cached encrypted token"];
    let mut from = 0;
    for part in renewed {
        let found = lines[from..].iter().position(|line| line.contains(part));
        from += found.unwrap_or_else(|| panic!("no «{part}» after line {from} of {lines:#?}")) + 1;
    }
    lab.shutdown().await;
}

/// What CMGService.log reports is the sum of what happened: counts, sizes and times.
#[tokio::test(flavor = "multi_thread")]
async fn the_gateways_aggregates_equal_the_sum_of_its_events() {
    let lab = support::lab(Default::default()).await;
    let mut client = lab.client().await.unwrap();
    assert_eq!(client.install(&support::command_line(&lab)).await.return_code, ReturnCode::Success);
    lab.advance(SignedDuration::from_mins(6)).await;
    client.register().await.unwrap();
    let events = lab.events().clone();
    lab.shutdown().await;

    type Sums = (u64, u64, u64, u64);
    let mut open: BTreeMap<String, Sums> = BTreeMap::new();
    let mut reports = 0;
    for Event { kind, .. } in events.snapshot() {
        match kind {
            Kind::Cmg(CmgEvent::Relayed { request_uri, request_bytes, response_bytes, taken_ms, .. }) => {
                let sums = open.entry(request_uri).or_default();
                *sums = (sums.0 + 1, sums.1 + request_bytes, sums.2 + response_bytes, sums.3 + taken_ms);
            }
            Kind::Cmg(CmgEvent::Traffic {
                request_uri,
                requests,
                request_bytes,
                responses,
                response_bytes,
                average_ms,
                ..
            }) => {
                let sums = open.remove(&request_uri).unwrap();
                assert_eq!((requests, request_bytes, response_bytes), (sums.0, sums.1, sums.2));
                assert_eq!((responses, average_ms), (sums.0, sums.3 / sums.0));
                reports += 1;
            }
            _ => {}
        }
    }
    assert_eq!(open, BTreeMap::new(), "what was relayed was reported, at the latest at drain");
    assert_eq!(reports, 5, "three URIs before the advance, two after it");
}

/// Sizes on the gateway's two accounts, IIS.log and CMGService.log, are of the same bytes.
#[tokio::test(flavor = "multi_thread")]
async fn the_answer_of_the_token_service_has_one_size() {
    let lab = support::lab(Default::default()).await;
    let mut client = lab.client().await.unwrap();
    assert_eq!(client.install(&support::command_line(&lab)).await.return_code, ReturnCode::Success);
    let served = support::events_of(&lab, Role::Cmg, 0).into_iter().find_map(|event| match event.kind {
        Kind::Net(NetEvent::Served(served)) if served.stem.ends_with("/CCM_STS") => {
            Some(served.response_bytes)
        }
        _ => None,
    });
    let relayed = support::events_of(&lab, Role::Cmg, 0).into_iter().find_map(|event| match event.kind {
        Kind::Cmg(CmgEvent::Relayed { request_uri, response_bytes, .. })
            if request_uri.ends_with("/CCM_STS") =>
        {
            Some(response_bytes)
        }
        _ => None,
    });
    assert_eq!(served, relayed);
    lab.shutdown().await;
}
