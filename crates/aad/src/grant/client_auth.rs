//! How a client proves itself at the token endpoints (entra §4.5, §5.2).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cmglab_proto::ids::TenantId;

use super::Request;
use crate::App;
use crate::answer::Trouble;
use crate::claims::ClientProof;
use crate::errors::{BAD_SECRET, CLIENT_IS_PUBLIC, CLIENT_NEEDS_SECRET, MISSING_PARAMETER, SECRET_EXPIRED};
use crate::form::decode_segment;

/// The client of a request, and how it proved itself. A public client has nothing to prove, and must not
/// try to.
pub(super) fn client(request: &Request<'_>, tenant: TenantId) -> Result<(App, ClientProof), Trouble> {
    let basic = basic(request);
    let id = match &basic {
        Some((id, _)) => id.as_str(),
        None => request.form.get("client_id").ok_or_else(|| MISSING_PARAMETER.about(&["client_id"]))?,
    };
    let app = request.aad.directory().client(tenant, id)?.clone();
    let secret = basic.as_ref().map(|(_, secret)| secret.as_str());
    let secret = secret.or_else(|| request.form.get("client_secret"));
    let assertion = request.form.get("client_assertion");
    let proof = match (secret, assertion) {
        (None, None) if app.public => ClientProof::None,
        (None, None) => return Err(CLIENT_NEEDS_SECRET.plain().into()),
        _ if app.public => return Err(CLIENT_IS_PUBLIC.about(&[id]).into()),
        (_, Some(_)) => return Err(Trouble::NotBuilt("client assertions".to_owned())),
        (Some(secret), None) => by_secret(request, &app, secret)?,
    };
    Ok((app, proof))
}

fn by_secret(request: &Request<'_>, app: &App, given: &str) -> Result<ClientProof, Trouble> {
    let id = app.app_id.to_string();
    let Some(secret) = app.secrets.iter().find(|secret| secret.value.is(given)) else {
        return Err(BAD_SECRET.about(&[&id]).into());
    };
    match secret.expires {
        Some(expires) if expires <= request.ask.now => Err(SECRET_EXPIRED.about(&[&id]).into()),
        _ => Ok(ClientProof::Secret),
    }
}

/// Name and secret of `Authorization: Basic` (RFC 6749 §2.3.1).
fn basic(request: &Request<'_>) -> Option<(String, String)> {
    let (scheme, text) = request.ask.header("authorization")?.split_once(' ')?;
    let text = scheme.eq_ignore_ascii_case("Basic").then(|| STANDARD.decode(text.trim()).ok())??;
    let text = String::from_utf8(text).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((decode_segment(id).ok()?, decode_segment(secret).ok()?))
}
