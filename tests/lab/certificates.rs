//! Client certificates in every state, on every port that asks for one: refused at HTTP level with the
//! right status and reason, never by an aborted handshake.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cmglab_events::kinds::CmgEvent;
use cmglab_events::{Kind, Role};
use cmglab_lab::Lab;
use cmglab_net::{Answer, Call, Deps};
use cmglab_pki::{Eku, Identity, KeyKind, Overrides, PrivateKey, SubjectName, Validity, wpj};
use http::Method;
use jiff::SignedDuration;
use tokio::io::AsyncReadExt as _;

use crate::support;

/// A certificate of `issuer`'s kind in each state; the name is the state.
struct Presented {
    state: &'static str,
    identity: Option<Identity>,
}

async fn answers(lab: &Lab, ask: &Call, presented: Vec<Presented>) -> Vec<(&'static str, u16, String)> {
    let mut answers = Vec::new();
    for Presented { state, identity } in presented {
        let deps = support::stranger(lab);
        present(&deps, identity.as_ref());
        // An aborted handshake would be an error here, not an answer.
        let Answer { status, reason, .. } = support::call(&deps, ask).await.unwrap();
        answers.push((state, status, reason));
    }
    answers
}

fn present(deps: &Deps, identity: Option<&Identity>) {
    let ready = identity.map(|identity| {
        cmglab_tls::Identity::new("test", identity.chain().to_vec(), identity.key().pkcs8_der()).unwrap()
    });
    deps.store.present(ready);
}

/// Certificates of the client PKI, which has an intermediate and is trusted by gateway and management point.
fn of_the_client_pki(lab: &Lab) -> Vec<Presented> {
    let (now, ids, names) = (lab.clock().now(), deps_ids(lab), [SubjectName::dns("pc.lab.test")]);
    let key = PrivateKey::generate(KeyKind::P256).unwrap();
    let client = lab.authorities().get("client-issuing").unwrap();
    let stranger = lab.authorities().get("public-issuing").unwrap();
    let issue =
        |overrides: &Overrides| client.issue_with("pki-client", &names, overrides, &key, now, &ids).unwrap();
    let good = issue(&Overrides::default());
    let revoked = issue(&Overrides::default());
    client.revoke(&revoked.certificate().unwrap().serial, now);
    let expired = Validity::ended(now, SignedDuration::from_hours(1)).unwrap();
    vec![
        Presented { state: "none", identity: None },
        Presented { state: "good", identity: Some(good.clone()) },
        Presented {
            state: "unknown issuer",
            identity: Some(stranger.issue("pki-client", &names, &key, now, &ids).unwrap()),
        },
        Presented { state: "expired", identity: Some(issue(&expired.into())) },
        Presented {
            state: "wrong usage",
            identity: Some(issue(&Overrides { eku: Some(vec![Eku::ServerAuth]), ..Overrides::default() })),
        },
        Presented { state: "revoked", identity: Some(revoked) },
        Presented { state: "missing intermediate", identity: Some(good.without_intermediates()) },
    ]
}

fn deps_ids(lab: &Lab) -> cmglab_ids::Ids {
    cmglab_ids::Ids::seeded(lab.topology().seed).fork("certificates")
}

fn expected(rows: &[(&'static str, u16, &str)]) -> Vec<(&'static str, u16, String)> {
    rows.iter().map(|(state, status, reason)| (*state, *status, (*reason).to_owned())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn at_the_gateway() {
    let lab = support::lab(Default::default()).await;
    let role = lab.topology().management_point.role_id;
    let ask = Call::get(format!("https://CMG.LAB.TEST/CCM_Proxy_MutualAuth/{role}/SMS_MP/.sms_aut?MPLIST"));
    let answers = answers(&lab, &ask, of_the_client_pki(&lab)).await;
    assert_eq!(
        answers,
        expected(&[
            ("none", 403, "CMGService_Forbidden"),
            // The management point has not built what is asked for here, but the gateway has relayed it.
            ("good", 501, "CMGConnector_NotImplemented"),
            ("unknown issuer", 401, "CMGService_Unauthorized"),
            ("expired", 403, "CMGService_Forbidden"),
            ("wrong usage", 401, "CMGService_Unauthorized"),
            ("revoked", 403, "CMGService_Forbidden"),
            // The whole chain was uploaded.
            ("missing intermediate", 501, "CMGConnector_NotImplemented"),
        ])
    );
    lab.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn at_the_management_point() {
    let lab = support::lab(Default::default()).await;
    let ask = Call::get("https://MP.LAB.TEST/SMS_MP/.sms_aut?MPLIST");
    let answers = answers(&lab, &ask, of_the_client_pki(&lab)).await;
    assert_eq!(
        answers,
        expected(&[
            ("none", 403, "Client certificate required"),
            ("good", 501, "Not Implemented"),
            ("unknown issuer", 403, "Forbidden"),
            ("expired", 403, "Forbidden"),
            ("wrong usage", 403, "Forbidden"),
            ("revoked", 403, "Forbidden"),
            ("missing intermediate", 403, "Forbidden"),
        ])
    );
    lab.shutdown().await;
}

/// What the management point says reaches the client through the channel, in the connector's spelling.
#[tokio::test(flavor = "multi_thread")]
async fn the_management_points_reason_reaches_the_client() {
    for (has_one, expected) in [
        (false, (403, "CMGConnector_Clientcertificaterequired")),
        (true, (501, "CMGConnector_NotImplemented")),
    ] {
        let mut topology = cmglab_lab::Topology::default();
        topology.connection_points[0].client_certificate = has_one;
        let lab = support::lab(topology).await;
        let deps = support::stranger(&lab);
        let aad = support::aad_token(&lab, &deps, "alice@lab.test").await;
        // A token is good on the token paths, with or without the connection point's certificate.
        let token = support::ccm_token(&lab, &deps, &aad).await;
        let role = lab.topology().management_point.role_id;
        let url = format!("https://CMG.LAB.TEST/CCM_Proxy_ServerAuth/{role}/CCM_Incoming/file");
        let answer = support::call(&deps, &Call::get(url).bearer(&token)).await.unwrap();
        assert_eq!((answer.status, answer.reason.as_str()), expected);
        let lines = support::log_lines(&lab, &support::events_of(&lab, Role::ConnectionPoint, 0));
        let logged = format!("ResponseHeader: HTTP/1.1 {} {} ~~", expected.0, expected.1);
        assert!(lines.iter().any(|line| line.contains(&logged)), "{lines:#?}");
        lab.shutdown().await;
    }
}

/// The certificate that is good for the management point opens no channel.
#[tokio::test(flavor = "multi_thread")]
async fn only_the_channels_own_certificate_opens_a_channel() {
    let lab = support::lab(Default::default()).await;
    let (now, ids, names) = (lab.clock().now(), deps_ids(&lab), [SubjectName::dns("CP.LAB.TEST")]);
    for (profile, opens) in [("cp-client", false), ("cp-channel", true)] {
        let before = support::now(&lab);
        let deps = lab.machine("second", Role::ConnectionPoint, &["channel"]).unwrap();
        let identity = lab.authorities().issue(profile, &names, now, &ids).unwrap();
        present(&deps, Some(&identity));
        // The handshake stands either way; the verdict decides whether the gateway speaks.
        let dialled = cmglab_net::dial(&deps, "CMG.LAB.TEST", 10140, &[cmglab_tunnel::ALPN]).await;
        let mut first = [0; 3];
        let spoken = dialled.unwrap().read_exact(&mut first).await.is_ok();
        assert_eq!((spoken, spoken && first == *b"PRI"), (opens, opens), "{profile}");
        let refused = support::events_of(&lab, Role::Cmg, before)
            .iter()
            .any(|event| matches!(event.kind, Kind::Cmg(CmgEvent::ChannelRefused { .. })));
        assert_eq!(refused, !opens, "{profile}");
    }
    lab.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn at_device_registration() {
    let lab = support::lab(Default::default()).await;
    let (key, certificate) = join(&lab).await;
    let identity = Identity::new(vec![certificate], key);
    let device = identity.certificate().unwrap().subject_common_name.unwrap();
    let url = format!("https://enterpriseregistration.windows.net/EnrollmentServer/device/{device}");
    let ask = Call::new(Method::DELETE, format!("{url}?api-version=1.0"));
    let refused = answers(&lab, &ask, bad_devices(&lab, &identity)).await;
    assert_eq!(
        refused,
        expected(&[
            ("none", 400, "Bad Request"),
            ("unknown issuer", 400, "Bad Request"),
            ("expired", 400, "Bad Request"),
            ("wrong usage", 400, "Bad Request"),
        ])
    );
    let good = Presented { state: "good", identity: Some(identity) };
    assert_eq!(answers(&lab, &ask, vec![good]).await, expected(&[("good", 200, "OK")]));

    let (key, certificate) = join(&lab).await;
    let identity = Identity::new(vec![certificate], key);
    let read = identity.certificate().unwrap();
    let devices = lab.authorities().get("ms-organization-access").unwrap();
    devices.revoke(&read.serial, lab.clock().now());
    let url = format!(
        "https://enterpriseregistration.windows.net/EnrollmentServer/device/{}",
        read.subject_common_name.unwrap()
    );
    let ask = Call::new(Method::DELETE, url);
    // The list in the cache is from before the revocation; what counts is the next one.
    lab.advance(SignedDuration::from_hours(24 * 7)).await;
    let revoked = Presented { state: "revoked", identity: Some(identity) };
    assert_eq!(answers(&lab, &ask, vec![revoked]).await, expected(&[("revoked", 400, "Bad Request")]));
    lab.shutdown().await;
}

/// Joins a device as alice, with nothing but HTTP.
async fn join(lab: &Lab) -> (PrivateKey, Vec<u8>) {
    const BROKER: &str = "29d9ed98-a469-4536-ade2-f981bc1d605e";
    let deps = support::stranger(lab);
    let user = lab.topology().user("alice@lab.test").unwrap();
    let form = format!(
        "grant_type=password&client_id={BROKER}&resource=urn:ms-drs:enterpriseregistration.windows.net\
         &username={}&password={}",
        user.upn, user.password
    );
    let tenant = lab.topology().client.tenant;
    let ask = Call::new(Method::POST, format!("https://login.microsoftonline.com/{tenant}/oauth2/token"))
        .body("application/x-www-form-urlencoded", form);
    let token: serde_json::Value =
        serde_json::from_slice(&support::call(&deps, &ask).await.unwrap().body).unwrap();
    let key = PrivateKey::generate(KeyKind::Rsa2048).unwrap();
    let request = wpj::certificate_request(&key).unwrap();
    let body = serde_json::json!({
        "CertificateRequest": {"Type": "pkcs10", "Data": STANDARD.encode(request)},
        "TargetDomain": "lab.test", "DeviceType": "Windows", "OSVersion": "10.0.22631.0",
        "DeviceDisplayName": "LABPC9", "JoinType": 0, "TransportKey": STANDARD.encode(bcrypt_blob(&key)),
    });
    let url = "https://enterpriseregistration.windows.net/EnrollmentServer/device/?api-version=2.0";
    let ask = Call::new(Method::POST, url)
        .bearer(token["access_token"].as_str().unwrap())
        .body("application/json", body.to_string());
    let answer = support::call(&deps, &ask).await.unwrap();
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    let joined: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    (key, STANDARD.decode(joined["Certificate"]["RawBody"].as_str().unwrap()).unwrap())
}

/// The public key as Windows sends it: BCRYPT_RSAKEY_BLOB (entra §2.1).
fn bcrypt_blob(key: &PrivateKey) -> Vec<u8> {
    let modulus = &key.public_key()[9..265];
    let numbers = [2048_u32, 3, 256, 0, 0].map(u32::to_le_bytes).concat();
    [b"RSA1", numbers.as_slice(), &[1, 0, 1], modulus].concat()
}

/// WPJ certificates for the same device and key, each with one property wrong. Their authority is a root:
/// there is no intermediate to miss.
fn bad_devices(lab: &Lab, good: &Identity) -> Vec<Presented> {
    let (now, ids, key) = (lab.clock().now(), deps_ids(lab), good.key());
    let wpj = good.certificate().unwrap().wpj;
    let request = wpj::certificate_request(key).unwrap();
    let subject = wpj::WpjSubject {
        device_id: wpj.device_id.unwrap(),
        object_id: wpj.object_id.unwrap(),
        tenant_id: wpj.tenant_id.unwrap(),
        join_type: wpj.join_type.unwrap(),
        region: wpj.region.unwrap(),
    };
    let devices = lab.authorities().get("ms-organization-access").unwrap();
    let issue = |overrides: &Overrides| {
        let der = devices.issue_wpj_with(&request, &subject, overrides, now, &ids).unwrap();
        Identity::new(vec![der], key.clone())
    };
    let expired = Validity::ended(now, SignedDuration::from_hours(1)).unwrap();
    let stranger = lab.authorities().get("public-issuing").unwrap();
    let names = [SubjectName::common(subject.device_id.to_string())];
    vec![
        Presented { state: "none", identity: None },
        Presented {
            state: "unknown issuer",
            identity: Some(stranger.issue("pki-client", &names, key, now, &ids).unwrap()),
        },
        Presented { state: "expired", identity: Some(issue(&expired.into())) },
        Presented {
            state: "wrong usage",
            identity: Some(issue(&Overrides { eku: Some(vec![Eku::ServerAuth]), ..Overrides::default() })),
        },
    ]
}

/// The certificate that was good when the connection was made.
#[tokio::test(flavor = "multi_thread")]
async fn at_the_gateway_a_kept_connection_keeps_no_verdict() {
    let lab = support::lab(Default::default()).await;
    let deps = support::stranger(&lab);
    let good = of_the_client_pki(&lab).into_iter().find(|one| one.state == "good").unwrap();
    present(&deps, good.identity.as_ref());
    let role = lab.topology().management_point.role_id;
    let url = format!("https://CMG.LAB.TEST/CCM_Proxy_MutualAuth/{role}/CCM_Client/ccmsetup.cab");
    let client = cmglab_net::HttpClient::new(&deps);
    let authority = lab.authorities().get("client-issuing").unwrap().cert_der().to_vec();
    let mut from = 0;
    for (uploaded, expected) in [(true, 200), (false, 401), (true, 200)] {
        match (uploaded, from) {
            (true, 0) => {}
            (true, _) => lab.site().add_client_authority(authority.clone()).await.unwrap(),
            (false, _) => lab.site().remove_client_authority(authority.clone()).await.unwrap(),
        }
        let due = lab.site().settings().await.unwrap().version;
        let applied = move |event: &cmglab_events::Event| matches!(event.kind, Kind::Cmg(CmgEvent::SettingsApplied { version, .. }) if version >= due);
        lab.events().wait_for("the settings", support::PATIENCE, applied).await.unwrap();
        let answer = client.send(&deps.events, &Call::get(&url)).await.unwrap();
        assert_eq!(answer.status, expected, "{}", answer.reason);
        from = support::now(&lab);
    }
    lab.shutdown().await;
}
