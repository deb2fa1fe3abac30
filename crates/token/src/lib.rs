//! The lab's tokens: signed with cached keys, verified strictly, and all times on the lab's clock.
//!
//! [`SigningKey`] signs RS256 tokens in the forms Azure AD and the site use; [`Jwks`] publishes its public
//! half; [`Keys`] and [`verify()`] check a token against it. [`cache`] remembers what was verified.
//!
//! Clients prove themselves in three ways: [`jws_x5c`] checks the requests of devices, which carry their
//! certificate with them, [`session_jws`] those under the [`session`] key of a primary refresh token, and
//! [`assertion`] those whose key is registered. [`jwe`] encrypts session keys, and answers to their holders.
//! [`forge`] makes bad tokens for tests of whoever verifies.
//!
//! Nothing here reads a clock: every check takes `now`, or leaves times to the caller. Tokens and keys never
//! appear in `Debug`.

pub mod assertion;
pub mod cache;
mod compact;
mod error;
pub mod forge;
pub mod jwe;
mod jwk;
pub mod jws_x5c;
mod peek;
pub mod session;
pub mod session_jws;
mod signature;
mod signing;
mod verify;

pub use error::TokenError;
pub use jwk::{Jwk, Jwks};
pub use peek::{Header, peek};
pub use signing::{HeaderKind, SigningKey};
pub use verify::{Expect, Keys, Verified, verify};
