//! `cmglab run`: scenarios, each in a lab of its own, and their verdicts.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use cmglab_clock::Clock;
use cmglab_lab::NOT_FOR_PRODUCTION;
use cmglab_scenario::{Progress, RunOptions, RunReport, Scenario, StepOutcome, builtin, report};

use crate::args::RunArguments;
use crate::console::{Console, Tone};
use crate::{Output, folder, table, up};

/// Runs what the arguments name and reports it.
pub(crate) async fn run(arguments: &RunArguments, output: Output) -> anyhow::Result<ExitCode> {
    let scenarios = find(&arguments.scenarios)?;
    let runs = tokio::select! {
        runs = run_all(&scenarios, arguments, output) => runs?,
        () = up::signal() => {
            output.console.progress_done();
            output.console.note(format!("interrupted; the evidence so far is in {}", arguments.out.display()));
            return Ok(ExitCode::from(INTERRUPTED));
        }
    };
    if output.json {
        output.console.line(report::json(&runs));
    }
    write_report(arguments.junit.as_deref(), || report::junit(&runs))?;
    write_report(arguments.tap.as_deref(), || report::tap(&runs))?;
    write_report(arguments.markdown.as_deref(), || report::markdown(&runs))?;
    if !output.json && runs.len() > 1 {
        summary(&runs, output.console);
    }
    Ok(exit_code(&runs))
}

/// Lists the built-in scenarios.
pub(crate) fn list(output: Output) -> anyhow::Result<ExitCode> {
    for (name, _text) in builtin::ALL {
        let scenario = Scenario::builtin(name)?;
        let about = scenario.about.split_whitespace().collect::<Vec<_>>().join(" ");
        output.console.line(format!("{name:<40} {about}"));
    }
    Ok(ExitCode::SUCCESS)
}

/// The scenarios that files, folders and names stand for.
pub(crate) fn find(names: &[String]) -> anyhow::Result<Vec<Scenario>> {
    let mut found = Vec::new();
    for name in names {
        let path = Path::new(name);
        if path.is_dir() {
            found.extend(Scenario::load_folder(path)?);
        } else if path.is_file() {
            found.push(Scenario::load(path)?);
        } else if path.extension().is_some_and(|it| it == "yaml" || it == "yml") {
            anyhow::bail!("{name}: there is no such file; built-in scenarios are named without .yaml");
        } else {
            found.push(Scenario::builtin(name)?);
        }
    }
    Ok(found)
}

async fn run_all(
    scenarios: &[Scenario],
    arguments: &RunArguments,
    output: Output,
) -> anyhow::Result<Vec<RunReport>> {
    let mut runs = Vec::with_capacity(scenarios.len());
    for scenario in scenarios {
        let evidence = folder::make(&arguments.out, &scenario.name, Clock::system().now())?;
        let options = RunOptions { evidence: Some(evidence.clone()), ..RunOptions::default() };
        let told = |progress: Progress<'_>| tell(progress, &scenario.name, output);
        let run = cmglab_scenario::run(scenario, &options, &told).await;
        output.console.progress_done();
        if !output.json {
            print(&run, &evidence, output);
        }
        runs.push(run);
    }
    Ok(runs)
}

fn tell(progress: Progress<'_>, name: &str, output: Output) {
    let console = output.console;
    match progress {
        Progress::Ready { taken_ms } => {
            console.progress(&format!("{name}: lab and device ready in {taken_ms} ms"))
        }
        Progress::StepBegun { number, of, step } => {
            console.progress(&format!("{name}: step {number} of {of}: {step}"));
        }
        Progress::StepEnded(step) if output.verbose => {
            console.progress_done();
            let outcome = match &step.outcome {
                StepOutcome::Done => "done".to_owned(),
                StepOutcome::Failed { cause } | StepOutcome::Impossible { cause } => cause.clone(),
                _ => String::new(),
            };
            console.note(format!("  {} ({} ms): {outcome}", step.step, step.taken_ms));
        }
        _ => {}
    }
}

fn print(run: &RunReport, evidence: &Path, output: Output) {
    let (console, verdict) = (output.console, &run.verdict);
    console.line(console.paint(Tone::Strong, &run.name));
    for line in run.about.lines() {
        console.line(format!("  {}", line.trim()));
    }
    console.line(format!("  {}\n", console.paint(Tone::Dim, NOT_FOR_PRODUCTION)));
    for line in table::hops(&verdict.hops, console) {
        console.line(line);
    }
    console.line("");
    let ready = verdict.ready_ms.map_or_else(|| "never".to_owned(), |ms| format!("in {ms} ms"));
    let figures =
        format!("{} hops, lab ready {ready}, whole run {} ms", verdict.hops.len(), verdict.taken_ms);
    if verdict.passed {
        console.line(format!("{} {}: {figures}", console.paint(Tone::Good, "PASS"), run.name));
    } else {
        console.line(format!("{} {}: {figures}", console.paint(Tone::Bad, "FAIL"), run.name));
        for failure in &verdict.failures {
            console.line(format!("  expected  {}", failure.expectation));
            console.line(format!("  actual    {}", failure.actual));
            console.line(format!("  hint      {}\n", failure.hint));
        }
    }
    if let Some(hop) = &verdict.first_failing_hop {
        let answer = hop.status.map_or_else(|| "no answer:".to_owned(), |status| status.to_string());
        let what = format!("{} {}", hop.method, hop.target);
        console
            .line(format!("first failing hop: {} -> {}  {what}  {answer} {}", hop.from, hop.to, hop.reason));
    }
    console.line(format!("evidence: {}\n", evidence.display()));
}

fn summary(runs: &[RunReport], console: Console) {
    for run in runs {
        let (tone, word) = if run.verdict.passed { (Tone::Good, "PASS") } else { (Tone::Bad, "FAIL") };
        console.line(format!("{} {}  {} ms", console.paint(tone, word), run.name, run.verdict.taken_ms));
    }
    let passed = runs.iter().filter(|run| run.verdict.passed).count();
    console.line(format!("{passed} passed, {} failed", runs.len() - passed));
}

fn write_report(path: Option<&Path>, text: impl FnOnce() -> String) -> anyhow::Result<()> {
    match path {
        Some(path) => fs::write(path, text()).with_context(|| format!("cannot write {}", path.display())),
        None => Ok(()),
    }
}

fn exit_code(runs: &[RunReport]) -> ExitCode {
    if runs.iter().any(|run| run.verdict.ready_ms.is_none()) {
        return ExitCode::from(crate::CANNOT_RUN);
    }
    if runs.iter().all(|run| run.verdict.passed) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What shells report of a process that Ctrl-C ended.
const INTERRUPTED: u8 = 130;
