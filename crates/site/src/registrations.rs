//! Registered clients: their certificates, names and approval.
//!
//! Fidelity: documented for the fields (mp-wire §3.1) and the approval numbers in the product's logs;
//! lab for which GUID a registration gets (mp-wire §3.4) and for the other approval numbers (§10.9).

use cmglab_ids::Ids;
use cmglab_proto::ccm::registration::Approval;
use cmglab_proto::ids::ClientGuid;
use jiff::Timestamp;

use crate::clients::AadDevice;
use crate::error::SiteError;
use crate::{Sha256, Site, limits};

/// What a client says of itself when it registers, as the management point verified it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientDetails {
    /// SHA-256 of the signing certificate in DER: the identity of the signing key.
    pub signing_key: Sha256,
    /// The signing certificate in DER, at most 16 KiB.
    pub signing_certificate: Vec<u8>,
    /// The encryption certificate in DER, at most 16 KiB; often the same one.
    pub encryption_certificate: Vec<u8>,
    /// `Netbios Name`, at most 255 bytes.
    pub netbios_name: String,
    /// `FQ Name`, at most 255 bytes.
    pub fqdn: String,
    /// `HardwareID1`, at most 256 bytes.
    pub hardware_id: Option<String>,
    /// The Azure AD device whose token came with the registration.
    pub aad_device: Option<AadDevice>,
    /// How far the site trusts the client.
    pub approval: Approval,
}

/// A registered client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// The client's GUID.
    pub client: ClientGuid,
    /// What it last registered with.
    pub details: ClientDetails,
    /// When it last registered.
    pub registered_at: Timestamp,
    /// Since when the client is blocked, if it is; a blocked client is answered with status 3.
    pub blocked_at: Option<Timestamp>,
}

pub(crate) trait Registrations {
    fn register(
        &mut self,
        details: &ClientDetails,
        proposed: Option<ClientGuid>,
        ids: &Ids,
        now: Timestamp,
    ) -> Result<Registration, SiteError>;
    fn registration(&mut self, client: ClientGuid) -> Result<Option<Registration>, SiteError>;
    fn registration_by_key(&mut self, signing_key: Sha256) -> Result<Option<Registration>, SiteError>;
    fn registrations(
        &mut self,
        after: Option<ClientGuid>,
        limit: u32,
    ) -> Result<Vec<Registration>, SiteError>;
    fn set_approval(&mut self, client: ClientGuid, approval: Approval) -> Result<(), SiteError>;
}

impl Site {
    /// Registers a client and answers with its GUID, which is the first of these that exists:
    ///
    /// 1. the GUID of the signing key, so registering twice is registering once;
    /// 2. the GUID of the Azure AD device, which CCM_STS may have given out before; the new key replaces
    ///    the old one;
    /// 3. the GUID that the client proposes, unless it was given out already: without the key or the
    ///    device behind it, naming a GUID proves nothing;
    /// 4. a new GUID from `ids`.
    ///
    /// The Azure AD device, if any, then belongs to that GUID. A block stays.
    ///
    /// # Errors
    /// [`SiteError::TooLarge`] for a value over its limit; otherwise the database's own failures.
    pub async fn register(
        &self,
        details: ClientDetails,
        proposed: Option<ClientGuid>,
        ids: &Ids,
        now: Timestamp,
    ) -> Result<Registration, SiteError> {
        limits::size("signing certificate", details.signing_certificate.len(), limits::CERTIFICATE)?;
        limits::size("encryption certificate", details.encryption_certificate.len(), limits::CERTIFICATE)?;
        limits::text("NetBIOS name", &details.netbios_name, limits::DNS_NAME)?;
        limits::text("FQDN", &details.fqdn, limits::DNS_NAME)?;
        limits::optional("hardware id", details.hardware_id.as_deref(), limits::HARDWARE_ID)?;
        let ids = ids.clone();
        self.write(move |store| store.register(&details, proposed, &ids, now)).await
    }

    /// The registration of a client, if it has registered.
    ///
    /// # Errors
    /// The database's own failures.
    pub async fn registration(&self, client: ClientGuid) -> Result<Option<Registration>, SiteError> {
        self.read(move |store| store.registration(client)).await
    }

    /// The registration made with a signing certificate, given its SHA-256.
    ///
    /// # Errors
    /// The database's own failures.
    pub async fn registration_by_key(&self, signing_key: Sha256) -> Result<Option<Registration>, SiteError> {
        self.read(move |store| store.registration_by_key(signing_key)).await
    }

    /// Up to `limit` registrations (1000 at most), in the order of their GUIDs, from the one behind
    /// `after`. Fewer than asked for means the end.
    ///
    /// # Errors
    /// The database's own failures.
    pub async fn registrations(
        &self,
        after: Option<ClientGuid>,
        limit: u32,
    ) -> Result<Vec<Registration>, SiteError> {
        self.read(move |store| store.registrations(after, limit.min(limits::PAGE))).await
    }

    /// Changes how far the site trusts a registered client.
    ///
    /// # Errors
    /// [`SiteError::NotFound`] if the client is not registered; otherwise the database's own failures.
    pub async fn set_approval(&self, client: ClientGuid, approval: Approval) -> Result<(), SiteError> {
        self.write(move |store| store.set_approval(client, approval)).await
    }
}
