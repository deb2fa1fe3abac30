//! Devices that wait for a user.

use jiff::SignedDuration;

use super::super::lab::{Lab, NATIVE, PASSWORD, RESOURCE};
use super::requests::{ALICE_UPN, Attempt, V2};
use super::{Entry, Shown};
use crate::errors::*;

pub(super) const ENTRIES: &[Entry] = &[
    (&DEVICE_CODE_DECLINED, |cause| Box::pin(settled(cause))),
    (&DEVICE_CODE_EXPIRED, |cause| Box::pin(late(cause))),
    (&DEVICE_CODE_PENDING, |cause| Box::pin(pending(cause))),
    (&DEVICE_CODE_UNKNOWN, |cause| Box::pin(unknown(cause))),
    (&USER_CODE_EXPIRED, |cause| Box::pin(entered_late(cause))),
];

/// A device that asks for its tokens, and the code that it shows.
async fn waiting() -> (Attempt, String) {
    let (lab, client) = (Lab::new(), NATIVE.to_string());
    let scope = format!("{RESOURCE}/.default");
    let form = [("client_id", client.as_str()), ("scope", scope.as_str())];
    let reply = lab.post("/lab.test/oauth2/v2.0/devicecode", &form).await;
    let text = |name: &str| reply.json[name].as_str().unwrap().to_owned();
    let code = text("device_code");
    let form = [("grant_type", "device_code"), ("client_id", client.as_str()), ("device_code", &code)];
    (Attempt::new(lab, V2, &form), text("user_code"))
}

/// The user enters the code and signs in, or does something else.
async fn entered(lab: &Lab, user_code: &str, action: &str) -> super::Reply {
    let form = [("user_code", user_code), ("login", ALICE_UPN), ("passwd", PASSWORD), ("action", action)];
    lab.post("/common/oauth2/deviceauth", &form).await
}

async fn settled(cause: bool) -> Shown {
    let (attempt, user_code) = waiting().await;
    entered(&attempt.lab, &user_code, if cause { "decline" } else { "approve" }).await;
    attempt.send().await
}

async fn pending(cause: bool) -> Shown {
    let (attempt, user_code) = waiting().await;
    if !cause {
        entered(&attempt.lab, &user_code, "approve").await;
    }
    attempt.send().await
}

async fn unknown(cause: bool) -> Shown {
    let (attempt, user_code) = waiting().await;
    entered(&attempt.lab, &user_code, "approve").await;
    attempt.tried(cause, |attempt| attempt.set("device_code", "CAQABAAEnonsense")).await
}

async fn late(cause: bool) -> Shown {
    let (attempt, user_code) = waiting().await;
    entered(&attempt.lab, &user_code, "approve").await;
    attempt.lab.clock.advance(SignedDuration::from_secs(899 + i64::from(cause))).await;
    attempt.send().await
}

async fn entered_late(cause: bool) -> Shown {
    let (Attempt { lab, .. }, user_code) = waiting().await;
    lab.clock.advance(SignedDuration::from_secs(899 + i64::from(cause))).await;
    let reply = entered(&lab, &user_code, "approve").await;
    Shown { lab, reply }
}
