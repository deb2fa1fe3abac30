//! Devices that prove themselves by signing.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cmglab_pki::Overrides;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::super::lab::{
    Lab, SERVER, authority, config, device_key, impostor, new_authority, signed, stolen_key,
};
use super::requests::{JWT_BEARER, Signed, V1};
use super::{Entry, Shown};
use crate::errors::*;

pub(super) const ENTRIES: &[Entry] = &[
    (&DEVICE_CERTIFICATE_DATES, |cause| Box::pin(old(cause))),
    (&DEVICE_CERTIFICATE_FOREIGN, |cause| {
        Box::pin(token(cause, |attempt| {
            let (lab, device) = (&attempt.broker.lab, attempt.broker.device);
            let forged = lab.certificate(impostor(), device, &Overrides::default());
            attempt.certificate(&forged);
        }))
    }),
    (&DEVICE_CERTIFICATE_REVOKED, |cause| Box::pin(revoked(cause))),
    (&DEVICE_CERTIFICATE_SUPERSEDED, |cause| {
        Box::pin(token(cause, |attempt| {
            let (lab, device) = (&attempt.broker.lab, attempt.broker.device);
            let other = lab.certificate(authority(), device, &Overrides::default());
            attempt.certificate(&other);
        }))
    }),
    (&DEVICE_DISABLED, |cause| {
        Box::pin(token(cause, |attempt| {
            attempt.broker.lab.aad.disable_device(attempt.broker.device).unwrap()
        }))
    }),
    (&DEVICE_NOT_PROVIDED, |cause| Box::pin(token(cause, |attempt| attempt.x5c = Value::Null))),
    (&DEVICE_ONLY_NOT_ALLOWED, |cause| {
        Box::pin(token(cause, |attempt| attempt.broker.lab.aad.set_device_only_auth(SERVER, false).unwrap()))
    }),
    (&DEVICE_SIGNATURE, |cause| Box::pin(token(cause, |attempt| attempt.key = stolen_key()))),
    (&DEVICE_TENANT, |cause| Box::pin(token(cause, |attempt| attempt.path = "/other.test/oauth2/token"))),
    (&DEVICE_UNKNOWN, |cause| {
        Box::pin(token(cause, |attempt| attempt.broker.lab.aad.delete_device(attempt.broker.device).unwrap()))
    }),
    (&NONCE, |cause| Box::pin(token(cause, |attempt| attempt.set("request_nonce", "AwABAAAAAAA")))),
];

async fn token(cause: bool, fault: fn(&mut Signed)) -> Shown {
    Signed::device_token().await.tried(cause, fault).await
}

/// The certificate is used until its end, or past it.
async fn old(cause: bool) -> Shown {
    let mut attempt = Signed::device_token().await;
    let years = if cause { 10 } else { 9 };
    let lab = &attempt.broker.lab;
    lab.clock.advance(SignedDuration::from_hours(24 * 366 * years)).await;
    let nonce = lab.nonce().await;
    attempt.set("request_nonce", nonce);
    attempt.send().await
}

/// Under an authority of its own, as revoking changes it.
async fn revoked(cause: bool) -> Shown {
    let lab = Lab::under(&config(), &new_authority());
    let device = lab.join().await;
    if cause {
        lab.aad.revoke_certificate(device.id).unwrap();
    }
    let payload = lab.device_token_payload().await;
    let jws = signed(&json!(STANDARD.encode(device.certificate)), device_key(), &payload);
    let reply = lab.post(V1, &[("grant_type", JWT_BEARER), ("request", &jws)]).await;
    Shown { lab, reply }
}
