//! SQL for [`Clients`].

use cmglab_ids::Ids;
use cmglab_proto::ids::ClientGuid;
use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, Transaction, params};

use super::settings::Change;
use super::{Fault, Sqlite, column};
use crate::clients::{AadDevice, Client, Clients};
use crate::error::SiteError;

impl Clients for Sqlite {
    fn client(&mut self, id: ClientGuid) -> Result<Option<Client>, SiteError> {
        self.read(|tx| select(tx, id))
    }

    fn find_client(&mut self, device: AadDevice) -> Result<Option<ClientGuid>, SiteError> {
        self.read(|tx| by_device(tx, device))
    }

    fn aad_device(&mut self, client: ClientGuid) -> Result<Option<AadDevice>, SiteError> {
        self.read(|tx| {
            let read = |row: &Row<'_>| {
                Ok(AadDevice { tenant: column::id(row, "tenant_id")?, device: column::id(row, "device_id")? })
            };
            Ok(tx.prepare_cached(BY_CLIENT)?.query_row(params![client.to_string()], read).optional()?)
        })
    }

    fn find_or_create_client(
        &mut self,
        device: AadDevice,
        ids: &Ids,
        now: Timestamp,
    ) -> Result<ClientGuid, SiteError> {
        self.write(|tx| {
            if let Some(known) = by_device(tx, device)? {
                return Ok(known);
            }
            let id = ClientGuid::new(ids.guid());
            insert(tx, id, now)?;
            link(tx, device, id)?;
            Ok(id)
        })
    }

    fn block_client(&mut self, id: ClientGuid, since: Option<Timestamp>) -> Result<(), SiteError> {
        self.change(|tx| {
            let unknown = || SiteError::NotFound { what: "client", key: id.to_string() };
            let blocked = select(tx, id)?.ok_or_else(unknown)?.blocked_at;
            if blocked.is_some() == since.is_some() {
                return Ok(Change::Nothing);
            }
            let since = since.map(Timestamp::as_microsecond);
            tx.prepare_cached(BLOCK)?.execute(params![id.to_string(), since])?;
            Ok(Change::Something)
        })
    }
}

pub(super) fn select(tx: &Transaction<'_>, id: ClientGuid) -> Result<Option<Client>, Fault> {
    Ok(tx.prepare_cached(SELECT)?.query_row(params![id.to_string()], client).optional()?)
}

pub(super) fn by_device(tx: &Transaction<'_>, device: AadDevice) -> Result<Option<ClientGuid>, Fault> {
    let key = params![device.tenant.to_string(), device.device.to_string()];
    Ok(tx.prepare_cached(BY_DEVICE)?.query_row(key, |row| column::id(row, "client_guid")).optional()?)
}

pub(super) fn insert(tx: &Transaction<'_>, id: ClientGuid, now: Timestamp) -> Result<(), Fault> {
    tx.prepare_cached(INSERT)?.execute(params![id.to_string(), now.as_microsecond()])?;
    Ok(())
}

/// The device belongs to that client from now on.
pub(super) fn link(tx: &Transaction<'_>, device: AadDevice, id: ClientGuid) -> Result<(), Fault> {
    let values = params![device.tenant.to_string(), device.device.to_string(), id.to_string()];
    tx.prepare_cached(LINK)?.execute(values)?;
    Ok(())
}

fn client(row: &Row<'_>) -> rusqlite::Result<Client> {
    Ok(Client {
        id: column::id(row, "client_guid")?,
        created_at: column::time(row, "created_at")?,
        blocked_at: column::optional_time(row, "blocked_at")?,
    })
}

const SELECT: &str = "SELECT * FROM clients WHERE client_guid = ?1";

const BY_DEVICE: &str = "SELECT client_guid FROM aad_devices WHERE tenant_id = ?1 AND device_id = ?2";

const BY_CLIENT: &str = "SELECT tenant_id, device_id FROM aad_devices WHERE client_guid = ?1
    ORDER BY tenant_id, device_id LIMIT 1";

const INSERT: &str = "INSERT INTO clients (client_guid, created_at) VALUES (?1, ?2)";

const LINK: &str = "INSERT INTO aad_devices (tenant_id, device_id, client_guid) VALUES (?1, ?2, ?3)
    ON CONFLICT (tenant_id, device_id) DO UPDATE SET client_guid = excluded.client_guid";

const BLOCK: &str = "UPDATE clients SET blocked_at = ?2 WHERE client_guid = ?1";
