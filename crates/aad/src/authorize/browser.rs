//! What ties a sign-in page to the browser that asked for it: a cookie that comes with the page. A page that
//! was opened elsewhere cannot be ended here, so nobody is signed in as somebody else by a link.
//!
//! Fidelity: lab, but for the cookie's name. One cookie serves all pages that a browser has open.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderName;

use crate::ask::Ask;
use crate::{Aad, cookies};

/// A browser, known by the hash of its cookie.
pub(crate) type Browser = [u8; 32];

/// The browser that asks, if it has been here before.
pub(super) fn known(ask: &Ask) -> Option<Browser> {
    cookies::find(ask, NAME).filter(|text| !text.is_empty()).map(hash)
}

/// The browser that asks, and the header that makes it known if it is not yet.
pub(super) fn known_from_now(aad: &Aad, ask: &Ask) -> (Browser, Option<(HeaderName, String)>) {
    if let Some(browser) = known(ask) {
        return (browser, None);
    }
    let text = URL_SAFE_NO_PAD.encode(aad.deps().ids.bytes::<32>());
    (hash(&text), Some(cookies::set(NAME, &text)))
}

fn hash(text: &str) -> Browser {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
    hash
}

const NAME: &str = "esctx";
