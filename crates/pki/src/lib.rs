//! The lab's certificates: who issues them, what is in them, and how to read them back.
//!
//! [`Profiles`] is `certs/profiles.yaml`; it drives everything that is issued. An [`Authority`] signs
//! certificates and CRLs; [`Authorities`] holds the whole set of a lab. [`wpj`] is the certificate a
//! device gets when it joins Azure AD, [`peer_to_peer`] the one it shows to other devices, [`registration`]
//! the self-signed one a client registers with.
//! [`read`] parses what others present.
//!
//! Nothing here reads a clock: every time is passed in as `now`. Serial numbers come from
//! [`cmglab_ids::Ids`]; keys come from the crypto provider and differ in every run. An RSA-2048 key takes
//! tens of milliseconds to make: make it before the request that needs it.

pub mod app_credential;
mod authorities;
mod authority;
mod bundle;
mod crl;
mod dates;
mod error;
mod identity;
mod issue;
mod key;
pub mod peer_to_peer;
mod pem;
mod profile;
pub mod read;
pub mod registration;
mod verify;
pub mod wpj;

pub use authorities::Authorities;
pub use authority::Authority;
pub use bundle::TrustBundle;
pub use dates::Validity;
pub use error::PkiError;
pub use identity::Identity;
pub use issue::{Overrides, SubjectName};
pub use key::{KeyKind, PrivateKey};
pub use profile::{AuthorityProfile, CrlProfile, Eku, KeyUse, LeafProfile, Profiles};
pub use read::Serial;
