//! Tokens that are refused, each one property off from one that is taken.

use cmglab_events::kinds::{ManagementPointEvent, TokenFault, TokenService};
use cmglab_proto::claims::{BulkRegistrationClaims, CcmClaims, CcmTokenType, DEFAULT_BULK_LIFETIME};
use cmglab_proto::ids::{ClientGuid, UserId};
use cmglab_token::{HeaderKind, SigningKey, forge};
use http::header::WWW_AUTHENTICATE;
use jiff::SignedDuration;
use serde_json::json;

use crate::aad::{self, KEY, OTHER_KEY, RESOURCE, TENANT};
use crate::lab::{Ask, Lab, NOW, USER};

const FOREIGN: &str = "99999999-6d7e-4c93-9b2b-1f0f0d1c2b3a";

async fn refused(lab: &Lab, token: &str) -> TokenFault {
    let answer = lab.send(Ask::get("/CCM_STS").bearer(token)).await;
    assert_eq!(answer.line(), (401, 0, "Unauthorized"));
    assert_eq!(answer.text(), "401 Unauthorized\n");
    assert_eq!(answer.header(WWW_AUTHENTICATE), "Bearer");
    let (service, fault) = lab.refused_token();
    assert_eq!(service, TokenService::CcmSts);
    fault
}

#[tokio::test]
async fn a_token_must_be_whole_signed_and_for_this_site() {
    let lab = Lab::new().await;
    let good = aad::device_token();
    lab.ccm_token().await;
    let now = NOW.parse().unwrap();

    let tampered = forge::flipped_signature(&good).unwrap();
    assert!(matches!(refused(&lab, &tampered).await, TokenFault::Signature { .. }));
    let unsigned = forge::unsigned(&good).unwrap();
    assert!(matches!(refused(&lab, &unsigned).await, TokenFault::Signature { .. }));
    let stranger = forge::resigned(&good, &OTHER_KEY, |_| {}).unwrap();
    assert!(matches!(refused(&lab, &stranger).await, TokenFault::Signature { .. }));

    let expired = forge::expired(&good, &KEY, now).unwrap();
    assert!(matches!(refused(&lab, &expired).await, TokenFault::Expired { pre_auth: false, .. }));
    let early = forge::not_yet_valid(&good, &KEY, now).unwrap();
    assert!(matches!(refused(&lab, &early).await, TokenFault::NotYetValid { .. }));

    let audience = forge::for_audience(&good, &KEY, "https://graph.microsoft.com").unwrap();
    assert_eq!(refused(&lab, &audience).await, TokenFault::NoValidator);
    let issuer = forge::from_issuer(&good, &KEY, &aad::issuer(FOREIGN)).unwrap();
    assert_eq!(refused(&lab, &issuer).await, TokenFault::NoValidator);
    let foreign = forge::resigned(&issuer, &KEY, |claims| {
        claims.insert("tid".to_owned(), json!(FOREIGN));
    });
    let tenant = FOREIGN.parse().unwrap();
    assert_eq!(refused(&lab, &foreign.unwrap()).await, TokenFault::TenantUnknown { tenant });
    let torn = forge::resigned(&good, &KEY, |claims| {
        claims.insert("tid".to_owned(), json!(FOREIGN));
    });
    assert!(matches!(refused(&lab, &torn.unwrap()).await, TokenFault::Malformed { .. }));

    let nobody = forge::without_claim(&good, &KEY, "deviceid").unwrap();
    assert_eq!(refused(&lab, &nobody).await, TokenFault::NobodyNamed);
    let timeless = forge::without_claim(&good, &KEY, "exp").unwrap();
    assert!(matches!(refused(&lab, &timeless).await, TokenFault::Malformed { .. }));
    for garbage in ["garbage", "a.b.c", "eyJhbGciOiJSUzI1NiJ9.e30."] {
        let fault = refused(&lab, garbage).await;
        assert!(matches!(fault, TokenFault::Malformed { .. } | TokenFault::NoValidator), "{fault:?}");
    }
    assert_eq!(lab.ccm_token().await.split('.').count(), 3, "the good one is still taken");
}

#[tokio::test]
async fn times_have_five_minutes_of_tolerance() {
    let lab = Lab::new().await;
    let token = aad::device_token();
    lab.advance(SignedDuration::from_mins(64)).await;
    assert_eq!(lab.send(Ask::get("/CCM_STS").bearer(&token)).await.status, 200);
    lab.advance(SignedDuration::from_mins(1)).await;
    assert!(matches!(refused(&lab, &token).await, TokenFault::Expired { .. }));
    let log = lab.log("CCM_STS.log");
    assert_eq!(
        log.last().unwrap(),
        "Return code: 401, Description: AAD token validation failed, \
         System.IdentityModel.Tokens.SecurityTokenExpiredException: IDX10223: Lifetime validation failed. The \
         token is expired.\nValidTo: '03/01/2027 13:00:00'\nCurrent time: '03/01/2027 13:05:00'."
    );
}

#[tokio::test]
async fn no_token_is_refused_and_says_what_to_send() {
    let lab = Lab::new().await;
    let answer = lab.send(Ask::get("/CCM_STS")).await;
    assert_eq!(answer.line(), (401, 0, "Unauthorized"));
    assert!(matches!(lab.refused_token().1, TokenFault::Missing { .. }));
    assert_eq!(lab.log("CCM_STS.log")[0], "ProcessRequest - Start");
}

#[tokio::test]
async fn a_tenant_that_was_removed_is_refused_with_its_own_line() {
    let lab = Lab::new().await;
    lab.ccm_token().await;
    lab.site.remove_tenant(aad::tenant_id()).await.unwrap();
    let fault = refused(&lab, &aad::device_token()).await;
    assert_eq!(fault, TokenFault::TenantUnknown { tenant: aad::tenant_id() });
    let log = lab.log("CCM_STS.log");
    let [said, site] = log.last_chunk().unwrap();
    assert!(
        said.ends_with(&format!("with issuer {} and audience {RESOURCE}", aad::issuer(TENANT))),
        "{said}"
    );
    assert_eq!(*site, format!("AAD tenant '{TENANT}' is not registered in the site database."));
    lab.site.onboard_tenant(aad::tenant()).await.unwrap();
    lab.ccm_token().await;
}

#[tokio::test]
async fn a_tenant_can_be_switched_off() {
    let lab = Lab::new().await;
    let mut tenant = aad::tenant();
    tenant.token_auth_enabled = false;
    lab.site.onboard_tenant(tenant).await.unwrap();
    let fault = refused(&lab, &aad::device_token()).await;
    assert_eq!(fault, TokenFault::TenantDisabled { tenant: aad::tenant_id() });
    assert!(lab.log("CCM_STS.log").last().unwrap().contains("is disabled for tenant"));
}

#[tokio::test]
async fn a_user_must_be_discovered_and_a_device_need_not() {
    let lab = Lab::new().await;
    let user = USER.parse().unwrap();
    lab.site.remove_user(aad::tenant_id(), user).await.unwrap();
    for token in [aad::user_token(), aad::user_on_device_token()] {
        let fault = refused(&lab, &token).await;
        assert_eq!(fault, TokenFault::UserUnknown { tenant: aad::tenant_id(), user });
    }
    let log = lab.log("CCM_STS.log");
    assert!(log.iter().any(|line| line.starts_with("Validated AAD token. TokenType: UDA")));
    assert_eq!(
        *log.last().unwrap(),
        format!("AAD user '{USER}' of tenant '{TENANT}' was not found in the site database.")
    );
    lab.ccm_token().await;
}

#[tokio::test]
async fn an_application_must_be_the_one_of_the_tenant() {
    let lab = Lab::new().await;
    let app = "e1111111-0c06-49fb-a5ed-7d3a1f6b7a11";
    let token = forge::resigned(&aad::user_token(), &KEY, |claims| {
        claims.insert("appid".to_owned(), json!(app));
    });
    let fault = refused(&lab, &token.unwrap()).await;
    assert_eq!(fault, TokenFault::ApplicationUnknown { app: app.parse().unwrap() });
}

#[tokio::test]
async fn a_ccm_token_is_no_aad_token() {
    let lab = Lab::new().await;
    let token = lab.ccm_token().await;
    let fault = refused(&lab, &token).await;
    assert!(matches!(fault, TokenFault::WrongPurpose { got, .. } if got == "a CCM token"));
    let log = lab.log("CCM_STS.log");
    assert!(log.last().unwrap().starts_with("Return code: 401, Description: AAD token validation failed, "));
}

/// A key whose public half the site has, as a second management point would.
async fn site_key(lab: &Lab) -> SigningKey {
    let key = SigningKey::generate(NOW.parse().unwrap(), "site").unwrap();
    lab.site.add_ccm_key(serde_json::to_value(key.jwk().unwrap()).unwrap(), lab.clock.now()).await.unwrap();
    key
}

#[tokio::test]
async fn a_bulk_registration_token_is_known_by_its_state() {
    let lab = Lab::new().await;
    let key = site_key(&lab).await;
    let (id, now) = (lab.ids.guid().into(), lab.clock.now());
    let claims = BulkRegistrationClaims::new(lab.site.hierarchy(), id, now, DEFAULT_BULK_LIFETIME);
    let token = key.sign(HeaderKind::Ccm, &claims).unwrap();
    assert_eq!(refused(&lab, &token).await, TokenFault::BulkTokenRefused { blocked: false });

    lab.site.add_bulk_token(id, now, now + DEFAULT_BULK_LIFETIME).await.unwrap();
    let answer = lab.send(Ask::get("/CCM_STS").bearer(&token)).await;
    assert_eq!(answer.line(), (501, 0, "Not Implemented"));
    assert!(answer.text().contains("bulk registration token"));

    lab.site.block_bulk_token(id, now).await.unwrap();
    assert_eq!(refused(&lab, &token).await, TokenFault::BulkTokenRefused { blocked: true });

    lab.advance(DEFAULT_BULK_LIFETIME + SignedDuration::from_mins(5)).await;
    assert!(matches!(refused(&lab, &token).await, TokenFault::Expired { pre_auth: true, .. }));
    let log = lab.log("CCM_STS.log");
    let start = "Return code: 401, Description: PreAuth token validation failed, \
                 System.IdentityModel.Tokens.SecurityTokenExpiredException: IDX10223: ";
    assert!(log.last().unwrap().starts_with(start), "{log:?}");
}

#[tokio::test]
async fn azure_ads_keys_follow_its_rotation_at_most_once_a_minute() {
    let lab = Lab::new().await;
    lab.ccm_token().await;
    let rotated = forge::with_header_member(&aad::device_token(), "kid", &json!(OTHER_KEY.kid())).unwrap();
    let rotated = forge::resigned(&rotated, &OTHER_KEY, |_| {}).unwrap();
    lab.aad.publish(&[&OTHER_KEY]);
    assert!(matches!(refused(&lab, &rotated).await, TokenFault::Signature { .. }));
    assert_eq!(lab.aad.fetches(), 1, "less than a minute after the first fetch");

    lab.advance(SignedDuration::from_secs(60)).await;
    assert_eq!(lab.send(Ask::get("/CCM_STS").bearer(&rotated)).await.status, 200);
    assert_eq!(lab.aad.fetches(), 2);
    assert!(matches!(refused(&lab, &aad::device_token()).await, TokenFault::Signature { .. }));
    assert_eq!(lab.aad.fetches(), 2);
}

#[tokio::test]
async fn without_azure_ads_keys_the_management_point_has_failed() {
    let lab = Lab::new().await;
    lab.aad.set_down(true);
    let answer = lab.send(Ask::get("/CCM_STS").bearer(&aad::device_token())).await;
    assert_eq!(answer.line(), (500, 0, "Internal Server Error"));
    assert!(matches!(lab.refused_token().1, TokenFault::KeysUnavailable { .. }));
    let unavailable = |event: &ManagementPointEvent| matches!(event, ManagementPointEvent::AadKeysUnavailable { cause, .. } if cause.contains("503"));
    assert!(lab.told().iter().any(unavailable), "{:?}", lab.told());
    assert!(lab.log("CCM_STS.log").iter().any(|line| line.contains("Return code: 500")));

    lab.aad.set_down(false);
    lab.ccm_token().await;
    // Old keys are better than none.
    lab.aad.set_down(true);
    lab.advance(SignedDuration::from_hours(30)).await;
    let fault = refused(&lab, &aad::device_token()).await;
    assert!(matches!(fault, TokenFault::Expired { .. }), "{fault:?}");
}

#[tokio::test]
async fn ccm_tokens_are_verified_as_strictly() {
    let lab = Lab::new().await;
    let key = site_key(&lab).await;
    let claims = |hierarchy| {
        let client = ClientGuid::new(lab.ids.guid());
        let (user, now) = (UserId::zero(), lab.clock.now());
        CcmClaims::new(hierarchy, CcmTokenType::Uda, user, Some(client), now, SignedDuration::from_hours(8))
    };
    let good = key.sign(HeaderKind::Ccm, &claims(lab.site.hierarchy())).unwrap();
    let fetch = async |token: &str| {
        let answer = lab.send(Ask::get("/CCM_Client/ccmsetup.cab").bearer(token)).await;
        if answer.status == 200 { None } else { Some((answer.status, lab.refused_token())) }
    };
    assert_eq!(fetch(&good).await, None);
    let now = lab.clock.now();
    let foreign = key.sign(HeaderKind::Ccm, &claims(lab.ids.guid().into())).unwrap();
    for bad in [
        forge::flipped_signature(&good).unwrap(),
        forge::unsigned(&good).unwrap(),
        forge::resigned(&good, &OTHER_KEY, |_| {}).unwrap(),
        forge::expired(&good, &key, now).unwrap(),
        forge::for_audience(&good, &key, "urn:other").unwrap(),
        foreign,
        aad::device_token(),
    ] {
        let (status, (service, _)) = fetch(&bad).await.unwrap();
        assert_eq!((status, service), (401, TokenService::Content));
    }
}
