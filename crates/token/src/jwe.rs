//! Encrypted messages in the compact serialization (RFC 7516), as far as Azure AD uses them.
//!
//! [`wrap_session_key`] and [`unwrap_session_key`] carry the session key to a device, [`seal`] and [`open`]
//! the answers that it protects; both follow what clients and service do, not the RFC alone. [`decrypt`]
//! is the RFC, strictly.

mod content;
mod key;
mod parts;
mod protected;
mod strict;

pub use key::{unwrap_session_key, wrap_session_key};
pub use protected::{AnswerCipher, open, seal};
pub use strict::{Decrypted, DecryptionKey, decrypt};

#[cfg(test)]
mod tests;
