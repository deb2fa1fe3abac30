//! The device token: what it says, and every check by its real cause.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cmglab_events::kinds::AadEvent;
use cmglab_pki::{Overrides, PrivateKey};
use cmglab_pki::{Validity, read};
use cmglab_proto::claims::AadTokenKind;
use cmglab_proto::ids::DeviceId;
use jiff::SignedDuration;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::lab::*;

/// A request that succeeds, until something in it is changed.
struct Attempt {
    lab: Lab,
    device: DeviceId,
    path: String,
    outer: Vec<(&'static str, String)>,
    x5c: Value,
    key: &'static PrivateKey,
    payload: Value,
    garble: fn(String) -> String,
}

impl Attempt {
    async fn new() -> Self {
        let lab = Lab::new();
        let device = lab.join().await;
        let payload = lab.device_token_payload().await;
        Self {
            device: device.id,
            path: format!("/{TENANT}/oauth2/token"),
            outer: vec![
                ("windows_api_version", "2.2".to_owned()),
                ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer".to_owned()),
            ],
            x5c: json!(STANDARD.encode(device.certificate)),
            key: device_key(),
            payload,
            garble: |jws| jws,
            lab,
        }
    }

    fn use_certificate(&mut self, certificate: &[u8]) {
        self.x5c = json!(STANDARD.encode(certificate));
    }

    async fn send(&self) -> Reply {
        let jws = (self.garble)(signed(&self.x5c, self.key, &self.payload));
        let outer = self.outer.iter().map(|(name, value)| (*name, value.as_str()));
        let form: Vec<_> = outer.chain([("request", jws.as_str())]).collect();
        self.lab.post(&self.path, &form).await
    }

    async fn code(&self) -> Value {
        let reply = self.send().await;
        assert_eq!((reply.status, reply.json.get("access_token")), (400, None), "{}", reply.json);
        reply.json["error_codes"][0].clone()
    }
}

#[tokio::test]
async fn a_device_token_says_what_real_ones_say() {
    let attempt = Attempt::new().await;
    let reply = attempt.send().await;
    assert_eq!(reply.status, 200, "{}", reply.json);
    let members: Vec<_> = reply.json.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = [
        "access_token",
        "expires_in",
        "expires_on",
        "ext_expires_in",
        "not_before",
        "resource",
        "token_type",
    ];
    assert_eq!(members, expected);
    assert_eq!(reply.json["expires_in"], "3899");
    let claims = attempt.lab.claims(&reply.json["access_token"], &v1_issuer(), RESOURCE).await;
    let device = attempt.lab.aad.devices().remove(0);
    assert_eq!(claims["sub"], json!(device.id));
    assert_eq!(claims["deviceid"], json!(device.id));
    assert_eq!(claims["oid"], json!(device.object_id));
    assert_ne!(claims["oid"], claims["sub"]);
    assert_eq!(claims["idtyp"], "device");
    assert_eq!(claims["amr"], json!(["rsa"]));
    assert_eq!(claims["ver"], "1.0");
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["nbf"].as_i64().unwrap(), 3900);
    assert_eq!(claims["iat"], claims["nbf"]);
    for absent in ["upn", "unique_name", "scp", "puid", "appid", "onprem_sid"] {
        assert!(!claims.contains_key(absent), "{absent}");
    }
    let (header, _) = cmglab_token::peek(reply.json["access_token"].as_str().unwrap()).unwrap();
    assert_eq!(header.kid.as_deref(), Some(signing_keys().current.kid()));
    assert_eq!(header.x5t, header.kid);
}

#[tokio::test]
async fn what_happened_is_told_without_secrets() {
    let attempt = Attempt::new().await;
    let token = attempt.send().await.json["access_token"].clone();
    let issued = attempt.lab.aad_events().pop().unwrap();
    let AadEvent::TokenIssued { grant, kind, device, user, client_id, resource, .. } = &issued else {
        panic!("{issued:?}")
    };
    assert_eq!((grant.as_str(), *kind), ("device_token", Some(AadTokenKind::Device)));
    assert_eq!((*device, *user, *client_id), (Some(attempt.device), None, NATIVE));
    assert_eq!(resource, RESOURCE);
    let told = serde_json::to_string(&attempt.lab.events.snapshot()).unwrap();
    let nonce = attempt.payload["request_nonce"].as_str().unwrap();
    for secret in [token.as_str().unwrap(), nonce, PASSWORD] {
        assert!(!told.contains(secret));
    }
}

#[tokio::test]
async fn liberties_of_real_clients_are_taken() {
    let mut attempt = Attempt::new().await;
    let text = attempt.x5c.as_str().unwrap().to_owned();
    let with_breaks = format!("{}\n{}\r\n", &text[..64], &text[64..]);
    let forms = [json!([text]), json!(with_breaks), json!(text)];
    for x5c in forms {
        attempt.x5c = x5c;
        assert_eq!(attempt.send().await.status, 200);
    }
    for path in [
        "/common/oauth2/token",
        "/Common/OAuth2/Token/",
        "/lab.test/oauth2/token",
        "/organizations/oauth2/token",
    ] {
        attempt.path = path.to_owned();
        assert_eq!(attempt.send().await.status, 200, "{path}");
    }
    attempt.path = "/common/oauth2/v2.0/token".to_owned();
    let reply = attempt.send().await;
    assert_eq!(reply.json["expires_in"], 3899);
    attempt.payload["resource"] = Value::Null;
    attempt.payload["scope"] = json!(format!("{RESOURCE}/.default openid"));
    assert_eq!(attempt.send().await.status, 200);
}

#[tokio::test]
async fn the_audience_is_the_name_asked_by() {
    let mut attempt = Attempt::new().await;
    for resource in ["https://ConfigMgrService/", &SERVER.to_string()] {
        attempt.payload["resource"] = json!(resource);
        let reply = attempt.send().await;
        let claims = attempt.lab.claims(&reply.json["access_token"], &v1_issuer(), resource).await;
        assert_eq!(claims["aud"], json!(resource));
    }
}

#[tokio::test]
async fn the_resource_decides_the_version() {
    let mut attempt = Attempt::new().await;
    attempt.payload["resource"] = json!("https://v2");
    let reply = attempt.send().await;
    let issuer = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
    let claims = attempt.lab.claims(&reply.json["access_token"], &issuer, &SERVER_V2.to_string()).await;
    assert_eq!(claims["ver"], "2.0");
    let (header, _) = cmglab_token::peek(reply.json["access_token"].as_str().unwrap()).unwrap();
    assert_eq!(header.x5t, None);
}

#[tokio::test]
async fn a_nonce_is_good_for_five_minutes_and_more_than_once() {
    let mut attempt = Attempt::new().await;
    attempt.lab.clock.advance(SignedDuration::from_secs(299)).await;
    assert_eq!(attempt.send().await.status, 200);
    assert_eq!(attempt.send().await.status, 200);
    attempt.lab.clock.advance(SignedDuration::from_secs(1)).await;
    assert_eq!(attempt.code().await, 140_000);
    attempt.payload["request_nonce"] = json!(attempt.lab.nonce().await);
    assert_eq!(attempt.send().await.status, 200);
}

#[tokio::test]
async fn a_device_that_is_enabled_again_gets_tokens_again() {
    let attempt = Attempt::new().await;
    attempt.lab.aad.disable_device(attempt.device).unwrap();
    let reply = attempt.send().await;
    assert_eq!(reply.json["suberror"], "device_authentication_failed");
    attempt.lab.aad.enable_device(attempt.device).unwrap();
    assert_eq!(attempt.send().await.status, 200);
}

#[tokio::test]
async fn a_certificate_that_was_not_issued_for_the_device_object_is_refused() {
    let mut attempt = Attempt::new().await;
    let twin = attempt.lab.certificate(authority(), attempt.device, &Overrides::default());
    let (twin_id, real) = (read::sha1_thumbprint(&twin), &attempt.lab.aad.devices()[0].thumbprint);
    assert_ne!(&twin_id, real);
    attempt.use_certificate(&twin);
    assert_eq!(attempt.code().await, 50155);
}

/// Every check, in the order of the specification: a change of one property, its code, a word of its text.
type Fault = (fn(&mut Attempt), u32, &'static str);

const FAULTS: &[Fault] = &[
    (|attempt| attempt.outer[0] = ("request", "twice".to_owned()), 9_000_411, "'request' is duplicated"),
    (|attempt| attempt.outer.truncate(1), 900_144, "grant_type"),
    (|attempt| attempt.garble = |_| String::new(), 900_144, "request"),
    (|attempt| attempt.garble = |jws| jws.replace('.', "_"), 9_002_313, "three parts"),
    (|attempt| attempt.garble = |jws| format!("{}{jws}", "A".repeat(17_000)), 9_002_313, "too large"),
    (|attempt| set(attempt, "grant_type", Value::Null), 900_144, "grant_type"),
    (|attempt| set(attempt, "grant_type", json!("magic")), 70003, "magic"),
    (|attempt| attempt.x5c = Value::Null, 50187, "not provided"),
    (foreign_authority, 50155, "not issued by this service"),
    (|attempt| attempt.key = stolen_key(), 50155, "signature"),
    (expired, 50155, "valid from"),
    (not_yet_valid, 50155, "valid from"),
    (no_such_device, 700_003, "Device object was not found"),
    (|attempt| attempt.lab.aad.disable_device(attempt.device).unwrap(), 135_011, "disabled"),
    (|attempt| set(attempt, "request_nonce", Value::Null), 140_000, "not provided"),
    (|attempt| set(attempt, "request_nonce", json!("AwABAAAAAAA")), 140_000, "not one"),
    (|attempt| attempt.path = "/nowhere.test/oauth2/token".to_owned(), 90002, "nowhere.test"),
    (|attempt| attempt.path = format!("/{OTHER_TENANT}/oauth2/token"), 50155, "belongs to tenant"),
    (|attempt| set(attempt, "client_id", Value::Null), 900_144, "client_id"),
    (
        |attempt| attempt.lab.aad.unregister_app(NATIVE).unwrap(),
        700_016,
        "aaaaaaaa-0000-4000-8000-000000000001",
    ),
    (|attempt| set(attempt, "redirect_uri", Value::Null), 900_144, "redirect_uri"),
    (
        |attempt| set(attempt, "redirect_uri", json!("ms-appx-web://elsewhere")),
        50011,
        "ms-appx-web://elsewhere",
    ),
    (|attempt| set(attempt, "resource", Value::Null), 900_144, "resource"),
    (|attempt| set(attempt, "resource", json!("https://Other")), 500_011, "https://Other"),
    (|attempt| attempt.lab.aad.set_device_only_auth(SERVER, false).unwrap(), 50097, "of a device alone"),
];

#[tokio::test]
async fn every_check_refuses_its_own_fault() {
    for (fault, code, word) in FAULTS {
        let mut attempt = Attempt::new().await;
        fault(&mut attempt);
        assert_eq!(attempt.code().await, *code);
        let Some(AadEvent::Refused { code: told, text, .. }) = attempt.lab.aad_events().pop() else {
            panic!("no event for {code}")
        };
        assert_eq!(told, *code);
        assert!(text.contains(word), "{text:?} lacks {word:?}");
    }
}

#[tokio::test]
async fn the_first_fault_counts() {
    for (index, (_, code, word)) in FAULTS.iter().enumerate() {
        // What breaks the whole request leaves no room for a second fault beside it.
        let mut attempt = Attempt::new().await;
        for (fault, ..) in FAULTS[index..].iter().rev() {
            fault(&mut attempt);
        }
        assert_eq!(attempt.code().await, *code, "{word}");
    }
}

fn set(attempt: &mut Attempt, name: &str, value: Value) {
    let payload: &mut Map<String, Value> = attempt.payload.as_object_mut().unwrap();
    payload.insert(name.to_owned(), value);
}

fn foreign_authority(attempt: &mut Attempt) {
    attempt.key = device_key();
    attempt.use_certificate(&attempt.lab.certificate(impostor(), attempt.device, &Overrides::default()));
}

fn expired(attempt: &mut Attempt) {
    let ended = Validity::ended(now(), SignedDuration::from_secs(1)).unwrap();
    attempt.use_certificate(&attempt.lab.certificate(authority(), attempt.device, &ended.into()));
}

fn not_yet_valid(attempt: &mut Attempt) {
    let starting = Validity::starting(now(), SignedDuration::from_secs(1)).unwrap();
    attempt.use_certificate(&attempt.lab.certificate(authority(), attempt.device, &starting.into()));
}

fn no_such_device(attempt: &mut Attempt) {
    let stranger = DeviceId::new(Uuid::from_u128(12));
    attempt.use_certificate(&attempt.lab.certificate(authority(), stranger, &Overrides::default()));
}

#[tokio::test]
async fn the_brokers_redirect_uri_is_written_in_either_case() {
    let mut attempt = Attempt::new().await;
    set(&mut attempt, "redirect_uri", json!(format!("MS-APPX-WEB://microsoft.aad.brokerplugin/{NATIVE}")));
    assert_eq!(attempt.send().await.status, 200);
    set(&mut attempt, "redirect_uri", json!("HTTP://localhost"));
    assert_eq!(attempt.code().await, 50011);
}
