//! Which pages of other origins may read an answer (Fetch, CORS protocol).
//!
//! Fidelity: observed for what anybody may read. The real token endpoints heed the redirect URIs of single-page
//! applications; the lab does not tell kinds of redirect URIs apart, so any that is registered counts.

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_MAX_AGE, VARY,
};
use http::{HeaderName, HeaderValue, Method, Uri};

use crate::Aad;
use crate::ask::Ask;

/// What tells a browser that a page may read the answer; nothing where it may not. Where there is something
/// for OPTIONS, that is the whole answer.
pub(crate) fn headers(aad: &Aad, ask: &Ask, path: &[&str]) -> Vec<(HeaderName, HeaderValue)> {
    match path {
        [_, ".well-known", _] | [_, "v2.0", ".well-known", _] | [_, "discovery", ..] => {
            let open = (ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
            (ask.method == Method::GET).then_some(open).into_iter().collect()
        }
        [tenant, "oauth2", "token"] | [tenant, "oauth2", "v2.0", "token"] => of_token(aad, ask, tenant),
        _ => Vec::new(),
    }
}

fn of_token(aad: &Aad, ask: &Ask, tenant: &str) -> Vec<(HeaderName, HeaderValue)> {
    let fixed = HeaderValue::from_static;
    let Some(origin) = ask.headers.get("origin").filter(|origin| registered(aad, tenant, origin)) else {
        return Vec::new();
    };
    let mut headers = vec![(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone()), (VARY, fixed("Origin"))];
    if ask.method == Method::OPTIONS {
        headers.push((ACCESS_CONTROL_ALLOW_METHODS, fixed("POST, OPTIONS")));
        headers.push((ACCESS_CONTROL_ALLOW_HEADERS, fixed("*")));
        headers.push((ACCESS_CONTROL_MAX_AGE, fixed("86400")));
    }
    headers
}

/// Whether an application of the tenant has a redirect URI at that origin.
fn registered(aad: &Aad, tenant: &str, origin: &HeaderValue) -> bool {
    let Some(asked) = origin.to_str().ok().and_then(origin_of) else { return false };
    let directory = aad.directory();
    let path = directory.tenant_ref(tenant);
    let mut uris = directory.apps_at(&path).flat_map(|app| &app.redirect_uris);
    uris.any(|uri| origin_of(uri).as_ref() == Some(&asked))
}

/// Scheme, host and port of a web address.
fn origin_of(uri: &str) -> Option<(bool, String, u16)> {
    let uri: Uri = uri.parse().ok()?;
    let (secure, port) = match uri.scheme_str()? {
        "https" => (true, 443),
        "http" => (false, 80),
        _ => return None,
    };
    Some((secure, uri.host()?.to_ascii_lowercase(), uri.port_u16().unwrap_or(port)))
}
