//! CCM_STS: who gets a token, and what is in it.

use cmglab_events::kinds::ManagementPointEvent;
use cmglab_proto::claims::{CcmClaims, CcmTokenType, SiteClaims};
use cmglab_proto::ids::UserId;
use cmglab_proto::sts::{TokenDelivery, read_answer};
use cmglab_site::AadDevice;
use cmglab_token::peek;
use http::header::CONTENT_LENGTH;

use crate::aad::{self, TENANT};
use crate::lab::{Ask, DEVICE, Lab, USER, exchange};

fn claims(token: &str) -> CcmClaims {
    let (header, claims) = peek(token).unwrap();
    assert_eq!((header.alg.as_str(), header.kid), ("RS256", None));
    match SiteClaims::parse(claims.to_string().as_bytes()).unwrap() {
        SiteClaims::Ccm(claims) => claims,
        other => panic!("{other:?}"),
    }
}

fn device() -> AadDevice {
    AadDevice { tenant: aad::tenant_id(), device: DEVICE.parse().unwrap() }
}

#[tokio::test]
async fn a_device_gets_a_uda_token_without_a_user() {
    let lab = Lab::new().await;
    let token = lab.ccm_token().await;
    let claims = claims(&token);
    assert_eq!((claims.token_type, claims.user), (CcmTokenType::Uda, UserId::zero()));
    assert_eq!(claims.hierarchy, lab.site.hierarchy());
    assert_eq!(claims.device, lab.site.find_client(device()).await.unwrap());
    assert!(claims.device.is_some());
    assert_eq!(claims.exp.0 - claims.nbf.0, 8 * 3600);
    assert_eq!(claims.nbf.0, lab.clock.now().as_second());
    let audit = lab.site.issued_tokens(claims.device.unwrap(), 10).await.unwrap();
    assert_eq!(audit.len(), 1);
}

#[tokio::test]
async fn the_log_reads_like_the_transcript() {
    let lab = Lab::new().await;
    let claims = claims(&lab.ccm_token().await);
    let zero = UserId::zero();
    let client = claims.device.unwrap().guid();
    let expected = [
        "ProcessRequest - Start".to_owned(),
        "Incoming request URL: https://MP.LAB.TEST/CCM_STS".to_owned(),
        format!(
            "Validated AAD token. TokenType: Device TenantId: {TENANT} UserId: {zero} DeviceId: {DEVICE} \
             OnPrem_UserSid:  OnPrem_DeviceSid:"
        ),
        format!(
            "Return token to client, token type: UDA, hierarchyId: {}, userId: {zero}, deviceId: GUID:{client}",
            claims.hierarchy
        ),
    ];
    assert_eq!(lab.log("CCM_STS.log"), expected);
    let events = lab.events.snapshot();
    let sts = events.iter().filter(|event| event.exchange == Some(exchange())).count();
    assert!(sts >= 4, "{events:?}");
}

#[tokio::test]
async fn a_device_keeps_its_guid_and_two_requests_get_two_tokens() {
    let lab = Lab::new().await;
    let (first, second) = (lab.ccm_token().await, lab.ccm_token().await);
    assert_eq!(claims(&first).device, claims(&second).device);
    lab.advance(jiff::SignedDuration::from_secs(5)).await;
    assert_ne!(first, lab.ccm_token().await);
    assert_eq!(lab.aad.fetches(), 1, "the keys are kept");
}

#[tokio::test]
async fn a_user_on_a_device_is_named_by_the_sites_own_id() {
    let lab = Lab::new().await;
    let answer = lab.send(Ask::get("/CCM_STS").bearer(&aad::user_on_device_token())).await;
    let claims = claims(answer.text());
    assert_eq!((claims.token_type, claims.user), (CcmTokenType::Uda, lab.user.id));
    assert_ne!(claims.user.to_string(), USER);
    assert_eq!(claims.device, lab.site.find_client(device()).await.unwrap());
    let log = lab.log("CCM_STS.log").join("\n");
    assert!(log.contains(&format!("TokenType: UDA TenantId: {TENANT} UserId: {USER} DeviceId: {DEVICE}")));
    assert!(log.contains("OnPrem_UserSid: S-1-5-21-1-2-3-1104 OnPrem_DeviceSid:"), "{log}");
}

#[tokio::test]
async fn a_user_without_a_device_gets_a_user_token() {
    let lab = Lab::new().await;
    let answer = lab.send(Ask::get("/CCM_STS").bearer(&aad::user_token())).await;
    let claims = claims(answer.text());
    assert_eq!((claims.token_type, claims.user, claims.device), (CcmTokenType::User, lab.user.id, None));
    let log = lab.log("CCM_STS.log");
    assert!(log.last().unwrap().ends_with(", deviceId: "), "{log:?}");
}

#[tokio::test]
async fn post_is_taken_and_paths_in_any_case() {
    let lab = Lab::new().await;
    for (method, path) in [("GET", "/ccm_sts"), ("POST", "/CCM_Sts")] {
        let answer = lab.send(Ask::new(method, path).bearer(&aad::device_token())).await;
        assert_eq!(answer.status, 200, "{method} {path}");
    }
    let answer = lab.send(Ask::new("PUT", "/CCM_STS").bearer(&aad::device_token())).await;
    assert_eq!(answer.line(), (405, 0, "Method Not Allowed"));
    assert_eq!(answer.header(http::header::ALLOW), "GET, POST");
}

#[tokio::test]
async fn the_token_travels_where_the_config_says() {
    for delivery in [TokenDelivery::Body, TokenDelivery::Header] {
        let lab = Lab::with(|config| config.token_delivery = delivery).await;
        let answer = lab.send(Ask::get("/CCM_STS").bearer(&aad::device_token())).await;
        assert_eq!(answer.header(CONTENT_LENGTH), answer.body.len().to_string());
        assert_eq!(answer.body.is_empty(), delivery == TokenDelivery::Header);
        assert!(read_answer(&answer.headers, &answer.body).is_ok());
    }
}

#[tokio::test]
async fn no_event_holds_a_token() {
    let lab = Lab::new().await;
    let (theirs, ours) = (aad::device_token(), lab.ccm_token().await);
    lab.send(Ask::get("/CCM_STS").bearer(&ours)).await;
    let told = format!("{:?}", lab.events.snapshot());
    for token in [theirs, ours] {
        for part in token.split('.').skip(1) {
            assert!(!told.contains(part));
        }
    }
    let issued = |event: &&ManagementPointEvent| matches!(event, ManagementPointEvent::CcmTokenIssued { .. });
    assert_eq!(lab.told().iter().filter(issued).count(), 1);
}
