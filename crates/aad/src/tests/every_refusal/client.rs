//! Clients, what they prove themselves with, and what they want.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::super::clients::{Credential, OLD_SECRET, OTHER_WEB, SECRET, WEB, claims, p256, stranger};
use super::super::lab::{NATIVE, OTHER_TENANT, RESOURCE, SERVER, now};
use super::requests::Attempt;
use super::{Entry, Shown};
use crate::errors::*;

pub(super) const ENTRIES: &[Entry] = &[
    (&BAD_SCOPE, |cause| {
        let attempt = Attempt::password_v2();
        Box::pin(attempt.tried(cause, |attempt| attempt.set("scope", &format!("{RESOURCE}/root"))))
    }),
    (&BAD_SECRET, |cause| {
        Box::pin(Attempt::credentials().tried(cause, |attempt| attempt.set("client_secret", "wrong")))
    }),
    (&CLIENT_ASSERTION_AUDIENCE, |cause| {
        Box::pin(asserted(cause, p256, |claims| {
            let aud = format!("https://login.microsoftonline.com/{OTHER_TENANT}/oauth2/v2.0/token");
            claims["aud"] = json!(aud);
        }))
    }),
    (&CLIENT_ASSERTION_MALFORMED, |cause| {
        Box::pin(asserted(cause, p256, |claims| claims["exp"] = json!("soon")))
    }),
    (&CLIENT_ASSERTION_SIGNATURE, |cause| Box::pin(asserted(cause, stranger, |_| {}))),
    (&CLIENT_ASSERTION_SUBJECT, |cause| {
        Box::pin(asserted(cause, p256, |claims| claims["sub"] = json!(OTHER_WEB)))
    }),
    (&CLIENT_ASSERTION_TIMES, |cause| {
        Box::pin(asserted(cause, p256, |claims| claims["exp"] = json!(now().as_second() - 300)))
    }),
    (&CLIENT_DISABLED, |cause| {
        let attempt = Attempt::credentials();
        Box::pin(attempt.tried(cause, |attempt| attempt.lab.aad.set_app_enabled(WEB, false).unwrap()))
    }),
    (&CLIENT_IS_PUBLIC, |cause| {
        Box::pin(Attempt::password().tried(cause, |attempt| attempt.set("client_secret", SECRET)))
    }),
    (&CLIENT_NEEDS_SECRET, |cause| {
        Box::pin(Attempt::credentials().tried(cause, |attempt| attempt.set("client_secret", "")))
    }),
    (&RESOURCE_DISABLED, |cause| {
        let attempt = Attempt::credentials();
        Box::pin(attempt.tried(cause, |attempt| attempt.lab.aad.set_app_enabled(SERVER, false).unwrap()))
    }),
    (&SCOPE_OF_APPLICATION, |cause| {
        let attempt = Attempt::credentials();
        Box::pin(
            attempt.tried(cause, |attempt| attempt.set("scope", &format!("{RESOURCE}/user_impersonation"))),
        )
    }),
    (&SECRET_EXPIRED, |cause| {
        Box::pin(Attempt::credentials().tried(cause, |attempt| attempt.set("client_secret", OLD_SECRET)))
    }),
    (&UNKNOWN_CLIENT, |cause| {
        let attempt = Attempt::password();
        Box::pin(attempt.tried(cause, |attempt| attempt.lab.aad.unregister_app(NATIVE).unwrap()))
    }),
    (&UNKNOWN_RESOURCE, |cause| {
        let attempt = Attempt::credentials();
        Box::pin(attempt.tried(cause, |attempt| attempt.lab.aad.unregister_app(SERVER).unwrap()))
    }),
];

/// The web application proves itself by an assertion, which is another or has another signer if there is to
/// be a cause.
async fn asserted(cause: bool, signer: fn() -> &'static Credential, fault: fn(&mut Value)) -> Shown {
    let (mut claims, mut by) = (claims(), p256());
    if cause {
        fault(&mut claims);
        by = signer();
    }
    let header = json!({"alg": "ES256", "x5c": [STANDARD.encode(&p256().der)]});
    let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    let attempt = Attempt::credentials().with("client_secret", "").with("client_assertion_type", kind);
    attempt.with("client_assertion", &by.jws(&header, &claims)).send().await
}
