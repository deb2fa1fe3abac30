//! Clients: the GUIDs the site has given out, the Azure AD devices behind them, and who is blocked.
//!
//! Fidelity: documented that CCM_STS names a client GUID before the client has registered
//! (mp-wire §8.1.7) and that registration returns it (mp-wire §3.4); lab for how the site remembers it.

use cmglab_ids::Ids;
use cmglab_proto::ids::{ClientGuid, DeviceId, TenantId};
use jiff::Timestamp;

use crate::Site;
use crate::error::SiteError;

/// A device in one tenant of Azure AD.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AadDevice {
    /// The tenant.
    pub tenant: TenantId,
    /// The device id there.
    pub device: DeviceId,
}

/// A client GUID that the site has given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Client {
    /// The GUID.
    pub id: ClientGuid,
    /// When it was given out.
    pub created_at: Timestamp,
    /// Since when the client is blocked, if it is.
    pub blocked_at: Option<Timestamp>,
}

pub(crate) trait Clients {
    fn client(&mut self, id: ClientGuid) -> Result<Option<Client>, SiteError>;
    fn find_client(&mut self, device: AadDevice) -> Result<Option<ClientGuid>, SiteError>;
    fn aad_device(&mut self, client: ClientGuid) -> Result<Option<AadDevice>, SiteError>;
    fn find_or_create_client(
        &mut self,
        device: AadDevice,
        ids: &Ids,
        now: Timestamp,
    ) -> Result<ClientGuid, SiteError>;
    fn block_client(&mut self, id: ClientGuid, since: Option<Timestamp>) -> Result<(), SiteError>;
}

impl Site {
    /// What the site knows about a client GUID, registered or not.
    ///
    /// # Errors
    /// The database's own failures.
    pub async fn client(&self, id: ClientGuid) -> Result<Option<Client>, SiteError> {
        self.read(move |store| store.client(id)).await
    }

    /// The client behind an Azure AD device, if the site has met it.
    ///
    /// # Errors
    /// The database's own failures.
    pub async fn find_client(&self, device: AadDevice) -> Result<Option<ClientGuid>, SiteError> {
        self.read(move |store| store.find_client(device)).await
    }

    /// The Azure AD device behind a client, the first by tenant and id if there are several.
    ///
    /// # Errors
    /// The database's own failures.
    pub async fn aad_device(&self, client: ClientGuid) -> Result<Option<AadDevice>, SiteError> {
        self.read(move |store| store.aad_device(client)).await
    }

    /// The client behind an Azure AD device; a device met for the first time gets a GUID. However many
    /// ask at once, a device has one GUID, and only a new device draws from `ids`.
    ///
    /// # Errors
    /// The database's own failures.
    pub async fn client_for_aad_device(
        &self,
        device: AadDevice,
        ids: &Ids,
        now: Timestamp,
    ) -> Result<ClientGuid, SiteError> {
        if let Some(known) = self.find_client(device).await? {
            return Ok(known);
        }
        let ids = ids.clone();
        self.write(move |store| store.find_or_create_client(device, &ids, now)).await
    }

    /// Blocks a client, which the gateway is told. One that is blocked already keeps its first date.
    ///
    /// # Errors
    /// [`SiteError::NotFound`] if the GUID was never given out; [`SiteError::Settings`] for more than the
    /// gateway takes; otherwise the database's own failures.
    pub async fn block_client(&self, id: ClientGuid, now: Timestamp) -> Result<(), SiteError> {
        self.publish(move |store| store.block_client(id, Some(now))).await
    }

    /// Lifts a block.
    ///
    /// # Errors
    /// [`SiteError::NotFound`] if the GUID was never given out; otherwise the database's own failures.
    pub async fn unblock_client(&self, id: ClientGuid) -> Result<(), SiteError> {
        self.publish(move |store| store.block_client(id, None)).await
    }
}
