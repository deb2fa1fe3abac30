//! What can be wrong with any request, and what the service turns away for no fault of the request.

use cmglab_fault::{Point, Rule, Verdict, When};

use super::super::lab::{Lab, RESOURCE, config, encode};
use super::requests::Attempt;
use super::{Entry, Shown};
use crate::LoopLimit;
use crate::errors::*;

pub(super) const ENTRIES: &[Entry] = &[
    (&DUPLICATE_PARAMETER, |cause| {
        Box::pin(Attempt::password().tried(cause, |attempt| attempt.repeat("resource", RESOURCE)))
    }),
    (&LOOP, |cause| Box::pin(repeated(cause))),
    (&MALFORMED, |cause| {
        let endpoint = "https://login.windows.net/common/oauth2/authorize";
        let query = encode(&[(if cause { "x" } else { "authorization_endpoint" }, endpoint)]);
        Box::pin(asked(format!("/common/discovery/instance?{query}")))
    }),
    (&MISSING_PARAMETER, |cause| {
        Box::pin(Attempt::password().tried(cause, |attempt| attempt.set("username", "")))
    }),
    (&NO_TENANT, |cause| {
        let attempt = Attempt::credentials();
        Box::pin(attempt.tried(cause, |attempt| attempt.path = "/common/oauth2/v2.0/token"))
    }),
    (&OUTAGE, |cause| Box::pin(under(cause, Verdict::Outage { retry_after: 5 }))),
    (&QUERY_TOO_LONG, |cause| Box::pin(asked(format!("{KEYS}?x={}", "x".repeat(8190 + usize::from(cause)))))),
    (&THROTTLED, |cause| Box::pin(under(cause, Verdict::Throttle { retry_after: 5 }))),
    (&TOO_LARGE, |cause| {
        Box::pin(Attempt::password().tried(cause, |attempt| attempt.set("x", &"x".repeat(1 << 16))))
    }),
    (&UNKNOWN_AUTHORITY, |cause| {
        let host = if cause { "login.evil.test" } else { "login.windows.net" };
        let endpoint = format!("https://{host}/common/oauth2/authorize");
        let query = encode(&[("api-version", "1.1"), ("authorization_endpoint", &endpoint)]);
        Box::pin(asked(format!("/common/discovery/instance?{query}")))
    }),
    (&UNKNOWN_TENANT, |cause| {
        Box::pin(Attempt::password().tried(cause, |attempt| attempt.path = "/nowhere.test/oauth2/token"))
    }),
    (&UNKNOWN_TENANT_IN_METADATA, |cause| {
        let tenant = if cause { "nowhere.test" } else { "lab.test" };
        Box::pin(asked(format!("/{tenant}/v2.0/.well-known/openid-configuration")))
    }),
    (&UNSUPPORTED_GRANT, |cause| {
        Box::pin(Attempt::password().tried(cause, |attempt| attempt.set("grant_type", "magic")))
    }),
];

const KEYS: &str = "/common/discovery/keys";

async fn asked(target: String) -> Shown {
    let lab = Lab::new();
    let reply = lab.get(&target).await;
    Shown { lab, reply }
}

/// The rule of a fault is in force, or is off again.
async fn under(cause: bool, verdict: Verdict) -> Shown {
    let attempt = Attempt::password();
    let containing = "/oauth2/token".to_owned();
    let rule = Rule { at: Point::AzureAd, containing, when: When::Always, verdict };
    let guard = attempt.lab.faults.install(rule);
    let _guard = cause.then_some(guard);
    attempt.send().await
}

/// The very same request a third time, or a second.
async fn repeated(cause: bool) -> Shown {
    let config = crate::AadConfig { loop_limit: Some(LoopLimit { requests: 2, seconds: 300 }), ..config() };
    let attempt = Attempt { lab: Lab::with(&config), ..Attempt::password() };
    for _ in 0..=usize::from(cause) {
        assert_eq!(attempt.post().await.status, 200);
    }
    attempt.send().await
}
