//! Real handshakes over an in-memory stream, every certificate state on either side.

mod callers;
mod epoch;
mod lab;
mod servers;
