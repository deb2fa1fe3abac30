//! The site database through its public handle. One binary: add modules here, not files beside it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod contract;
mod durability;
mod refusals;
mod shared;
mod source;
