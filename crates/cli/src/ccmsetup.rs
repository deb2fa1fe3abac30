//! `cmglab ccmsetup`: a client against a running lab.

use std::process::ExitCode;

use anyhow::Context as _;
use cmglab_client::{Client, CommandLine, InstallOutcome, Registration, ReturnCode, Step};
use cmglab_clock::Clock;
use cmglab_events::Events;
use cmglab_events::logs;
use cmglab_lab::{Evidence, HostRoles, ReadyFile, attach};
use serde_json::json;

use crate::args::CcmsetupArguments;
use crate::console::Tone;
use crate::{Output, folder, table};

/// Installs a client and, unless told otherwise, lets its agent register.
pub(crate) async fn ccmsetup(arguments: &CcmsetupArguments, output: Output) -> anyhow::Result<ExitCode> {
    let line = command_line(&arguments.command_line);
    // Before anything is asked of anybody: a typing mistake must not leave a device behind.
    CommandLine::parse(&line).context("the command line of ccmsetup")?;
    let ready = ReadyFile::read(&arguments.ready_file)?;
    let (clock, events) = (Clock::system(), Events::new());
    let out = folder::make(&arguments.out, "ccmsetup", clock.now())?;
    let evidence = Evidence::start(&events, ready.topology.edition, &out)?;
    output.console.progress("joining the device");
    let state = out.join("state").join(&ready.topology.client.host);
    let ended = async {
        let mut client = attach(&ready, &events, &clock, &state).await?;
        output.console.progress("installing");
        let installed = client.install(&line).await;
        let registered = match installed.return_code {
            ReturnCode::Success if !arguments.install_only => Some(register(&mut client, output).await),
            _ => None,
        };
        anyhow::Ok((installed, registered))
    };
    let ended = tokio::select! {
        ended = ended => ended,
        () = crate::up::signal() => Err(anyhow::anyhow!("stopped by a signal; the evidence so far is in {}", out.display())),
    };
    output.console.progress_done();
    evidence.finish()?;
    let (installed, registered) = ended.context("the client could not be made")?;
    report(&installed, registered.as_ref(), &events, &ready, output);
    output.console.note(format!("evidence: {}", out.display()));
    let passed = installed.return_code == ReturnCode::Success && !matches!(registered, Some(Err(_)));
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn register(client: &mut Client, output: Output) -> Result<Registration, String> {
    output.console.progress("registering");
    match client.register().await {
        Ok(Registration::Rejected) => Err("the site rejected the registration".to_owned()),
        Ok(registration) => Ok(registration),
        Err(error) => Err(error.to_string()),
    }
}

/// The shell has taken the quotes off; a value with spaces gets them back.
fn command_line(words: &[String]) -> String {
    let [one] = words else {
        let quoted = words.iter().map(|word| match word.split_once('=') {
            Some((name, value)) if value.contains(' ') && !value.starts_with('"') => {
                format!("{name}=\"{value}\"")
            }
            _ => word.clone(),
        });
        return quoted.collect::<Vec<_>>().join(" ");
    };
    one.clone()
}

/// The step in words that an administrator would use.
fn doing(step: Step) -> &'static str {
    match step {
        Step::CommandLine => "reading the command line",
        Step::AadInfo => "asking the CMG for the tenant's Azure AD properties",
        Step::AadToken => "getting a token from Azure AD",
        Step::CcmToken => "getting a CCM token from CCM_STS (is the role id in CCMHOSTNAME right?)",
        Step::SiteInformation => "asking the management point about the site",
        Step::ContentLocation => "asking where the client's files are",
        Step::Download => "downloading the client",
        Step::Verification => "comparing the files with their hashes",
        Step::Unpacking => "unpacking the files",
        Step::Installed => "finishing",
    }
}

fn report(
    installed: &InstallOutcome,
    registered: Option<&Result<Registration, String>>,
    events: &Events,
    ready: &ReadyFile,
    output: Output,
) {
    let console = output.console;
    let snapshot = events.snapshot();
    let hops = cmglab_lab::hops(&snapshot, &HostRoles::documented(&ready.topology));
    if output.json {
        let report = json!({
            "return_code": installed.return_code.code(),
            "reached": format!("{:?}", installed.reached),
            "failure": installed.failure.as_ref().map(ToString::to_string),
            "registration": registered.map(|outcome| match outcome {
                Ok(registration) => json!({"outcome": format!("{registration:?}")}),
                Err(error) => json!({"error": error}),
            }),
            "hops": hops,
        });
        return console.line(report.to_string());
    }
    for line in table::hops(&hops, console) {
        console.line(line);
    }
    if output.verbose {
        for line in snapshot.iter().flat_map(|event| logs::lines(event, ready.topology.edition)) {
            console.line(format!("  {}  {}", console.paint(Tone::Dim, line.file.file_name()), line.text()));
        }
    }
    let code = installed.return_code.code();
    match &installed.failure {
        None => console.line(format!("\nccmsetup: return code {code}, installed")),
        Some(failure) => console.line(console.paint(
            Tone::Bad,
            &format!("\nccmsetup: return code {code} while {}: {failure}", doing(installed.reached)),
        )),
    }
    match registered {
        Some(Ok(Registration::Registered { client, approval })) => {
            console.line(format!("agent: registered as {client}, approval status {approval}"));
        }
        Some(Ok(other)) => console.line(format!("agent: {other:?}")),
        Some(Err(error)) => console.line(console.paint(Tone::Bad, &format!("agent: {error}"))),
        None => {}
    }
}
