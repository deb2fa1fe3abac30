//! The `cmglab` command.

mod analyze;
mod args;
mod ccmsetup;
mod console;
mod folder;
mod run;
mod table;
mod up;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};
use cmglab_lab::topology::AzureAdTopology;
use tracing_subscriber::EnvFilter;

use args::{Arguments, Command};
use console::{Console, Tone};

/// Requests are many small allocations on several threads; see tests/benches/device_token.rs.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let console = Console::new(arguments.no_color, arguments.json);
    trace(arguments.verbose);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return cannot_run(console, &error.into()),
    };
    let outcome = runtime.block_on(dispatch(arguments, console));
    runtime.shutdown_background();
    outcome.unwrap_or_else(|error| cannot_run(console, &error))
}

async fn dispatch(arguments: Arguments, console: Console) -> anyhow::Result<ExitCode> {
    let output = Output { console, json: arguments.json, verbose: arguments.verbose > 0 };
    match arguments.command {
        Command::Run(arguments) => run::run(&arguments, output).await,
        Command::Up(arguments) => up::up(&arguments, output).await,
        Command::Ccmsetup(arguments) => ccmsetup::ccmsetup(&arguments, output).await,
        Command::Analyze(arguments) => analyze::analyze(&arguments, output).await,
        Command::Directory => {
            output.console.line(AzureAdTopology::BUILT_IN.trim_end());
            Ok(ExitCode::SUCCESS)
        }
        Command::Scenarios => run::list(output),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Arguments::command(), "cmglab", &mut std::io::stdout());
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// How the caller wants results.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    pub(crate) console: Console,
    pub(crate) json: bool,
    pub(crate) verbose: bool,
}

fn cannot_run(console: Console, error: &anyhow::Error) -> ExitCode {
    console.progress_done();
    console.note(format!("{} {error:#}", console.paint(Tone::Bad, "cmglab:")));
    ExitCode::from(CANNOT_RUN)
}

fn trace(verbose: u8) {
    let level = match verbose {
        0 => "warn",
        1 => "info",
        _ => "debug",
    };
    let filter = EnvFilter::try_from_env("CMGLAB_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}

pub(crate) const CANNOT_RUN: u8 = 2;
