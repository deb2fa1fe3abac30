//! What a broker does with a primary refresh token: tokens for other clients, and a new one of its kind
//! (entra §4.3).

use aws_lc_rs::rand;
use cmglab_proto::ids::TenantId;
use cmglab_token::jwe;
use cmglab_token::session::SessionKey;
use serde_json::{Map, Value};

use super::{Wish, answer, only_brokers};
use crate::answer::{Outcome, Reply, Trouble};
use crate::claims::ClientProof;
use crate::errors::{ASSERTION_INVALID, REDIRECT_URI, Refusal};
use crate::first_party::broker_redirect;
use crate::grant::for_user::{Extras, SignIn};
use crate::grant::redirect::takes;
use crate::grant::{Request, refresh};
use crate::proof::{Freshness, SessionProof};
use crate::prt::Prt;
use crate::{Aad, App, Hosts, proof};

/// Answers a request signed with the session key, encrypted to its holder.
pub(in crate::grant) fn answer(request: &Request<'_>, jws: &str) -> Outcome {
    let (aad, now) = (request.aad, request.ask.now);
    let proven = proof::session(aad, jws, Freshness::Nonce, now)?;
    let SessionProof { prt, payload, .. } = &proven;
    audience(aad, payload)?;
    let tenant = refresh::same_tenant(&request.path, prt.tenant)?;
    let client = aad.directory().client(tenant, proof::text(payload, "client_id")?)?.clone();
    may_use_broker(&client, payload)?;
    let wish = Wish::of(request, payload)?;
    let body = match (wish.prt, &wish.target) {
        (true, None) => renewed(request, &proven, &client)?,
        (false, None) => answer::identity(request, prt, &client, &wish.scope)?,
        (new, Some(target)) => {
            let extras = Extras { refresh: !new, client_info: true, ..Extras::default() };
            let sign_in = sign_in(prt, &client);
            let body = request.for_user(GRANT, &sign_in, ClientProof::None, target, extras)?;
            if new { answer::with_access(body, renewed(request, &proven, &client)?) } else { body }
        }
    };
    sealed(aad, &prt.session_key, &body)
}

/// Who a primary refresh token signs in at a client.
pub(super) fn sign_in(prt: &Prt, client: &App) -> SignIn {
    SignIn {
        tenant: prt.tenant,
        client: client.app_id,
        user: prt.user,
        device: Some(prt.device),
        amr: prt.amr.clone(),
        signed_in: prt.signed_in,
    }
}

/// Whether an audience is this service, as a host name or as one of its URLs. The names of the public cloud
/// always are: some clients have them built in.
pub(super) fn is_our_host(aad: &Aad, audience: &str) -> bool {
    let host = audience.strip_prefix("https://").unwrap_or(audience);
    let host = host.split('/').next().unwrap_or_default();
    let known = |hosts: &Hosts| {
        let mut names = [&hosts.login, &hosts.issuer].into_iter().chain(&hosts.aliases);
        names.any(|name| name.eq_ignore_ascii_case(host))
    };
    known(aad.hosts()) || known(&Hosts::documented())
}

/// A new primary refresh token beside the old one, which stays good. The session key stays until it is old.
fn renewed(
    request: &Request<'_>,
    proven: &SessionProof,
    client: &App,
) -> Result<Map<String, Value>, Trouble> {
    only_brokers(client)?;
    let now = request.ask.now;
    let mut prt = Prt { issued: now, ..proven.prt.clone() };
    let roll = prt.key_is_old(now);
    if roll {
        prt.session_key = SessionKey::generate().map_err(|error| Trouble::Failed(error.to_string()))?;
        prt.key_made = now;
    }
    answer::primary(request, GRANT, client, &proven.device, prt, roll)
}

fn audience(aad: &Aad, payload: &Map<String, Value>) -> Result<(), Refusal> {
    match payload.get("aud") {
        None | Some(Value::Null) => Ok(()),
        Some(Value::String(found)) if is_our_host(aad, found) => Ok(()),
        Some(found) => Err(ASSERTION_INVALID.about(&[&format!("it is for {found}")])),
    }
}

/// Whether the broker may act for a client: it is Microsoft's own or has the broker's redirect URI. One that
/// is sent must be registered, or be the broker's on systems where clients have none of their own.
fn may_use_broker(client: &App, payload: &Map<String, Value>) -> Result<(), Refusal> {
    let id = client.app_id.to_string();
    let own = broker_redirect(client.app_id.guid());
    if client.tenant != TenantId::zero() && !takes(client, &own) {
        return Err(REDIRECT_URI.about(&[&own, &id]));
    }
    let sent = payload.get("redirect_uri").and_then(Value::as_str).filter(|sent| !sent.is_empty());
    match sent {
        Some(sent) if !takes(client, sent) && !sent.eq_ignore_ascii_case(MOBILE_BROKER) => {
            Err(REDIRECT_URI.about(&[sent, &id]))
        }
        _ => Ok(()),
    }
}

fn sealed(aad: &Aad, key: &SessionKey, body: &Map<String, Value>) -> Outcome {
    let failed = |error: &dyn ToString| Trouble::Failed(error.to_string());
    let mut ctx = [0; CTX];
    rand::fill(&mut ctx).map_err(|error| failed(&error))?;
    let body = serde_json::to_vec(body).map_err(|error| failed(&error))?;
    let cipher = aad.prt_options().answer_cipher.into();
    let jwe = jwe::seal(&body, key, &ctx, cipher).map_err(|error| failed(&error))?;
    Ok(Reply::Jose(jwe))
}

const GRANT: &str = "prt";
const MOBILE_BROKER: &str = "msauth://Microsoft.AAD.BrokerPlugin";
const CTX: usize = 24;
