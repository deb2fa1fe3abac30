//! The one trait that SQL sits behind.
//!
//! An engine implements the part of each idea next to that idea's SQL. Every method is one transaction:
//! done whole or not at all. Methods block; [`crate::worker`] keeps them off the asynchronous side.

use cmglab_proto::ids::{HierarchyId, SiteCode};

use crate::clients::Clients;
use crate::error::SiteError;
use crate::keys::Keys;
use crate::options::Options;
use crate::registrations::Registrations;
use crate::settings::Settings;
use crate::tokens::Tokens;
use crate::traffic::Traffic;
use crate::users::Users;

/// A site database of some engine.
pub(crate) trait Store:
    Settings + Keys + Options + Users + Clients + Registrations + Tokens + Traffic
{
    /// Which site this is.
    fn identity(&mut self) -> Result<Identity, SiteError>;
}

/// What never changes about a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) site_code: SiteCode,
    pub(crate) hierarchy: HierarchyId,
}
