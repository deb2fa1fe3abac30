//! Certificates that were revoked: on the published list, at the token endpoint, at device registration.

use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cmglab_events::Role;
use cmglab_events::kinds::CertificateVerdict;
use cmglab_fault::Faults;
use cmglab_net::{Deps, Resolver};
use cmglab_pki::Authority;
use cmglab_pki::read::{Certificate, Crl};
use cmglab_proto::ids::DeviceId;
use cmglab_revocation::{Revocation, RevocationConfig};
use cmglab_tls::CertStore;
use http::Request;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::lab::*;
use crate::AadError;

/// The list as it is published where the certificate says.
async fn published(lab: &Lab, authority: &Authority, certificate: &Certificate) -> Crl {
    let deps = Deps {
        clock: lab.clock.clone(),
        ids: lab.ids.fork("crl"),
        events: lab.events.source("crl.lab.test", Role::Revocation, &lab.clock),
        store: CertStore::new(lab.clock.clone()),
        resolver: Resolver::new(),
        faults: Faults::default(),
    };
    let host = Revocation::new(&RevocationConfig::default(), [authority.clone()], String::new(), deps);
    let path = certificate.crl_urls[0].strip_prefix("http://crl.lab.test").unwrap();
    let response = host.router().oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.status(), 200);
    let list = Crl::parse(&response.into_body().collect().await.unwrap().to_bytes()).unwrap();
    assert_eq!(list.is_signed_by(&Certificate::parse(authority.cert_der()).unwrap()), Ok(()));
    list
}

async fn device_token(lab: &Lab, certificate: &[u8]) -> Reply {
    let payload = lab.device_token_payload().await;
    let jws = signed(&json!(STANDARD.encode(certificate)), device_key(), &payload);
    let grant = ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer");
    lab.post("/common/oauth2/token", &[grant, ("request", &jws)]).await
}

#[tokio::test]
async fn a_revoked_certificate_is_on_the_list_and_proves_nothing() {
    let authority = new_authority();
    let lab = Lab::under(&config(), &authority);
    let (joined, other) = (lab.join().await, lab.join().await);
    let certificate = Certificate::parse(&joined.certificate).unwrap();
    assert!(!published(&lab, &authority, &certificate).await.revokes(&certificate.serial));
    assert_eq!(device_token(&lab, &joined.certificate).await.status, 200);

    lab.aad.revoke_certificate(joined.id).unwrap();
    assert!(published(&lab, &authority, &certificate).await.revokes(&certificate.serial));
    let reply = device_token(&lab, &joined.certificate).await;
    assert_eq!((reply.status, &reply.json["error_codes"]), (400, &json!([50155])));
    assert!(reply.json["error_description"].as_str().unwrap().contains("is revoked"));
    // The port may still judge by an older list.
    let reply = lab.delete(joined.id, &joined.certificate, CertificateVerdict::Valid).await;
    assert_eq!((reply.status, &reply.json["Subcode"]), (400, &json!("CertificateInvalid")));
    assert!(reply.json["Message"].as_str().unwrap().contains("revoked"));
    assert_eq!(lab.aad.devices().len(), 2);

    let unharmed = Certificate::parse(&other.certificate).unwrap();
    assert!(!published(&lab, &authority, &unharmed).await.revokes(&unharmed.serial));
    assert_eq!(device_token(&lab, &other.certificate).await.status, 200);
    let reply = lab.delete(other.id, &other.certificate, CertificateVerdict::Valid).await;
    assert_eq!((reply.status, reply.json), (200, Value::Null));
}

#[tokio::test]
async fn switching_off_and_deleting_revoke_nothing() {
    let authority = new_authority();
    let lab = Lab::under(&config(), &authority);
    let joined = lab.join().await;
    let certificate = Certificate::parse(&joined.certificate).unwrap();
    lab.aad.disable_device(joined.id).unwrap();
    lab.aad.delete_device(joined.id).unwrap();
    assert!(published(&lab, &authority, &certificate).await.revoked.is_empty());
}

#[tokio::test]
async fn what_has_no_certificate_cannot_be_revoked() {
    let lab = Lab::new();
    let nobody = DeviceId::zero();
    assert_eq!(lab.aad.revoke_certificate(nobody), Err(AadError::UnknownDevice(nobody)));
    let pending = crate::SyncedDevice {
        id: nobody,
        object_id: uuid::Uuid::from_u128(41).into(),
        tenant: TENANT,
        name: "PC".to_owned(),
        onprem_sid: "S-1-5-21-1-2-3-1104".to_owned(),
        user_certificate: None,
    };
    lab.aad.sync_device(pending).unwrap();
    assert_eq!(lab.aad.revoke_certificate(nobody), Err(AadError::NoCertificate(nobody)));
}
