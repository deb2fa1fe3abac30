use bytes::Bytes;
use cmglab_ids::Ids;
use cmglab_pki::{Authority, KeyKind, PrivateKey, Profiles, wpj};
use proptest::prelude::*;
use uuid::Uuid;

use super::*;

fn device() -> Identity {
    let (now, ids) = ("2026-03-01T12:00:00Z".parse().unwrap(), Ids::seeded(1));
    let authority =
        Authority::create_root(&Profiles::builtin(), "ms-organization-access", now, &ids).unwrap();
    let key = PrivateKey::generate(KeyKind::Rsa2048).unwrap();
    let subject = wpj::WpjSubject {
        device_id: Uuid::from_u128(1),
        object_id: Uuid::from_u128(2),
        tenant_id: Uuid::from_u128(3),
        join_type: b'1',
        region: "EU".to_owned(),
    };
    let request = wpj::certificate_request(&key).unwrap();
    Identity::new(vec![authority.issue_wpj(&request, &subject, now, &ids).unwrap()], key)
}

#[test]
fn the_device_request_is_signed_and_has_the_observed_members() {
    let identity = device();
    let app = AadApp {
        tenant: "0fdd4c0a-6d7e-4c93-9b2b-1f0f0d1c2b3a".parse().unwrap(),
        client_app: "22ed38d9-0000-4036-8000-a98452fda4fc".parse().unwrap(),
        resource: "https://ConfigMgrService".to_owned(),
    };
    let jws = device_request(&app, "AwABAA", "10.0.22631.0", &identity).unwrap();
    let read = jws_x5c::verify(&jws).unwrap();
    assert_eq!(read.leaf_der(), identity.leaf());
    assert!(read.header["x5c"].is_string());
    assert_eq!((&read.header["alg"], &read.header["kdf_ver"]), (&"RS256".into(), &2.into()));
    let expected = serde_json::json!({
        "resource": "https://ConfigMgrService",
        "client_id": "22ed38d9-0000-4036-8000-a98452fda4fc",
        "request_nonce": "AwABAA",
        "win_ver": "10.0.22631.0",
        "grant_type": "device_token",
        "redirect_uri": "ms-appx-web://Microsoft.AAD.BrokerPlugin/22ed38d9-0000-4036-8000-a98452fda4fc",
        "iss": "aad:brokerplugin",
    });
    assert_eq!(serde_json::Value::Object(read.payload), expected);

    let mut other = jws.into_bytes();
    let at = other.len() - 10;
    other[at] = if other[at] == b'A' { b'B' } else { b'A' };
    assert!(jws_x5c::verify(&String::from_utf8(other).unwrap()).is_err());
}

#[test]
fn forms_are_escaped() {
    assert_eq!(form(&[("a b", "p&q=é+"), ("c", "-._*~")]), "a+b=p%26q%3D%C3%A9%2B&c=-._*%7E");
}

#[test]
fn answers_are_read_and_never_quoted() {
    assert_eq!(nonce(br#"{"Nonce":"AwABAA"}"#).unwrap(), "AwABAA");
    assert_eq!(access_token(br#"{"access_token":"a.b.c","x":1}"#).unwrap().expose(), "a.b.c");
    let error = access_token(br#"{"access_token":["secret"]}"#).unwrap_err();
    assert!(!error.to_string().contains("secret"), "{error}");
    assert!(nonce(b"<html>").is_err());
}

#[test]
fn refusals_are_read_or_told_by_their_status() {
    let answer = |body: &'static [u8]| Answer {
        status: 400,
        reason: "Bad Request".to_owned(),
        headers: http::HeaderMap::new(),
        body: Bytes::from_static(body),
    };
    let read = refusal(&answer(
        br#"{"error":"invalid_grant","error_description":"AADSTS50126: no\r\n","error_codes":[50126],"x":1}"#,
    ));
    assert_eq!((read.error.as_str(), read.code), ("invalid_grant", Some(50126)));
    assert_eq!(read.description, "AADSTS50126: no");
    let bare = refusal(&answer(b"<html>"));
    assert_eq!((bare.error.as_str(), bare.code, bare.description.as_str()), ("Bad Request", None, ""));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_answer_is_read_without_panic(body: Vec<u8>) {
        let answer = Answer {
            status: 400,
            reason: String::new(),
            headers: http::HeaderMap::new(),
            body: body.clone().into(),
        };
        let _ = (nonce(&body), access_token(&body), refusal(&answer));
    }
}
