//! The Azure AD of the lab: token service and device registration behind one router.
//!
//! The directory ([`AadConfig`]) is data; [`Aad`] is the service and, in any of its clones, the hand that
//! changes the directory while the lab runs. [`Aad::router`] answers for the hosts of the token service and
//! of device registration alike. Every check of the protocol is real: a signature, a chain, a nonce, a
//! password, a redirect URI. Each refusal is a row of [`TABLE`].
//!
//! Built: discovery, keys, nonces, the device token, the user token by password (bound to a device by
//! [`cmglab_proto::lab_session`]), joining, registering and deleting devices. What else Azure AD has answers 501 and says
//! so.

mod answer;
mod ask;
mod claims;
mod config;
mod device;
mod directory;
mod discovery;
mod drs;
mod error;
mod errors;
mod first_party;
mod form;
mod grant;
mod lab_session;
mod nonce;
mod proof;
mod route;
mod service;
mod tenant_ref;

pub use config::{AadConfig, App, Hosts, Lifetimes, Password, Tenant, User};
pub use device::{Device, TransportKey, TrustType};
pub use error::AadError;
pub use errors::{Aadsts, TABLE};
pub use service::{Aad, SigningKeys};

#[cfg(test)]
mod tests;
