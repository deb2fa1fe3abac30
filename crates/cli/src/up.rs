//! `cmglab up`: a lab to point other tools at.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use cmglab_lab::topology::AzureAdTopology;
use cmglab_lab::{Binding, Evidence, Lab, LabOptions, NOT_FOR_PRODUCTION, ReadyFile, Topology};
use serde_json::json;

use crate::args::UpArguments;
use crate::console::Tone;
use crate::{Output, folder, run};

/// Runs the lab until a signal.
pub(crate) async fn up(arguments: &UpArguments, output: Output) -> anyhow::Result<ExitCode> {
    let topology = topology(arguments)?;
    not_taken(&arguments.ready_file)?;
    let binding = if arguments.real_ports { Binding::RealPorts } else { Binding::FreePorts };
    let options = LabOptions { binding, ..LabOptions::default() };
    let out = folder::make(&arguments.out, "up", options.clock.now())?;
    let evidence = Evidence::start(&options.events, topology.edition, &out)?;
    let signal = std::pin::pin!(signal());
    let lab = match Lab::start(topology, options).await {
        Ok(lab) => lab,
        Err(error) => {
            evidence.finish()?;
            return Err(error.into());
        }
    };
    let ready = ReadyFile::of(&lab, &out)?;
    ready.write(&arguments.ready_file)?;
    report(&lab, &ready, arguments, &out, output);
    signal.await;
    output.console.note("stopping");
    lab.shutdown().await;
    evidence.finish()?;
    forget(&arguments.ready_file, &ready);
    Ok(ExitCode::SUCCESS)
}

fn topology(arguments: &UpArguments) -> anyhow::Result<Topology> {
    let mut topology = match &arguments.scenario {
        None => Topology::default(),
        Some(name) => {
            let found = run::find(std::slice::from_ref(name))?;
            let [scenario] = found.as_slice() else { anyhow::bail!("{name} is not one scenario") };
            scenario.lab.clone()
        }
    };
    if let Some(file) = &arguments.directory {
        topology.azure_ad = directory(file)?;
    }
    Ok(topology)
}

fn directory(file: &Path) -> anyhow::Result<AzureAdTopology> {
    let read = || format!("cannot read {}", file.display());
    let size = fs::metadata(file).with_context(read)?.len();
    anyhow::ensure!(
        size <= AzureAdTopology::MAX_FILE,
        "{}: {size} bytes are more than any directory has",
        file.display()
    );
    let yaml = fs::read_to_string(file).with_context(read)?;
    AzureAdTopology::parse(&yaml).with_context(|| file.display().to_string())
}

fn report(lab: &Lab, ready: &ReadyFile, arguments: &UpArguments, out: &Path, output: Output) {
    let console = output.console;
    let curl = lab.curl_line(&ready.trust_bundle.display().to_string());
    let install = format!(
        "cmglab ccmsetup 'CCMHOSTNAME=\"{}\"' SMSSITECODE={}",
        lab.topology().ccm_host_name(),
        lab.topology().site.code
    );
    if output.json {
        let names: Vec<_> = ready
            .names
            .iter()
            .map(|one| json!({"name": one.name, "port": one.port, "address": one.address.to_string()}))
            .collect();
        let report = json!({
            "note": NOT_FOR_PRODUCTION, "ready_file": arguments.ready_file, "out": out,
            "trust_bundle": ready.trust_bundle, "own_origin": ready.own_origin, "names": names, "curl": curl, "ccmsetup": install,
        });
        return console.line(report.to_string());
    }
    console.line(console.paint(Tone::Strong, "cmglab is up"));
    console.line(format!("  {NOT_FOR_PRODUCTION}\n"));
    for one in &ready.names {
        console.line(format!("  {:<40} {}", format!("{}:{}", one.name, one.port), one.address));
    }
    console.line(format!("\n  trust bundle  {}", ready.trust_bundle.display()));
    console.line(format!("  logs, events  {}", out.display()));
    console.line(format!("  ready file    {}", arguments.ready_file.display()));
    console.line(format!("  Azure AD      {} (under an origin of its own)", ready.own_origin));
    if arguments.real_ports {
        console.line("\nhosts lines:");
        let named = ready.names.iter().filter(|one| one.name != "localhost");
        let hosts: BTreeSet<_> = named.map(|one| (one.address.ip(), &one.name)).collect();
        for (address, name) in hosts {
            console.line(format!("  {address} {name}"));
        }
    }
    console.line(format!(
        "\nask the gateway:\n  {curl}\n\ninstall a client:\n  {install}\n\nCtrl-C stops the lab."
    ));
}

/// Another lab's file must not be taken over: nobody would find that lab again.
fn not_taken(path: &Path) -> anyhow::Result<()> {
    let Ok(found) = ReadyFile::read(path) else { return Ok(()) };
    // Where processes cannot be looked up, an old file is as good as none.
    let runs = Path::new("/proc").join(found.process.to_string()).join("exe").exists();
    anyhow::ensure!(
        !runs,
        "{} is that of a lab that runs as process {}; stop that one, or choose another file with --ready-file",
        path.display(),
        found.process
    );
    Ok(())
}

/// The file is removed only if it is still this lab's.
fn forget(path: &Path, ready: &ReadyFile) {
    if ReadyFile::read(path).is_ok_and(|found| found.process == ready.process) {
        // It may be gone already, which is what is wanted.
        let _gone = fs::remove_file(path);
    }
}

/// Ctrl-C, or the signal by which service managers stop a process.
pub(crate) async fn signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut terminate) = signal(SignalKind::terminate()) else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    }
    #[cfg(not(unix))]
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
