//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

/// A simulator of how a Configuration Manager client authenticates over the internet.
#[derive(Debug, Parser)]
#[command(name = "cmglab", version, about, after_help = EXAMPLES, propagate_version = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Print JSON on standard output instead of tables.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Print without colours (so does NO_COLOR).
    #[arg(long, global = true)]
    pub(crate) no_color: bool,
    /// Say more on standard error; twice for the inner workings.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run scenarios, each in a lab of its own, and judge them.
    #[command(after_help = RUN_EXAMPLES)]
    Run(RunArguments),
    /// Keep a lab running until a signal.
    #[command(after_help = UP_EXAMPLES)]
    Up(UpArguments),
    /// Install a client against a running lab, by a real ccmsetup command line.
    #[command(after_help = CCMSETUP_EXAMPLES)]
    Ccmsetup(CcmsetupArguments),
    /// Analyze the connection through a running lab's gateway to its management point, as the console does.
    #[command(after_help = ANALYZE_EXAMPLES)]
    Analyze(AnalyzeArguments),
    /// Print the directory of Azure AD that a lab starts with, to begin one's own.
    Directory,
    /// List the scenarios that come with cmglab.
    Scenarios,
    /// Print shell completions.
    Completions {
        /// The shell.
        shell: Shell,
    },
}

#[derive(Debug, Args)]
pub(crate) struct RunArguments {
    /// Scenario files, folders of them, or names of built-in ones.
    #[arg(value_name = "FILE|DIR|NAME", default_value = "install/device-token")]
    pub(crate) scenarios: Vec<String>,
    /// Where evidence goes: one new folder for each run.
    #[arg(long, value_name = "DIR", default_value = "cmglab-out")]
    pub(crate) out: PathBuf,
    /// Also write a JUnit report.
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
    /// Also write a TAP report.
    #[arg(long, value_name = "FILE")]
    pub(crate) tap: Option<PathBuf>,
    /// Also write a Markdown report.
    #[arg(long, value_name = "FILE")]
    pub(crate) markdown: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct UpArguments {
    /// A scenario whose lab is to run (its steps are not); the default lab otherwise.
    #[arg(long, value_name = "FILE|NAME")]
    pub(crate) scenario: Option<String>,
    /// A directory of Azure AD (YAML) in place of the lab's; `cmglab directory` prints the built-in one.
    #[arg(long, value_name = "FILE")]
    pub(crate) directory: Option<PathBuf>,
    /// Listen on the documented ports, one address of 127.0.0.0/8 for each role.
    #[arg(long)]
    pub(crate) real_ports: bool,
    /// The file by which clients find this lab, written when it is ready.
    #[arg(long, value_name = "FILE", default_value = DEFAULT_READY_FILE)]
    pub(crate) ready_file: PathBuf,
    /// Where logs, events and the trust bundle go: one new folder for each lab.
    #[arg(long, value_name = "DIR", default_value = "cmglab-out")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct CcmsetupArguments {
    /// The file that `cmglab up` wrote.
    #[arg(long, value_name = "FILE", default_value = DEFAULT_READY_FILE)]
    pub(crate) ready_file: PathBuf,
    /// Where the client's state and logs go.
    #[arg(long, value_name = "DIR", default_value = "cmglab-out")]
    pub(crate) out: PathBuf,
    /// Install only; do not start the agent, which registers.
    #[arg(long)]
    pub(crate) install_only: bool,
    /// The command line, with or without `ccmsetup.exe` in front.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true, value_name = "COMMAND LINE")]
    pub(crate) command_line: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct AnalyzeArguments {
    /// The file that `cmglab up` wrote.
    #[arg(long, value_name = "FILE", default_value = DEFAULT_READY_FILE)]
    pub(crate) ready_file: PathBuf,
    /// Sign in as this Azure AD user; as whoever is logged on at the lab's device otherwise.
    #[arg(long, value_name = "UPN")]
    pub(crate) user: Option<String>,
    /// The user's password; the lab's own unless given.
    #[arg(long, value_name = "PASSWORD")]
    pub(crate) password: Option<String>,
    /// Present a client certificate in place of a user: one PEM file with its key and its chain, leaf first.
    #[arg(long, value_name = "FILE.pem", conflicts_with_all = ["user", "password"])]
    pub(crate) certificate: Option<PathBuf>,
}

const DEFAULT_READY_FILE: &str = "cmglab-out/lab.json";

const EXAMPLES: &str = "\
Examples:
  cmglab run                                  the documented install and registration flow
  cmglab run failures/wpj-certificate-missing replay one failure
  cmglab up                                   a lab to point other tools at

Exit codes: 0 passed, 1 an expectation failed, 2 could not run.
Everything runs on loopback with keys made for the run. Not for production.";

const RUN_EXAMPLES: &str = "\
Examples:
  cmglab run
  cmglab run install/user-token-fallback -v
  cmglab run scenarios/failures --junit report.xml
  cmglab run my-scenario.yaml --json --out /tmp/evidence";

const UP_EXAMPLES: &str = "\
Examples:
  cmglab up
  cmglab up --real-ports                      :443 and :80 on 127.0.0.10 and up; prints hosts lines
  cmglab up --scenario failures/crl-offline";

const CCMSETUP_EXAMPLES: &str = "\
Examples:
  cmglab ccmsetup 'CCMHOSTNAME=\"CMG.LAB.TEST/CCM_Proxy_MutualAuth/72057594037938216\"' SMSSITECODE=LAB
  cmglab ccmsetup ccmsetup.exe /NoCRLCheck CCMHOSTNAME=CMG.LAB.TEST/CCM_Proxy_MutualAuth/72057594037938216 SMSSITECODE=LAB";

const ANALYZE_EXAMPLES: &str = "\
Examples:
  cmglab analyze                              as the user who is logged on at the lab's device
  cmglab analyze --user bob@lab.test          a user whom the site has not discovered
  cmglab analyze --certificate client.pem     `cmglab up` writes one beside its logs
  cmglab analyze --json | jq '.steps[] | select(.verdict == \"failed\")'

Exit codes: 0 every step passed, 1 a step failed, 2 could not run.";
