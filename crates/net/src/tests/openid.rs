//! An issuer of tokens, and whoever needs its keys.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::routing::get;
use cmglab_events::Role;
use cmglab_token::{Jwks, SigningKey};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::lab::{HOST, Lab};
use crate::{CallFailure, Fetch, OpenIdKeys};

/// What the issuer publishes at the moment, and how often its keys were asked for.
struct Issuer {
    configuration: Value,
    keys: Value,
    asked: usize,
}

type Shared = Arc<Mutex<Issuer>>;

fn router(issuer: &Shared) -> Router {
    let (configuration, keys) = (Arc::clone(issuer), Arc::clone(issuer));
    let tell = get(move || async move { configuration.lock().unwrap().configuration.to_string() });
    let publish = get(move || async move {
        let mut issuer = keys.lock().unwrap();
        issuer.asked += 1;
        issuer.keys.to_string()
    });
    Router::new().route("/openid", tell).route("/keys", publish)
}

fn key_set(lab: &Lab) -> (Value, String) {
    let key = SigningKey::generate(lab.clock.now(), "issuer").unwrap();
    let set = Jwks { keys: vec![key.jwk().unwrap()] };
    (serde_json::to_value(set).unwrap(), key.kid().to_owned())
}

#[tokio::test]
async fn keys_are_fetched_once_and_refreshed_at_most_once_a_minute() {
    let lab = Lab::new();
    let (keys, kid) = key_set(&lab);
    let configuration = json!({"issuer": "x", "jwks_uri": format!("https://{HOST}/keys")});
    let issuer = Arc::new(Mutex::new(Issuer { configuration, keys, asked: 0 }));
    let _server = lab.secure(router(&issuer)).await;
    let deps = lab.machine(Role::Cmg);
    let (known, url) = (OpenIdKeys::new(&deps), format!("https://{HOST}/openid"));

    let first = known.keys(&deps.events, &url).await.unwrap();
    assert!(matches!(&first.fetch, Fetch::Done { kids, .. } if *kids == [kid]));
    let again = known.clone().keys(&deps.events, &url).await.unwrap();
    assert!(again.fetch == Fetch::None && Arc::ptr_eq(&first.keys, &again.keys));

    let (rolled, new_kid) = key_set(&lab);
    issuer.lock().unwrap().keys = rolled;
    lab.clock.advance(SignedDuration::from_secs(59)).await;
    assert!(known.newer(&deps.events, &url, &first.keys).await.unwrap().is_none());
    assert_eq!(issuer.lock().unwrap().asked, 1);
    lab.clock.advance(SignedDuration::from_secs(1)).await;
    let newer = known.newer(&deps.events, &url, &first.keys).await.unwrap().unwrap();
    assert!(matches!(&newer.fetch, Fetch::Done { kids, .. } if *kids == [new_kid]));
    assert!(known.newer(&deps.events, &url, &newer.keys).await.unwrap().is_none());
    let other = known.newer(&deps.events, &url, &first.keys).await.unwrap().unwrap();
    assert!(Arc::ptr_eq(&other.keys, &newer.keys), "what another call has fetched meanwhile");
    assert_eq!(issuer.lock().unwrap().asked, 2);
}

#[tokio::test]
async fn what_an_issuer_may_not_publish_is_refused() {
    let lab = Lab::new();
    let (keys, _kid) = key_set(&lab);
    let issuer = Arc::new(Mutex::new(Issuer { configuration: json!({}), keys: keys.clone(), asked: 0 }));
    let server = lab.secure(router(&issuer)).await;
    let deps = lab.machine(Role::Cmg);
    let (known, url) = (OpenIdKeys::new(&deps), format!("https://{HOST}/openid"));
    let here = format!("https://{HOST}/keys");
    for (jwks_uri, keys, failure) in [
        (Value::Null, keys.clone(), CallFailure::Broken),
        (json!("https://127.0.0.1/keys"), keys.clone(), CallFailure::UnknownName),
        (json!(format!("http://{HOST}/keys")), keys.clone(), CallFailure::Request),
        (json!(format!("https://{HOST}/nowhere")), keys.clone(), CallFailure::Broken),
        (json!(here), json!({"keys": "none"}), CallFailure::Broken),
        (json!(here), json!({"keys": [], "padding": "x".repeat(300_000)}), CallFailure::TooLarge),
    ] {
        *issuer.lock().unwrap() = Issuer { configuration: json!({"jwks_uri": jwks_uri}), keys, asked: 0 };
        let error = known.keys(&deps.events, &url).await.unwrap_err();
        assert_eq!(error.error.failure, failure, "{jwks_uri}: {error}");
    }
    // What failed is not remembered, and what was fetched survives the issuer.
    *issuer.lock().unwrap() = Issuer { configuration: json!({"jwks_uri": here}), keys, asked: 0 };
    assert!(known.keys(&deps.events, &url).await.is_ok());
    server.abort();
    server.closed().await;
    lab.clock.advance(SignedDuration::from_mins(2)).await;
    let keys = known.keys(&deps.events, &url).await.unwrap().keys;
    let error = known.newer(&deps.events, &url, &keys).await.unwrap_err();
    assert_eq!(error.error.failure, CallFailure::Connect);
    lab.clock.advance(SignedDuration::from_hours(25)).await;
    let old = known.keys(&deps.events, &url).await.unwrap();
    assert!(
        Arc::ptr_eq(&old.keys, &keys) && matches!(old.fetch, Fetch::Failed(_)),
        "old keys are better than none"
    );
}
