//! Hops and reports for tests.

use cmglab_events::Role;
use cmglab_lab::Hop;
use jiff::Timestamp;

use crate::{Failure, RunReport, StepOutcome, StepReport, Verdict};

pub(crate) fn hop(
    from: Role,
    to: Role,
    method: &str,
    target: &str,
    status: Option<u16>,
    reason: &str,
) -> Hop {
    let (method, target, reason) = (method.to_owned(), target.to_owned(), reason.to_owned());
    Hop { at: Timestamp::UNIX_EPOCH, from, to, method, target, status, reason, taken_ms: 1, event: 0 }
}

pub(crate) fn passed(name: &str) -> RunReport {
    let verdict = Verdict {
        passed: true,
        failures: Vec::new(),
        first_failing_hop: None,
        hops: Vec::new(),
        taken_ms: 1500,
        ready_ms: Some(700),
    };
    RunReport { name: name.to_owned(), about: "About.".to_owned(), steps: Vec::new(), verdict }
}

pub(crate) fn failed(name: &str) -> RunReport {
    let hop = hop(Role::Client, Role::Cmg, "GET", "/CCM_STS", Some(401), "CMGService_Invalid_Token");
    let mut run = passed(name);
    run.steps.push(StepReport {
        number: 1,
        step: "register".to_owned(),
        outcome: StepOutcome::Failed { cause: "no".to_owned() },
        taken_ms: 3,
    });
    run.verdict.passed = false;
    run.verdict.failures.push(Failure {
        expectation: "a line \"b\" # c".to_owned(),
        actual: "none | of\n them".to_owned(),
        hint: "look".to_owned(),
    });
    run.verdict.hops.push(hop.clone());
    run.verdict.first_failing_hop = Some(hop);
    run
}
