//! Assertions that clients sign with the key of a registered certificate (entra §4.5; RFC 7523).
//!
//! Fidelity: observed. Libraries differ in algorithm, in how they name the certificate and write dates, and
//! in what they take for the audience; see [`cmglab_token::assertion`]. An assertion may be used again
//! until it ends, as at the real service.

use cmglab_proto::ids::TenantId;
use cmglab_token::assertion::{Credential, numeric_date, verify_assertion};
use cmglab_token::{TokenError, peek};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use crate::App;
use crate::errors::{
    CLIENT_ASSERTION_AUDIENCE, CLIENT_ASSERTION_MALFORMED, CLIENT_ASSERTION_SIGNATURE,
    CLIENT_ASSERTION_SUBJECT, CLIENT_ASSERTION_TIMES, MALFORMED, MISSING_PARAMETER, Refusal,
};
use crate::grant::Request;

/// The client that an assertion is about, which is not proven by that.
pub(super) fn subject(jws: &str) -> Option<String> {
    let (_, claims) = peek(jws).ok()?;
    claims.get("sub")?.as_str().map(str::to_owned)
}

/// Checks the assertion of `app`: signature, identity, audience, times.
pub(super) fn check(request: &Request<'_>, tenant: TenantId, app: &App, jws: &str) -> Result<(), Refusal> {
    match request.form.get("client_assertion_type") {
        Some(TYPE) => {}
        Some(_) => return Err(MALFORMED.about(&[&format!("client_assertion_type is {TYPE}")])),
        None => return Err(MISSING_PARAMETER.about(&["client_assertion_type"])),
    }
    let (id, now) = (app.app_id.to_string(), request.ask.now);
    let certificates = app.certificates.iter();
    // Those that are none have been refused when the application was registered.
    let registered: Vec<_> =
        certificates.filter_map(|one| Credential::from_certificate(&one.0).ok()).collect();
    let assertion = verify_assertion(jws, &registered).map_err(|error| unverified(&error, &id))?;
    let dates = registered.get(assertion.credential).map(|one| (one.valid_from(), one.valid_to()));
    if let Some((from, to)) = dates.filter(|(from, to)| now < *from || *to < now) {
        let reason = format!("its certificate is valid from {from} to {to} only");
        return Err(CLIENT_ASSERTION_SIGNATURE.about(&[&id, &reason]));
    }
    let claims = &assertion.claims;
    for name in ["iss", "sub"] {
        let found = text(claims, name)?;
        if !found.eq_ignore_ascii_case(&id) {
            return Err(CLIENT_ASSERTION_SUBJECT.about(&[found, &id]));
        }
    }
    audience(request, tenant, claims)?;
    times(claims, now)
}

fn unverified(error: &TokenError, id: &str) -> Refusal {
    match error {
        TokenError::Malformed { .. } | TokenError::TooLarge { .. } => {
            CLIENT_ASSERTION_MALFORMED.about(&[&error.to_string()])
        }
        TokenError::UnknownKey { .. } => {
            CLIENT_ASSERTION_SIGNATURE.about(&[id, "it names none of the registered certificates"])
        }
        _ => CLIENT_ASSERTION_SIGNATURE.about(&[id, &error.to_string()]),
    }
}

/// The audience is a token endpoint, or the issuer, of the tenant under any name.
fn audience(request: &Request<'_>, tenant: TenantId, claims: &Map<String, Value>) -> Result<(), Refusal> {
    let found: Vec<&str> = match claims.get("aud") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    if found.iter().any(|audience| ours(request, tenant, audience)) {
        return Ok(());
    }
    Err(CLIENT_ASSERTION_AUDIENCE.about(&[&found.join(" "), &tenant.to_string()]))
}

fn ours(request: &Request<'_>, tenant: TenantId, audience: &str) -> bool {
    let audience = audience.to_lowercase();
    let audience = audience.strip_suffix('/').unwrap_or(&audience);
    let Some((host, path)) = audience.strip_prefix("https://").and_then(|rest| rest.split_once('/')) else {
        return false;
    };
    let hosts = request.aad.hosts();
    let mut known = [&hosts.login, &hosts.issuer].into_iter().chain(&hosts.aliases);
    let (named, rest) = path.split_once('/').unwrap_or((path, ""));
    let directory = request.aad.directory();
    let of_tenant = named == tenant.to_string() || directory.tenant_of_domain(named) == Some(tenant);
    let anyones = ["common", "organizations"].contains(&named);
    known.any(|known| known.eq_ignore_ascii_case(host))
        && match rest {
            "oauth2/token" | "oauth2/v2.0/token" => of_tenant || anyones,
            // The issuers of versions 1 and 2.
            "" | "v2.0" => of_tenant,
            _ => false,
        }
}

fn times(claims: &Map<String, Value>, now: Timestamp) -> Result<(), Refusal> {
    let date = |name: &str| claims.get(name).map(|value| numeric_date(value).ok_or_else(|| unread(name)));
    let expires = date("exp").ok_or_else(|| unread("exp"))??;
    let starts = date("nbf").transpose()?;
    let refused = |bound: &str, at: Timestamp| {
        Err(CLIENT_ASSERTION_TIMES.about(&[&now.to_string(), &format!("{bound}: {at}")]))
    };
    if now.duration_since(expires) >= LEEWAY {
        return refused("expiry time of assertion", expires);
    }
    match starts {
        Some(starts) if starts.duration_since(now) > LEEWAY => refused("assertion not valid before", starts),
        _ => Ok(()),
    }
}

fn text<'a>(claims: &'a Map<String, Value>, name: &str) -> Result<&'a str, Refusal> {
    claims.get(name).and_then(Value::as_str).ok_or_else(|| unread(name))
}

fn unread(name: &str) -> Refusal {
    CLIENT_ASSERTION_MALFORMED.about(&[&format!("claim '{name}' is missing or of the wrong type")])
}

const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// How far the clocks of client and service may differ.
const LEEWAY: SignedDuration = SignedDuration::from_mins(5);
