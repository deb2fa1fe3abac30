//! Which handler a path leads to.

use http::Method;

use crate::answer::{Outcome, Reply, STRICT_TRANSPORT, Trouble};
use crate::ask::Ask;
use crate::grant::device_code;
use crate::tenant_ref::well_known;
use crate::{Aad, authorize, cors, credential_type, discovery, drs, grant, logout, pages, userinfo};

/// The version of an endpoint, which is not that of the tokens it gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    V1,
    V2,
}

impl Version {
    /// As tokens write it.
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::V1 => 1,
            Self::V2 => 2,
        }
    }
}

/// The headers that an answer gets whatever it says, a refusal too.
pub(crate) fn prepare(aad: &Aad, ask: &Ask) {
    let mut headers = cors::headers(aad, ask, &segments(ask));
    // At an origin of its own it would hold all of `localhost` to HTTPS, the redirect URIs of clients too.
    headers.extend((!aad.hosts().is_own_origin()).then_some(STRICT_TRANSPORT));
    ask.set_headers_of_answer(headers);
}

/// Answers a request.
pub(crate) fn dispatch(aad: &Aad, ask: &Ask) -> Outcome {
    let segments = segments(ask);
    if ask.method == Method::OPTIONS && !cors::headers(aad, ask, &segments).is_empty() {
        return Ok(Reply::Empty);
    }
    match segments.as_slice() {
        ["v1.0" | "beta", ..] => Err(Trouble::NotBuilt("Microsoft Graph".to_owned())),
        ["federationmetadata", ..] => Err(unbuilt(&segments)),
        ["enrollmentserver", rest @ ..] => drs::dispatch(aad, ask, rest),
        [domain, "discover"] => drs::discover(aad, ask, Some(domain)),
        [domain, "enrollmentserver", "contract" | "discover"] => drs::discover(aad, ask, Some(domain)),
        ["oidc", "userinfo"] => match ask.method {
            Method::GET | Method::POST => userinfo::answer(aad, ask),
            _ => Err(Trouble::Method("GET, POST")),
        },
        [tenant, rest @ ..] => login(aad, ask, well_known(tenant), rest),
        [] => Err(Trouble::NotFound),
    }
}

fn segments(ask: &Ask) -> Vec<&str> {
    ask.segments.iter().map(String::as_str).collect()
}

/// The methods a path takes; anything else is 405.
pub(crate) fn only(ask: &Ask, method: &Method, allow: &'static str) -> Result<(), Trouble> {
    if ask.method == *method { Ok(()) } else { Err(Trouble::Method(allow)) }
}

fn login(aad: &Aad, ask: &Ask, tenant: &str, rest: &[&str]) -> Outcome {
    let get = || only(ask, &Method::GET, "GET");
    let post = || only(ask, &Method::POST, "POST");
    match rest {
        [".well-known", "openid-configuration"] => {
            get().and_then(|()| discovery::metadata(aad, tenant, Version::V1))
        }
        ["v2.0", ".well-known", "openid-configuration"] => {
            get().and_then(|()| discovery::metadata(aad, tenant, Version::V2))
        }
        ["discovery", "keys"] => get().and_then(|()| discovery::keys(aad, tenant, Version::V1)),
        ["discovery", "v2.0", "keys"] => get().and_then(|()| discovery::keys(aad, tenant, Version::V2)),
        ["discovery", "instance"] => get().and_then(|()| discovery::instance(aad, ask)),
        ["userrealm"] => get().and_then(|()| discovery::realm(aad, ask, ask.query.get("user"))),
        ["userrealm", _] => get().and_then(|()| discovery::realm(aad, ask, Some(&ask.last_segment))),
        ["oauth2", "authorize"] => authorize::answer(aad, ask, tenant, Version::V1),
        ["oauth2", "v2.0", "authorize"] => authorize::answer(aad, ask, tenant, Version::V2),
        ["login"] => authorize::login(aad, ask),
        ["oauth2", "devicecode"] => post().and_then(|()| device_code::start(aad, ask, tenant, Version::V1)),
        ["oauth2", "v2.0", "devicecode"] => {
            post().and_then(|()| device_code::start(aad, ask, tenant, Version::V2))
        }
        // Where public clients may have their answers sent: they read the address.
        ["oauth2", "nativeclient"] => {
            get().map(|()| pages::message("Done", "You can close this page.").into())
        }
        ["oauth2", "deviceauth"] => device_code::page(aad, ask, tenant),
        ["oauth2", "logout"] | ["oauth2", "v2.0", "logout"] => logout::answer(aad, ask, tenant),
        ["getcredentialtype"] => post().and_then(|()| credential_type::answer(aad, ask, tenant)),
        ["oauth2", "token"] => token(aad, ask, tenant, Version::V1),
        ["oauth2", "v2.0", "token"] => token(aad, ask, tenant, Version::V2),
        _ => Err(unbuilt(rest)),
    }
}

fn token(aad: &Aad, ask: &Ask, tenant: &str, version: Version) -> Outcome {
    only(ask, &Method::POST, "POST")?;
    grant::answer(aad, ask, tenant, version)
}

/// Paths of the real service that lead nowhere here (entra §1.2).
fn unbuilt(rest: &[&str]) -> Trouble {
    let bare: Vec<&str> = rest.iter().copied().filter(|segment| *segment != "v2.0").collect();
    let gap = match bare.as_slice() {
        ["federationmetadata", ..] => "federation metadata",
        ["kerberos", ..] => "Kerberos",
        ["saml2"] => "SAML sign-in",
        ["sidtoname"] => "sidtoname",
        ["winauth", ..] => "desktop single sign-on",
        ["wsfed"] => "WS-Federation sign-in",
        _ => return Trouble::NotFound,
    };
    Trouble::NotBuilt(gap.to_owned())
}
