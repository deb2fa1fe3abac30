//! SQL for [`Settings`].

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cmglab_proto::ids::{RoleId, TenantId};
use cmglab_proto::mapping::UrlMapping;
use cmglab_proto::settings::{SettingsDocument, SettingsError, TenantSettings};
use rusqlite::{OptionalExtension, Row, Transaction, params};

use super::{Fault, Sqlite, column, keys};
use crate::error::SiteError;
use crate::settings::{self, Settings};

impl Settings for Sqlite {
    fn settings(&mut self) -> Result<SettingsDocument, SiteError> {
        self.read(document)
    }

    fn settings_version(&mut self) -> Result<u64, SiteError> {
        // One statement sees one state without a transaction around it; this is asked for every request.
        self.run(|it| Ok(it.prepare_cached(VERSION)?.query_row([], |row| column::counter(row, 0))?))
    }

    fn onboard_tenant(&mut self, tenant: &TenantSettings) -> Result<(), SiteError> {
        self.change(|tx| {
            if select_tenant(tx, tenant.tenant_id)?.as_ref() == Some(tenant) {
                return Ok(Change::Nothing);
            }
            tx.prepare_cached(SET_TENANT)?.execute(params![
                tenant.tenant_id.to_string(),
                tenant.name,
                tenant.client_app_id.to_string(),
                tenant.resource_uri,
                tenant.authority,
                column::to_json(&tenant.issuers)?,
                tenant.openid_configuration,
                tenant.token_auth_enabled,
            ])?;
            Ok(Change::Something)
        })
    }

    fn remove_tenant(&mut self, id: TenantId) -> Result<(), SiteError> {
        self.change(|tx| match tx.prepare_cached(REMOVE_TENANT)?.execute(params![id.to_string()])? {
            0 => Err(settings::unknown_tenant(id).into()),
            _ => Ok(Change::Something),
        })
    }

    fn tenant(&mut self, id: TenantId) -> Result<Option<TenantSettings>, SiteError> {
        self.read(|tx| select_tenant(tx, id))
    }

    fn set_mapping(&mut self, mapping: &UrlMapping) -> Result<(), SiteError> {
        self.change(|tx| set_mapping(tx, mapping))
    }

    fn remove_mapping(&mut self, role: RoleId) -> Result<(), SiteError> {
        self.change(|tx| match tx.prepare_cached(REMOVE_MAPPING)?.execute(params![role.to_string()])? {
            0 => Err(settings::unknown_role(role).into()),
            _ => Ok(Change::Something),
        })
    }

    fn set_token_auth(&mut self, id: TenantId, enabled: bool) -> Result<(), SiteError> {
        self.change(|tx| {
            let tenant = select_tenant(tx, id)?.ok_or_else(|| settings::unknown_tenant(id))?;
            if tenant.token_auth_enabled == enabled {
                return Ok(Change::Nothing);
            }
            tx.prepare_cached(SET_TOKEN_AUTH)?.execute(params![id.to_string(), enabled])?;
            Ok(Change::Something)
        })
    }

    fn set_endpoint_limit(&mut self, role: RoleId, endpoint: &str, bytes: u64) -> Result<(), SiteError> {
        self.change(|tx| {
            let found = tx.prepare_cached(MAPPING)?.query_row(params![role.to_string()], mapping);
            let mut mapping = found.optional()?.ok_or_else(|| settings::unknown_role(role))?;
            settings::set_limit(&mut mapping, endpoint, bytes)?;
            set_mapping(tx, &mapping)
        })
    }

    fn verify_client_revocation(&mut self) -> Result<bool, SiteError> {
        self.read(|tx| Ok(tx.prepare_cached(VERIFY_REVOCATION)?.query_row([], |row| row.get(0))?))
    }

    fn set_verify_client_revocation(&mut self, verify: bool) -> Result<(), SiteError> {
        self.change(|tx| Ok(Change::of(tx.prepare_cached(SET_VERIFY_REVOCATION)?.execute(params![verify])?)))
    }

    fn add_client_authority(&mut self, certificate: &[u8]) -> Result<(), SiteError> {
        self.change(|tx| Ok(Change::of(tx.prepare_cached(ADD_AUTHORITY)?.execute(params![certificate])?)))
    }

    fn remove_client_authority(&mut self, certificate: &[u8]) -> Result<(), SiteError> {
        self.change(|tx| match tx.prepare_cached(REMOVE_AUTHORITY)?.execute(params![certificate])? {
            0 => Err(settings::unknown_authority(certificate).into()),
            _ => Ok(Change::Something),
        })
    }
}

/// Whether a job changed what is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Nothing,
    Something,
}

impl Change {
    /// By the rows that a statement changed.
    pub(super) fn of(rows: usize) -> Self {
        if rows == 0 { Self::Nothing } else { Self::Something }
    }
}

impl Sqlite {
    /// A write to what is published: counts the version up and undoes what the gateway would refuse.
    pub(super) fn change(
        &mut self,
        job: impl FnOnce(&Transaction<'_>) -> Result<Change, Fault>,
    ) -> Result<(), SiteError> {
        self.write(|tx| {
            if job(tx)? == Change::Something {
                tx.prepare_cached(NEXT_VERSION)?.execute([])?;
                publishable(&document(tx)?).map_err(|cause| SiteError::Settings { cause })?;
            }
            Ok(())
        })
    }
}

/// The gateway's own decoder decides.
fn publishable(document: &SettingsDocument) -> Result<(), SettingsError> {
    SettingsDocument::from_json(&document.to_json()?).map(drop)
}

fn document(tx: &Transaction<'_>) -> Result<SettingsDocument, Fault> {
    let head = tx.prepare_cached(HEAD)?.query_row([], |row| {
        let version = column::counter(row, "settings_version")?;
        let verify_client_revocation = row.get("verify_client_revocation")?;
        let empty =
            SettingsDocument::new(version, column::id(row, "hierarchy_id")?, column::id(row, "site_code")?);
        Ok(SettingsDocument { verify_client_revocation, ..empty })
    })?;
    let keys = keys::all(tx)?.into_iter().filter(|key| key.retired_at.is_none());
    Ok(SettingsDocument {
        tenants: all(tx, TENANTS, tenant)?,
        ccm_keys: keys.map(|key| key.jwk).collect(),
        mappings: all(tx, MAPPINGS, mapping)?,
        client_authorities: all(tx, AUTHORITIES, |row| Ok(STANDARD.encode(row.get_ref(0)?.as_blob()?)))?,
        blocked_clients: all(tx, BLOCKED_CLIENTS, |row| column::id(row, "client_guid"))?,
        blocked_bulk_tokens: all(tx, BLOCKED_TOKENS, |row| column::id(row, "unique_id"))?,
        ..head
    })
}

fn all<T>(
    tx: &Transaction<'_>,
    select: &str,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, Fault> {
    Ok(tx.prepare_cached(select)?.query_map([], read)?.collect::<rusqlite::Result<_>>()?)
}

fn select_tenant(tx: &Transaction<'_>, id: TenantId) -> Result<Option<TenantSettings>, Fault> {
    Ok(tx.prepare_cached(TENANT)?.query_row(params![id.to_string()], tenant).optional()?)
}

fn set_mapping(tx: &Transaction<'_>, mapping: &UrlMapping) -> Result<Change, Fault> {
    let endpoints = column::to_json(&mapping.endpoints)?;
    let values = params![mapping.role.to_string(), mapping.mp_base.as_str(), endpoints];
    Ok(Change::of(tx.prepare_cached(SET_MAPPING)?.execute(values)?))
}

fn tenant(row: &Row<'_>) -> rusqlite::Result<TenantSettings> {
    Ok(TenantSettings {
        tenant_id: column::id(row, "tenant_id")?,
        name: row.get("name")?,
        client_app_id: column::id(row, "client_app_id")?,
        resource_uri: row.get("resource_uri")?,
        authority: row.get("authority")?,
        issuers: column::json(row, "issuers")?,
        openid_configuration: row.get("openid_configuration")?,
        token_auth_enabled: row.get("token_auth_enabled")?,
    })
}

fn mapping(row: &Row<'_>) -> rusqlite::Result<UrlMapping> {
    Ok(UrlMapping {
        role: column::id(row, "role_id")?,
        mp_base: column::id(row, "mp_base")?,
        endpoints: column::json(row, "endpoints")?,
    })
}

const HEAD: &str = "SELECT * FROM site";

const VERSION: &str = "SELECT settings_version FROM site";

const NEXT_VERSION: &str = "UPDATE site SET settings_version = settings_version + 1";

const TENANTS: &str = "SELECT * FROM tenants ORDER BY tenant_id";

const TENANT: &str = "SELECT * FROM tenants WHERE tenant_id = ?1";

const SET_TENANT: &str = "INSERT OR REPLACE INTO tenants (tenant_id, name, client_app_id, resource_uri,
        authority, issuers, openid_configuration, token_auth_enabled)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

const REMOVE_TENANT: &str = "DELETE FROM tenants WHERE tenant_id = ?1";

const SET_TOKEN_AUTH: &str = "UPDATE tenants SET token_auth_enabled = ?2 WHERE tenant_id = ?1";

const MAPPING: &str = "SELECT * FROM url_mappings WHERE role_id = ?1";

const VERIFY_REVOCATION: &str = "SELECT verify_client_revocation FROM site";

const SET_VERIFY_REVOCATION: &str = "UPDATE site SET verify_client_revocation = ?1
    WHERE verify_client_revocation <> ?1";

const MAPPINGS: &str = "SELECT * FROM url_mappings ORDER BY length(role_id), role_id";

const SET_MAPPING: &str = "INSERT INTO url_mappings (role_id, mp_base, endpoints) VALUES (?1, ?2, ?3)
    ON CONFLICT (role_id) DO UPDATE SET mp_base = excluded.mp_base, endpoints = excluded.endpoints
    WHERE mp_base <> excluded.mp_base OR endpoints <> excluded.endpoints";

const REMOVE_MAPPING: &str = "DELETE FROM url_mappings WHERE role_id = ?1";

const AUTHORITIES: &str = "SELECT certificate FROM client_authorities ORDER BY rowid";

const BLOCKED_CLIENTS: &str =
    "SELECT client_guid FROM clients WHERE blocked_at IS NOT NULL ORDER BY client_guid";

const BLOCKED_TOKENS: &str =
    "SELECT unique_id FROM bulk_tokens WHERE blocked_at IS NOT NULL ORDER BY unique_id";

const ADD_AUTHORITY: &str = "INSERT INTO client_authorities (certificate) VALUES (?1) ON CONFLICT DO NOTHING";

const REMOVE_AUTHORITY: &str = "DELETE FROM client_authorities WHERE certificate = ?1";
