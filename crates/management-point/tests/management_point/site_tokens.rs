//! Bulk registration tokens, and clients' own tokens.

use cmglab_events::kinds::{ManagementPointEvent, TokenFault};
use cmglab_management_point::ManagementPointError;
use cmglab_proto::claims::{CcmTokenType, DEFAULT_BULK_LIFETIME, MAX_BULK_LIFETIME, SiteClaims};
use cmglab_proto::ids::{ClientGuid, HierarchyId};
use cmglab_site::{BulkToken, SiteError};
use cmglab_token::peek;
use jiff::SignedDuration;

use crate::aad;
use crate::clients::{Client, register};
use crate::lab::{Ask, Lab};

const FILE: &str = "/CCM_Client/ccmsetup.cab";

async fn sts(lab: &Lab, token: &str) -> u16 {
    lab.send(Ask::get("/CCM_STS").bearer(token)).await.status
}

#[tokio::test]
async fn a_bulk_token_has_the_documented_form_and_is_recorded() {
    let lab = Lab::new().await;
    let made = lab.mp.bulk_registration_token(DEFAULT_BULK_LIFETIME).await.unwrap();
    let (header, claims) = peek(made.token.expose()).unwrap();
    assert_eq!((header.alg.as_str(), header.typ.as_deref(), header.kid), ("RS256", Some("JWT"), None));
    assert_eq!(header.x5t.as_deref(), lab.site.ccm_keys().await.unwrap()[0].jwk["x5t"].as_str());
    let names: Vec<&str> = claims.as_object().unwrap().keys().map(String::as_str).collect();
    let mut documented = [
        "SCCMTokenCategory",
        "Authority",
        "License",
        "Type",
        "TenantId",
        "UniqueId",
        "iss",
        "aud",
        "exp",
        "nbf",
    ];
    documented.sort_unstable();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, documented);
    let hierarchy: HierarchyId = lab.site.hierarchy();
    assert_eq!(claims["TenantId"], hierarchy.upper());
    assert_eq!(claims["UniqueId"], made.id.to_string());
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["nbf"].as_i64().unwrap(), 259_200);

    let known = lab.site.bulk_token(made.id).await.unwrap().unwrap();
    let expected =
        BulkToken { id: made.id, not_before: lab.clock.now(), expires: made.expires, blocked_at: None };
    assert_eq!(known, expected);
    assert_eq!(made.expires, lab.clock.now() + DEFAULT_BULK_LIFETIME);
    let event = |event: &ManagementPointEvent| matches!(event, ManagementPointEvent::BulkTokenMade { id, .. } if *id == made.id);
    assert!(lab.told().iter().any(event));
    assert!(!format!("{made:?}").contains(made.token.expose()));
}

#[tokio::test]
async fn a_bulk_token_lives_as_long_as_asked_and_ends_as_documented() {
    let lab = Lab::new().await;
    let minute = SignedDuration::from_mins(1);
    for wrong in [SignedDuration::ZERO, minute - SignedDuration::from_nanos(1), MAX_BULK_LIFETIME + minute] {
        let refused = lab.mp.bulk_registration_token(wrong).await.unwrap_err();
        assert_eq!(refused, ManagementPointError::BulkLifetime { asked: wrong });
    }
    let (short, long) = (
        lab.mp.bulk_registration_token(minute).await.unwrap(),
        lab.mp.bulk_registration_token(MAX_BULK_LIFETIME).await.unwrap(),
    );
    assert_eq!(sts(&lab, short.token.expose()).await, 501);
    lab.advance(SignedDuration::from_mins(7)).await;
    assert_eq!(sts(&lab, short.token.expose()).await, 401);
    assert!(matches!(lab.refused_token().1, TokenFault::Expired { pre_auth: true, .. }));
    let start = "Return code: 401, Description: PreAuth token validation failed, \
                 System.IdentityModel.Tokens.SecurityTokenExpiredException: IDX10223: ";
    assert!(lab.log("CCM_STS.log").last().unwrap().starts_with(start));
    assert_eq!(sts(&lab, long.token.expose()).await, 501, "the other one is good");
}

#[tokio::test]
async fn a_blocked_bulk_token_is_refused_and_published() {
    let lab = Lab::new().await;
    let (free, blocked) = (
        lab.mp.bulk_registration_token(DEFAULT_BULK_LIFETIME).await.unwrap(),
        lab.mp.bulk_registration_token(DEFAULT_BULK_LIFETIME).await.unwrap(),
    );
    lab.site.block_bulk_token(blocked.id, lab.clock.now()).await.unwrap();
    assert_eq!(sts(&lab, free.token.expose()).await, 501);
    assert_eq!(sts(&lab, blocked.token.expose()).await, 401);
    assert_eq!(lab.refused_token().1, TokenFault::BulkTokenRefused { blocked: true });
    assert_eq!(lab.site.settings().await.unwrap().blocked_bulk_tokens, [blocked.id]);
}

#[tokio::test]
async fn a_rotated_key_is_kept_until_its_longest_token_ends() {
    let lab = Lab::new().await;
    let made = lab.mp.bulk_registration_token(DEFAULT_BULK_LIFETIME).await.unwrap();
    lab.mp.rotate_ccm_key().await.unwrap();
    // The end of a CCM token of the old key would be here.
    lab.advance(SignedDuration::from_hours(9)).await;
    assert_eq!(sts(&lab, made.token.expose()).await, 501);
    lab.advance(DEFAULT_BULK_LIFETIME).await;
    assert_eq!(sts(&lab, made.token.expose()).await, 401);
}

#[tokio::test]
async fn a_registered_client_gets_a_token_for_ninety_days() {
    let lab = Lab::new().await;
    let request = Client::new(&lab).request(Some(ClientGuid::new(lab.ids.guid())));
    let client = register(&lab, &request, &aad::device_token()).await.smsid.unwrap();
    let token = lab.mp.client_auth_token(client).await.unwrap();
    let (_, claims) = peek(token.expose()).unwrap();
    let Ok(SiteClaims::Ccm(claims)) = SiteClaims::parse(claims.to_string().as_bytes()) else {
        panic!("{claims}");
    };
    assert_eq!((claims.token_type, claims.device), (CcmTokenType::ClientToken, Some(client)));
    assert_eq!(claims.exp.0 - claims.nbf.0, 90 * 24 * 3600);
    let audit = lab.site.issued_tokens(client, 1).await.unwrap();
    assert_eq!(audit[0].kind, CcmTokenType::ClientToken);

    let opens = async || lab.send(Ask::new("HEAD", FILE).bearer(token.expose())).await.status;
    lab.advance(SignedDuration::from_hours(90 * 24)).await;
    assert_eq!(opens().await, 200, "within the tolerance");
    lab.advance(SignedDuration::from_mins(5)).await;
    assert_eq!(opens().await, 401);
}

#[tokio::test]
async fn nobody_else_gets_one() {
    let lab = Lab::new().await;
    let stranger = ClientGuid::new(lab.ids.guid());
    let missing = SiteError::NotFound { what: "registered client", key: stranger.to_string() };
    assert_eq!(lab.mp.client_auth_token(stranger).await, Err(ManagementPointError::Site(missing)));

    let request = Client::new(&lab).request(Some(ClientGuid::new(lab.ids.guid())));
    let client = register(&lab, &request, &aad::device_token()).await.smsid.unwrap();
    lab.site.block_client(client, lab.clock.now()).await.unwrap();
    assert_eq!(lab.mp.client_auth_token(client).await, Err(ManagementPointError::ClientBlocked { client }));
    lab.site.unblock_client(client).await.unwrap();
    assert!(lab.mp.client_auth_token(client).await.is_ok());
}
