//! The management point through its router, with Azure AD's keys behind real TLS. One binary: add modules
//! here, not files beside it.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod aad;
mod certificates;
mod clients;
mod content;
mod keys;
mod lab;
mod location;
mod messages;
mod paths;
mod registration;
mod sts;
mod tokens;
