//! Runs one scenario: a lab of its own, the steps, then the judgement of what was seen.

mod actor;
mod administrator;
mod judge;
mod operator;
mod presented;
mod seen;
mod stranger;
mod tokens;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cmglab_clock::Stopwatch;
use cmglab_events::kinds::LabEvent;
use cmglab_events::{Event, Events, Kind};
use cmglab_lab::{Binding, Evidence, HostRoles, Lab, LabError, LabOptions};

use crate::model::Scenario;
use crate::{Failure, RunReport, StepOutcome, StepReport, Verdict, report, sequence};

use actor::Actor;

/// How to run.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// The folder to leave events, logs, diagram and report in; none when `None`.
    pub evidence: Option<PathBuf>,
    /// Which sockets the lab takes.
    pub binding: Binding,
    /// The bus of this one run, new for each: all that is on it is judged. Whoever keeps a clone sees every
    /// event, also after the run.
    pub events: Events,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self { evidence: None, binding: Binding::default(), events: Events::keeping(MOST_EVENTS) }
    }
}

/// How far a run is.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Progress<'a> {
    /// The lab accepts requests and the device exists.
    Ready {
        /// Milliseconds of transport time since the start.
        taken_ms: u64,
    },
    /// A step begins.
    StepBegun {
        /// Its number, from 1.
        number: usize,
        /// How many there are.
        of: usize,
        /// The step as it stands in the file.
        step: &'a str,
    },
    /// A step has ended.
    StepEnded(&'a StepReport),
}

/// Runs a scenario in a lab of its own and judges it. Whatever goes wrong is in the report.
pub async fn run(
    scenario: &Scenario,
    options: &RunOptions,
    progress: &(dyn Fn(Progress<'_>) + Send + Sync),
) -> RunReport {
    let watch = Stopwatch::start();
    let events = options.events.clone();
    let mut failures = Vec::new();
    let evidence = options.evidence.as_deref().and_then(|folder| {
        let begun = Evidence::start(&events, scenario.lab.edition, folder);
        begun.map_err(|error| failures.push(unwritten(&error))).ok()
    });
    let played = play(scenario, options, &events, progress).await;
    if let Some(Err(error)) = evidence.map(Evidence::finish) {
        failures.push(unwritten(&error));
    }
    let snapshot = events.snapshot();
    let hops = cmglab_lab::hops(&snapshot, &played.hosts);
    let first_failing_hop = Verdict::first_failing(&hops);
    let forgotten = snapshot.first().is_some_and(|first| first.seq > 0);
    match &played.trouble {
        Some(trouble) => failures.push(trouble.clone()),
        None if forgotten => failures.push(too_many(&snapshot)),
        None => failures.extend(judge::judge(scenario, &snapshot, &played.steps, first_failing_hop.as_ref())),
    }
    let verdict = Verdict {
        passed: failures.is_empty(),
        failures,
        first_failing_hop,
        hops,
        taken_ms: watch.millis(),
        ready_ms: ready_ms(&snapshot),
    };
    let (name, about) = (scenario.name.clone(), scenario.about.clone());
    let mut report = RunReport { name, about, steps: played.steps, verdict };
    if let Some(Err(failure)) = options.evidence.as_deref().map(|folder| leave(folder, &report)) {
        report.verdict.failures.push(failure);
        report.verdict.passed = false;
    }
    report
}

/// What is left of a run once its lab is gone.
#[derive(Default)]
struct Played {
    steps: Vec<StepReport>,
    hosts: HostRoles,
    /// Why there is nothing to judge.
    trouble: Option<Failure>,
}

async fn play(
    scenario: &Scenario,
    options: &RunOptions,
    events: &Events,
    progress: &(dyn Fn(Progress<'_>) + Send + Sync),
) -> Played {
    let watch = Stopwatch::start();
    let lab_options =
        LabOptions { events: events.clone(), binding: options.binding, ..LabOptions::default() };
    let lab = match in_time("starting", Lab::start(scenario.lab.clone(), lab_options)).await {
        Ok(lab) => lab,
        Err(trouble) => return Played { trouble: Some(trouble), ..Played::default() },
    };
    let hosts = lab.hosts();
    let mut played = match in_time("making the device", Actor::new(&lab)).await {
        Ok(mut actor) => {
            progress(Progress::Ready { taken_ms: watch.millis() });
            Played { steps: take_steps(scenario, &mut actor, progress).await, hosts, trouble: None }
        }
        Err(trouble) => Played { steps: Vec::new(), hosts, trouble: Some(trouble) },
    };
    // Before anything is judged: the figures of the open interval are reported at the end.
    if tokio::time::timeout(PATIENCE, lab.shutdown()).await.is_err() {
        played.trouble = Some(not_ready(&"it does not stop"));
    }
    played
}

/// A part of the lab that hangs is a failure like any other.
async fn in_time<T>(doing: &str, work: impl Future<Output = Result<T, LabError>>) -> Result<T, Failure> {
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(done) => done.map_err(|error| not_ready(&error)),
        Err(_elapsed) => Err(not_ready(&format!("{doing} did not end within {} s", PATIENCE.as_secs()))),
    }
}

async fn take_steps(
    scenario: &Scenario,
    actor: &mut Actor<'_>,
    progress: &(dyn Fn(Progress<'_>) + Send + Sync),
) -> Vec<StepReport> {
    let of = scenario.steps.len();
    let mut reports = Vec::new();
    for (step, number) in scenario.steps.iter().zip(1..) {
        let text = step.to_string();
        progress(Progress::StepBegun { number, of, step: &text });
        let watch = Stopwatch::start();
        let outcome = match tokio::time::timeout(PATIENCE, actor.take(step, &text)).await {
            Ok(outcome) => outcome,
            Err(_elapsed) => {
                StepOutcome::Impossible { cause: format!("it did not end within {} s", PATIENCE.as_secs()) }
            }
        };
        let report = StepReport { number, step: text, outcome, taken_ms: watch.millis() };
        progress(Progress::StepEnded(&report));
        let stop = matches!(report.outcome, StepOutcome::Impossible { .. });
        reports.push(report);
        if stop {
            break;
        }
    }
    reports
}

/// Diagram and report, beside the events and logs.
fn leave(folder: &Path, run: &RunReport) -> Result<(), Failure> {
    let diagram = sequence(&run.name, &run.verdict.hops);
    let report = report::json(std::slice::from_ref(run));
    for (name, text) in [("sequence.mmd", diagram), ("report.json", report)] {
        let path = folder.join(name);
        fs::write(&path, text).map_err(|error| unwritten(&format!("{}: {error}", path.display())))?;
    }
    Ok(())
}

fn ready_ms(events: &[Event]) -> Option<u64> {
    events.iter().find_map(|event| match event.kind {
        Kind::Lab(LabEvent::Ready { taken_ms }) => Some(taken_ms),
        _ => None,
    })
}

fn not_ready(cause: &impl ToString) -> Failure {
    Failure {
        expectation: "the lab is ready".to_owned(),
        actual: cause.to_string(),
        hint: "see what the scenario sets below `lab`".to_owned(),
    }
}

fn too_many(kept: &[Event]) -> Failure {
    Failure {
        expectation: "every event of the run can be judged".to_owned(),
        actual: format!("there were more than the {} that are kept in memory", kept.len()),
        hint: "advance by less, or stop the connection points first: they are at work every minute"
            .to_owned(),
    }
}

fn unwritten(cause: &impl ToString) -> Failure {
    Failure {
        expectation: "the evidence is written".to_owned(),
        actual: cause.to_string(),
        hint: "choose another folder".to_owned(),
    }
}

/// Two connection points that look after their channels every minute of 90 days, and as much again.
const MOST_EVENTS: usize = 800_000;
/// Transport time for one step; the longest one waits for a few answers of 30 s.
const PATIENCE: Duration = Duration::from_secs(120);
