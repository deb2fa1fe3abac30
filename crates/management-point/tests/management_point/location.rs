//! MP_LocationManager.

use cmglab_events::kinds::{ManagementPointEvent, TokenFault, TokenService};
use cmglab_proto::ccm::location::{
    ClientLocation, ContentLocationReply, ContentLocationRequest, ContentWanted, LocationFlags,
    SiteInfoReply, SiteInformationRequest,
};
use cmglab_proto::ccm::{Endpoint, Limits};

use crate::aad;
use crate::clients::{MESSAGES, ask, assert_dropped, document, message};
use crate::lab::{Ask, BASE, Lab};

fn content_request(content: ContentWanted, site: &str) -> String {
    let client = ClientLocation {
        location_type: "SMSPACKAGE".to_owned(),
        flags: LocationFlags::internet(),
        ad_site: String::new(),
        forest: String::new(),
        domain: String::new(),
        addresses: Vec::new(),
    };
    ContentLocationRequest { content, site_code: site.parse().unwrap(), client }.to_xml()
}

async fn locate(lab: &Lab, token: &str, payload: &str) -> ContentLocationReply {
    let answer = lab.send(ask(&message(lab, Endpoint::LocationManager, payload), token)).await;
    ContentLocationReply::parse(&document(&answer), &Limits::default()).unwrap()
}

async fn site_info(lab: &Lab, token: &str, site: &str) -> SiteInfoReply {
    let payload = SiteInformationRequest { site_code: site.parse().unwrap() }.to_xml();
    let answer = lab.send(ask(&message(lab, Endpoint::LocationManager, &payload), token)).await;
    SiteInfoReply::parse(&document(&answer), &Limits::default()).unwrap()
}

#[tokio::test]
async fn the_site_tells_its_clients_whether_to_check_crls() {
    let lab = Lab::new().await;
    let token = lab.ccm_token().await;
    for check in [true, false] {
        lab.site.set_clients_check_crl(check).await.unwrap();
        let reply = site_info(&lab, &token, "LAB").await;
        assert_eq!(reply.sites.len(), 1);
        assert_eq!(reply.sites[0].settings.unwrap().clients_check_crl, check);
        assert_eq!((reply.sites[0].default_mp.as_str(), reply.sites[0].build), ("MP.LAB.TEST", 9128));
    }
    assert!(site_info(&lab, &token, "XYZ").await.sites.is_empty());
    assert!(matches!(lab.last(), ManagementPointEvent::SiteInfoAnswered { found: false, .. }));
}

#[tokio::test]
async fn the_clients_package_is_at_the_gateway_with_the_sites_hash() {
    let lab = Lab::new().await;
    let token = lab.ccm_token().await;
    let package = lab.site.client_package().await.unwrap().unwrap();
    let hash: String = package.sha256.iter().map(|byte| format!("{byte:02X}")).collect();
    let by_id = ContentWanted::Package { id: "LAB00003".to_owned(), version: 1 };
    for wanted in [ContentWanted::client_package(), by_id] {
        let reply = locate(&lab, &token, &content_request(wanted, "LAB")).await;
        assert_eq!(reply.hash.as_deref(), Some(hash.as_str()));
        assert_eq!(reply.hash_algorithm, Some(ContentLocationReply::SHA256));
        let records: Vec<_> = reply.records().map(|it| (it.url.clone(), it.server.clone())).collect();
        assert_eq!(records, [(format!("{BASE}/CCM_Client"), "CMG.LAB.TEST".to_owned())]);
    }
}

#[tokio::test]
async fn what_the_site_does_not_have_has_no_location() {
    let lab = Lab::new().await;
    let token = lab.ccm_token().await;
    let other = |id: &str, version| ContentWanted::Package { id: id.to_owned(), version };
    for (wanted, site) in [
        (other("LAB00099", 1), "LAB"),
        (other("LAB00003", 7), "LAB"),
        (other("'; DROP TABLE clients; --", 1), "LAB"),
        (ContentWanted::client_package(), "XYZ"),
    ] {
        let reply = locate(&lab, &token, &content_request(wanted, site)).await;
        assert_eq!((reply.hash.as_ref(), reply.records().count()), (None, 0));
    }
}

#[tokio::test]
async fn without_a_gateway_the_package_is_at_the_management_point() {
    let lab = Lab::with(|config| config.internet_base = None).await;
    let token = lab.ccm_token().await;
    let payload = content_request(ContentWanted::client_package(), "LAB");
    let reply = locate(&lab, &token, &payload).await;
    assert_eq!(reply.records().next().unwrap().url, "https://MP.LAB.TEST/CCM_Client");
}

#[tokio::test]
async fn location_takes_ccm_tokens_only() {
    let lab = Lab::new().await;
    let payload = SiteInformationRequest { site_code: "LAB".parse().unwrap() }.to_xml();
    let message = message(&lab, Endpoint::LocationManager, &payload);
    let answer = lab.send(ask(&message, &aad::device_token())).await;
    assert_eq!(answer.line(), (401, 0, "Unauthorized"));
    assert!(matches!(lab.refused_token(), (TokenService::Messaging, TokenFault::WrongPurpose { .. })));
    let (content_type, body) = message.encode();
    let bare = Ask::new("CCM_POST", MESSAGES).header(http::header::CONTENT_TYPE, &content_type).body(body);
    assert_eq!(lab.send(bare).await.line(), (401, 0, "Unauthorized"));
    assert!(matches!(lab.refused_token(), (TokenService::Messaging, TokenFault::Missing { .. })));
}

#[tokio::test]
async fn other_questions_are_dropped() {
    let lab = Lab::new().await;
    let token = lab.ccm_token().await;
    for payload in ["<AssignedSiteRequest SchemaVersion=\"1.00\"/>", "<SiteInformationRequest/>", "no xml"] {
        let answer = lab.send(ask(&message(&lab, Endpoint::LocationManager, payload), &token)).await;
        assert_dropped(&answer);
        assert!(matches!(lab.last(), ManagementPointEvent::MessageDropped { endpoint: Some(_), .. }));
    }
}
