//! SQL for [`Keys`].

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, Transaction, params};

use super::settings::Change;
use super::{Fault, Sqlite, column};
use crate::error::SiteError;
use crate::keys::{CcmKey, Keys};

impl Keys for Sqlite {
    fn add_ccm_key(&mut self, key: &CcmKey) -> Result<(), SiteError> {
        self.change(|tx| {
            let known = tx.prepare_cached(BY_KID)?.query_row(params![key.kid], ccm_key).optional()?;
            match known {
                Some(known) if known.jwk == key.jwk && known.retired_at.is_none() => Ok(Change::Nothing),
                Some(_) => Err(SiteError::Conflict { what: "CCM signing key", key: key.kid.clone() }.into()),
                None => {
                    let values =
                        params![key.kid, column::to_json(&key.jwk)?, key.created_at.as_microsecond()];
                    Ok(Change::of(tx.prepare_cached(ADD)?.execute(values)?))
                }
            }
        })
    }

    fn retire_ccm_key(&mut self, kid: &str, now: Timestamp) -> Result<(), SiteError> {
        self.change(|tx| {
            let known = tx.prepare_cached(BY_KID)?.query_row(params![kid], ccm_key).optional()?;
            if known.is_none() {
                return Err(SiteError::NotFound { what: "CCM signing key", key: kid.to_owned() }.into());
            }
            Ok(Change::of(tx.prepare_cached(RETIRE)?.execute(params![kid, now.as_microsecond()])?))
        })
    }

    fn ccm_keys(&mut self) -> Result<Vec<CcmKey>, SiteError> {
        self.read(all)
    }
}

pub(super) fn all(tx: &Transaction<'_>) -> Result<Vec<CcmKey>, Fault> {
    Ok(tx.prepare_cached(ALL)?.query_map([], ccm_key)?.collect::<rusqlite::Result<_>>()?)
}

fn ccm_key(row: &Row<'_>) -> rusqlite::Result<CcmKey> {
    Ok(CcmKey {
        kid: row.get("kid")?,
        jwk: column::json(row, "jwk")?,
        created_at: column::time(row, "created_at")?,
        retired_at: column::optional_time(row, "retired_at")?,
    })
}

const ALL: &str = "SELECT * FROM ccm_keys ORDER BY created_at, kid";

const BY_KID: &str = "SELECT * FROM ccm_keys WHERE kid = ?1";

const ADD: &str = "INSERT INTO ccm_keys (kid, jwk, created_at) VALUES (?1, ?2, ?3)";

const RETIRE: &str = "UPDATE ccm_keys SET retired_at = ?2 WHERE kid = ?1 AND retired_at IS NULL";
