//! Device registration (entra §1.6, §2).
//!
//! Fidelity: documented for the paths, the join request and its answer; of the error body only the kinds
//! are documented, the names of its members are inferred.

mod bearer;
mod delete;
mod denied;
mod discover;
mod hybrid;
mod issue;
mod join;
mod join_request;
mod key;
mod request;

use cmglab_proto::ids::TenantId;
use http::Method;

use crate::Aad;
use crate::answer::{Outcome, Trouble};
use crate::ask::Ask;
use crate::route::only;

pub(crate) use denied::Denied;
pub(crate) use discover::discover;

/// Answers what stands below `/EnrollmentServer`.
pub(crate) fn dispatch(aad: &Aad, ask: &Ask, rest: &[&str]) -> Outcome {
    match rest {
        ["contract" | "discover"] => discover(aad, ask, None),
        ["nonce"] => discover::nonce(aad, ask, None),
        ["nonce", tenant] => discover::nonce(aad, ask, Some(tenant)),
        ["device"] => only(ask, &Method::POST, "POST").and_then(|()| join::answer(aad, ask)),
        ["device", id] if ask.method == Method::DELETE => delete::answer(aad, ask, id),
        ["device", id] => only(ask, &Method::PUT, "PUT, DELETE").and_then(|()| hybrid::answer(aad, ask, id)),
        ["key"] => only(ask, &Method::POST, "POST").and_then(|()| key::answer(aad, ask)),
        ["deviceenrollmentwebservice.svc"] => Err(Trouble::NotBuilt("device enrolment over SOAP".to_owned())),
        _ => Err(Trouble::NotFound),
    }
}

/// The same, once the tenant is known.
fn within(trouble: Trouble, tenant: TenantId) -> Trouble {
    match trouble {
        Trouble::Denied(denied) => denied.within(tenant).into(),
        other => other,
    }
}
