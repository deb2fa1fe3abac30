//! Typed protocol events of a lab, and every view of them that is text.
//!
//! A role says what happened as an [`Event`]; nobody formats a log line inside a handler. Log files
//! ([`logs`]), hop tables, assertions and diagrams are views of the same events, so that a line can only
//! exist because something happened.

mod bus;
mod event;
pub mod kinds;
pub mod logs;

pub use bus::{Events, KEPT, NotSeen, Source};
pub use event::{Event, Kind, Role};
