//! Answers without an access token (entra §4.2). Numbers are strings in version 1 but for one; clients rely
//! on both.

use cmglab_events::kinds::AadEvent;
use cmglab_token::jwe;
use serde_json::{Map, Value, json};

use super::redeem::sign_in;
use crate::answer::Trouble;
use crate::claims::{ClientProof, Subject};
use crate::directory::Resource;
use crate::errors::TRANSPORT_KEY;
use crate::grant::Request;
use crate::grant::for_user::{client_info, usable};
use crate::grant::refresh::RefreshToken;
use crate::grant::scope::Target;
use crate::prt::Prt;
use crate::route::Version;
use crate::{App, Device};

/// Keeps a primary refresh token and gives it out, with its session key where `with_key` says so.
pub(super) fn primary(
    request: &Request<'_>,
    grant: &str,
    client: &App,
    device: &Device,
    prt: Prt,
    with_key: bool,
) -> Result<Map<String, Value>, Trouble> {
    let (aad, now) = (request.aad, request.ask.now);
    let mut body = about_user(request, &prt, client)?;
    if with_key {
        let unusable = || TRANSPORT_KEY.about(&[&device.id.to_string()]);
        let transport = device.transport_key.as_ref().ok_or_else(unusable)?;
        let transport = transport.spki_der().map_err(|_| unusable())?;
        let wrapped = jwe::wrap_session_key(&transport, &prt.session_key).map_err(|_| unusable())?;
        body.insert("session_key_jwe".to_owned(), json!(wrapped));
    }
    let (tenant, user) = (prt.tenant, prt.user);
    let (text, expires) = aad.keep_prt(prt, now);
    // One second less: by the time it is read, that much has passed.
    let left = expires.as_second() - now.as_second() - 1;
    body.extend([
        ("token_type".to_owned(), json!(aad.prt_options().token_type.text())),
        ("expires_in".to_owned(), number(request, left)),
        ("ext_expires_in".to_owned(), number(request, 0)),
        ("expires_on".to_owned(), number(request, expires.as_second())),
        ("refresh_token".to_owned(), json!(text)),
        ("refresh_token_expires_in".to_owned(), json!(left)),
        ("device_tenant_id".to_owned(), json!(tenant)),
    ]);
    let (device, client_id, grant) = (device.id, client.app_id, grant.to_owned());
    request.ask.voice.emit(AadEvent::PrimaryTokenIssued { grant, tenant, device, user, client_id, expires });
    Ok(body)
}

/// The answer with an access token and a new primary refresh token beside it.
pub(super) fn with_access(mut access: Map<String, Value>, primary: Map<String, Value>) -> Map<String, Value> {
    access.extend(primary.into_iter().filter(|(name, _)| WITH_ACCESS.contains(&name.as_str())));
    access
}

/// Who the user is, and a refresh token for the client, where no resource was named.
pub(super) fn identity(
    request: &Request<'_>,
    prt: &Prt,
    client: &App,
    scope: &str,
) -> Result<Map<String, Value>, Trouble> {
    let (aad, now) = (request.aad, request.ask.now);
    let mut body = about_user(request, prt, client)?;
    let seconds = aad.lifetimes().user_token_min;
    // Without a resource version 2 means Microsoft Graph, and so does a renewal of this.
    let target = Target::named(Version::V2, None, Some(scope))?;
    let token = RefreshToken::new(sign_in(prt, client), target, now);
    body.extend([
        ("token_type".to_owned(), json!("Bearer")),
        ("scope".to_owned(), json!(scope)),
        ("expires_in".to_owned(), number(request, i64::from(seconds) - 1)),
        ("ext_expires_in".to_owned(), number(request, i64::from(seconds) - 1)),
        ("expires_on".to_owned(), number(request, request.expires(seconds).as_second())),
        ("refresh_token".to_owned(), json!(aad.keep_refresh_token(token, now))),
    ]);
    Ok(body)
}

/// The ID token and `client_info`.
fn about_user(request: &Request<'_>, prt: &Prt, client: &App) -> Result<Map<String, Value>, Trouble> {
    let aad = request.aad;
    let user = aad.directory().user_by_id(prt.tenant, prt.user)?.clone();
    usable(&user)?;
    let itself = Resource { app: client.clone().into(), asked: client.app_id.to_string() };
    let frame = request.frame(prt.tenant, client.app_id, &itself, aad.lifetimes().user_token_min);
    let subject = Subject {
        user: &user,
        device: Some(prt.device),
        amr: &prt.amr,
        signed_in: prt.signed_in,
        scopes: "",
        client_proof: ClientProof::None,
    };
    let version = request.version.number();
    let id_token = aad.sign(version, &frame.id_token(&subject, version, request.form.get("nonce")))?;
    let mut body = Map::new();
    body.insert("id_token".to_owned(), json!(id_token));
    body.insert("client_info".to_owned(), json!(client_info(prt.user, prt.tenant)));
    Ok(body)
}

fn number(request: &Request<'_>, number: i64) -> Value {
    match request.version {
        Version::V1 => json!(number.to_string()),
        Version::V2 => json!(number),
    }
}

/// What a new primary refresh token adds to the answer with an access token.
const WITH_ACCESS: [&str; 4] =
    ["refresh_token", "refresh_token_expires_in", "session_key_jwe", "device_tenant_id"];
