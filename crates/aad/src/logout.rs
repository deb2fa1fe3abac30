//! Signing out (entra §1.2; OpenID Connect RP-Initiated Logout).
//!
//! Fidelity: documented, but for the page. A browser is sent on only to where an application of the tenant
//! has registered that it may be.

use http::Method;

use crate::Aad;
use crate::answer::{Outcome, Reply, Trouble};
use crate::ask::Ask;
use crate::authorize::{on_page, registered};
use crate::errors::{Refusal, UNKNOWN_TENANT};
use crate::form::{self, Form};
use crate::tenant_ref::TenantRef;
use crate::{pages, session};

/// Ends the session of the browser that asks.
pub(crate) fn answer(aad: &Aad, ask: &Ask, tenant: &str) -> Outcome {
    let params = match ask.method {
        Method::GET => Ok(&ask.query),
        Method::POST => ask.form(),
        _ => return Err(Trouble::Method("GET, POST")),
    };
    let path = aad.directory().tenant_ref(tenant);
    on_page(ask, params.and_then(|params| signed_out(aad, ask, &path, params)).map_err(Trouble::from))
}

fn signed_out(aad: &Aad, ask: &Ask, path: &TenantRef, params: &Form) -> Result<Reply, Refusal> {
    if let TenantRef::Unknown(_) | TenantRef::Consumers = path {
        return Err(UNKNOWN_TENANT.about(&[&path.to_string()]));
    }
    let mut page = match next(aad, path, params) {
        Some(uri) => pages::moved(uri),
        None => pages::message("Signed out", "You signed out. You can close this page."),
    };
    page.headers.push(session::end(aad, ask));
    Ok(page.into())
}

/// Where the browser goes from here.
fn next(aad: &Aad, path: &TenantRef, params: &Form) -> Option<String> {
    let uri = params.get("post_logout_redirect_uri")?;
    let known = aad.directory().apps_at(path).any(|app| registered(uri, &app.redirect_uris));
    let state = params.get("state").map(|state| form::encode(&[("state", state.to_owned())]));
    let joint = if uri.contains('?') { '&' } else { '?' };
    known.then(|| state.map_or_else(|| uri.to_owned(), |state| format!("{uri}{joint}{state}")))
}
