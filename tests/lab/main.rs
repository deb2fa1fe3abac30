//! Whole-lab tests: one binary. Add a module here, never another top-level test file: each would be one
//! more link of the whole house.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test that cannot go on fails"
)]

mod analyze;
mod at_rest;
mod bad_input;
mod certificates;
mod content;
mod edge;
mod edge_table;
mod flow;
mod gateway;
mod gateway_limits;
mod interruptions;
mod layers;
mod origin;
mod scenarios;
mod seed;
mod support;
mod tokens;
