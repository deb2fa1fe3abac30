//! What the site's administrator sets for every client.
//!
//! Fidelity: documented for the property "Clients check the certificate revocation list (CRL) for site
//! systems", which outlives ccmsetup's `/NoCRLCheck` (configmgr §4.3).

use crate::error::SiteError;
use crate::{Sha256, Site, limits};

/// The client package that management points serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientPackage {
    /// Its id, such as `LAB00003`; at most 64 bytes.
    pub package_id: String,
    /// Its source version.
    pub version: u32,
    /// SHA-256 of its content.
    pub sha256: Sha256,
}

pub(crate) trait Options {
    fn clients_check_crl(&mut self) -> Result<bool, SiteError>;
    fn set_clients_check_crl(&mut self, check: bool) -> Result<(), SiteError>;
    fn client_package(&mut self) -> Result<Option<ClientPackage>, SiteError>;
    fn set_client_package(&mut self, package: &ClientPackage) -> Result<(), SiteError>;
}

impl Site {
    /// Whether clients check revocation of the site systems' certificates; they do unless told otherwise.
    ///
    /// # Errors
    /// The database's own failures.
    pub async fn clients_check_crl(&self) -> Result<bool, SiteError> {
        self.read(|store| store.clients_check_crl()).await
    }

    /// Sets whether clients check revocation. They learn it with their next location refresh.
    ///
    /// # Errors
    /// The database's own failures.
    pub async fn set_clients_check_crl(&self, check: bool) -> Result<(), SiteError> {
        self.write(move |store| store.set_clients_check_crl(check)).await
    }

    /// The client package, once one has been set.
    ///
    /// # Errors
    /// The database's own failures.
    pub async fn client_package(&self) -> Result<Option<ClientPackage>, SiteError> {
        self.read(|store| store.client_package()).await
    }

    /// Sets the client package, in place of the one before.
    ///
    /// # Errors
    /// [`SiteError::TooLarge`] for an id over its limit; otherwise the database's own failures.
    pub async fn set_client_package(&self, package: ClientPackage) -> Result<(), SiteError> {
        limits::text("package id", &package.package_id, limits::PACKAGE_ID)?;
        self.write(move |store| store.set_client_package(&package)).await
    }
}
