//! The peer-to-peer certificate.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cmglab_events::kinds::AadEvent;
use cmglab_pki::read::Certificate;
use cmglab_pki::wpj::certificate_request;
use serde_json::{Value, json};

use super::broker::*;
use super::lab::*;

async fn wish(broker: &Broker) -> Value {
    json!({
        "iss": "aad:brokerplugin",
        "grant_type": "device_auth",
        "cert_token_use": "device_cert",
        "client_id": SIGN_IN,
        "csr_type": "http://schemas.microsoft.com/windows/pki/2009/01/enrollment#PKCS10",
        "csr": STANDARD.encode(certificate_request(transport_key()).unwrap()),
        "netbios_name": "LAB-PC1",
        "dns_names": ["lab-pc1.lab.test"],
        "request_nonce": broker.lab.nonce().await,
    })
}

#[tokio::test]
async fn a_device_gets_one() {
    let broker = Broker::new().await;
    let path = format!("/{TENANT}/oauth2/token");
    let answer = broker.post(&path, &broker.by_device(&wish(&broker).await)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let json = answer.json();
    assert_eq!((&json["token_type"], &json["cert_token_use"]), (&json!("x509"), &json!("device_cert")));
    let certificate =
        |name: &str| Certificate::parse(&STANDARD.decode(json[name].as_str().unwrap()).unwrap()).unwrap();
    let (leaf, above) = (certificate("x5c"), certificate("x5c_ca"));
    assert_eq!(leaf.is_signed_by(&above), Ok(()));
    assert_eq!(leaf.spki_der, transport_key().spki_der());
    assert_eq!(leaf.subject_common_name, Some(broker.device.to_string()));
    assert_eq!(leaf.dns_names, ["lab-pc1.lab.test"]);
    assert_eq!(above.subject_common_name.as_deref(), Some("MS-Organization-P2P-Access [2026]"));
    let told = broker.lab.aad_events().pop().unwrap();
    assert!(matches!(told, AadEvent::PeerCertificateIssued { device, .. } if device == broker.device));
}

#[tokio::test]
async fn it_proves_nothing_to_azure_ad() {
    let mut broker = Broker::new().await;
    let json = broker.post(V1, &broker.by_device(&wish(&broker).await)).await.json();
    broker.certificate = STANDARD.decode(json["x5c"].as_str().unwrap()).unwrap();
    let jws = signed(&broker.x5c(), transport_key(), &broker.wish().await);
    assert_eq!(broker.post(V1, &jws).await.code(), 50155);
}

type Fault = (fn(&mut Value), u32, &'static str);

const FAULTS: &[Fault] = &[
    (|wish| wish["cert_token_use"] = Value::Null, 900_144, "cert_token_use"),
    (|wish| wish["cert_token_use"] = json!("user_cert"), 9_002_313, "cert_token_use"),
    (|wish| wish["csr_type"] = json!("other"), 9_002_313, "csr_type"),
    (|wish| wish["csr"] = Value::Null, 900_144, "csr"),
    (|wish| wish["csr"] = json!("@"), 9_002_313, "base64"),
    (|wish| wish["csr"] = json!("AAAA"), 9_002_313, "certificate request"),
    (|wish| wish["dns_names"] = json!("pc1"), 9_002_313, "dns_names"),
    (|wish| wish["dns_names"] = json!(["not a name"]), 9_002_313, "DNS name"),
    (|wish| wish["dns_names"] = json!(vec!["pc"; 17]), 9_002_313, "dns_names"),
    (|wish| wish["request_nonce"] = Value::Null, 140_000, "nonce"),
];

#[tokio::test]
async fn every_check_refuses_its_own_fault() {
    let broker = Broker::new().await;
    for (fault, code, word) in FAULTS {
        let mut wish = wish(&broker).await;
        fault(&mut wish);
        let answer = broker.post(V1, &broker.by_device(&wish)).await;
        assert_eq!(answer.code(), json!(code), "{}", answer.text);
        assert!(answer.text.contains(word), "{} lacks {word}", answer.text);
    }
    let mut nameless = wish(&broker).await;
    nameless.as_object_mut().unwrap().remove("dns_names");
    assert_eq!(broker.post(V1, &broker.by_device(&nameless)).await.status, 200);
}

#[tokio::test]
async fn the_certificate_must_be_one_text() {
    let broker = Broker::new().await;
    let wish = wish(&broker).await;
    let list = signed(&json!([broker.x5c()]), device_key(), &wish);
    assert_eq!(broker.post(V1, &list).await.code(), 9_002_313);
    assert_eq!(broker.post(V1, &broker.by_device(&wish)).await.status, 200);
    assert_eq!(broker.post("/other.test/oauth2/token", &broker.by_device(&wish)).await.code(), 50155);
    broker.lab.aad.disable_device(broker.device).unwrap();
    assert_eq!(broker.post(V1, &broker.by_device(&wish)).await.code(), 135_011);
}
