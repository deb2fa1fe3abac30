//! HTTPS and enhanced HTTP, and what makes a management point fail as a whole.

use std::sync::LazyLock;

use cmglab_events::Kind;
use cmglab_events::kinds::{CertificateVerdict, ManagementPointEvent, TokenFault, TokenService};
use cmglab_ids::Ids;
use cmglab_management_point::{
    Content, ManagementPoint, ManagementPointConfig, ManagementPointError, Mode, StsAssembly,
};
use cmglab_net::{Call, HttpClient, Listen, MESSAGE_HEADER, serve};
use cmglab_pki::{Authority, Identity, KeyKind, PrivateKey, Profiles, SubjectName};
use cmglab_tls::ServerTls;
use http::HeaderName;
use http::header::LOCATION;

use crate::aad;
use crate::lab::{Ask, Lab, NOW, PATIENCE};

const HOST: &str = "MP.LAB.TEST";
const CATALOG: &str = "https://MP.LAB.TEST/CMApplicationCatalog";
const PATHS: [&str; 4] =
    ["/CCM_STS", "/ccm_system_tokenauth/request", "/CCM_Client/ccmsetup.cab", "/SMS_MP/.sms_aut?MPLIST"];

/// The certificate of enhanced HTTP and the root above it, then those of the organisation's PKI.
static ROLE_SSL: LazyLock<(Identity, Vec<u8>)> = LazyLock::new(|| issued("sms-issuing", "mp-role-ssl"));
static PKI: LazyLock<(Identity, Vec<u8>)> = LazyLock::new(|| issued("site", "mp-server"));

fn issued(authority: &str, profile: &str) -> (Identity, Vec<u8>) {
    let (ids, now) = (Ids::seeded(8), NOW.parse().unwrap());
    let authority = Authority::create_root(&Profiles::builtin(), authority, now, &ids).unwrap();
    let key = PrivateKey::generate(KeyKind::P256).unwrap();
    let names = [SubjectName::Dns(HOST.to_owned())];
    (authority.issue(profile, &names, &key, now, &ids).unwrap(), authority.cert_der().to_vec())
}

async fn enhanced(bound: &Identity) -> Lab {
    Lab::with(|config| {
        config.mode = Mode::EnhancedHttp;
        config.bound_certificate = Some(bound.leaf().to_vec());
    })
    .await
}

#[tokio::test]
async fn enhanced_http_asks_nobody_for_a_certificate() {
    let lab = enhanced(&ROLE_SSL.0).await;
    let token = lab.ccm_token().await;
    let answer = lab.send(Ask::get("/CCM_Client/ccmsetup.cab").bearer(&token)).await;
    assert_eq!(answer.status, 200);
    for path in ["/SMS_MP/.sms_aut?MPLIST", "/ccm_system/request", "/CCM_Incoming/x"] {
        let answer = lab.send(Ask::get(path)).await;
        assert_eq!(answer.line(), (501, 0, "Not Implemented"), "{path}");
        // The same request where client certificates are asked for.
        assert_eq!(Lab::new().await.send(Ask::get(path)).await.line().0, 403, "{path}");
    }
}

#[tokio::test]
async fn in_enhanced_http_a_certificate_neither_opens_nor_closes_anything() {
    let lab = enhanced(&ROLE_SSL.0).await;
    let ask = Ask::get("/CCM_Client/ccmsetup.cab").certificate(CertificateVerdict::Valid);
    assert_eq!(lab.send(ask).await.line(), (401, 0, "Unauthorized"));
    assert!(matches!(lab.refused_token(), (TokenService::Content, TokenFault::Missing { .. })));
    for verdict in [CertificateVerdict::Revoked, CertificateVerdict::UnknownIssuer] {
        let ask = Ask::get("/CCM_STS").bearer(&aad::device_token()).certificate(verdict);
        assert_eq!(lab.send(ask).await.status, 200, "{verdict:?}");
    }
}

#[tokio::test]
async fn in_enhanced_http_the_message_id_is_taken_from_anyone() {
    let id = "3087bd34-b82c-4950-b972-e82bb0fb8385";
    let ask = || Ask::get("/nothing").header(HeaderName::from_static(MESSAGE_HEADER), id);
    let lab = enhanced(&ROLE_SSL.0).await;
    assert_eq!(lab.send(ask()).await.status, 404);
    assert_eq!(lab.events.snapshot().last().unwrap().message, Some(id.parse().unwrap()));
}

#[tokio::test]
async fn a_stale_certificate_on_the_port_refuses_everything() {
    let lab = enhanced(&PKI.0).await;
    for path in PATHS {
        for certificate in [CertificateVerdict::Absent, CertificateVerdict::Valid] {
            let ask = Ask::get(path).bearer(&aad::device_token()).certificate(certificate);
            let answer = lab.send(ask).await;
            assert_eq!(answer.line(), (403, 0, "Forbidden"), "{path}");
            assert_eq!(lab.refusal(), (403, 0, "Forbidden".to_owned()));
        }
    }
    let told = lab.told();
    let wrong = |event: &&ManagementPointEvent| matches!(event, ManagementPointEvent::WrongBinding { issuer, .. } if issuer == "CN=Lab Site CA");
    assert_eq!(told.iter().filter(wrong).count(), 2 * PATHS.len(), "{told:?}");
    let lines = lab.log("mpcontrol.log");
    assert!(lines[0].contains("status code 403, text: Forbidden") && lines[0].contains("Lab Site CA"));
    assert!(lab.log("CCM_STS.log").is_empty());
}

#[tokio::test]
async fn the_same_certificate_is_right_for_https() {
    let lab = Lab::with(|config| config.bound_certificate = Some(PKI.0.leaf().to_vec())).await;
    lab.ccm_token().await;
    assert!(lab.log("mpcontrol.log").is_empty());
}

#[tokio::test]
async fn what_is_bound_must_be_a_certificate() {
    let lab = Lab::new().await;
    let mut config = ManagementPointConfig::new(HOST);
    config.bound_certificate = Some(b"-----BEGIN".to_vec());
    let content = Content::of("x");
    let refused = ManagementPoint::new(config, lab.site.clone(), lab.deps.clone(), content).await;
    let refused = refused.map(drop).unwrap_err();
    assert!(matches!(refused, ManagementPointError::Config { field: "bound_certificate", .. }), "{refused}");
}

#[tokio::test]
async fn a_redirect_of_the_site_hides_the_management_point() {
    let lab = Lab::with(|config| config.redirect = Some(CATALOG.to_owned())).await;
    for path in PATHS {
        let answer = lab.send(Ask::get(path).bearer(&aad::device_token())).await;
        assert_eq!(answer.line(), (302, 0, "Found"), "{path}");
        assert_eq!(answer.header(LOCATION), CATALOG);
        let path = path.split('?').next().unwrap().to_owned();
        assert_eq!(lab.last(), ManagementPointEvent::Redirected { path, location: CATALOG.to_owned() });
    }
    assert!(lab.log("CCM_STS.log").is_empty());
}

#[tokio::test]
async fn the_web_servers_log_alone_tells_of_a_redirect() {
    let lab = Lab::with(|config| config.redirect = Some(CATALOG.to_owned())).await;
    let (identity, root) = &*ROLE_SSL;
    lab.deps.store.trust(root).unwrap();
    let key = identity.key().pkcs8_der();
    let tls = ServerTls::new(cmglab_tls::Identity::new("mp", identity.chain().to_vec(), key).unwrap());
    let listen = Listen {
        host: HOST.to_owned(),
        port: 443,
        bind: "127.0.0.1:0".parse().unwrap(),
        shown_ip: None,
        tls: Some(tls),
    };
    let _server = serve(&lab.deps, listen, lab.mp.router()).await.unwrap();
    let client = HttpClient::new(&lab.deps);
    let call = Call::get(format!("https://{HOST}/CCM_STS")).bearer(&aad::device_token());
    let answer = client.send(&lab.deps.events, &call).await.unwrap();
    assert_eq!((answer.status, answer.reason.as_str()), (302, "Found"));
    let served = |event: &cmglab_events::Event| matches!(&event.kind, Kind::Net(cmglab_events::kinds::NetEvent::Served(served)) if served.status == 302);
    lab.events.wait_for("the served request", PATIENCE, served).await.unwrap();
    let line = lab.log("IIS.log").pop().unwrap();
    assert!(line.contains(" GET /CCM_STS - 443 ") && line.contains(" 302 0 0 "), "{line}");
    assert!(lab.log("CCM_STS.log").is_empty());
}

#[tokio::test]
async fn ccm_sts_does_not_run_with_another_token_library() {
    let lab = Lab::with(|config| config.sts_assembly = StsAssembly::Mismatched).await;
    let answer = lab.send(Ask::get("/CCM_STS").bearer(&aad::device_token())).await;
    assert_eq!(answer.line(), (500, 0, "Internal Server Error"));
    let log = lab.log("CCM_STS.log");
    assert_eq!(log[0], "ProcessRequest - Start");
    let failed = log.last().unwrap();
    let start = "ProcessRequest - Exception: System.IO.FileLoadException: Could not load file or assembly \
                 'System.IdentityModel.Tokens.JWT.";
    assert!(failed.starts_with(start) && failed.contains("0x80131040"), "{failed}");
    // The rest of the management point is other programs.
    let answer = lab.send(Ask::get("/SMS_MP/.sms_aut").certificate(CertificateVerdict::Valid)).await;
    assert_eq!(answer.status, 501);
    let file = Ask::get("/CCM_Client/ccmsetup.cab").certificate(CertificateVerdict::Valid);
    assert_eq!(lab.send(file).await.status, 200);
}
