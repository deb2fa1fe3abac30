//! Whole-lab tests: one binary. Add a module here, never another top-level test file: each would be one
//! more link of the whole house.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test that cannot go on fails"
)]

mod at_rest;
mod bad_input;
mod certificates;
mod edge;
mod flow;
mod interruptions;
mod layers;
mod scenarios;
mod seed;
mod support;
mod tokens;
