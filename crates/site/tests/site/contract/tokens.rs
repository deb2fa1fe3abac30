//! The audit of CCM tokens, and bulk registration tokens.

use cmglab_proto::claims::CcmTokenType;
use cmglab_proto::ids::{BulkTokenId, ClientGuid, UserId};
use cmglab_site::{BulkToken, IssuedToken, SiteError};

use super::contract;
use crate::shared::{Lab, at};

contract!(
    issued_tokens_are_listed_latest_first,
    expired_tokens_can_be_forgotten,
    a_bulk_token_is_known_until_blocked_and_after,
);

fn token(n: u8, client: Option<ClientGuid>, kind: CcmTokenType) -> IssuedToken {
    let begin = i64::from(n) * 60;
    IssuedToken {
        sha256: [n; 32],
        client,
        user: UserId::zero(),
        kind,
        not_before: at(begin),
        expires: at(begin + 8 * 3600),
    }
}

async fn issued_tokens_are_listed_latest_first(lab: Lab) {
    let client = ClientGuid::new(lab.ids.guid());
    let first = token(1, Some(client), CcmTokenType::Device);
    let user = UserId::new(lab.ids.guid());
    let second = IssuedToken { user, ..token(2, Some(client), CcmTokenType::Uda) };
    let third = token(3, Some(client), CcmTokenType::ClientToken);
    for token in [first, second, first, third, token(4, None, CcmTokenType::User)] {
        lab.site.record_token(token).await.unwrap();
    }
    assert_eq!(lab.site.issued_tokens(client, 10).await.unwrap(), [third, second, first]);
    assert_eq!(lab.site.issued_tokens(client, 1).await.unwrap(), [third]);
    assert_eq!(lab.site.issued_tokens(ClientGuid::new(lab.ids.guid()), 10).await.unwrap(), []);
}

async fn expired_tokens_can_be_forgotten(lab: Lab) {
    let client = ClientGuid::new(lab.ids.guid());
    let (first, second) =
        (token(1, Some(client), CcmTokenType::Device), token(2, Some(client), CcmTokenType::Device));
    lab.site.record_token(first).await.unwrap();
    lab.site.record_token(second).await.unwrap();
    assert_eq!(lab.site.forget_tokens(first.expires).await, Ok(1));
    assert_eq!(lab.site.issued_tokens(client, 10).await.unwrap(), [second]);
}

async fn a_bulk_token_is_known_until_blocked_and_after(lab: Lab) {
    let id = BulkTokenId::new(lab.ids.guid());
    assert_eq!(lab.site.bulk_token(id).await, Ok(None));
    lab.site.add_bulk_token(id, at(0), at(259_200)).await.unwrap();
    let free = BulkToken { id, not_before: at(0), expires: at(259_200), blocked_at: None };
    assert_eq!(lab.site.bulk_token(id).await, Ok(Some(free)));

    lab.site.block_bulk_token(id, at(5)).await.unwrap();
    lab.site.block_bulk_token(id, at(6)).await.unwrap();
    assert_eq!(lab.site.bulk_token(id).await, Ok(Some(BulkToken { blocked_at: Some(at(5)), ..free })));
    lab.site.unblock_bulk_token(id).await.unwrap();
    assert_eq!(lab.site.bulk_token(id).await, Ok(Some(free)));

    let (what, key) = ("bulk registration token", id.to_string());
    assert_eq!(lab.site.add_bulk_token(id, at(0), at(1)).await, Err(SiteError::Conflict { what, key }));
    let stranger = BulkTokenId::new(lab.ids.guid());
    let missing = SiteError::NotFound { what, key: stranger.to_string() };
    assert_eq!(lab.site.block_bulk_token(stranger, at(0)).await, Err(missing));
}
