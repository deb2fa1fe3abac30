//! Compares what was expected with what was seen.

use std::collections::BTreeMap;

use cmglab_events::kinds::ClientEvent;
use cmglab_events::logs::LogFile;
use cmglab_events::{Event, Kind};
use cmglab_lab::Hop;

use super::seen::{SeenLine, SeenRequest, lines, requests};
use crate::model::{ClientState, Expect, LineExpectation, RequestExpectation, Scenario, Step};
use crate::{Failure, StepOutcome, StepReport};

/// Every expectation that does not hold.
pub(super) fn judge(
    scenario: &Scenario,
    events: &[Event],
    steps: &[StepReport],
    first_failing: Option<&Hop>,
) -> Vec<Failure> {
    let mut bench = Bench { hint: hint(first_failing), failures: Vec::new() };
    bench.steps(&scenario.expect, scenario.steps.iter().zip(steps));
    bench.client(&scenario.expect, events, scenario.steps.iter().zip(steps));
    bench.requests(&scenario.expect, &requests(events));
    bench.lines(&scenario.expect, &lines(events, scenario.lab.edition));
    bench.failures
}

struct Bench {
    hint: String,
    failures: Vec<Failure>,
}

impl Bench {
    /// A step that fails must be stated by the expectation that is about it.
    fn steps<'s>(&mut self, expect: &Expect, taken: impl Iterator<Item = (&'s Step, &'s StepReport)>) {
        for (step, report) in taken {
            let (cause, stated) = match &report.outcome {
                StepOutcome::Done => continue,
                StepOutcome::Impossible { cause } => (cause, false),
                StepOutcome::Failed { cause } => (cause, is_stated(step, expect)),
            };
            if !stated {
                let expectation = format!("step {} (`{}`) is done", report.number, report.step);
                self.fail(expectation, cause.clone());
            }
        }
    }

    fn client<'s>(
        &mut self,
        expect: &Expect,
        events: &[Event],
        taken: impl Iterator<Item = (&'s Step, &'s StepReport)>,
    ) {
        let (code, state) = (return_code(events), state(events));
        if let Some(install) = expect.install
            && code != Some(install.return_code)
        {
            let actual =
                code.map_or_else(|| "ccmsetup did not end".to_owned(), |code| format!("return code {code}"));
            self.fail(format!("ccmsetup ends with return code {}", install.return_code), actual);
        }
        if let Some(expected) = expect.client
            && state != expected
        {
            self.fail(format!("the client is {expected} in the end"), format!("it is {state}"));
        }
        if let Some(expected) = expect.communicates {
            let talks = taken.filter(|(step, _)| matches!(step, Step::RefreshLocation | Step::SendMessage));
            let last = talks.last().map(|(_, report)| report);
            let got_through = last.is_some_and(|report| report.outcome == StepOutcome::Done);
            if got_through != expected {
                let actual = match last.map(|report| &report.outcome) {
                    Some(StepOutcome::Done) => "it got through".to_owned(),
                    Some(StepOutcome::Failed { cause } | StepOutcome::Impossible { cause }) => cause.clone(),
                    None => "none was sent".to_owned(),
                };
                let whether = if expected { "gets through" } else { "does not get through" };
                self.fail(format!("the last message or location refresh {whether}"), actual);
            }
        }
    }

    fn requests(&mut self, expect: &Expect, seen: &[SeenRequest]) {
        for expected in &expect.requests {
            let count = seen.iter().filter(|request| request.is(expected)).count();
            if !is_right(count, expected.count) {
                self.fail(expected.to_string(), nearest_request(count, expected, seen));
            }
        }
        for absent in &expect.no_requests {
            if let Some(found) = seen.iter().find(|request| request.is(absent)) {
                self.fail(format!("no request at {absent}"), found.words());
            }
        }
    }

    fn lines(&mut self, expect: &Expect, seen: &[SeenLine]) {
        let mut from: BTreeMap<LogFile, usize> = BTreeMap::new();
        for expected in &expect.log {
            let places: Vec<usize> = (0..seen.len())
                .filter(|place| seen.get(*place).is_some_and(|line| line.is(expected)))
                .collect();
            if !is_right(places.len(), expected.count) {
                self.fail(expected.to_string(), nearest_line(places.len(), expected, seen));
            } else if expect.ordered {
                let start = from.entry(expected.file).or_default();
                match places.iter().find(|place| *place >= start) {
                    Some(place) => *start = place + 1,
                    None => self.fail(
                        format!("{expected} behind the lines before it in the list"),
                        "it stands before one of them".to_owned(),
                    ),
                }
            }
        }
        for absent in &expect.no_log {
            if let Some(found) = seen.iter().find(|line| line.is(absent)) {
                self.fail(format!("no line {absent}"), cut(&found.text));
            }
        }
    }

    fn fail(&mut self, expectation: String, actual: String) {
        self.failures.push(Failure { expectation, actual, hint: self.hint.clone() });
    }
}

fn is_stated(step: &Step, expect: &Expect) -> bool {
    match step {
        Step::Install(_) => expect.install.is_some(),
        Step::Register => expect.client.is_some(),
        Step::RefreshLocation | Step::SendMessage => expect.communicates.is_some(),
        _ => false,
    }
}

fn is_right(count: usize, expected: Option<u32>) -> bool {
    expected.map_or(count > 0, |expected| u32::try_from(count) == Ok(expected))
}

fn return_code(events: &[Event]) -> Option<u8> {
    events.iter().rev().find_map(|event| match event.kind {
        Kind::Client(ClientEvent::InstallEnded { return_code }) => Some(return_code),
        _ => None,
    })
}

fn state(events: &[Event]) -> ClientState {
    let mut state = ClientState::NotInstalled;
    for event in events {
        state = match &event.kind {
            Kind::Client(ClientEvent::Installing { .. }) if state == ClientState::NotInstalled => {
                ClientState::NotRegistered
            }
            Kind::Client(ClientEvent::Registered { .. } | ClientEvent::AlreadyRegistered { .. }) => {
                ClientState::Registered
            }
            Kind::Client(
                ClientEvent::RegistrationPending { .. }
                | ClientEvent::RegistrationRejected { .. }
                | ClientEvent::RegistrationRetry { .. },
            ) => ClientState::NotRegistered,
            _ => state,
        };
    }
    state
}

fn nearest_request(count: usize, expected: &RequestExpectation, seen: &[SeenRequest]) -> String {
    if count > 0 {
        return format!("it was seen {}", times(count));
    }
    let there: Vec<&SeenRequest> = seen.iter().filter(|request| request.at == expected.at.role()).collect();
    match there.iter().max_by_key(|request| request.nearness(expected)) {
        Some(nearest) => {
            format!("none of the {} requests there; the nearest is {}", there.len(), nearest.words())
        }
        None => "no request came there at all".to_owned(),
    }
}

fn nearest_line(count: usize, expected: &LineExpectation, seen: &[SeenLine]) -> String {
    if count > 0 {
        return format!("it is there {}", times(count));
    }
    let there: Vec<&SeenLine> = seen.iter().filter(|line| line.is_at(expected)).collect();
    match there.iter().max_by_key(|line| expected.line.agreement(&line.text)) {
        Some(nearest) => {
            format!("none of the {} lines there; the nearest is «{}»", there.len(), cut(&nearest.text))
        }
        None => "nothing was written there at all".to_owned(),
    }
}

fn times(count: usize) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}

fn hint(first_failing: Option<&Hop>) -> String {
    match first_failing {
        Some(hop) => {
            let status = hop.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
            let Hop { from, to, method, target, reason, .. } = hop;
            format!("the first hop that failed: {from} → {to}: {method} {target} → {status} {reason}")
        }
        None => "no hop failed; compare the cause that the scenario sets with what it expects".to_owned(),
    }
}

fn cut(text: &str) -> String {
    const MOST: usize = 400;
    if text.chars().count() <= MOST {
        return text.to_owned();
    }
    text.chars().take(MOST).chain(['…']).collect()
}

#[cfg(test)]
mod tests;
