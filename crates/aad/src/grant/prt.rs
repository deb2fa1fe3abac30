//! Primary refresh tokens: how a device gets one for its user, and how it gets other tokens with it
//! (entra §4.2, §4.3).
//!
//! Fidelity: documented (MS-OAPXBC) and observed. Inferred: which AADSTS goes with a client that is no broker.

mod answer;
mod hello;
mod issue;
mod redeem;

use serde_json::{Map, Value};

pub(super) use issue::answer as issue;
pub(super) use redeem::answer as redeem;

use super::Request;
use super::scope::Target;
use crate::errors::{MISSING_PARAMETER, NOT_A_BROKER, Refusal};
use crate::route::Version;
use crate::{App, first_party};

/// What a request to a broker's end wants.
struct Wish {
    /// A primary refresh token: the scope `aza`.
    prt: bool,
    /// An access token, where a resource is named.
    target: Option<Target>,
    /// The scope without the words that only brokers use.
    scope: String,
}

impl Wish {
    /// Reads it from the payload of a signed request, and the scope from the form if it is not there.
    fn of(request: &Request<'_>, payload: &Map<String, Value>) -> Result<Self, Refusal> {
        let member = |name: &str| payload.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let scope = member("scope").or_else(|| request.form.get("scope")).unwrap_or_default();
        let words = || scope.split_ascii_whitespace();
        let prt = words().any(|word| FOR_PRT.contains(&word));
        let rest: Vec<_> = words().filter(|word| !FOR_PRT.contains(word) && *word != GROUPS).collect();
        let scope = rest.join(" ");
        let resource = member("resource");
        let named = resource.is_some() || rest.iter().any(|word| !OPENID.contains(word));
        let target = named.then(|| Target::named(request.version, resource, Some(&scope))).transpose()?;
        Ok(Self { prt, target, scope })
    }

    /// Refuses a request that wants nothing.
    fn missing(&self, version: Version) -> Refusal {
        MISSING_PARAMETER.about(&[if version == Version::V1 { "resource" } else { "scope" }])
    }
}

/// Only the broker and the sign-in of Windows hold primary refresh tokens.
fn only_brokers(client: &App) -> Result<(), Refusal> {
    let id = client.app_id;
    let known = [first_party::BROKER, first_party::SIGN_IN].contains(&id.guid());
    if known { Ok(()) } else { Err(NOT_A_BROKER.about(&[&id.to_string()])) }
}

/// `aza`, and what asks for a new token in version 3 of the protocol.
const FOR_PRT: [&str; 2] = ["aza", "urn:aad:tb:update:prt/.default"];
/// Wants the groups of the user in the answer; what Azure AD does about it is not known.
const GROUPS: &str = "ugs";
const OPENID: [&str; 4] = ["openid", "profile", "email", "offline_access"];
