//! Hybrid join of devices that the local domain has synchronised.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cmglab_events::kinds::{AadEvent, CertificateVerdict};
use cmglab_pki::read::Certificate;
use cmglab_pki::{PrivateKey, Profiles, registration};
use cmglab_proto::ids::DeviceId;
use cmglab_proto::wpj::JoinType;
use http::Method;
use jiff::SignedDuration;
use serde_json::{Value, json};
use uuid::{Uuid, uuid};

use super::lab::*;
use crate::{AadError, AccessRules, SyncedDevice, TrustType};

const PC: DeviceId = DeviceId::new(uuid!("cccccccc-0000-4000-8000-000000000001"));
const SID: &str = "S-1-5-21-1-2-3-1104";

/// The device's key in the local domain is `stolen_key`, its new one `device_key`.
fn synced(lab: &Lab) -> SyncedDevice {
    let identity = registration::certificate(&Profiles::builtin(), stolen_key(), now(), &lab.ids).unwrap();
    SyncedDevice {
        id: PC,
        object_id: Uuid::from_u128(41).into(),
        tenant: TENANT,
        name: "LAB-PC9".to_owned(),
        onprem_sid: SID.to_owned(),
        user_certificate: Some(identity.leaf().to_vec()),
    }
}

fn identity(sid: &str, key: &PrivateKey) -> Value {
    let blob = STANDARD.encode(key.sign_rs256(sid.as_bytes()).unwrap());
    json!({"Type": "sha256signed", "Sid": sid, "SignedBlob": blob})
}

fn body() -> Value {
    let join = join_body(0);
    json!({
        "CertificateRequest": join["CertificateRequest"],
        "ServerAdJoinData": {
            "TransportKey": join["TransportKey"],
            "TargetDomain": TENANT,
            "TargetDomainId": TENANT,
            "DeviceType": "Windows",
            "OSVersion": "10.0.19041.928",
            "DeviceDisplayName": ["LAB", "PC9"],
            "ClientIdentity": identity(&format!("{SID}.2026-03-01 12:00:00Z"), stolen_key()),
        },
        "JoinType": 6,
        "attributes": {"ReuseDevice": "true", "ReturnClientSid": "true"},
    })
}

async fn put(lab: &Lab, id: impl std::fmt::Display, body: &Value) -> Reply {
    let target = format!("/EnrollmentServer/device/{id}?api-version=2.0");
    lab.json(Method::PUT, &target, None, body).await
}

#[tokio::test]
async fn a_synchronised_device_joins_without_a_user() {
    let lab = Lab::new();
    lab.aad.sync_device(synced(&lab)).unwrap();
    let pending = lab.aad.devices().remove(0);
    assert_eq!(
        (pending.trust, pending.joined, pending.thumbprint),
        (TrustType::ServerAd, None, String::new())
    );
    let reply = put(&lab, PC.upper(), &body()).await;
    assert_eq!(reply.status, 200, "{}", reply.json);
    let der = STANDARD.decode(reply.json["Certificate"]["RawBody"].as_str().unwrap()).unwrap();
    let certificate = Certificate::parse(&der).unwrap();
    assert_eq!(certificate.subject, format!("CN={PC}"));
    assert_eq!((certificate.wpj.join_type, certificate.wpj.tenant_id), (Some(b'1'), Some(TENANT.guid())));
    assert_eq!(certificate.spki_der, device_key().spki_der());
    assert_eq!(reply.json["User"]["Upn"], "");
    assert_eq!(reply.json.get("MembershipChanges"), None);
    let device = lab.aad.devices().remove(0);
    assert_eq!(reply.json["Certificate"]["Thumbprint"], json!(device.thumbprint));
    assert_eq!((device.trust, device.joined), (TrustType::ServerAd, Some(now())));
    assert_eq!((device.name.as_str(), device.onprem_sid.as_deref()), ("LAB-PC9", Some(SID)));
    assert!(device.transport_key.is_some());
    let expected = AadEvent::DeviceJoined {
        tenant: TENANT,
        device: PC,
        object: device.object_id,
        join_type: JoinType::Hybrid,
        upn: String::new(),
    };
    assert_eq!(lab.aad_events().pop(), Some(expected));
}

#[tokio::test]
async fn joining_again_puts_another_certificate_in_place_of_the_first() {
    let lab = Lab::new();
    lab.aad.sync_device(synced(&lab)).unwrap();
    let mut certificates = Vec::new();
    for _ in 0..2 {
        let reply = put(&lab, PC, &body()).await;
        certificates.push(reply.json["Certificate"]["RawBody"].clone());
        lab.aad.sync_device(SyncedDevice { name: "NEW".to_owned(), ..synced(&lab) }).unwrap();
    }
    assert_ne!(certificates[0], certificates[1]);
    assert_eq!((lab.aad.devices().len(), lab.aad.devices()[0].name.as_str()), (1, "NEW"));
    let payload = lab.device_token_payload().await;
    let grant = ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer");
    for (x5c, codes) in [(&certificates[0], json!([50155])), (&certificates[1], Value::Null)] {
        let jws = signed(x5c, device_key(), &payload);
        let reply = lab.post("/common/oauth2/token", &[grant, ("request", &jws)]).await;
        assert_eq!(reply.json["error_codes"], codes, "{}", reply.json);
    }
    let der = |index: usize| STANDARD.decode(certificates[index].as_str().unwrap()).unwrap();
    let valid = CertificateVerdict::Valid;
    assert_eq!(lab.delete(PC, &der(0), valid).await.status, 400);
    assert_eq!(lab.delete(PC, &der(1), valid).await.status, 200);
    // Until it is synchronised anew.
    assert_eq!(put(&lab, PC, &body()).await.json["Subcode"], "DeviceNotFound");
    lab.aad.sync_device(synced(&lab)).unwrap();
    assert_eq!(put(&lab, PC, &body()).await.status, 200);
}

#[tokio::test]
async fn a_hybrid_device_is_joined_to_the_local_domain() {
    let mut config = config();
    config.apps[1].access = AccessRules { domain_joined_device: true, ..AccessRules::default() };
    let lab = Lab::with(&config);
    lab.aad.sync_device(synced(&lab)).unwrap();
    let hybrid = put(&lab, PC, &body()).await.json["Certificate"]["RawBody"].clone();
    let cloud = lab.join_with(&lab.registration_token().await, &join_body(0)).await;
    let cloud = cloud.json["Certificate"]["RawBody"].clone();
    for (x5c, codes) in [(hybrid, Value::Null), (cloud, json!([53001]))] {
        let reply = lab.on_device(&x5c, RESOURCE).await;
        assert_eq!(reply.json["error_codes"], codes, "{}", reply.json);
    }
}

#[tokio::test]
async fn every_fault_has_its_refusal() {
    let proof = |sid: &str| identity(sid, stolen_key());
    let with = |member: &str, value: Value| {
        let mut body = body();
        body["ServerAdJoinData"][member] = value;
        body
    };
    let mut join_type = body();
    join_type["JoinType"] = json!(0);
    let mut flipped =
        STANDARD.decode(body()["ServerAdJoinData"]["ClientIdentity"]["SignedBlob"].as_str().unwrap());
    flipped.as_mut().unwrap()[9] ^= 1;
    let mut bad_blob = proof(&format!("{SID}.2026-03-01 12:00:00Z"));
    bad_blob["SignedBlob"] = json!(STANDARD.encode(flipped.unwrap()));
    let mut unsigned = bad_blob.clone();
    unsigned["Type"] = json!("none");
    let client = "ClientIdentity";
    let stranger = identity(&format!("{SID}.2026-03-01 12:00:00Z"), device_key());
    let faults = [
        (join_type, 400, "BadRequest", "InvalidParameter"),
        (with("TransportKey", Value::Null), 400, "BadRequest", "InvalidParameter"),
        (with(client, Value::Null), 400, "BadRequest", "InvalidParameter"),
        (with(client, unsigned), 400, "BadRequest", "InvalidParameter"),
        (with("TargetDomainId", json!(OTHER_TENANT)), 400, "DirectoryError", "DeviceNotFound"),
        (with(client, bad_blob), 400, "AuthenticationError", "SignatureInvalid"),
        (with(client, stranger), 400, "AuthenticationError", "SignatureInvalid"),
        (with(client, proof("S-1-5-21-9.2026-03-01 12:00:00Z")), 400, "AuthenticationError", "SidMismatch"),
        (with(client, proof(SID)), 400, "AuthenticationError", "SignatureExpired"),
        (
            with(client, proof(&format!("{SID}.2026-03-01 11:54:59Z"))),
            400,
            "AuthenticationError",
            "SignatureExpired",
        ),
        (
            with(client, proof(&format!("{SID}.2026-03-01 12:05:01Z"))),
            400,
            "AuthenticationError",
            "SignatureExpired",
        ),
    ];
    let lab = Lab::new();
    assert_eq!(put(&lab, PC, &body()).await.json["Code"], "DirectoryError");
    let bare = SyncedDevice { user_certificate: None, ..synced(&lab) };
    lab.aad.sync_device(bare).unwrap();
    assert_eq!(put(&lab, PC, &body()).await.json["Subcode"], "UserCertificateNotFound");
    lab.aad.sync_device(synced(&lab)).unwrap();
    for (body, status, kind, subcode) in faults {
        let reply = put(&lab, PC, &body).await;
        let found = (reply.status, reply.json["Code"].as_str(), reply.json["Subcode"].as_str());
        assert_eq!(found, (status, Some(kind), Some(subcode)), "{}", reply.json);
    }
    assert_eq!(put(&lab, "x", &body()).await.json["Code"], "BadRequest");
    // Of a device that has joined from the cloud there is nothing in the local domain.
    let cloud = lab.join().await.id;
    assert_eq!(put(&lab, cloud, &body()).await.json["Subcode"], "DeviceNotFound");
    assert_eq!(
        lab.aad.devices().iter().filter(|device| device.id == PC && device.joined.is_some()).count(),
        0
    );
    for age in [0, 299, 1] {
        lab.clock.advance(SignedDuration::from_secs(age)).await;
        assert_eq!(put(&lab, PC, &body()).await.status, 200, "{age}");
    }
    lab.clock.advance(SignedDuration::from_secs(1)).await;
    assert_eq!(put(&lab, PC, &body()).await.status, 400);
}

#[tokio::test]
async fn devices_are_synchronised_from_the_start_or_later() {
    let lab = Lab::new();
    let mut config = config();
    config.devices.push(synced(&lab));
    assert_eq!(put(&Lab::with(&config), PC, &body()).await.status, 200);
    type Change = fn(&mut SyncedDevice);
    let changes: [(Change, &str); 5] = [
        (|device| device.tenant = cmglab_proto::ids::TenantId::zero(), "there is no tenant"),
        (|device| device.tenant = OTHER_TENANT, "device"),
        (|device| device.onprem_sid = "1104".to_owned(), "SID"),
        (|device| device.user_certificate = Some(vec![1]), "certificate of an RSA key"),
        (|device| device.id = DeviceId::zero(), "object id"),
    ];
    for (change, word) in changes {
        let mut device = synced(&lab);
        change(&mut device);
        lab.aad.sync_device(synced(&lab)).unwrap();
        let error = lab.aad.sync_device(device).unwrap_err().to_string();
        assert!(error.contains(word), "{error:?} lacks {word:?}");
    }
    let cloud = lab.join().await.id;
    let taken = lab.aad.sync_device(SyncedDevice { id: cloud, ..synced(&lab) });
    assert!(matches!(taken, Err(AadError::Duplicate { .. })), "{taken:?}");
}
