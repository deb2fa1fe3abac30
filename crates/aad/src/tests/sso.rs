//! The credentials of single sign-on, judged without the endpoint that takes them.

use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cmglab_token::session::KdfVersion::{V1 as KDF1, V2 as KDF2};
use http::Request;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::broker::*;
use super::lab::*;
use crate::ask::Ask;
use crate::sso::{Proven, from_headers};

const USER: &str = "x-ms-RefreshTokenCredential";
const DEVICE: &str = "x-ms-DeviceCredential";

/// Who is proven, or the code of the refusal.
async fn proven(broker: &Broker, headers: &[(&str, &str)]) -> Result<Option<Proven>, u32> {
    let mut request = Request::get("/common/oauth2/authorize");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (ask, sound) = Ask::take(request.body(Body::empty()).unwrap(), broker.lab.aad.deps()).await;
    sound.unwrap();
    from_headers(&broker.lab.aad, &ask).map_err(|refusal| refusal.row.code)
}

async fn user(broker: &Broker, prt: &Held) -> Value {
    json!({"refresh_token": prt.text, "is_primary": "true", "request_nonce": broker.lab.nonce().await})
}

async fn device(broker: &Broker) -> Value {
    json!({
        "grant_type": "device_auth",
        "iss": "aad:brokerplugin",
        "request_nonce": broker.lab.nonce().await,
        "ua_client_id": null,
        "windows_api_version": "2.0.1",
    })
}

#[tokio::test]
async fn nobody_is_proven_by_nothing() {
    let broker = Broker::new().await;
    assert_eq!(proven(&broker, &[]).await, Ok(None));
    assert_eq!(proven(&broker, &[("cookie", "a=b; esctx=c")]).await, Ok(None));
}

#[tokio::test]
async fn a_user_is_proven_on_the_device() {
    let broker = Broker::new().await;
    let prt = broker.prt().await;
    let expected = Proven {
        tenant: TENANT,
        user: Some(ALICE.into()),
        device: Some(broker.device),
        amr: vec!["pwd", "rsa"],
    };
    for version in [KDF1, KDF2] {
        let jws = by_session(&prt.key, version, &user(&broker, &prt).await);
        assert_eq!(proven(&broker, &[(USER, &jws)]).await, Ok(Some(expected.clone())));
        let cookie = format!("other=1; {USER}={jws}");
        assert_eq!(proven(&broker, &[("cookie", &cookie)]).await, Ok(Some(expected.clone())));
        let both = [(USER, jws.as_str()), (DEVICE, &broker.by_device(&device(&broker).await))];
        assert_eq!(proven(&broker, &both).await, Ok(Some(expected.clone())));
    }
}

#[tokio::test]
async fn a_device_is_proven_alone() {
    let broker = Broker::new().await;
    let jws = broker.by_device(&device(&broker).await);
    let found = proven(&broker, &[(DEVICE, &jws)]).await.unwrap().unwrap();
    assert_eq!((found.user, found.device, found.amr), (None, Some(broker.device), vec!["rsa"]));
    broker.lab.aad.disable_device(broker.device).unwrap();
    assert_eq!(proven(&broker, &[(DEVICE, &jws)]).await, Err(135_011));
}

#[tokio::test]
async fn a_credential_that_is_no_good_is_refused() {
    let broker = Broker::new().await;
    let prt = broker.prt().await;
    type Fault = fn(&mut Value);
    let faults: [(Fault, u32); 4] = [
        (|payload| payload["refresh_token"] = json!("1.Agarbage"), 70000),
        (|payload| payload["refresh_token"] = Value::Null, 900_144),
        (|payload| payload["request_nonce"] = json!("AwABAAAAAAA"), 140_000),
        (|payload| payload["request_nonce"] = Value::Null, 140_000),
    ];
    for (fault, code) in faults {
        let mut payload = user(&broker, &prt).await;
        fault(&mut payload);
        let jws = by_session(&prt.key, KDF2, &payload);
        assert_eq!(proven(&broker, &[(USER, &jws)]).await, Err(code));
    }
    assert_eq!(proven(&broker, &[(USER, "garbage")]).await, Err(9_002_313));
    let foreign = by_session(&broker.prt().await.key, KDF2, &user(&broker, &prt).await);
    assert_eq!(proven(&broker, &[(USER, &foreign)]).await, Err(70000));
    let mut other = device(&broker).await;
    other["grant_type"] = json!("device_token");
    assert_eq!(proven(&broker, &[(DEVICE, &broker.by_device(&other))]).await, Err(70003));
    let stolen = signed(&broker.x5c(), stolen_key(), &device(&broker).await);
    assert_eq!(proven(&broker, &[(DEVICE, &stolen)]).await, Err(50155));
    broker.lab.aad.directory_mut().user_mut("alice@lab.test").unwrap().enabled = false;
    let jws = by_session(&prt.key, KDF2, &user(&broker, &prt).await);
    assert_eq!(proven(&broker, &[(USER, &jws)]).await, Err(50057));
}

#[tokio::test]
async fn the_time_may_stand_for_the_nonce_for_five_minutes() {
    let broker = Broker::new().await;
    let prt = broker.prt().await;
    let made = |seconds: i64| {
        let iat = (now().as_second() + seconds).to_string();
        by_session(&prt.key, KDF2, &json!({"refresh_token": prt.text, "is_primary": "true", "iat": iat}))
    };
    for seconds in [-300, 0, 300] {
        assert!(proven(&broker, &[(USER, &made(seconds))]).await.is_ok());
    }
    for seconds in [-301, 301] {
        assert_eq!(proven(&broker, &[(USER, &made(seconds))]).await, Err(140_000));
    }
    // Beside a nonce the time does not count.
    let mut payload = user(&broker, &prt).await;
    payload["iat"] = json!(1);
    assert!(proven(&broker, &[(USER, &by_session(&prt.key, KDF2, &payload))]).await.is_ok());
    let jws = by_session(&prt.key, KDF2, &payload);
    broker.lab.clock.advance(SignedDuration::from_mins(5)).await;
    assert_eq!(proven(&broker, &[(USER, &jws)]).await, Err(140_000));
}

#[tokio::test]
async fn two_devices_do_not_go_together() {
    let broker = Broker::new().await;
    let prt = broker.prt().await;
    let (_, other) = join(&broker.lab, STANDARD.encode(blob(transport_key()))).await;
    let by_user = by_session(&prt.key, KDF2, &user(&broker, &prt).await);
    let by_other = signed(&json!(STANDARD.encode(other)), device_key(), &device(&broker).await);
    assert_eq!(proven(&broker, &[(USER, &by_user), (DEVICE, &by_other)]).await, Err(70000));
    let by_own = broker.by_device(&device(&broker).await);
    assert!(proven(&broker, &[(USER, &by_user), (DEVICE, &by_own)]).await.is_ok());
}
