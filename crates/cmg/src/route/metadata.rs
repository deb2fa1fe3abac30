//! `ServiceMetadata`: the page by which an administrator sees the served certificate in a browser, and the
//! first thing that ccmsetup asks for with a registration token.
//!
//! Fidelity: documented for its two paths and for `401 CMGService_Invalid_Token` under ServerAuth
//! (configmgr §1.5, §7 row 14); lab for the answer, one JSON object. It says nothing of the site behind the
//! gateway: no management point's name, no tenant, no key.

use axum::body::Body;
use cmglab_proto::ids::RoleId;
use cmglab_proto::mapping::{Endpoint, UrlMapping};
use cmglab_proto::url::AuthScheme;
use http::{Response, StatusCode};
use serde::Serialize;

use crate::answer;
use crate::settings::Applied;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ServiceMetadata<'a> {
    service_name: &'a str,
    role_instance: &'a str,
    settings_version: u64,
    endpoints: Vec<Published<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Published<'a> {
    name: &'a str,
    path: String,
    max_request_bytes: u64,
}

pub(super) fn answer(service: &str, instance: &str, applied: &Applied, scheme: AuthScheme) -> Response<Body> {
    let metadata = ServiceMetadata {
        service_name: service,
        role_instance: instance,
        settings_version: applied.document.version,
        endpoints: applied.document.mappings.iter().flat_map(|mapping| published(mapping, scheme)).collect(),
    };
    // Names and numbers always have a JSON form, so the default is never taken.
    let body = serde_json::to_string(&metadata).unwrap_or_default();
    answer::typed(StatusCode::OK, "application/json; charset=utf-8", body)
}

fn published(mapping: &UrlMapping, scheme: AuthScheme) -> impl Iterator<Item = Published<'_>> {
    let open = mapping.endpoints.iter().filter(move |endpoint| endpoint.schemes.contains(&scheme));
    open.map(move |endpoint| one(endpoint, mapping.role, scheme))
}

fn one(endpoint: &Endpoint, role: RoleId, scheme: AuthScheme) -> Published<'_> {
    Published {
        name: &endpoint.name,
        path: format!("/{}/{role}{}", scheme.segment(), endpoint.path_prefix),
        max_request_bytes: endpoint.max_request_bytes,
    }
}
