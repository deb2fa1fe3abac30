//! SQL for [`Registrations`].

use cmglab_ids::Ids;
use cmglab_proto::ccm::registration::Approval;
use cmglab_proto::ids::{ClientGuid, DeviceId, TenantId};
use jiff::Timestamp;
use rusqlite::types::Type;
use rusqlite::{OptionalExtension, Params, Row, Transaction, params};

use super::{Fault, Sqlite, clients, column};
use crate::Sha256;
use crate::clients::AadDevice;
use crate::error::SiteError;
use crate::registrations::{ClientDetails, Registration, Registrations};

impl Registrations for Sqlite {
    fn register(
        &mut self,
        details: &ClientDetails,
        proposed: Option<ClientGuid>,
        ids: &Ids,
        now: Timestamp,
    ) -> Result<Registration, SiteError> {
        self.write(|tx| {
            let client = match known(tx, details)? {
                Some(client) => client,
                None => new_client(tx, proposed, ids, now)?,
            };
            upsert(tx, client, details, now)?;
            if let Some(device) = details.aad_device {
                clients::link(tx, device, client)?;
            }
            one(tx, BY_CLIENT, params![client.to_string()])?
                .ok_or_else(|| Fault::Damaged("a registration is lost".to_owned()))
        })
    }

    fn registration(&mut self, client: ClientGuid) -> Result<Option<Registration>, SiteError> {
        self.read(|tx| one(tx, BY_CLIENT, params![client.to_string()]))
    }

    fn registration_by_key(&mut self, signing_key: Sha256) -> Result<Option<Registration>, SiteError> {
        self.read(|tx| one(tx, BY_KEY, params![signing_key]))
    }

    fn registrations(
        &mut self,
        after: Option<ClientGuid>,
        limit: u32,
    ) -> Result<Vec<Registration>, SiteError> {
        // Every GUID sorts behind the empty text.
        let after = after.map(|client| client.to_string()).unwrap_or_default();
        self.read(|tx| {
            let mut statement = tx.prepare_cached(PAGE)?;
            let rows = statement.query_map(params![after, limit], registration)?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }

    fn set_approval(&mut self, client: ClientGuid, approval: Approval) -> Result<(), SiteError> {
        self.write(|tx| {
            match tx.prepare_cached(APPROVE)?.execute(params![client.to_string(), approval.code()])? {
                0 => Err(SiteError::NotFound { what: "registered client", key: client.to_string() }.into()),
                _ => Ok(()),
            }
        })
    }
}

/// The client that proves itself by its key, else by its device.
fn known(tx: &Transaction<'_>, details: &ClientDetails) -> Result<Option<ClientGuid>, Fault> {
    let by_key = one(tx, BY_KEY, params![details.signing_key])?;
    match (by_key, details.aad_device) {
        (Some(registration), _) => Ok(Some(registration.client)),
        (None, Some(device)) => clients::by_device(tx, device),
        (None, None) => Ok(None),
    }
}

fn new_client(
    tx: &Transaction<'_>,
    proposed: Option<ClientGuid>,
    ids: &Ids,
    now: Timestamp,
) -> Result<ClientGuid, Fault> {
    let client = match proposed {
        Some(proposed) if clients::select(tx, proposed)?.is_none() => proposed,
        _ => ClientGuid::new(ids.guid()),
    };
    clients::insert(tx, client, now)?;
    Ok(client)
}

fn upsert(
    tx: &Transaction<'_>,
    client: ClientGuid,
    details: &ClientDetails,
    now: Timestamp,
) -> Result<(), Fault> {
    tx.prepare_cached(UPSERT)?.execute(params![
        client.to_string(),
        details.signing_key,
        details.signing_certificate,
        details.encryption_certificate,
        details.netbios_name,
        details.fqdn,
        details.hardware_id,
        details.aad_device.map(|device| device.tenant.to_string()),
        details.aad_device.map(|device| device.device.to_string()),
        details.approval.code(),
        now.as_microsecond(),
    ])?;
    Ok(())
}

fn one(tx: &Transaction<'_>, select: &str, key: impl Params) -> Result<Option<Registration>, Fault> {
    Ok(tx.prepare_cached(select)?.query_row(key, registration).optional()?)
}

fn registration(row: &Row<'_>) -> rusqlite::Result<Registration> {
    Ok(Registration {
        client: column::id(row, "client_guid")?,
        details: ClientDetails {
            signing_key: row.get("signing_key")?,
            signing_certificate: row.get("signing_certificate")?,
            encryption_certificate: row.get("encryption_certificate")?,
            netbios_name: row.get("netbios_name")?,
            fqdn: row.get("fqdn")?,
            hardware_id: row.get("hardware_id")?,
            aad_device: aad_device(row)?,
            approval: approval(row)?,
        },
        registered_at: column::time(row, "registered_at")?,
        blocked_at: column::optional_time(row, "blocked_at")?,
    })
}

fn aad_device(row: &Row<'_>) -> rusqlite::Result<Option<AadDevice>> {
    let tenant: Option<TenantId> = column::optional_id(row, "tenant_id")?;
    let device: Option<DeviceId> = column::optional_id(row, "device_id")?;
    Ok(tenant.zip(device).map(|(tenant, device)| AadDevice { tenant, device }))
}

fn approval(row: &Row<'_>) -> rusqlite::Result<Approval> {
    let code = row.get("approval")?;
    APPROVALS
        .into_iter()
        .find(|approval| approval.code() == code)
        .ok_or_else(|| column::failure(Type::Integer, UnknownApproval(code)))
}

#[derive(Debug, thiserror::Error)]
#[error("unknown approval status {0}")]
struct UnknownApproval(i8);

const APPROVALS: [Approval; 5] =
    [Approval::Unknown, Approval::Pending, Approval::Approved, Approval::Blocked, Approval::Automatic];

const BY_CLIENT: &str = "SELECT registrations.*, blocked_at FROM registrations
    JOIN clients USING (client_guid) WHERE client_guid = ?1";

const BY_KEY: &str = "SELECT registrations.*, blocked_at FROM registrations
    JOIN clients USING (client_guid) WHERE signing_key = ?1";

const PAGE: &str = "SELECT registrations.*, blocked_at FROM registrations
    JOIN clients USING (client_guid) WHERE client_guid > ?1 ORDER BY client_guid LIMIT ?2";

const UPSERT: &str = "INSERT INTO registrations (client_guid, signing_key, signing_certificate,
        encryption_certificate, netbios_name, fqdn, hardware_id, tenant_id, device_id, approval,
        registered_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
    ON CONFLICT (client_guid) DO UPDATE SET signing_key = excluded.signing_key,
        signing_certificate = excluded.signing_certificate,
        encryption_certificate = excluded.encryption_certificate,
        netbios_name = excluded.netbios_name, fqdn = excluded.fqdn, hardware_id = excluded.hardware_id,
        tenant_id = excluded.tenant_id, device_id = excluded.device_id, approval = excluded.approval,
        registered_at = excluded.registered_at";

const APPROVE: &str = "UPDATE registrations SET approval = ?2 WHERE client_guid = ?1";
