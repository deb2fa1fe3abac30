//! `cmglab analyze`: the console's connection analyzer against a running lab.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use cmglab_clock::Clock;
use cmglab_events::Events;
use cmglab_lab::{
    Analysis, AnalyzeRequest, HostRoles, ReadyFile, SignIn, StepVerdict, analyze as run, console,
};
use serde_json::json;

use crate::args::AnalyzeArguments;
use crate::console::Tone;
use crate::{Output, table};

/// Tests the way from here through the gateway to the management point, step by step.
pub(crate) async fn analyze(arguments: &AnalyzeArguments, output: Output) -> anyhow::Result<ExitCode> {
    let ready = ReadyFile::read(&arguments.ready_file)?;
    let request = AnalyzeRequest::of(&ready.topology, sign_in(arguments, &ready)?);
    let (clock, events) = (Clock::system(), Events::new());
    let deps = console(&ready, &events, &clock)?;
    output.console.progress("analyzing");
    let analysis = tokio::select! {
        analysis = run(&request, &deps) => Ok(analysis),
        () = crate::up::signal() => Err(anyhow::anyhow!("stopped by a signal")),
    };
    output.console.progress_done();
    let analysis = analysis?;
    let hops = cmglab_lab::hops(&events.snapshot(), &HostRoles::documented(&ready.topology));
    if output.json {
        output
            .console
            .line(json!({ "passed": analysis.passed(), "steps": analysis.steps, "hops": hops }).to_string());
    } else {
        report(&analysis, output);
        if output.verbose {
            output.console.line("");
            table::hops(&hops, output.console).iter().for_each(|line| output.console.line(line));
        }
    }
    Ok(if analysis.passed() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn sign_in(arguments: &AnalyzeArguments, ready: &ReadyFile) -> anyhow::Result<SignIn> {
    match &arguments.certificate {
        Some(file) => {
            let text = pem(file).with_context(|| format!("--certificate {}", file.display()))?;
            SignIn::certificate_of_pem(&text).with_context(|| format!("--certificate {}", file.display()))
        }
        None => {
            let (user, password) = (arguments.user.as_deref(), arguments.password.clone());
            Ok(SignIn::user(&ready.topology, user, password)?)
        }
    }
}

fn pem(file: &Path) -> anyhow::Result<String> {
    let size = fs::metadata(file)?.len();
    if size > LARGEST_PEM {
        bail!("{size} bytes are more than a key with its chain has");
    }
    Ok(fs::read_to_string(file)?)
}

fn report(analysis: &Analysis, output: Output) {
    let console = output.console;
    table::steps(&analysis.steps, console).iter().for_each(|line| console.line(line));
    let count = |verdict| analysis.steps.iter().filter(|step| step.verdict == verdict).count();
    let (failed, skipped) = (count(StepVerdict::Failed), count(StepVerdict::Skipped));
    let total = analysis.steps.len();
    console.line("");
    match analysis.passed() {
        true => console.line(console.paint(Tone::Good, &format!("analyze: all {total} steps passed"))),
        false => {
            let text = format!("analyze: {failed} of {total} steps failed, {skipped} skipped");
            console.line(console.paint(Tone::Bad, &text));
        }
    }
}

const LARGEST_PEM: u64 = 32 * 1024;
