//! The service at its router, without sockets.

mod broker;
mod claims;
mod conditions;
mod device_token;
mod discovery;
mod envelope;
mod hello;
mod keys;
pub(crate) mod lab;
mod password;
mod peer_to_peer;
mod prt_issue;
mod prt_renewal;
mod prt_use;
mod refresh;
mod registration;
mod registration_ecc;
mod registration_hybrid;
mod registration_key;
mod registration_revoked;
mod second_face;
mod set_up;
mod sso;
mod weather;
