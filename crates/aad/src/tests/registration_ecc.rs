//! Devices with keys on P-256, as version 3.0 of the join has them.

use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cmglab_pki::read::Certificate;
use cmglab_pki::wpj::certificate_request;
use cmglab_pki::{KeyKind, PrivateKey};
use http::Method;
use serde_json::{Value, json};

use super::lab::*;

fn p256() -> &'static PrivateKey {
    static KEY: OnceLock<PrivateKey> = OnceLock::new();
    KEY.get_or_init(|| PrivateKey::generate(KeyKind::P256).unwrap())
}

fn other_p256() -> &'static PrivateKey {
    static KEY: OnceLock<PrivateKey> = OnceLock::new();
    KEY.get_or_init(|| PrivateKey::generate(KeyKind::P256).unwrap())
}

fn jwk(key: &PrivateKey) -> Value {
    let point = key.public_key();
    let (x, y) = (STANDARD.encode(&point[1..33]), STANDARD.encode(&point[33..]));
    json!({"kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": "A"})
}

fn body() -> Value {
    json!({
        "AikCertificate": "",
        "AttestationData": "",
        "CertificateRequest": {
            "Data": STANDARD.encode(certificate_request(p256()).unwrap()),
            "KeySecurity": "SecureEnclave",
            "KeyType": "ECC",
            "Type": "pkcs10",
        },
        "DeviceDisplayName": "MAC1",
        "DeviceKeys": [{"Data": jwk(p256()).to_string(), "Encoding": "JWK", "Type": "ECC", "Usage": "STK"}],
        "DeviceType": "MacOS",
        "JoinType": 0,
        "OSVersion": "14.5.0",
        "TargetDomain": "lab.test",
    })
}

async fn join(lab: &Lab, version: &str, body: &Value) -> Reply {
    let token = lab.registration_token().await;
    let target = format!("/EnrollmentServer/device/?api-version={version}");
    lab.json(Method::POST, &target, Some(&token), body).await
}

#[tokio::test]
async fn a_p256_device_joins_and_proves_itself_with_es256() {
    let lab = Lab::new();
    let reply = join(&lab, "3.0", &body()).await;
    assert_eq!(reply.status, 200, "{}", reply.json);
    let x5c = reply.json["Certificate"]["RawBody"].clone();
    let certificate = Certificate::parse(&STANDARD.decode(x5c.as_str().unwrap()).unwrap()).unwrap();
    assert_eq!((certificate.rsa, certificate.spki_der), (None, p256().spki_der().to_vec()));
    let device = lab.aad.devices().remove(0);
    assert_eq!(certificate.subject, format!("CN={}", device.id));
    assert_eq!(device.transport_key, None);
    assert_eq!(device.ec_transport_key.unwrap().point, p256().public_key());

    let payload = lab.device_token_payload().await;
    let ask = |key| {
        let jws = signed(&x5c, key, &payload);
        let lab = &lab;
        async move {
            let grant = ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer");
            lab.post("/common/oauth2/token", &[grant, ("request", &jws)]).await
        }
    };
    let reply = ask(p256()).await;
    let claims = lab.claims(&reply.json["access_token"], &v1_issuer(), RESOURCE).await;
    assert_eq!(claims["deviceid"], json!(device.id));
    for stranger in [other_p256(), device_key()] {
        assert_eq!(ask(stranger).await.json["error_codes"], json!([50155]));
    }
}

#[tokio::test]
async fn its_key_may_be_sent_as_base64_or_be_rsa() {
    let lab = Lab::new();
    let mut wrapped = body();
    wrapped["DeviceKeys"][0]["Data"] = json!(STANDARD.encode(jwk(p256()).to_string()));
    assert_eq!(join(&lab, "3.0", &wrapped).await.status, 200);
    let mut rsa = body();
    rsa["DeviceKeys"][0] = json!({"Data": join_body(0)["TransportKey"], "Type": "RSA", "Usage": "stk"});
    assert_eq!(join(&lab, "3.0", &rsa).await.status, 200);
    let mut windows = body();
    windows["TransportKey"] = join_body(0)["TransportKey"].clone();
    windows["DeviceKeys"] = Value::Null;
    assert_eq!(join(&lab, "3.0", &windows).await.status, 200);
    let rsa = lab.aad.devices().into_iter().filter(|device| device.transport_key.is_some());
    assert_eq!((rsa.count(), lab.aad.devices().len()), (2, 3));
}

#[tokio::test]
async fn what_does_not_fit_is_refused() {
    let lab = Lab::new();
    let data = |key| json!(STANDARD.encode(certificate_request(key).unwrap()));
    let key = |jwk: &Value| json!([{"Data": jwk.to_string(), "Usage": "STK"}]);
    let mut beside = jwk(p256());
    beside["y"] = jwk(other_p256())["y"].clone();
    let transport = || json!(STANDARD.encode(jwk(p256()).to_string()));
    let faults = [
        ("2.0", "KeyType", json!("ECC"), "needs api-version 3.0"),
        ("3.0", "KeyType", json!("RSA"), "must be RSA of 2048 bits"),
        ("3.0", "KeyType", json!("Ed25519"), "RSA or ECC"),
        ("3.0", "Data", data(device_key()), "must be P-256"),
        ("3.0", "DeviceKeys", json!([]), "TransportKey is missing"),
        ("3.0", "DeviceKeys", key(&beside), "DeviceKeys: the key is neither"),
        ("3.0", "DeviceKeys", json!([{"Data": jwk(p256()).to_string(), "Usage": "other"}]), "is missing"),
        ("3.0", "DeviceKeys", json!(vec![body()["DeviceKeys"][0].clone(); 9]), "more than 8"),
        ("3.0", "TransportKey", transport(), "must be RSA"),
    ];
    for (version, member, value, word) in faults {
        let mut body = body();
        match member {
            "KeyType" | "Data" => body["CertificateRequest"][member] = value,
            _ => body[member] = value,
        }
        let reply = join(&lab, version, &body).await;
        assert_eq!((reply.status, &reply.json["Code"]), (400, &json!("BadRequest")), "{member}");
        let message = reply.json["Message"].as_str().unwrap();
        assert!(message.contains(word), "{message:?} lacks {word:?}");
    }
    assert!(lab.aad.devices().is_empty());
    assert_eq!(join(&lab, "3.0", &body()).await.status, 200);
}
