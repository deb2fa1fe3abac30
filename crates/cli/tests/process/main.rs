//! The binary as its user meets it: exit codes, streams, signals, evidence. One binary; add modules here.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test that cannot go on fails"
)]

mod analyze;
mod ccmsetup;
mod run;
mod support;
mod up;
