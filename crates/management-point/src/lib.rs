//! The management point: CCM_STS, client registration, location services and the client's files.
//!
//! It verifies everything itself, as if the gateway in front of it were not there: certificates by the
//! verdict of `cmglab-net`, Azure AD tokens with keys it fetches from the tenant, CCM tokens with the
//! site's keys, signatures and certificates of registrations, and every name against the site database.
//!
//! | path | takes | answers |
//! |---|---|---|
//! | `/CCM_STS` | an Azure AD token | a CCM token |
//! | `/ccm_system_tokenauth/request` | a CCM token, or for registration an Azure AD token | CCM messages |
//! | `/CCM_Client/…` | a CCM token or a client certificate | the client's files, ranges included |
//! | `/ccm_system`, `/SMS_MP`, `/CCM_Incoming` | a client certificate | 501, these are not built |
//!
//! In enhanced HTTP nobody is asked for a client certificate, so one that comes along opens nothing. What makes
//! a management point fail as a whole, a stale binding, a redirect of the site or a foreign token library,
//! is part of its [`ManagementPointConfig`].
//!
//! Fidelity: documented for what is logged and for statuses (configmgr §5.9, §5.10, §7), observed for
//! messages (mp-wire §1 to §3, §7), lab for how tokens travel (mp-wire §10). Paths are taken in any case.
//!
//! ```no_run
//! use cmglab_management_point::{Content, ManagementPoint, ManagementPointConfig};
//!
//! # async fn example(site: cmglab_site::Site, deps: cmglab_net::Deps) -> Result<(), Box<dyn std::error::Error>> {
//! let config = ManagementPointConfig::new("MP.LAB.TEST");
//! let content = Content::client(&config.site_version)?;
//! let mp = ManagementPoint::new(config, site, deps, content).await?;
//! let _router = mp.router();
//! mp.rotate_ccm_key().await?;
//! # Ok(())
//! # }
//! ```

mod aad;
mod answer;
mod bearer;
mod config;
mod content;
mod content_link;
mod download;
mod error;
mod keys;
mod location;
mod messaging;
mod refused;
mod registration;
mod routes;
mod service;
mod site_tokens;
mod sts;
mod web_server;

pub use config::{ManagementPointConfig, Mode, StsAssembly};
pub use content::{CLIENT_PACKAGE, Content};
pub use error::ManagementPointError;
pub use service::ManagementPoint;
pub use site_tokens::BulkRegistrationToken;
