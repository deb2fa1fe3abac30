//! The session of a browser: a cookie that lets the next sign-in pass without a page.
//!
//! Fidelity: lab, but for its name. The cookie is opaque. It proves the user alone: a device must prove
//! itself anew with each request.

use cmglab_proto::ids::{ObjectId, TenantId};
use http::HeaderName;
use http::header::SET_COOKIE;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::ask::Ask;
use crate::grant::refresh::not_revoked;
use crate::tickets::Found;
use crate::{Aad, cookies};

/// A user who is signed in at a browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Session {
    pub(crate) tenant: TenantId,
    pub(crate) user: ObjectId,
    pub(crate) amr: Vec<&'static str>,
    pub(crate) signed_in: Timestamp,
    /// What clients are told as `session_state`.
    pub(crate) id: Uuid,
    /// Whether the user has signed out.
    ended: bool,
}

impl Session {
    pub(crate) fn new(
        tenant: TenantId,
        user: ObjectId,
        amr: Vec<&'static str>,
        signed_in: Timestamp,
        id: Uuid,
    ) -> Self {
        Self { tenant, user, amr, signed_in, id, ended: false }
    }
}

/// The session of the browser that asks, if it has one that still counts.
pub(crate) fn of(aad: &Aad, ask: &Ask) -> Option<Session> {
    let Found::Live(session) = aad.sessions().find(cookie(ask)?, ask.now) else { return None };
    let counts = !session.ended && not_revoked(aad, session.user, session.signed_in).is_ok();
    counts.then_some(session)
}

/// Starts a session; the header that tells the browser.
pub(crate) fn open(aad: &Aad, ask: &Ask, mut session: Session) -> (HeaderName, String) {
    session.signed_in = aad.instant(session.user, session.signed_in);
    let expires = ask.now.saturating_add(LIFETIME).unwrap_or(Timestamp::MAX);
    let text = aad.sessions().issue("0.A", session, ask.now, expires, &aad.deps().ids);
    cookies::set(NAME, &text)
}

/// Ends the session of the browser that asks; the header that makes it forget.
pub(crate) fn end(aad: &Aad, ask: &Ask) -> (HeaderName, String) {
    if let Some(text) = cookie(ask) {
        aad.sessions().change(text, |session| session.ended = true);
    }
    let past = "expires=Thu, 01 Jan 1970 00:00:00 GMT";
    (SET_COOKIE, format!("{NAME}=; {past}; path=/; Secure; HttpOnly; SameSite=None"))
}

fn cookie(ask: &Ask) -> Option<&str> {
    cookies::find(ask, NAME)
}

const NAME: &str = "ESTSAUTH";
/// Of a session that is not to be kept, as documented.
const LIFETIME: SignedDuration = SignedDuration::from_hours(24);
