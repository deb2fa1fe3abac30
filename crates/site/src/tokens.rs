//! The audit of issued CCM tokens, and the bulk registration tokens.
//!
//! No token is kept, only its SHA-256. Fidelity: documented that the site records the unique id and the
//! validity of a bulk registration token and can block it (configmgr §3, mp-wire §8.4); lab for the audit.

use cmglab_proto::claims::CcmTokenType;
use cmglab_proto::ids::{BulkTokenId, ClientGuid, UserId};
use jiff::Timestamp;

use crate::error::SiteError;
use crate::{Sha256, Site, limits};

/// A CCM token that CCM_STS has issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IssuedToken {
    /// SHA-256 of the compact token.
    pub sha256: Sha256,
    /// The client it names; none for the token of a user without a device.
    pub client: Option<ClientGuid>,
    /// The user it names, all zeros for a device.
    pub user: UserId,
    /// What the token stands for.
    pub kind: CcmTokenType,
    /// Valid from.
    pub not_before: Timestamp,
    /// Valid until.
    pub expires: Timestamp,
}

/// A bulk registration token, known by its id alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BulkToken {
    /// Its `UniqueId`.
    pub id: BulkTokenId,
    /// Valid from.
    pub not_before: Timestamp,
    /// Valid until.
    pub expires: Timestamp,
    /// Since when it is blocked, if it is.
    pub blocked_at: Option<Timestamp>,
}

pub(crate) trait Tokens {
    fn record_token(&mut self, token: &IssuedToken) -> Result<(), SiteError>;
    fn issued_tokens(&mut self, client: ClientGuid, limit: u32) -> Result<Vec<IssuedToken>, SiteError>;
    fn forget_tokens(&mut self, expired_by: Timestamp) -> Result<usize, SiteError>;
    fn add_bulk_token(&mut self, token: &BulkToken) -> Result<(), SiteError>;
    fn bulk_token(&mut self, id: BulkTokenId) -> Result<Option<BulkToken>, SiteError>;
    fn block_bulk_token(&mut self, id: BulkTokenId, since: Option<Timestamp>) -> Result<(), SiteError>;
}

impl Site {
    /// Enters an issued CCM token into the audit. The same token twice is one entry.
    ///
    /// # Errors
    /// The database's own failures.
    pub async fn record_token(&self, token: IssuedToken) -> Result<(), SiteError> {
        self.write(move |store| store.record_token(&token)).await
    }

    /// Up to `limit` tokens (1000 at most) issued to a client, the latest first.
    ///
    /// # Errors
    /// The database's own failures.
    pub async fn issued_tokens(&self, client: ClientGuid, limit: u32) -> Result<Vec<IssuedToken>, SiteError> {
        self.read(move |store| store.issued_tokens(client, limit.min(limits::PAGE))).await
    }

    /// Drops audit entries of tokens that had expired by then; the number dropped. Nothing else keeps a
    /// long run's audit from growing.
    ///
    /// # Errors
    /// The database's own failures.
    pub async fn forget_tokens(&self, expired_by: Timestamp) -> Result<usize, SiteError> {
        self.write(move |store| store.forget_tokens(expired_by)).await
    }

    /// Records a bulk registration token that the site has made.
    ///
    /// # Errors
    /// [`SiteError::Conflict`] if the id is taken; otherwise the database's own failures.
    pub async fn add_bulk_token(
        &self,
        id: BulkTokenId,
        not_before: Timestamp,
        expires: Timestamp,
    ) -> Result<(), SiteError> {
        let token = BulkToken { id, not_before, expires, blocked_at: None };
        self.write(move |store| store.add_bulk_token(&token)).await
    }

    /// A bulk registration token, if this site has made it.
    ///
    /// # Errors
    /// The database's own failures.
    pub async fn bulk_token(&self, id: BulkTokenId) -> Result<Option<BulkToken>, SiteError> {
        self.read(move |store| store.bulk_token(id)).await
    }

    /// Blocks a bulk registration token, which the gateway is told. One that is blocked already keeps its
    /// first date.
    ///
    /// # Errors
    /// [`SiteError::NotFound`] if this site has not made it; [`SiteError::Settings`] for more than the
    /// gateway takes; otherwise the database's own failures.
    pub async fn block_bulk_token(&self, id: BulkTokenId, now: Timestamp) -> Result<(), SiteError> {
        self.publish(move |store| store.block_bulk_token(id, Some(now))).await
    }

    /// Lifts a block.
    ///
    /// # Errors
    /// [`SiteError::NotFound`] if this site has not made it; otherwise the database's own failures.
    pub async fn unblock_bulk_token(&self, id: BulkTokenId) -> Result<(), SiteError> {
        self.publish(move |store| store.block_bulk_token(id, None)).await
    }
}
