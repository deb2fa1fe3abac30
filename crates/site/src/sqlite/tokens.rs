//! SQL for [`Tokens`].

use cmglab_proto::claims::CcmTokenType;
use cmglab_proto::ids::{BulkTokenId, ClientGuid};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};

use super::settings::Change;
use super::{Sqlite, column};
use crate::error::SiteError;
use crate::tokens::{BulkToken, IssuedToken, Tokens};

impl Tokens for Sqlite {
    fn record_token(&mut self, token: &IssuedToken) -> Result<(), SiteError> {
        self.write(|tx| {
            tx.prepare_cached(RECORD)?.execute(params![
                token.sha256,
                token.client.map(|client| client.to_string()),
                token.user.to_string(),
                token.kind.as_str(),
                token.not_before.as_microsecond(),
                token.expires.as_microsecond(),
            ])?;
            Ok(())
        })
    }

    fn issued_tokens(&mut self, client: ClientGuid, limit: u32) -> Result<Vec<IssuedToken>, SiteError> {
        self.read(|tx| {
            let mut statement = tx.prepare_cached(ISSUED)?;
            let rows = statement.query_map(params![client.to_string(), limit], issued)?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }

    fn forget_tokens(&mut self, expired_by: Timestamp) -> Result<usize, SiteError> {
        self.write(|tx| Ok(tx.prepare_cached(FORGET)?.execute(params![expired_by.as_microsecond()])?))
    }

    fn add_bulk_token(&mut self, token: &BulkToken) -> Result<(), SiteError> {
        let key = token.id.to_string();
        self.write(|tx| {
            let (from, until) = (token.not_before.as_microsecond(), token.expires.as_microsecond());
            match tx.prepare_cached(ADD_BULK)?.execute(params![key, from, until])? {
                0 => Err(SiteError::Conflict { what: BULK, key }.into()),
                _ => Ok(()),
            }
        })
    }

    fn bulk_token(&mut self, id: BulkTokenId) -> Result<Option<BulkToken>, SiteError> {
        self.read(|tx| {
            Ok(tx.prepare_cached(BULK_BY_ID)?.query_row(params![id.to_string()], bulk).optional()?)
        })
    }

    fn block_bulk_token(&mut self, id: BulkTokenId, since: Option<Timestamp>) -> Result<(), SiteError> {
        let key = id.to_string();
        self.change(|tx| {
            let known = tx.prepare_cached(BULK_BY_ID)?.query_row(params![key], bulk).optional()?;
            let unknown = || SiteError::NotFound { what: BULK, key: key.clone() };
            if known.ok_or_else(unknown)?.blocked_at.is_some() == since.is_some() {
                return Ok(Change::Nothing);
            }
            tx.prepare_cached(BLOCK_BULK)?.execute(params![key, since.map(Timestamp::as_microsecond)])?;
            Ok(Change::Something)
        })
    }
}

fn issued(row: &Row<'_>) -> rusqlite::Result<IssuedToken> {
    Ok(IssuedToken {
        sha256: row.get("sha256")?,
        client: column::optional_id(row, "client_guid")?,
        user: column::id(row, "user_id")?,
        kind: column::parse(row, "kind", kind)?,
        not_before: column::time(row, "not_before")?,
        expires: column::time(row, "expires")?,
    })
}

fn bulk(row: &Row<'_>) -> rusqlite::Result<BulkToken> {
    Ok(BulkToken {
        id: column::id(row, "unique_id")?,
        not_before: column::time(row, "not_before")?,
        expires: column::time(row, "expires")?,
        blocked_at: column::optional_time(row, "blocked_at")?,
    })
}

fn kind(word: &str) -> Result<CcmTokenType, UnknownKind> {
    KINDS.into_iter().find(|kind| kind.as_str() == word).ok_or(UnknownKind)
}

#[derive(Debug, thiserror::Error)]
#[error("unknown kind of token")]
struct UnknownKind;

const KINDS: [CcmTokenType; 4] =
    [CcmTokenType::Device, CcmTokenType::Uda, CcmTokenType::User, CcmTokenType::ClientToken];

const BULK: &str = "bulk registration token";

const RECORD: &str = "INSERT INTO issued_tokens (sha256, client_guid, user_id, kind, not_before, expires)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING";

const ISSUED: &str = "SELECT * FROM issued_tokens WHERE client_guid = ?1
    ORDER BY not_before DESC, rowid DESC LIMIT ?2";

const FORGET: &str = "DELETE FROM issued_tokens WHERE expires <= ?1";

const ADD_BULK: &str = "INSERT INTO bulk_tokens (unique_id, not_before, expires) VALUES (?1, ?2, ?3)
    ON CONFLICT DO NOTHING";

const BULK_BY_ID: &str = "SELECT * FROM bulk_tokens WHERE unique_id = ?1";

const BLOCK_BULK: &str = "UPDATE bulk_tokens SET blocked_at = ?2 WHERE unique_id = ?1";
