use cmglab_clock::Clock;
use cmglab_events::kinds::{CertificateVerdict, ClientLog, ConnectionPointEvent, NetEvent, Served};
use cmglab_events::{Events, Role};

use super::*;

/// A run in which one message got through, and ccmsetup said two things.
fn events() -> Vec<Event> {
    let (events, clock) = (Events::new(), Clock::running_from("2026-03-01T12:00:00Z".parse().unwrap(), 0.0));
    let client = events.source("PC1", Role::Client, &clock);
    client.emit(ClientEvent::AadInfoRequested { cmg: "CMG.LAB.TEST".to_owned() });
    client.emit(ClientEvent::CcmTokenAppended { log: ClientLog::CcmSetup });
    let (version, product_code) = ("1".to_owned(), "{x}".to_owned());
    client.emit(ClientEvent::Installing { version, product_code });
    client.emit(ClientEvent::InstallEnded { return_code: 0 });
    events.source("CP1", Role::ConnectionPoint, &clock).emit(ConnectionPointEvent::Forwarded {
        method: "GET".to_owned(),
        url: "https://MP.LAB.TEST/CCM_STS".to_owned(),
        endpoint: "CCM_STS".to_owned(),
        status: 200,
        reason: "OK".to_owned(),
        body_bytes: 1,
        taken_ms: 1,
        verbose: true,
    });
    events.source("RD1", Role::Cmg, &clock).emit(NetEvent::Served(served()));
    events.snapshot()
}

fn served() -> Served {
    Served {
        method: "GET".to_owned(),
        stem: "/CCM_Proxy_ServerAuth/9/CCM_STS".to_owned(),
        query: Some("a=b".to_owned()),
        host: Some("CMG.LAB.TEST".to_owned()),
        version: "HTTP/1.1".to_owned(),
        user_agent: None,
        server: "10.0.0.4".to_owned(),
        client: "127.0.0.1".to_owned(),
        port: 443,
        status: 401,
        substatus: 0,
        reason: "CMGService_Invalid_Token".to_owned(),
        request_bytes: 10,
        response_bytes: 20,
        taken_ms: 3,
        certificate: CertificateVerdict::Absent,
    }
}

/// What does not hold of `expect` (lines of YAML), as text.
#[track_caller]
fn failures(expect: &str) -> Vec<String> {
    let steps = "steps:\n  - install: x\n  - send-message\n";
    let text = format!("name: x\nabout: x\n{steps}expect:\n  communicates: false\n  {expect}\n");
    let scenario = Scenario::parse(&text, std::path::Path::new("x.yaml")).unwrap();
    let outcomes = [StepOutcome::Done, StepOutcome::Failed { cause: "no".to_owned() }];
    let steps: Vec<StepReport> = outcomes
        .into_iter()
        .zip(1..)
        .map(|(outcome, number)| StepReport { number, step: String::new(), outcome, taken_ms: 0 })
        .collect();
    let failures = judge(&scenario, &events(), &steps, None);
    failures.into_iter().map(|failure| format!("{} | {}", failure.expectation, failure.actual)).collect()
}

#[track_caller]
fn holds(expect: &str) {
    assert_eq!(failures(expect), [""; 0], "{expect}");
}

#[track_caller]
fn fails(expect: &str, failure: &str) {
    assert_eq!(failures(expect), [failure], "{expect}");
}

#[test]
fn installation_and_state_are_read_from_the_events() {
    holds("install: { return_code: 0 }");
    fails("install: { return_code: 10 }", "ccmsetup ends with return code 10 | return code 0");
    holds("client: not-registered");
    fails("client: registered", "the client is registered in the end | it is not-registered");
}

#[test]
fn requests_are_counted_where_they_are_seen() {
    let path = "path: '/CCM_Proxy_ServerAuth/{id}/CCM_STS'";
    holds(&format!("requests: [{{ at: cmg, method: GET, {path}, status: 401, count: 1 }}]"));
    holds("requests: [{ at: cmg, path: '/CCM_Proxy_ServerAuth/{id}/CCM_STS?a=b' }]");
    holds("requests: [{ at: connection-point, method: GET, path: /CCM_STS, reason: OK }]");
    holds("no_requests: [{ at: management-point }]");
    fails(
        "requests: [{ at: cmg, path: /CCM_STS, count: 2 }]",
        "cmg: any verb /CCM_STS (2 times) | none of the 1 requests there; the nearest is GET \
         /CCM_Proxy_ServerAuth/9/CCM_STS?a=b → 401 CMGService_Invalid_Token",
    );
    fails(
        &format!("requests: [{{ at: cmg, {path}, count: 2 }}]"),
        "cmg: any verb /CCM_Proxy_ServerAuth/{id}/CCM_STS (2 times) | it was seen once",
    );
    fails(
        "requests: [{ at: aad, status: 200 }]",
        "aad: any verb any path → 200 | no request came there at all",
    );
    fails(
        "no_requests: [{ at: connection-point }]",
        "no request at connection-point: any verb any path | GET /CCM_STS → 200 OK",
    );
}

#[test]
fn lines_are_there_or_not() {
    let line = "file: ccmsetup.log, line: \"Getting AAD info from CMG '{host}'\"";
    holds(&format!("log: [{{ {line}, count: 1 }}]"));
    holds(&format!("log: [{{ {line}, machine: pc1 }}]"));
    holds("log: [{ file: ccmsetup.log, line: 'Getting AAD', match: start }]");
    holds("no_log: [{ file: ccmsetup.log, line: 'Getting AAD' }]");
    holds("log: [{ file: IIS.log, line: '{time} RD1 10.0.0.4 GET ', match: start }]");
    fails(
        "log: [{ file: ccmsetup.log, line: 'Getting AAD info from CMG' }]",
        "ccmsetup.log: «Getting AAD info from CMG» | none of the 4 lines there; the nearest is «Getting AAD \
         info from CMG 'CMG.LAB.TEST'»",
    );
    fails(
        &format!("log: [{{ {line}, count: 3 }}]"),
        "ccmsetup.log: «Getting AAD info from CMG '{host}'» (3 times) | it is there once",
    );
    fails("log: [{ file: CCM_STS.log, line: a }]", "CCM_STS.log: «a» | nothing was written there at all");
    fails(
        &format!("no_log: [{{ {line} }}]"),
        "no line ccmsetup.log: «Getting AAD info from CMG '{host}'» | Getting AAD info from CMG \
         'CMG.LAB.TEST'",
    );
}

#[test]
fn order_counts_within_a_file_when_it_is_asked_for() {
    let first = "{ file: ccmsetup.log, line: Getting, match: start }";
    let second = "{ file: ccmsetup.log, line: Appending, match: start }";
    holds(&format!("ordered: true\n  log: [{first}, {second}]"));
    holds(&format!("log: [{second}, {first}]"));
    fails(
        &format!("ordered: true\n  log: [{second}, {first}]"),
        "ccmsetup.log: «Getting» at a line's start behind the lines before it in the list | it stands before \
         one of them",
    );
    let other_file = "{ file: IIS.log, line: '{time} RD1 ', match: start }";
    holds(&format!("ordered: true\n  log: [{other_file}, {second}]"));
}

#[test]
fn a_failing_step_must_be_stated() {
    let judged = |expect: &str, outcome: StepOutcome| {
        let text = format!("name: x\nabout: x\nsteps:\n  - send-message\n{expect}");
        let scenario = Scenario::parse(&text, std::path::Path::new("x.yaml")).unwrap();
        let step = StepReport { number: 1, step: "send-message".to_owned(), outcome, taken_ms: 0 };
        judge(&scenario, &[], &[step], None).len()
    };
    let failed = || StepOutcome::Failed { cause: "no".to_owned() };
    let impossible = StepOutcome::Impossible { cause: "no".to_owned() };
    assert_eq!(judged("", StepOutcome::Done), 0);
    assert_eq!(judged("", failed()), 1);
    assert_eq!(judged("expect: { communicates: false }\n", failed()), 0);
    assert_eq!(judged("expect: { communicates: true }\n", failed()), 1);
    assert_eq!(judged("expect: { communicates: false }\n", StepOutcome::Done), 1);
    assert_eq!(judged("expect: { communicates: false }\n", impossible), 1);
}
