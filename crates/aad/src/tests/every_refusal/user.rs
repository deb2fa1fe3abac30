//! Users: who they are, whether they may, and whose token it is.

use axum::body::Body;
use cmglab_token::forge;
use http::Request;

use super::super::lab::{BROKER, DRS, Lab};
use super::requests::{ALICE_UPN, Attempt};
use super::{Entry, Shown};
use crate::UserCondition;
use crate::errors::*;

pub(super) const ENTRIES: &[Entry] = &[
    (&BAD_BEARER, |cause| Box::pin(who(cause))),
    (&BAD_PASSWORD, |cause| {
        Box::pin(Attempt::password().tried(cause, |attempt| attempt.set("password", "wrong")))
    }),
    (&PASSWORD_EXPIRED, |cause| {
        let attempt = Attempt::password();
        Box::pin(attempt.tried(cause, |attempt| condition(attempt, UserCondition::PasswordExpired)))
    }),
    (&UNKNOWN_USER, |cause| {
        let attempt = Attempt::password();
        Box::pin(attempt.tried(cause, |attempt| attempt.lab.aad.delete_user(ALICE_UPN).unwrap()))
    }),
    (&USER_DISABLED, |cause| {
        let attempt = Attempt::password();
        Box::pin(attempt.tried(cause, |attempt| attempt.lab.aad.set_user_enabled(ALICE_UPN, false).unwrap()))
    }),
    (&USER_LOCKED, |cause| {
        let attempt = Attempt::password();
        Box::pin(attempt.tried(cause, |attempt| condition(attempt, UserCondition::Locked)))
    }),
];

fn condition(attempt: &Attempt, condition: UserCondition) {
    attempt.lab.aad.set_user_condition(ALICE_UPN, condition).unwrap();
}

/// Asks whom a token is about.
async fn who(cause: bool) -> Shown {
    let lab = Lab::new();
    let mut token = lab.user_token(DRS, BROKER).await;
    if cause {
        token = forge::flipped_signature(&token).unwrap();
    }
    let request = Request::get("/oidc/userinfo").header("authorization", format!("Bearer {token}"));
    let reply = lab.send(request.body(Body::empty()).unwrap()).await;
    Shown { lab, reply }
}
