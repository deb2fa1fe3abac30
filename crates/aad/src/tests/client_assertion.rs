//! Assertions that applications sign with a certificate.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::clients::*;
use super::lab::*;

const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const V2: &str = "/lab.test/oauth2/v2.0/token";

async fn post(lab: &Lab, path: &str, jws: &str, changes: &[(&'static str, &str)]) -> Reply {
    let (scope, client) = (format!("{RESOURCE}/.default"), WEB.to_string());
    let mut form = vec![
        ("grant_type", "client_credentials"),
        ("client_id", client.as_str()),
        ("client_assertion_type", TYPE),
        ("client_assertion", jws),
        ("scope", scope.as_str()),
    ];
    for (name, value) in changes {
        form.retain(|(known, _)| known != name);
        form.push((*name, value));
    }
    lab.post(path, &form).await
}

fn x5t(der: &[u8]) -> String {
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, der);
    URL_SAFE_NO_PAD.encode(hash)
}

fn x5t_s256(der: &[u8]) -> String {
    URL_SAFE.encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, der))
}

fn good(claims: &Value) -> String {
    p256().jws(&json!({"alg": "ES256", "typ": "JWT", "x5t": x5t(&p256().der)}), claims)
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

#[tokio::test]
async fn libraries_sign_and_name_their_certificate_in_their_own_ways() {
    let lab = Lab::new();
    let lines: Vec<String> = STANDARD
        .encode(&rsa().der)
        .as_bytes()
        .chunks(64)
        .map(|line| String::from_utf8_lossy(line).into())
        .collect();
    let mut floats = claims();
    floats["exp"] = json!(now().as_second() as f64 + 600.479_990_7);
    floats["iat"] = json!(now().as_second() as f64 + 0.5);
    let assertions = [
        // msal for Python.
        rsa().jws(
            &json!({"alg": "PS256", "typ": "JWT", "x5t#S256": x5t_s256(&rsa().der), "x5c": [lines.join("\n")]}),
            &floats,
        ),
        // azure-identity.
        rsa().jws(&json!({"alg": "RS256", "typ": "JWT", "x5t": x5t(&rsa().der)}), &claims()),
        p256().jws(&json!({"alg": "ES256", "x5c": [STANDARD.encode(&p256().der)]}), &claims()),
        p256().jws(&json!({"alg": "ES256", "kid": x5t(&p256().der)}), &claims()),
    ];
    for jws in &assertions {
        let reply = post(&lab, V2, jws, &[]).await;
        assert_eq!(reply.status, 200, "{}", reply.json);
        let claims = lab.claims(&reply.json["access_token"], &v1_issuer(), RESOURCE).await;
        assert_eq!((&claims["appidacr"], &claims["roles"]), (&json!("2"), &json!([ROLE])));
        // It may be used again, and stand for client_id.
        assert_eq!(post(&lab, V2, jws, &[("client_id", "")]).await.status, 200);
    }
}

#[tokio::test]
async fn the_audience_is_this_tenant_under_any_name() {
    let lab = Lab::new();
    let login = "https://login.microsoftonline.com";
    let audiences = [
        json!(format!("{login}/{TENANT}/oauth2/token")),
        json!(format!("{login}/{TENANT}/oauth2/v2.0/token/")),
        json!(format!("{login}/LAB.test/oauth2/token")),
        json!(format!("{login}/common/oauth2/v2.0/token")),
        json!(format!("https://login.windows.net/{TENANT}/oauth2/token")),
        json!(format!("https://sts.windows.net/{TENANT}/")),
        json!(format!("{login}/{TENANT}/v2.0")),
        json!(["https://elsewhere.test", format!("{login}/{TENANT}/oauth2/token")]),
    ];
    for audience in audiences {
        let reply = post(&lab, V2, &good(&with("aud", audience.clone())), &[]).await;
        assert_eq!(reply.status, 200, "{audience}");
    }
    let foreign = [
        json!(format!("{login}/{OTHER_TENANT}/oauth2/token")),
        json!(format!("{login}/other.test/oauth2/token")),
        json!(format!("https://sts.windows.net/{OTHER_TENANT}/")),
        json!(format!("https://evil.test/{TENANT}/oauth2/token")),
        json!(format!("http://login.microsoftonline.com/{TENANT}/oauth2/token")),
        json!(format!("{login}/{TENANT}/oauth2/authorize")),
        json!("https://sts.windows.net/common/"),
        json!(login),
        json!([]),
        json!(7),
        json!(null),
    ];
    for audience in foreign {
        let reply = post(&lab, V2, &good(&with("aud", audience.clone())), &[]).await;
        assert_eq!((reply.status, reply.code()), (401, 700_023), "{audience}");
    }
}

#[tokio::test]
async fn who_signs_must_be_the_client_and_hold_its_key() {
    let lab = Lab::new();
    let header = |one: &Credential| json!({"alg": "ES256", "x5t": x5t(&one.der)});
    let other = json!(OTHER_WEB);
    let garbled = {
        let mut jws = good(&claims());
        let last = if jws.pop() == Some('A') { 'Q' } else { 'A' };
        jws.push(last);
        jws
    };
    let none = format!(
        "{}.{}.",
        URL_SAFE_NO_PAD.encode("{\"alg\":\"none\"}"),
        good(&claims()).split('.').nth(1).unwrap()
    );
    let cases = [
        (good(&with("iss", other.clone())), 700_021),
        (good(&with("sub", other)), 700_021),
        (good(&with("sub", json!(7))), 50027),
        (stranger().jws(&header(stranger()), &claims()), 700_027),
        (stranger().jws(&header(p256()), &claims()), 700_027),
        (expired().jws(&header(expired()), &claims()), 700_027),
        (p256().jws(&json!({"alg": "ES256"}), &claims()), 700_027),
        (garbled, 700_027),
        (none, 700_027),
        ("nonsense".to_owned(), 50027),
    ];
    for (jws, code) in cases {
        let reply = post(&lab, V2, &jws, &[]).await;
        assert_eq!((reply.status, reply.code()), (401, code), "{jws}");
        assert_eq!(reply.json["error"], "invalid_client");
    }
    let jws = good(&claims());
    assert_eq!(post(&lab, V2, &jws, &[("client_assertion_type", "")]).await.code(), 900_144);
    assert_eq!(post(&lab, V2, &jws, &[("client_assertion_type", "saml")]).await.code(), 9_002_313);
    let native = NATIVE.to_string();
    assert_eq!(post(&lab, V2, &jws, &[("client_id", &native)]).await.code(), 700_025);
    // The same key is registered for the other application in the other tenant; the assertion is not its own.
    let other = OTHER_WEB.to_string();
    let reply = post(&lab, "/other.test/oauth2/v2.0/token", &jws, &[("client_id", &other)]).await;
    assert_eq!(reply.code(), 700_021);
    assert_eq!(post(&lab, "/other.test/oauth2/v2.0/token", &jws, &[]).await.code(), 700_016);
}

#[tokio::test]
async fn times_are_those_of_the_protocol_clock() {
    let lab = Lab::new();
    let second = now().as_second();
    for (name, value, code) in [
        ("exp", json!(second - 299), 0),
        ("exp", json!(second - 300), 700_024),
        ("nbf", json!(second + 300), 0),
        ("nbf", json!(second + 301), 700_024),
        ("exp", json!((second + 600).to_string()), 0),
        ("exp", json!("soon"), 50027),
        ("exp", Value::Null, 50027),
    ] {
        let reply = post(&lab, V2, &good(&with(name, value.clone())), &[]).await;
        assert_eq!(reply.code(), code, "{name} {value}");
    }
    let mut endless = claims();
    endless.as_object_mut().unwrap().remove("exp");
    assert_eq!(post(&lab, V2, &good(&endless), &[]).await.code(), 50027);
    let jws = good(&claims());
    lab.clock.advance(SignedDuration::from_secs(600 + 299)).await;
    assert_eq!(post(&lab, V2, &jws, &[]).await.status, 200);
    lab.clock.advance(SignedDuration::from_secs(1)).await;
    let reply = post(&lab, V2, &jws, &[]).await;
    assert_eq!(reply.code(), 700_024);
    let text = reply.json["error_description"].as_str().unwrap();
    assert!(
        text.contains("Current time: 2026-03-01T12:15:00Z, expiry time of assertion: 2026-03-01T12:10:00Z")
    );
}
