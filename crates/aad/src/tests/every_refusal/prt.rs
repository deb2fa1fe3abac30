//! Primary refresh tokens and the keys of users.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cmglab_token::jws_x5c;
use cmglab_token::session::KdfVersion;
use http::Method;
use serde_json::{Value, json};

use super::super::broker::{Broker, blob, by_session, join, transport_key};
use super::super::lab::{DRS, NATIVE, RESOURCE, now};
use super::requests::{ALICE_UPN, JWT_BEARER, Signed, V1};
use super::{Entry, Shown};
use crate::errors::*;

pub(super) const ENTRIES: &[Entry] = &[
    (&ASSERTION_CLAIMS, |cause| Box::pin(redeemed(cause))),
    (&GRANT_OF_OTHER_DEVICE, |cause| Box::pin(on_another_device(cause))),
    (&KEY_UNKNOWN, |cause| Box::pin(hello(cause))),
    (&NOT_A_BROKER, |cause| {
        Box::pin(async move {
            Signed::prt().await.tried(cause, |attempt| attempt.set("client_id", NATIVE.to_string())).await
        })
    }),
    (&TRANSPORT_KEY, |cause| {
        Box::pin(async move {
            Signed::prt()
                .await
                .tried(cause, |attempt| {
                    let mut directory = attempt.broker.lab.aad.directory_mut();
                    directory.device_mut(attempt.broker.device).unwrap().transport_key = None;
                })
                .await
        })
    }),
];

/// The request says when it ends, or something that is no time.
async fn redeemed(cause: bool) -> Shown {
    let broker = Broker::new().await;
    let prt = broker.prt().await;
    let mut usage = broker.use_of(&prt).await;
    if cause {
        usage["exp"] = json!("soon");
    }
    let jws = by_session(&prt.key, KdfVersion::V2, &usage);
    let reply = broker.lab.post(V1, &[("grant_type", JWT_BEARER), ("request", &jws)]).await;
    Shown { lab: broker.lab, reply }
}

/// A refresh token from one device is shown by another, or by the same.
async fn on_another_device(cause: bool) -> Shown {
    let mut plain = Signed::prt().await;
    plain.set("scope", "openid");
    plain.set("resource", RESOURCE);
    let broker = plain.broker.certificate.clone();
    let device = plain.broker.device;
    let Shown { lab, reply } = plain.send().await;
    let broker = Broker { lab, device, certificate: broker };
    let mut attempt = Signed::by(broker, async |broker| broker.wish().await).await;
    attempt.set("grant_type", "refresh_token");
    attempt.set("refresh_token", reply.json["refresh_token"].clone());
    if cause {
        let (_, other) = join(&attempt.broker.lab, STANDARD.encode(blob(transport_key()))).await;
        attempt.certificate(&other);
    }
    attempt.send().await
}

/// Alice unlocks a key that she has registered, or has not.
async fn hello(cause: bool) -> Shown {
    let mut attempt = Signed::prt().await;
    // Any RSA key will do for the user's.
    let key = blob(transport_key());
    if !cause {
        register(&attempt.broker, &key).await;
    }
    let now = now().as_second();
    let claims = json!({
        "iss": ALICE_UPN, "aud": "common", "iat": now, "exp": now + 3600,
        "request_nonce": attempt.payload["request_nonce"],
    });
    let kid = STANDARD.encode(digest(&SHA256, &key));
    let header = json!({"alg": "RS256", "typ": "JWT", "kid": kid, "use": "ngc"});
    let assertion = jws_x5c::sign(&header, &claims, |message| transport_key().sign_rs256(message));
    attempt.set("grant_type", JWT_BEARER);
    attempt.set("password", Value::Null);
    attempt.set("assertion", assertion.unwrap());
    attempt.send().await
}

async fn register(broker: &Broker, key: &[u8]) {
    let token = broker.lab.on_device(&broker.x5c(), DRS).await.json["access_token"].clone();
    let body = json!({"kngc": STANDARD.encode(key)});
    let target = "/EnrollmentServer/key/?api-version=1.0";
    let reply = broker.lab.json(Method::POST, target, token.as_str(), &body).await;
    assert_eq!(reply.status, 200, "{}", reply.json);
}
