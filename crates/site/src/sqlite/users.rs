//! SQL for [`Users`].

use cmglab_ids::Ids;
use cmglab_proto::ids::{ObjectId, TenantId, UserId};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, Transaction, params};

use super::{Fault, Sqlite, column};
use crate::error::SiteError;
use crate::users::{DiscoveredUser, User, Users};

impl Users for Sqlite {
    fn discover_user(
        &mut self,
        found: &DiscoveredUser,
        ids: &Ids,
        now: Timestamp,
    ) -> Result<User, SiteError> {
        self.write(|tx| {
            let known = select(tx, found.tenant, found.object)?;
            let id = known.map_or_else(|| UserId::new(ids.guid()), |user| user.id);
            tx.prepare_cached(UPSERT)?.execute(params![
                found.tenant.to_string(),
                found.object.to_string(),
                id.to_string(),
                found.upn,
                found.on_prem_sid,
                now.as_microsecond(),
            ])?;
            select(tx, found.tenant, found.object)?.ok_or_else(|| Fault::Damaged("a user is lost".to_owned()))
        })
    }

    fn user(&mut self, tenant: TenantId, object: ObjectId) -> Result<Option<User>, SiteError> {
        self.read(|tx| select(tx, tenant, object))
    }

    fn remove_user(&mut self, tenant: TenantId, object: ObjectId) -> Result<(), SiteError> {
        self.write(|tx| {
            match tx.prepare_cached(DELETE)?.execute(params![tenant.to_string(), object.to_string()])? {
                0 => Err(SiteError::NotFound { what: "user", key: object.to_string() }.into()),
                _ => Ok(()),
            }
        })
    }
}

fn select(tx: &Transaction<'_>, tenant: TenantId, object: ObjectId) -> Result<Option<User>, Fault> {
    Ok(tx
        .prepare_cached(SELECT)?
        .query_row(params![tenant.to_string(), object.to_string()], user)
        .optional()?)
}

fn user(row: &Row<'_>) -> rusqlite::Result<User> {
    Ok(User {
        id: column::id(row, "user_id")?,
        tenant: column::id(row, "tenant_id")?,
        object: column::id(row, "object_id")?,
        upn: row.get("upn")?,
        on_prem_sid: row.get("on_prem_sid")?,
        discovered_at: column::time(row, "discovered_at")?,
    })
}

const SELECT: &str = "SELECT * FROM users WHERE tenant_id = ?1 AND object_id = ?2";

const UPSERT: &str = "INSERT INTO users (tenant_id, object_id, user_id, upn, on_prem_sid, discovered_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)
    ON CONFLICT (tenant_id, object_id) DO UPDATE SET upn = excluded.upn, on_prem_sid = excluded.on_prem_sid";

const DELETE: &str = "DELETE FROM users WHERE tenant_id = ?1 AND object_id = ?2";
