//! The rewrite of an external URL to the management point's internal one.
//!
//! Fidelity: documented (configmgr §1.5, §1.7) for what is replaced; the list of endpoints with their
//! schemes and size limits is the lab's. The rewrite is total: a path is either published or refused,
//! and what it yields always begins with the management point's base and a published prefix.

mod parts;

pub use parts::{MpBase, PartError, PathPrefix};

use serde::{Deserialize, Serialize};

use crate::ids::RoleId;
use crate::url::{AuthScheme, CmgPath};

/// The published endpoints of one management point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UrlMapping {
    /// The management point's id in external URLs.
    pub role: RoleId,
    /// Where it stands on the intranet.
    pub mp_base: MpBase,
    /// What it offers through the CMG.
    pub endpoints: Vec<Endpoint>,
}

impl UrlMapping {
    /// A management point with the usual endpoints, [`default_endpoints`].
    #[must_use]
    pub fn new(role: RoleId, mp_base: MpBase) -> Self {
        Self { role, mp_base, endpoints: default_endpoints() }
    }

    /// The endpoint that publishes `rest`; of nested prefixes the longest.
    fn endpoint(&self, rest: &str) -> Option<&Endpoint> {
        self.endpoints
            .iter()
            .filter(|endpoint| endpoint.path_prefix.covers(rest))
            .max_by_key(|endpoint| endpoint.path_prefix.as_str().len())
    }
}

/// One published endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// The name in the logs (`EndpointName: CCM_STS`).
    pub name: String,
    /// The path on the management point below which everything is published.
    pub path_prefix: PathPrefix,
    /// The schemes by which it may be reached.
    pub schemes: Vec<AuthScheme>,
    /// The largest request body, in bytes.
    pub max_request_bytes: u64,
}

/// The endpoints that a management point offers through the CMG. `CCM_STS` and `ccm_system_tokenauth`
/// want a token, `SMS_MP` and `ccm_system` a certificate, content takes either.
#[must_use]
pub fn default_endpoints() -> Vec<Endpoint> {
    use AuthScheme::{MutualAuth, ServerAuth};
    let endpoint = |name: &str, schemes: &[AuthScheme]| Endpoint {
        name: name.to_owned(),
        path_prefix: PathPrefix::of_name(name),
        schemes: schemes.to_vec(),
        max_request_bytes: DEFAULT_MAX_REQUEST_BYTES,
    };
    vec![
        endpoint("CCM_STS", &[ServerAuth]),
        endpoint("ccm_system_tokenauth", &[ServerAuth]),
        endpoint("ccm_system", &[MutualAuth]),
        endpoint("SMS_MP", &[MutualAuth]),
        endpoint("CCM_Client", &[MutualAuth, ServerAuth]),
        endpoint("CCM_Incoming", &[MutualAuth, ServerAuth]),
    ]
}

/// An external URL turned into an internal one, with what the connection point logs about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewritten {
    /// `https://MP.LAB.TEST/CCM_STS`: base, raw path and query.
    pub internal_url: String,
    /// The same without the base: the request target at the management point.
    pub internal_target: String,
    /// The management point's base.
    pub mp_base: MpBase,
    /// Base and published prefix: what took the place of the external prefix.
    pub internal_prefix: String,
    /// The endpoint's name.
    pub endpoint_name: String,
    /// The scheme of the external URL.
    pub scheme: AuthScheme,
    /// The management point's id.
    pub role: RoleId,
    /// The largest request body, in bytes.
    pub max_request_bytes: u64,
}

/// Why there is no internal URL. The CMG answers each with not found, save the scheme.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoMapping {
    /// The path does not go through to a management point at all.
    #[error("the path is not /CCM_Proxy_MutualAuth/<id>/… or /CCM_Proxy_ServerAuth/<id>/…")]
    NotProxied,
    /// No management point has this id.
    #[error("no management point has role id {role}; compare it with CCMHOSTNAME")]
    UnknownRole {
        /// The id asked for.
        role: RoleId,
    },
    /// The management point does not publish the path.
    #[error("{rest} is not published by management point {role}")]
    NotPublished {
        /// The id asked for.
        role: RoleId,
        /// The raw path on the management point.
        rest: String,
    },
    /// The endpoint is published under the other scheme alone.
    #[error("{endpoint} is not published under {scheme}")]
    SchemeNotAllowed {
        /// The endpoint's name.
        endpoint: String,
        /// The scheme asked for.
        scheme: AuthScheme,
    },
}

/// Turns `path` into the URL of the management point that publishes it. The prefix matches in any case
/// and ends at a segment boundary; path and query keep the client's bytes.
///
/// # Errors
/// [`NoMapping`] when nothing published matches.
pub fn rewrite(mappings: &[UrlMapping], path: &CmgPath) -> Result<Rewritten, NoMapping> {
    let CmgPath::Proxy { scheme, role, rest, query } = path else {
        return Err(NoMapping::NotProxied);
    };
    let mapping = mappings
        .iter()
        .find(|mapping| mapping.role == *role)
        .ok_or(NoMapping::UnknownRole { role: *role })?;
    let endpoint =
        mapping.endpoint(rest).ok_or_else(|| NoMapping::NotPublished { role: *role, rest: rest.clone() })?;
    if !endpoint.schemes.contains(scheme) {
        return Err(NoMapping::SchemeNotAllowed { endpoint: endpoint.name.clone(), scheme: *scheme });
    }
    let internal_target = match query {
        Some(query) => format!("{rest}?{query}"),
        None => rest.clone(),
    };
    Ok(Rewritten {
        internal_url: format!("{}{internal_target}", mapping.mp_base),
        internal_target,
        internal_prefix: format!("{}{}", mapping.mp_base, endpoint.path_prefix),
        mp_base: mapping.mp_base.clone(),
        endpoint_name: endpoint.name.clone(),
        scheme: *scheme,
        role: *role,
        max_request_bytes: endpoint.max_request_bytes,
    })
}

/// The request size limit of an endpoint unless told otherwise: 2 MiB. Lab, configmgr §9.
pub const DEFAULT_MAX_REQUEST_BYTES: u64 = 2 * 1024 * 1024;

#[cfg(test)]
mod tests;
