//! The management point through its router, with Azure AD's keys behind real TLS. One binary: add modules
//! here, not files beside it.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod aad;
mod certificates;
mod clients;
mod content;
mod content_link;
mod keys;
mod lab;
mod location;
mod messages;
mod modes;
mod paths;
mod registration;
mod site_tokens;
mod sts;
mod tokens;
