//! Codes, refresh tokens and the assertions of users: who may redeem them, and until when.

use cmglab_token::forge;
use jiff::SignedDuration;

use super::super::clients::{Browser, SECRET, WEB, WEB_BACK, WEB_URI, authorize, borrowed, web_request};
use super::super::lab::{Lab, NATIVE, RESOURCE, signing_keys};
use super::requests::{ALICE_UPN, Attempt, JWT_BEARER, V2};
use super::{Entry, Shown};
use crate::errors::*;

pub(super) const ENTRIES: &[Entry] = &[
    (&ASSERTION_DATES, |cause| Box::pin(on_behalf_of_late(cause))),
    (&ASSERTION_INVALID, |cause| Box::pin(on_behalf_of_unsigned(cause))),
    (&CODE_EXPIRED, |cause| Box::pin(late(cause))),
    (&CODE_REDEEMED, |cause| Box::pin(again(cause))),
    (&CODE_REDIRECT_URI, |cause| {
        Box::pin(redeemed(cause, |attempt| attempt.set("redirect_uri", "https://web.test/other")))
    }),
    (&GRANT_MALFORMED, |cause| Box::pin(redeemed(cause, |attempt| attempt.set("code", "0.Anonsense")))),
    (&GRANT_OF_OTHER_CLIENT, |cause| {
        Box::pin(redeemed(cause, |attempt| {
            attempt.set("client_id", &NATIVE.to_string());
            attempt.set("client_secret", "");
        }))
    }),
    (&GRANT_OF_OTHER_TENANT, |cause| {
        Box::pin(redeemed(cause, |attempt| attempt.path = "/other.test/oauth2/v2.0/token"))
    }),
    (&GRANT_REVOKED, |cause| Box::pin(revoked(cause))),
    (&REFRESH_EXPIRED, |cause| Box::pin(unused(cause))),
    (&VERIFIER_MISSING, |cause| Box::pin(redeemed(cause, |attempt| attempt.set("code_verifier", "")))),
    (&VERIFIER_WRONG, |cause| Box::pin(redeemed(cause, |attempt| attempt.set("code_verifier", CHALLENGE)))),
];

/// Of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// Redeems what Alice got by signing in at the web application.
async fn redemption() -> Attempt {
    let lab = Lab::new();
    let changes = [("code_challenge", CHALLENGE), ("code_challenge_method", "S256")];
    let target = authorize("/lab.test/oauth2/v2.0/authorize", &borrowed(&web_request(&changes)));
    let reply = Browser::default().sign_in(&lab, &target, ALICE_UPN).await;
    let back = reply.back(&format!("{WEB_BACK}?"));
    let web = WEB.to_string();
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", web.as_str()),
        ("client_secret", SECRET),
        ("redirect_uri", WEB_BACK),
        ("code", back.get("code").unwrap()),
        ("code_verifier", VERIFIER),
    ];
    Attempt::new(lab, V2, &form)
}

async fn redeemed(cause: bool, fault: fn(&mut Attempt)) -> Shown {
    redemption().await.tried(cause, fault).await
}

async fn late(cause: bool) -> Shown {
    let attempt = redemption().await;
    attempt.lab.clock.advance(SignedDuration::from_secs(599 + i64::from(cause))).await;
    attempt.send().await
}

async fn again(cause: bool) -> Shown {
    let attempt = redemption().await;
    if cause {
        assert_eq!(attempt.post().await.status, 200);
    }
    attempt.send().await
}

/// The sessions of the user end, or another's.
async fn revoked(cause: bool) -> Shown {
    let attempt = Attempt::refresh().await;
    attempt.lab.aad.revoke_sessions(if cause { ALICE_UPN } else { "bob@lab.test" }).unwrap();
    attempt.send().await
}

async fn unused(cause: bool) -> Shown {
    let attempt = Attempt::refresh().await;
    attempt.lab.clock.advance(SignedDuration::from_secs(90 * 86_400 - i64::from(!cause))).await;
    attempt.send().await
}

/// The web application trades a token that Alice got for it.
async fn on_behalf_of() -> Attempt {
    let lab = Lab::new();
    let assertion = lab.user_token(WEB_URI, &NATIVE.to_string()).await;
    let (web, scope) = (WEB.to_string(), format!("{RESOURCE}/.default"));
    let form = [
        ("grant_type", JWT_BEARER),
        ("client_id", web.as_str()),
        ("client_secret", SECRET),
        ("assertion", assertion.as_str()),
        ("requested_token_use", "on_behalf_of"),
        ("scope", scope.as_str()),
    ];
    Attempt::new(lab, V2, &form)
}

async fn on_behalf_of_late(cause: bool) -> Shown {
    let attempt = on_behalf_of().await;
    attempt.lab.clock.advance(SignedDuration::from_mins(if cause { 120 } else { 30 })).await;
    attempt.send().await
}

/// The token's signature is not one, or the key signed it anew.
async fn on_behalf_of_unsigned(cause: bool) -> Shown {
    let mut attempt = on_behalf_of().await;
    let good = attempt.get("assertion").to_owned();
    let token = match cause {
        true => forge::flipped_signature(&good),
        false => forge::resigned(&good, &signing_keys().current, |_| {}),
    };
    attempt.set("assertion", &token.unwrap());
    attempt.send().await
}
