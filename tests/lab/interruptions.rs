//! What breaks in mid-flow ends in a clear failure, and the next run works.

use cmglab_client::{ReturnCode, Step};
use cmglab_events::Role;
use cmglab_events::kinds::CmgEvent;
use cmglab_events::{Event, Kind};
use cmglab_fault::{Point, Rule, Verdict, When};

use crate::support::{self, PATIENCE};

fn rule(at: Point, containing: &str, verdict: Verdict) -> Rule {
    Rule { at, containing: containing.to_owned(), when: When::First(1), verdict }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_flipped_byte_in_the_cabinet_is_return_code_10_and_no_registration() {
    let lab = support::lab(Default::default()).await;
    let mut client = lab.client().await.unwrap();
    let fault = lab.faults().install(rule(Point::Content, "ccmsetup.cab", Verdict::FlipByte));
    let outcome = client.install(&support::command_line(&lab)).await;
    assert_eq!((outcome.return_code, outcome.reached), (ReturnCode::HashMismatch, Step::Verification));
    assert!(client.register().await.is_err(), "nothing is installed that could register");
    let lines = support::log_lines(&lab, &support::events_of(&lab, Role::Client, 0));
    assert!(
        lines.iter().any(|line| line == "ccmsetup.log: CcmSetup is exiting with return code 10"),
        "{lines:#?}"
    );
    assert!(!lines.iter().any(|line| line.contains("[RegTask]")), "{lines:#?}");
    drop(fault);
    let outcome = client.install(&support::command_line(&lab)).await;
    assert_eq!(outcome.return_code, ReturnCode::Success, "{outcome:?}");
    lab.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_cut_in_mid_flow_is_a_clear_failure_and_the_next_run_works() {
    let lab = support::lab(Default::default()).await;
    let mut client = lab.client().await.unwrap();
    let _fault = lab.faults().install(rule(Point::Forward, "/ccm_system_tokenauth", Verdict::CutChannel));
    let before = support::now(&lab);
    let outcome = client.install(&support::command_line(&lab)).await;
    assert_eq!(
        (outcome.return_code, outcome.reached),
        (ReturnCode::Failure, Step::SiteInformation),
        "{outcome:?}"
    );
    let lines = support::log_lines(&lab, &support::events_of(&lab, Role::Client, 0));
    let status = "[CCMHTTP] ERROR INFO: StatusCode=502 StatusText=CMGService_BadGateway";
    assert!(lines.iter().any(|line| line.contains(status)), "{lines:#?}");
    // The connection point dials again by itself.
    let again = move |event: &Event| {
        event.seq > before && matches!(event.kind, Kind::Cmg(CmgEvent::InService { .. }))
    };
    lab.events().wait_for("the channel again", PATIENCE, again).await.unwrap();
    let outcome = client.install(&support::command_line(&lab)).await;
    assert_eq!(outcome.return_code, ReturnCode::Success, "{outcome:?}");
    lab.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_connection_point_the_gateway_says_so() {
    let lab = support::lab(Default::default()).await;
    let mut client = lab.client().await.unwrap();
    let before = support::now(&lab);
    lab.stop_connection_points().await;
    let down = move |event: &Event| {
        event.seq >= before && matches!(event.kind, Kind::Cmg(CmgEvent::ChannelDown { .. }))
    };
    lab.events().wait_for("the channel gone", PATIENCE, down).await.unwrap();
    let outcome = client.install(&support::command_line(&lab)).await;
    assert_eq!((outcome.return_code, outcome.reached), (ReturnCode::Failure, Step::CcmToken), "{outcome:?}");
    let lines = support::log_lines(&lab, &support::events_of(&lab, Role::Client, 0));
    let status = "[CCMHTTP] ERROR INFO: StatusCode=503 StatusText=CMGService_ServiceUnavailable";
    assert!(lines.iter().any(|line| line.contains(status)), "{lines:#?}");
    lab.start_connection_points().await.unwrap();
    assert_eq!(client.install(&support::command_line(&lab)).await.return_code, ReturnCode::Success);
    lab.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn before_the_first_settings_the_gateway_is_unavailable() {
    let mut topology = cmglab_lab::Topology::default();
    topology.connection_points[0].running = false;
    let lab = support::lab(topology).await;
    let deps = support::stranger(&lab);
    let ask = cmglab_net::Call::get("https://CMG.LAB.TEST/CCM_STS");
    let answer = support::call(&deps, &ask).await.unwrap();
    assert_eq!((answer.status, answer.reason.as_str()), (503, "CMGService_ServiceUnavailable"));
    lab.start_connection_points().await.unwrap();
    assert_eq!(support::call(&deps, &ask).await.unwrap().status, 404);
    lab.shutdown().await;
}
