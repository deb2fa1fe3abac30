//! How a client proves itself at the token endpoints (entra §4.5, §5.2; RFC 6749 §2.3, RFC 7523).
//!
//! Fidelity: documented, and observed for what assertions look like.

mod assertion;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cmglab_proto::ids::TenantId;

use super::Request;
use crate::App;
use crate::answer::Trouble;
use crate::claims::ClientProof;
use crate::errors::{
    BAD_SECRET, CLIENT_IS_PUBLIC, CLIENT_NEEDS_SECRET, MALFORMED, MISSING_PARAMETER, Refusal, SECRET_EXPIRED,
};
use crate::form::decode_value;

/// What a request has to show for its client.
enum Shown<'a> {
    Nothing,
    /// A secret; or one that reads two ways, as some escape it in a header and some do not.
    Secret(Vec<String>),
    Assertion(&'a str),
}

/// The client of a request, and how it proved itself. A public client has nothing to prove, and must not
/// try to.
pub(super) fn client(request: &Request<'_>, tenant: TenantId) -> Result<(App, ClientProof), Trouble> {
    let (id, shown) = shown(request)?;
    let app = request.aad.directory().client(tenant, &id)?.clone();
    let proof = match shown {
        Shown::Nothing if app.public => ClientProof::None,
        Shown::Nothing => return Err(CLIENT_NEEDS_SECRET.plain().into()),
        _ if app.public => return Err(CLIENT_IS_PUBLIC.about(&[&id]).into()),
        Shown::Secret(readings) => by_secret(request, &app, &readings)?,
        Shown::Assertion(jws) => {
            assertion::check(request, tenant, &app, jws)?;
            ClientProof::Certificate
        }
    };
    Ok((app, proof))
}

/// The client of a request that must not be public.
pub(super) fn confidential(request: &Request<'_>, tenant: TenantId) -> Result<(App, ClientProof), Trouble> {
    match client(request, tenant)? {
        (_, ClientProof::None) => Err(CLIENT_NEEDS_SECRET.plain().into()),
        proven => Ok(proven),
    }
}

/// The client that a request names, which is not proven by that.
pub(super) fn named(request: &Request<'_>) -> Result<String, Refusal> {
    shown(request).map(|(id, _)| id)
}

fn shown<'a>(request: &'a Request<'_>) -> Result<(String, Shown<'a>), Refusal> {
    let form = &request.form;
    let (secret, assertion) = (form.get("client_secret"), form.get("client_assertion"));
    let (header, shown) = match (basic(request), secret, assertion) {
        (None, None, None) => (None, Shown::Nothing),
        (None, Some(secret), None) => (None, Shown::Secret(vec![secret.to_owned()])),
        (None, None, Some(jws)) => (None, Shown::Assertion(jws)),
        (Some((id, readings)), None, None) => (Some(id), Shown::Secret(readings)),
        // RFC 6749 §2.3.
        _ => return Err(MALFORMED.about(&["the client uses more than one way to prove itself"])),
    };
    let id = match (form.get("client_id"), header, &shown) {
        (Some(id), Some(header), _) if !id.eq_ignore_ascii_case(&header) => {
            return Err(MALFORMED.about(&["client_id is not the client of the Authorization header"]));
        }
        (_, Some(id), _) => Some(id),
        (Some(id), None, _) => Some(id.to_owned()),
        // RFC 7521 §4.2: an assertion may stand for it.
        (None, None, Shown::Assertion(jws)) => assertion::subject(jws),
        (None, None, _) => None,
    };
    Ok((id.ok_or_else(|| MISSING_PARAMETER.about(&["client_id"]))?, shown))
}

fn by_secret(request: &Request<'_>, app: &App, readings: &[String]) -> Result<ClientProof, Trouble> {
    let id = app.app_id.to_string();
    let fits = |secret: &&crate::AppSecret| readings.iter().any(|given| secret.value.is(given));
    let mut fitting = app.secrets.iter().filter(fits).peekable();
    if fitting.peek().is_none() {
        return Err(BAD_SECRET.about(&[&id]).into());
    }
    if fitting.all(|secret| secret.expires.is_some_and(|expires| expires <= request.ask.now)) {
        return Err(SECRET_EXPIRED.about(&[&id]).into());
    }
    Ok(ClientProof::Secret)
}

/// Name and readings of the secret of `Authorization: Basic` (RFC 6749 §2.3.1).
fn basic(request: &Request<'_>) -> Option<(String, Vec<String>)> {
    let (scheme, text) = request.ask.header("authorization")?.split_once(' ')?;
    let text = scheme.eq_ignore_ascii_case("Basic").then(|| STANDARD.decode(text.trim()).ok())??;
    let text = String::from_utf8(text).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((decode_value(id).ok()?, decode_value(secret).into_iter().chain([secret.to_owned()]).collect()))
}
