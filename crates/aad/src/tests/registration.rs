//! Joining, registering and deleting devices.

use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cmglab_events::kinds::{AadEvent, CertificateVerdict};
use cmglab_pki::read::Certificate;
use cmglab_pki::wpj::certificate_request;
use cmglab_pki::{KeyKind, Overrides, PrivateKey};
use cmglab_proto::ids::DeviceId;
use cmglab_proto::wpj::JoinType;
use cmglab_token::forge;
use http::{Method, Request};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::lab::*;
use crate::TrustType;

fn certificate(reply: &Reply) -> Certificate {
    let body = reply.json["Certificate"]["RawBody"].as_str().unwrap();
    Certificate::parse(&STANDARD.decode(body).unwrap()).unwrap()
}

#[tokio::test]
async fn a_join_gives_a_certificate_and_a_device() {
    let lab = Lab::new();
    let reply = lab.join_with(&lab.registration_token().await, &join_body(0)).await;
    assert_eq!(reply.status, 200, "{}", reply.json);
    let (certificate, device) = (certificate(&reply), lab.aad.devices().remove(0));
    assert_eq!(certificate.subject, format!("CN={}", device.id));
    assert_eq!(certificate.wpj.device_id, Some(device.id.guid()));
    assert_eq!(certificate.wpj.object_id, Some(ALICE));
    assert_eq!(certificate.wpj.tenant_id, Some(TENANT.guid()));
    assert_eq!((certificate.wpj.join_type, certificate.wpj.region.as_deref()), (Some(b'1'), Some("EU")));
    assert_eq!(reply.json["Certificate"]["Thumbprint"], json!(device.thumbprint));
    assert_eq!(certificate.sha1_thumbprint(), device.thumbprint);
    assert_eq!(certificate.issuer_common_name.as_deref(), Some("MS-Organization-Access"));
    assert_eq!(reply.json["User"]["Upn"], "alice@lab.test");
    assert_eq!(reply.json["MembershipChanges"][0]["LocalSID"], "S-1-5-32-544");
    assert_eq!((device.name.as_str(), device.trust, device.enabled), ("LAB-PC1", TrustType::AzureAd, true));
    assert_eq!(device.transport_key.as_ref().unwrap().modulus, [0xab; 256]);
    assert_eq!((device.joined, device.serial), (Some(now()), certificate.serial.to_string()));
    assert_eq!((device.onprem_sid, device.ec_transport_key), (None, None));
    let expected = AadEvent::DeviceJoined {
        tenant: TENANT,
        device: device.id,
        object: device.object_id,
        join_type: JoinType::Join,
        upn: "alice@lab.test".to_owned(),
    };
    assert_eq!(lab.aad_events().pop(), Some(expected));
}

#[tokio::test]
async fn a_registered_device_is_not_joined() {
    let lab = Lab::new();
    let reply = lab.join_with(&lab.registration_token().await, &join_body(4)).await;
    assert_eq!(certificate(&reply).wpj.join_type, Some(b'0'));
    assert_eq!(lab.aad.devices()[0].trust, TrustType::Workplace);
    assert_eq!(reply.json.get("MembershipChanges"), None);
}

#[tokio::test]
async fn the_token_may_name_the_service_by_id_and_come_from_version_2() {
    let lab = Lab::new();
    let token = lab.user_token("01cb2876-7ebd-4aa4-9cc9-d28bd4d359a9", BROKER).await;
    assert_eq!(lab.join_with(&token, &join_body(0)).await.status, 200);
    let form = [
        ("grant_type", "password"),
        ("client_id", BROKER),
        ("scope", "01cb2876-7ebd-4aa4-9cc9-d28bd4d359a9/.default"),
        ("username", "alice@lab.test"),
        ("password", PASSWORD),
    ];
    let token = lab.post("/organizations/oauth2/v2.0/token", &form).await.json["access_token"].clone();
    assert_eq!(lab.join_with(token.as_str().unwrap(), &join_body(0)).await.status, 200);
}

#[tokio::test]
async fn a_join_needs_a_good_token() {
    let lab = Lab::new();
    let (good, keys) = (lab.registration_token().await, signing_keys());
    let native = NATIVE.to_string();
    let bad = [
        lab.user_token(RESOURCE, &native).await,
        forge::expired(&good, &keys.current, now()).unwrap(),
        forge::flipped_signature(&good).unwrap(),
        forge::unsigned(&good).unwrap(),
        forge::from_issuer(&good, &keys.current, "https://sts.windows.net/else/").unwrap(),
        forge::resigned(&good, &keys.next, |_| {}).unwrap(),
        forge::resigned(&good, &keys.current, |claims| claims["oid"] = json!(TENANT)).unwrap(),
        "rubbish".to_owned(),
    ];
    for (index, token) in bad.iter().enumerate() {
        let reply = lab.join_with(token, &join_body(0)).await;
        assert_eq!((reply.status, &reply.json["Code"]), (400, &json!("AuthenticationError")), "{index}");
        assert!(matches!(lab.aad_events().pop(), Some(AadEvent::DeviceRefused { status: 400, .. })));
    }
    let bare = Request::post("/EnrollmentServer/device/?api-version=2.0").body(Body::empty()).unwrap();
    assert_eq!(lab.send(bare).await.status, 400);
    assert!(lab.aad.devices().is_empty());
    assert_eq!(lab.join_with(&good, &join_body(0)).await.status, 200);
    lab.clock.advance(SignedDuration::from_hours(2)).await;
    assert_eq!(lab.join_with(&good, &join_body(0)).await.status, 400);
}

#[tokio::test]
async fn a_join_request_must_be_whole() {
    let lab = Lab::new();
    let token = lab.registration_token().await;
    let p256 = PrivateKey::generate(KeyKind::P256).unwrap();
    let csr = |key| json!(STANDARD.encode(certificate_request(key).unwrap()));
    let mut broken = certificate_request(device_key()).unwrap();
    *broken.last_mut().unwrap() ^= 1;
    let faults: [(&str, Value); 9] = [
        ("/CertificateRequest/Data", csr(&p256)),
        ("/CertificateRequest/Data", json!(STANDARD.encode(broken))),
        ("/CertificateRequest/Data", json!("@")),
        ("/CertificateRequest/Type", json!("pkcs7")),
        ("/TransportKey", json!("AAAA")),
        ("/TransportKey", Value::Null),
        ("/DeviceDisplayName", json!("")),
        ("/JoinType", json!(1)),
        ("/JoinType", json!("join")),
    ];
    for (member, value) in faults {
        let mut body = join_body(0);
        *body.pointer_mut(member).unwrap() = value;
        let reply = lab.join_with(&token, &body).await;
        assert_eq!((reply.status, &reply.json["Code"]), (400, &json!("BadRequest")), "{member}");
    }
    let request = Request::post("/EnrollmentServer/device/?api-version=9.0")
        .header("authorization", format!("Bearer {token}"))
        .body(Body::from(join_body(0).to_string()))
        .unwrap();
    assert_eq!(lab.send(request).await.status, 400);
    assert!(lab.aad.devices().is_empty());
    assert_eq!(lab.join_with(&token, &join_body(0)).await.status, 200);
}

#[tokio::test]
async fn join_type_8_is_a_join_and_6_is_not_a_post() {
    let lab = Lab::new();
    let token = lab.registration_token().await;
    let reply = lab.join_with(&token, &join_body(8)).await;
    assert_eq!(certificate(&reply).wpj.join_type, Some(b'1'));
    assert_eq!(lab.aad.devices()[0].trust, TrustType::AzureAd);
    assert_eq!(reply.json["MembershipChanges"][0]["LocalSID"], "S-1-5-32-544");
    let reply = lab.join_with(&token, &join_body(6)).await;
    assert_eq!((reply.status, &reply.json["Code"]), (400, &json!("BadRequest")));
    assert!(reply.json["Message"].as_str().unwrap().contains("PUT"), "{}", reply.json);
}

#[tokio::test]
async fn liberties_of_real_clients_are_taken() {
    let lab = Lab::new();
    let token = lab.registration_token().await;
    for version in ["1.0", "2.0", "3.0"] {
        for attributes in ["attributes", "Attributes"] {
            let mut body = join_body(0);
            body.as_object_mut().unwrap().remove("attributes");
            body[attributes] = json!({"ReuseDevice": "true", "ReturnClientSid": true, "SharedDevice": null});
            body["AikCertificate"] = json!("");
            let target = format!("/EnrollmentServer/device?api-version={version}");
            let reply = lab.json(Method::POST, &target, Some(&token), &body).await;
            assert_eq!(reply.status, 200, "{version} {attributes}: {}", reply.json);
        }
    }
    assert_eq!(lab.aad.devices().len(), 6);
}

#[tokio::test]
async fn a_transport_key_may_be_a_jwk() {
    let lab = Lab::new();
    let mut body = join_body(0);
    let jwk =
        json!({"kty": "RSA", "e": "AQAB", "n": STANDARD.encode([0xab; 256]), "alg": "RS256", "kid": "A"});
    body["TransportKey"] = json!(STANDARD.encode(jwk.to_string()));
    assert_eq!(lab.join_with(&lab.registration_token().await, &body).await.status, 200);
    assert_eq!(lab.aad.devices()[0].transport_key.as_ref().unwrap().modulus, [0xab; 256]);
}

#[tokio::test]
async fn a_device_deletes_itself_with_its_certificate() {
    let lab = Lab::new();
    let device = lab.join().await;
    let reply = lab.delete(device.id, &device.certificate, CertificateVerdict::Valid).await;
    assert_eq!((reply.status, reply.json), (200, Value::Null));
    assert!(lab.aad.devices().is_empty());
    let told = AadEvent::DeviceDeleted { tenant: TENANT, device: device.id };
    assert_eq!(lab.aad_events().pop(), Some(told));
    let again = lab.delete(device.id, &device.certificate, CertificateVerdict::Valid).await;
    assert_eq!((again.status, &again.json["Subcode"]), (400, &json!("DeviceNotFound")));
}

#[tokio::test]
async fn a_device_is_not_deleted_by_others() {
    let lab = Lab::new();
    let device = lab.join().await;
    let stranger = lab.certificate(authority(), DeviceId::zero(), &Overrides::default());
    let forged = lab.certificate(impostor(), device.id, &Overrides::default());
    let (real, valid) = (&device.certificate, CertificateVerdict::Valid);
    let attempts = [
        (real, CertificateVerdict::Revoked, 400),
        (real, CertificateVerdict::Expired, 400),
        (real, CertificateVerdict::UnknownIssuer, 400),
        (&forged, valid, 400),
        (&stranger, valid, 400),
    ];
    for (leaf, verdict, status) in attempts {
        let reply = lab.delete(device.id, leaf, verdict).await;
        assert_eq!((reply.status, &reply.json["Operation"]), (status, &json!("DeviceDelete")));
    }
    let bare =
        Request::delete(format!("/EnrollmentServer/device/{}", device.id)).body(Body::empty()).unwrap();
    assert_eq!(lab.send(bare).await.status, 400);
    assert_eq!(lab.aad.devices().len(), 1);
    assert_eq!(lab.delete(device.id, real, valid).await.status, 200);
}

#[tokio::test]
async fn any_spelling_of_the_service_will_do() {
    let lab = Lab::new();
    let app = "01cb2876-7ebd-4aa4-9cc9-d28bd4d359a9";
    let (slash, loud) = (format!("{DRS}/"), DRS.to_uppercase());
    for resource in [DRS, slash.as_str(), loud.as_str(), app, &app.to_uppercase()] {
        let token = lab.user_token(resource, BROKER).await;
        assert_eq!(lab.join_with(&token, &join_body(0)).await.status, 200, "{resource}");
    }
    let other = lab.user_token(RESOURCE, &NATIVE.to_string()).await;
    let refused = lab.join_with(&other, &join_body(0)).await;
    assert_eq!((refused.status, &refused.json["Subcode"]), (400, &json!("TokenInvalid")));
}

#[tokio::test]
async fn another_application_of_that_name_is_another() {
    let lab = Lab::new();
    let mut namesake = app(cmglab_proto::ids::AppId::new(uuid::Uuid::from_u128(55)), Some(DRS));
    namesake.public = true;
    lab.aad.add_app(namesake).unwrap();
    let native = NATIVE.to_string();
    let may = crate::Permission { resource: uuid::Uuid::from_u128(55).into(), ..may_act(SERVER) };
    lab.aad.grant_consent(NATIVE, may).unwrap();
    let token = lab.user_token(DRS, &native).await;
    assert_eq!(lab.join_with(&token, &join_body(0)).await.status, 400);
}
