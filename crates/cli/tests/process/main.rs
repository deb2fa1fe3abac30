//! The binary as its user meets it: exit codes, streams, signals, evidence. One binary; add modules here.

mod ccmsetup;
mod run;
mod support;
mod up;
