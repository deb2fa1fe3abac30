//! What the site publishes to the gateway: tenants, URL mappings and authorities of client certificates.
//!
//! Fidelity: lab for the document (see [`SettingsDocument`]); documented that several tenants can be
//! onboarded and token authentication be disabled for one (configmgr §3), that every management point
//! brings its mappings (configmgr §1.7) with a content-length limit per endpoint (configmgr §1.4), and that
//! roots and intermediates are uploaded and revocation is verified or not (configmgr §4.2).

use std::sync::Arc;

use cmglab_proto::ids::{RoleId, TenantId};
use cmglab_proto::mapping::UrlMapping;
use cmglab_proto::settings::{SettingsDocument, TenantSettings};

use crate::error::SiteError;
use crate::{Site, limits};

/// Every change either leads to a document that the gateway accepts, with the next version, or is refused.
/// A change that changes nothing keeps the version.
pub(crate) trait Settings {
    fn settings(&mut self) -> Result<SettingsDocument, SiteError>;
    fn settings_version(&mut self) -> Result<u64, SiteError>;
    fn onboard_tenant(&mut self, tenant: &TenantSettings) -> Result<(), SiteError>;
    fn remove_tenant(&mut self, id: TenantId) -> Result<(), SiteError>;
    fn tenant(&mut self, id: TenantId) -> Result<Option<TenantSettings>, SiteError>;
    fn set_mapping(&mut self, mapping: &UrlMapping) -> Result<(), SiteError>;
    fn remove_mapping(&mut self, role: RoleId) -> Result<(), SiteError>;
    fn set_token_auth(&mut self, id: TenantId, enabled: bool) -> Result<(), SiteError>;
    fn set_endpoint_limit(&mut self, role: RoleId, endpoint: &str, bytes: u64) -> Result<(), SiteError>;
    fn verify_client_revocation(&mut self) -> Result<bool, SiteError>;
    fn set_verify_client_revocation(&mut self, verify: bool) -> Result<(), SiteError>;
    fn add_client_authority(&mut self, certificate: &[u8]) -> Result<(), SiteError>;
    fn remove_client_authority(&mut self, certificate: &[u8]) -> Result<(), SiteError>;
}

impl Site {
    /// The settings document as it stands. Tenants are in the order of their ids, keys in that of their
    /// age, mappings in that of their roles, the blocked in that of their ids. Cheap enough to be asked for
    /// every request: the document is kept until its version changes.
    ///
    /// # Errors
    /// The database's own failures.
    pub async fn settings(&self) -> Result<Arc<SettingsDocument>, SiteError> {
        self.current_settings().await
    }

    /// Onboards a tenant, or puts new settings in place of its old ones.
    ///
    /// # Errors
    /// [`SiteError::TooLarge`] or [`SiteError::Settings`] for settings over a limit; otherwise the
    /// database's own failures.
    pub async fn onboard_tenant(&self, tenant: TenantSettings) -> Result<(), SiteError> {
        limits::text("tenant name", &tenant.name, limits::NAME)?;
        limits::text("resource URI", &tenant.resource_uri, limits::URL)?;
        limits::text("authority", &tenant.authority, limits::URL)?;
        limits::text("OpenID configuration URL", &tenant.openid_configuration, limits::URL)?;
        limits::size("issuers of a tenant", tenant.issuers.len(), limits::ISSUERS)?;
        for issuer in &tenant.issuers {
            limits::text("issuer", issuer, limits::URL)?;
        }
        self.publish(move |store| store.onboard_tenant(&tenant)).await
    }

    /// Removes a tenant. Its users and devices stay known, for the day it comes back.
    ///
    /// # Errors
    /// [`SiteError::NotFound`] if it is not onboarded; otherwise the database's own failures.
    pub async fn remove_tenant(&self, id: TenantId) -> Result<(), SiteError> {
        self.publish(move |store| store.remove_tenant(id)).await
    }

    /// The settings of a tenant, if it is onboarded.
    ///
    /// # Errors
    /// The database's own failures.
    pub async fn tenant(&self, id: TenantId) -> Result<Option<TenantSettings>, SiteError> {
        self.read(move |store| store.tenant(id)).await
    }

    /// "Disable Microsoft Entra authentication for this tenant" (configmgr §3), and its opposite. Everything
    /// else about the tenant stays.
    ///
    /// # Errors
    /// [`SiteError::NotFound`] if it is not onboarded; otherwise the database's own failures.
    pub async fn set_token_auth(&self, tenant: TenantId, enabled: bool) -> Result<(), SiteError> {
        self.publish(move |store| store.set_token_auth(tenant, enabled)).await
    }

    /// Publishes a management point, or puts a new mapping in place of its old one.
    ///
    /// # Errors
    /// [`SiteError::Settings`] for more than the gateway takes; otherwise the database's own failures.
    pub async fn set_mapping(&self, mapping: UrlMapping) -> Result<(), SiteError> {
        self.publish(move |store| store.set_mapping(&mapping)).await
    }

    /// Sets the largest request body, in bytes, that the gateway passes on to an endpoint of a management
    /// point. Endpoints are named as in logs, in any case.
    ///
    /// # Errors
    /// [`SiteError::NotFound`] if the management point or the endpoint is not published; otherwise the
    /// database's own failures.
    pub async fn set_endpoint_limit(
        &self,
        role: RoleId,
        endpoint: &str,
        max_request_bytes: u64,
    ) -> Result<(), SiteError> {
        limits::text("endpoint name", endpoint, limits::NAME)?;
        let endpoint = endpoint.to_owned();
        self.publish(move |store| store.set_endpoint_limit(role, &endpoint, max_request_bytes)).await
    }

    /// Whether the gateway verifies the revocation of client certificates; it does unless told otherwise.
    ///
    /// # Errors
    /// The database's own failures.
    pub async fn verify_client_revocation(&self) -> Result<bool, SiteError> {
        self.read(|store| store.verify_client_revocation()).await
    }

    /// "Verify client certificate revocation" (configmgr §4.2).
    ///
    /// # Errors
    /// The database's own failures.
    pub async fn set_verify_client_revocation(&self, verify: bool) -> Result<(), SiteError> {
        self.publish(move |store| store.set_verify_client_revocation(verify)).await
    }

    /// Takes a management point back from the gateway.
    ///
    /// # Errors
    /// [`SiteError::NotFound`] if it is not published; otherwise the database's own failures.
    pub async fn remove_mapping(&self, role: RoleId) -> Result<(), SiteError> {
        self.publish(move |store| store.remove_mapping(role)).await
    }

    /// Adds a root or intermediate (DER, at most 16 KiB) that client certificates may chain to.
    ///
    /// # Errors
    /// [`SiteError::TooLarge`] or [`SiteError::Settings`] over a limit; otherwise the database's own
    /// failures.
    pub async fn add_client_authority(&self, certificate: Vec<u8>) -> Result<(), SiteError> {
        limits::size("certificate", certificate.len(), limits::CERTIFICATE)?;
        self.publish(move |store| store.add_client_authority(&certificate)).await
    }

    /// Removes a root or intermediate, given in DER.
    ///
    /// # Errors
    /// [`SiteError::NotFound`] if it was not added; otherwise the database's own failures.
    pub async fn remove_client_authority(&self, certificate: Vec<u8>) -> Result<(), SiteError> {
        self.publish(move |store| store.remove_client_authority(&certificate)).await
    }
}

pub(crate) fn unknown_tenant(id: TenantId) -> SiteError {
    SiteError::NotFound { what: "onboarded tenant", key: id.to_string() }
}

pub(crate) fn unknown_role(role: RoleId) -> SiteError {
    SiteError::NotFound { what: "published management point", key: role.to_string() }
}

/// Changes the limit of one endpoint.
pub(crate) fn set_limit(mapping: &mut UrlMapping, endpoint: &str, bytes: u64) -> Result<(), SiteError> {
    let found = mapping.endpoints.iter_mut().find(|known| known.name.eq_ignore_ascii_case(endpoint));
    let unknown = || SiteError::NotFound { what: "published endpoint", key: endpoint.to_owned() };
    found.ok_or_else(unknown)?.max_request_bytes = bytes;
    Ok(())
}

/// For a certificate that was never added; it has no short name, so its size must do.
pub(crate) fn unknown_authority(certificate: &[u8]) -> SiteError {
    let key = format!("certificate of {} bytes", certificate.len());
    SiteError::NotFound { what: "authority of client certificates", key }
}
