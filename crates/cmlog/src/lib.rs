//! The three log line formats of Configuration Manager: written, parsed and rolled over.
//!
//! | format | module | who writes it |
//! |---|---|---|
//! | CMTrace | [`cmtrace`] | the client and the management point |
//! | server "simple" | [`simple`] | site server components, the CMG and its connection point |
//! | IIS W3C extended | [`w3c`] | IIS on the CMG and on the management point |
//!
//! [`parse_any`] reads a file that holds any of them; [`file::LogFile`] appends and rolls over. Every
//! parser refuses lines past [`MAX_LINE_BYTES`] and never panics. No clock is read here: whoever logs
//! passes the instant in.
//!
//! ```
//! use cmglab_cmlog::{Bias, Severity, cmtrace};
//!
//! # fn main() -> Result<(), cmglab_cmlog::Error> {
//! let line = cmtrace::Line {
//!     text: "Issued token".into(),
//!     at: jiff::Timestamp::constant(1_593_012_706, 376_000_000),
//!     bias: Bias::new(-120)?,
//!     component: "CCM_STS".into(),
//!     context: String::new(),
//!     severity: Severity::Info,
//!     thread: 4992,
//!     source: "sts.cpp:12".into(),
//! };
//! assert_eq!(cmtrace::Line::parse(&line.to_string())?, line);
//! # Ok(())
//! # }
//! ```

pub mod cmtrace;
pub mod file;
pub mod simple;
pub mod w3c;

mod any;
mod bias;
mod error;
mod severity;
mod stamp;

pub use any::{AnyLine, AnyLines, Format, detect, parse_any};
pub use bias::Bias;
pub use error::{Error, MAX_LINE_BYTES};
pub use severity::Severity;
