//! The lab's tokens: signed with cached keys, verified strictly, and all times on the lab's clock.
//!
//! [`SigningKey`] signs RS256 tokens in the forms Azure AD and the site use; [`Jwks`] publishes its public
//! half; [`Keys`] and [`verify()`] check a token against it. [`jws_x5c`] checks the requests of devices, which
//! carry their certificate with them. [`cache`] remembers what was verified, and [`forge`] makes bad tokens
//! for tests of whoever verifies.
//!
//! Nothing here reads a clock: every check takes `now`. Tokens and private keys never appear in `Debug`.

pub mod cache;
mod compact;
mod error;
pub mod forge;
mod jwk;
pub mod jws_x5c;
mod peek;
mod signing;
mod verify;

pub use error::TokenError;
pub use jwk::{Jwk, Jwks};
pub use peek::{Header, peek};
pub use signing::{HeaderKind, SigningKey};
pub use verify::{Expect, Keys, Verified, verify};
