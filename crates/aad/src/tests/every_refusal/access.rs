//! What stands between a good user and a token: access rules, consent, conditions.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::SignedDuration;
use serde_json::json;

use super::super::clients::{SECRET, WEB, WEB_URI};
use super::super::lab::{NATIVE, RESOURCE, SERVER, join_body};
use super::requests::{ALICE_UPN, Attempt, guarded};
use super::{Entry, Shown};
use crate::UserCondition::{SecondFactorNeeded, SecondFactorToEnrol};
use crate::errors::*;
use crate::{AccessRules, TrustType, UserCondition};

pub(super) const ENTRIES: &[Entry] = &[
    (&ACCESS_BLOCKED, |cause| {
        Box::pin(Attempt::password().tried(cause, |attempt| rule(attempt, |rules| rules.blocked = true)))
    }),
    (&CONSENT_MISSING, |cause| {
        let attempt = Attempt::password();
        Box::pin(attempt.tried(cause, |attempt| attempt.lab.aad.remove_consent(NATIVE, SERVER).unwrap()))
    }),
    (&DEVICE_NEEDED, |cause| Box::pin(needed(cause))),
    (&DEVICE_NOT_COMPLIANT, |cause| Box::pin(compliant(cause))),
    (&DEVICE_NOT_DOMAIN_JOINED, |cause| Box::pin(domain_joined(cause))),
    (&DEVICE_NOT_JOINED, |cause| Box::pin(joined(cause))),
    (&SECOND_FACTOR_NEEDED, |cause| {
        let attempt = Attempt::password_v2();
        Box::pin(attempt.tried(cause, |attempt| condition(attempt, SecondFactorNeeded)))
    }),
    (&SECOND_FACTOR_NEEDED_V1, |cause| {
        let attempt = Attempt::password();
        Box::pin(attempt.tried(cause, |attempt| rule(attempt, |rules| rules.second_factor = true)))
    }),
    (&SECOND_FACTOR_TO_ENROL, |cause| {
        let attempt = Attempt::password_v2();
        Box::pin(attempt.tried(cause, |attempt| condition(attempt, SecondFactorToEnrol)))
    }),
    (&SECOND_FACTOR_TO_ENROL_V1, |cause| {
        let attempt = Attempt::password();
        Box::pin(attempt.tried(cause, |attempt| condition(attempt, SecondFactorToEnrol)))
    }),
    (&SELF_TOKEN, |cause| {
        let web = WEB.to_string();
        let attempt = Attempt::password().with("client_id", &web).with("client_secret", SECRET);
        let attempt = attempt.with("resource", &web);
        Box::pin(attempt.tried(cause, |attempt| attempt.set("resource", WEB_URI)))
    }),
    (&SIGN_IN_TOO_OLD, |cause| Box::pin(recent(cause))),
];

fn rule(attempt: &Attempt, rule: fn(&mut AccessRules)) {
    let mut rules = AccessRules::default();
    rule(&mut rules);
    attempt.lab.aad.set_access_rules(SERVER, rules).unwrap();
}

fn condition(attempt: &Attempt, condition: UserCondition) {
    attempt.lab.aad.set_user_condition(ALICE_UPN, condition).unwrap();
}

/// The user signs in without a device, or on one.
async fn needed(cause: bool) -> Shown {
    let lab = guarded(|rules| rules.device = true);
    if cause {
        return Attempt { lab, ..Attempt::password() }.send().await;
    }
    let device = lab.join().await;
    let reply = lab.on_device(&json!(STANDARD.encode(device.certificate)), RESOURCE).await;
    Shown { lab, reply }
}

async fn compliant(cause: bool) -> Shown {
    let lab = guarded(|rules| rules.compliant_device = true);
    let device = lab.join().await;
    lab.aad.set_compliant(device.id, !cause).unwrap();
    let reply = lab.on_device(&json!(STANDARD.encode(device.certificate)), RESOURCE).await;
    Shown { lab, reply }
}

async fn domain_joined(cause: bool) -> Shown {
    let lab = guarded(|rules| rules.domain_joined_device = true);
    let device = lab.join().await;
    if !cause {
        lab.aad.directory_mut().device_mut(device.id).unwrap().trust = TrustType::ServerAd;
    }
    let reply = lab.on_device(&json!(STANDARD.encode(device.certificate)), RESOURCE).await;
    Shown { lab, reply }
}

/// A device that is registered, or joined.
async fn joined(cause: bool) -> Shown {
    let lab = guarded(|rules| rules.joined_device = true);
    let body = join_body(if cause { 4 } else { 0 });
    let reply = lab.join_with(&lab.registration_token().await, &body).await;
    let reply = lab.on_device(&reply.json["Certificate"]["RawBody"], RESOURCE).await;
    Shown { lab, reply }
}

async fn recent(cause: bool) -> Shown {
    let attempt = Attempt::refresh().await;
    rule(&attempt, |rules| rules.sign_in_frequency = Some(3600));
    attempt.lab.clock.advance(SignedDuration::from_secs(3600 + i64::from(cause))).await;
    attempt.send().await
}
