//! Authorization requests.

use jiff::SignedDuration;

use super::super::clients::{Browser, authorize, borrowed, input, web_request};
use super::super::lab::{Lab, PASSWORD};
use super::requests::ALICE_UPN;
use super::{Entry, Shown};
use crate::errors::*;

pub(super) const ENTRIES: &[Entry] = &[
    (&CHALLENGE_MISSING, |cause| Box::pin(asked(cause, &[("code_challenge_method", "S256")]))),
    (&CHALLENGE_SIZE, |cause| Box::pin(asked(cause, &[("code_challenge", "short")]))),
    (&FLOW_EXPIRED, |cause| Box::pin(left_open(cause))),
    (&FLOW_OF_OTHER_BROWSER, |cause| Box::pin(elsewhere(cause))),
    (&PROMPT, |cause| Box::pin(asked(cause, &[("prompt", "dance")]))),
    (&REDIRECT_URI, |cause| Box::pin(asked(cause, &[("redirect_uri", "https://evil.test/back")]))),
    (&RESPONSE_MODE, |cause| Box::pin(asked(cause, &[("response_mode", "pigeon")]))),
    (&RESPONSE_TYPE, |cause| Box::pin(asked(cause, &[("response_type", "code code")]))),
    (&SIGN_IN_NEEDED, |cause| Box::pin(silent(cause))),
];

fn target(changes: &[(&'static str, &str)]) -> String {
    authorize("/lab.test/oauth2/v2.0/authorize", &borrowed(&web_request(changes)))
}

async fn asked(cause: bool, changes: &'static [(&'static str, &'static str)]) -> Shown {
    let lab = Lab::new();
    let reply = lab.get(&target(if cause { changes } else { &[] })).await;
    Shown { lab, reply }
}

/// The browser has no session, or has one.
async fn silent(cause: bool) -> Shown {
    let (lab, mut browser) = (Lab::new(), Browser::default());
    if !cause {
        browser.sign_in(&lab, &target(&[]), ALICE_UPN).await;
    }
    let reply = browser.get(&lab, &target(&[("prompt", "none")])).await;
    Shown { lab, reply }
}

/// The page stays open until it is too late, or nearly.
async fn left_open(cause: bool) -> Shown {
    let (lab, mut browser) = (Lab::new(), Browser::default());
    let page = browser.get(&lab, &target(&[])).await;
    lab.clock.advance(SignedDuration::from_secs(599 + i64::from(cause))).await;
    let context = input(&page.text, "ctx");
    let form = [("ctx", context.as_str()), ("login", ALICE_UPN), ("passwd", PASSWORD)];
    let reply = browser.post(&lab, "/lab.test/login", &form).await;
    Shown { lab, reply }
}

/// The page is sent in by another browser than the one that opened it, or by the same.
async fn elsewhere(cause: bool) -> Shown {
    let (lab, mut browser) = (Lab::new(), Browser::default());
    let context = input(&browser.get(&lab, &target(&[])).await.text, "ctx");
    let form = [("ctx", context.as_str()), ("login", ALICE_UPN), ("passwd", PASSWORD)];
    let mut sender = if cause { Browser::default() } else { browser };
    let reply = sender.post(&lab, "/lab.test/login", &form).await;
    Shown { lab, reply }
}
