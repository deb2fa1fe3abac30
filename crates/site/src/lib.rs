//! The ConfigMgr site of a lab: what the management points, the connection point and the administrator
//! share.
//!
//! A [`Site`] holds the onboarded tenants, the public keys of CCM tokens, the URL mappings and the roots
//! for client certificates, published together as one versioned settings document; the clients, users and
//! tokens it knows; a few options; and what connection points report. Private keys and tokens are never kept.
//!
//! Fidelity: lab. The product's schema is not reproduced; what the site remembers, and when, follows
//! configmgr §3 and §5.9 and mp-wire §3.4 and §8.
//!
//! SQL sits behind one trait per idea, so that another engine is one more folder beside `sqlite` and one
//! more [`Location`]; `tests/site` runs the same contract over every location. No call reads a clock:
//! whatever is dated takes `now`. Times are kept to the microsecond.
//!
//! ```
//! use cmglab_ids::Ids;
//! use cmglab_site::{AadDevice, Location, Site, SiteConfig};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let ids = Ids::seeded(1);
//! let config = SiteConfig { site_code: "LAB".parse()?, new_hierarchy: ids.guid().into() };
//! let site = Site::open(Location::Memory, config).await?;
//!
//! let device = AadDevice { tenant: ids.guid().into(), device: ids.guid().into() };
//! let now = "2026-01-02T03:04:05Z".parse()?;
//! let client = site.client_for_aad_device(device, &ids, now).await?;
//! assert_eq!(site.find_client(device).await?, Some(client));
//! # Ok(())
//! # }
//! ```

mod clients;
mod error;
mod keys;
mod limits;
mod options;
mod registrations;
mod settings;
mod site;
mod sqlite;
mod store;
mod tokens;
mod traffic;
mod users;
mod worker;

pub use clients::{AadDevice, Client};
pub use error::SiteError;
pub use keys::CcmKey;
pub use options::ClientPackage;
pub use registrations::{ClientDetails, Registration};
pub use site::{Location, Site, SiteConfig};
pub use tokens::{BulkToken, IssuedToken};
pub use traffic::{EndpointTraffic, ProxyTraffic};
pub use users::{DiscoveredUser, User};

/// A SHA-256 digest.
pub type Sha256 = [u8; 32];
