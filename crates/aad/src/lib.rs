//! The Azure AD of the lab: token service and device registration behind one router.
//!
//! The directory ([`AadConfig`]) is data; [`Aad`] is the service and, in any of its clones, the hand that
//! changes the directory while the lab runs. [`Aad::router`] answers for the hosts of the token service and
//! of device registration alike. Every check of the protocol is real: a signature, a chain, a nonce, a
//! password, a redirect URI. Each refusal is a row of [`TABLE`].
//!
//! What Azure AD has and this has not answers 501 and says so.

mod answer;
mod ask;
mod authorize;
mod bearer;
mod claims;
mod config;
mod cookies;
mod cors;
mod credential_type;
mod device;
mod directory;
mod discovery;
mod drs;
mod error;
mod errors;
mod first_party;
mod forging;
mod form;
mod grant;
mod handles;
mod journal;
mod key_ring;
mod logout;
mod nonce;
mod pages;
mod proof;
mod prt;
mod route;
mod service;
mod session;
mod sso;
mod tenant_ref;
mod tickets;
mod userinfo;
mod weather;

pub use config::{
    AadConfig, AccessRules, App, AppCertificate, AppSecret, ClaimOptions, Hosts, Lifetimes, LoopLimit,
    Password, Permission, PrtCipher, PrtOptions, PrtTokenType, SyncedDevice, Tenant, User, UserCondition,
};
pub use device::{Device, EcTransportKey, TransportKey, TrustType};
pub use error::AadError;
pub use errors::{Aadsts, TABLE};
pub use grant::device_code::store::PendingDeviceCode;
pub use service::{Aad, OwnOrigin, SigningKeys};

#[cfg(test)]
mod tests;
