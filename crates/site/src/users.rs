//! Users that the site has discovered in Azure AD.
//!
//! Fidelity: documented that a CCM token names the site's own user id and not the Azure AD object id
//! (configmgr §3, CCM_STS answers); lab that only user tokens need the discovered user (configmgr §9.15).

use cmglab_ids::Ids;
use cmglab_proto::ids::{ObjectId, TenantId, UserId};
use jiff::Timestamp;

use crate::Site;
use crate::error::SiteError;
use crate::limits;

/// A discovered user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The site's own id of the user.
    pub id: UserId,
    /// The tenant it was discovered in.
    pub tenant: TenantId,
    /// Its object id there.
    pub object: ObjectId,
    /// Its user principal name, as last discovered.
    pub upn: String,
    /// Its SID in the on-premises directory, `S-1-5-21-…`; none for a cloud-only user.
    pub on_prem_sid: Option<String>,
    /// When it was first discovered.
    pub discovered_at: Timestamp,
}

/// What discovery reports about a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiscoveredUser {
    /// The tenant.
    pub tenant: TenantId,
    /// The object id in the tenant.
    pub object: ObjectId,
    /// The user principal name, at most 1024 bytes.
    pub upn: String,
    /// The on-premises SID, at most 184 bytes; none for a cloud-only user.
    pub on_prem_sid: Option<String>,
}

pub(crate) trait Users {
    fn discover_user(&mut self, found: &DiscoveredUser, ids: &Ids, now: Timestamp)
    -> Result<User, SiteError>;
    fn user(&mut self, tenant: TenantId, object: ObjectId) -> Result<Option<User>, SiteError>;
    fn remove_user(&mut self, tenant: TenantId, object: ObjectId) -> Result<(), SiteError>;
}

impl Site {
    /// Takes in what discovery reports. A known user keeps its site id and gets the new names; the tenant
    /// need not be onboarded.
    ///
    /// # Errors
    /// [`SiteError::TooLarge`] for a name over its limit; otherwise the database's own failures.
    pub async fn discover_user(
        &self,
        found: DiscoveredUser,
        ids: &Ids,
        now: Timestamp,
    ) -> Result<User, SiteError> {
        limits::text("user principal name", &found.upn, limits::UPN)?;
        limits::optional("on-premises SID", found.on_prem_sid.as_deref(), limits::SID)?;
        let ids = ids.clone();
        self.write(move |store| store.discover_user(&found, &ids, now)).await
    }

    /// The user, if discovered.
    ///
    /// # Errors
    /// The database's own failures.
    pub async fn user(&self, tenant: TenantId, object: ObjectId) -> Result<Option<User>, SiteError> {
        self.read(move |store| store.user(tenant, object)).await
    }

    /// Forgets a user. Discovered again, it gets a new site id.
    ///
    /// # Errors
    /// [`SiteError::NotFound`] if it was not discovered; otherwise the database's own failures.
    pub async fn remove_user(&self, tenant: TenantId, object: ObjectId) -> Result<(), SiteError> {
        self.write(move |store| store.remove_user(tenant, object)).await
    }
}
