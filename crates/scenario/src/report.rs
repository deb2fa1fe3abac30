//! Runs as text for machines and for pages: JSON, JUnit XML, TAP 14, Markdown.
//!
//! Each is a pure function of the runs.

mod json;
mod junit;
mod markdown;
mod tap;

pub use json::json;
pub use junit::junit;
pub use markdown::markdown;
pub use tap::tap;

#[cfg(test)]
mod tests;
