//! The public port: from the raw target to an answer.
//!
//! The order is the product's: what has two meanings is refused first; then the caller proves itself, by
//! certificate before its path is looked up, as IIS does, or by token after it, since the endpoint decides
//! which tokens are due; only then is anything relayed.

mod form;
mod metadata;
mod mutual;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use cmglab_events::Source;
use cmglab_events::kinds::CmgEvent;
use cmglab_net::{Exchange, Peer, shown};
use cmglab_proto::aadauthinfo::{self, AadAuthInfo};
use cmglab_proto::mapping::{Rewritten, rewrite};
use cmglab_proto::refusal::{CmgRefusal, Refusal as _};
use cmglab_proto::url::{AuthScheme, CmgPath};
use http::{HeaderMap, Method, Request, Response, StatusCode};

use crate::content::ContentAsk;
use crate::gate::{self, Ask};
use crate::settings::Applied;
use crate::{Shared, answer, relay};

/// Every request of the public port.
pub(crate) async fn handle(State(shared): State<Arc<Shared>>, request: Request<Body>) -> Response<Body> {
    let voice = match request.extensions().get::<Exchange>() {
        Some(Exchange(id)) => shared.deps.events.in_exchange(*id),
        None => shared.deps.events.clone(),
    };
    let target = request.uri().path_and_query().map_or("/", http::uri::PathAndQuery::as_str).to_owned();
    let visit = Visit { url: shown(&format!("{}{target}", shared.origin())), target, voice };
    match shared.route(&visit, request).await {
        Ok(response) => response,
        Err(refusal) => visit.refuse(refusal),
    }
}

/// One request's names for itself.
pub(crate) struct Visit {
    /// As events show it.
    pub(crate) url: String,
    /// As it was received, byte for byte.
    pub(crate) target: String,
    pub(crate) voice: Source,
}

/// A refusal and the rule behind it.
pub(crate) struct Refusal {
    pub(crate) refusal: CmgRefusal,
    pub(crate) cause: String,
    /// The methods that would have been right, where the method is what was wrong.
    allow: Option<&'static str>,
}

impl Visit {
    /// Answers with a refusal and says so; a refused token has told its own story at the gate.
    pub(crate) fn refuse(&self, Refusal { refusal, cause, allow }: Refusal) -> Response<Body> {
        if refusal != CmgRefusal::InvalidToken {
            self.voice.emit(CmgEvent::Refused {
                url: self.url.clone(),
                status: refusal.status().as_u16(),
                reason: refusal.reason().into_owned(),
                cause: cause.clone(),
            });
        }
        let response = answer::refusal(refusal, &cause);
        allow.into_iter().fold(response, answer::with_allow)
    }
}

impl Refusal {
    pub(crate) fn new(refusal: CmgRefusal, cause: impl Into<String>) -> Self {
        Self { refusal, cause: cause.into(), allow: None }
    }

    /// For a method other than those listed.
    fn method(cause: impl Into<String>, allow: &'static str) -> Self {
        Self { allow: Some(allow), ..Self::new(CmgRefusal::MethodNotAllowed, cause) }
    }
}

impl Shared {
    async fn route(&self, visit: &Visit, request: Request<Body>) -> Result<Response<Body>, Refusal> {
        let applied = self.settings.current().ok_or_else(|| {
            Refusal::new(CmgRefusal::ServiceUnavailable, "no settings of the site have arrived yet")
        })?;
        form::method_allowed(request.method())?;
        form::connection_allowed(request.headers())?;
        let path = CmgPath::parse(visit.target.as_bytes()).map_err(|error| form::target_refused(&error))?;
        match &path {
            CmgPath::Proxy { scheme: AuthScheme::MutualAuth, .. } => {
                let peer = request.extensions().get::<Peer>().cloned();
                mutual::admit(self, visit, peer.as_ref()).await?;
                let rewritten = published(&applied, &path, &request)?;
                relay::relay(self, visit, rewritten.max_request_bytes, request).await
            }
            CmgPath::Proxy { scheme: AuthScheme::ServerAuth, .. } => {
                let rewritten = published(&applied, &path, &request)?;
                let endpoint = rewritten.endpoint_name.as_str();
                self.gate(visit, &applied, Some(endpoint), request.headers().clone()).await?;
                relay::relay(self, visit, rewritten.max_request_bytes, request).await
            }
            CmgPath::AadAuthInfo { query } => {
                form::only_read(request.method())?;
                Ok(aad_auth_info(visit, &applied, query.as_deref()))
            }
            CmgPath::ServiceMetadata { scheme } => {
                form::only_read(request.method())?;
                if *scheme == AuthScheme::ServerAuth {
                    self.gate(visit, &applied, None, request.headers().clone()).await?;
                }
                Ok(metadata::answer(&self.config.host, self.deps.events.machine(), &applied, *scheme))
            }
            CmgPath::Other => self.content_of(visit, &applied, request.method()),
        }
    }

    /// What a content-enabled gateway answers beside the published endpoints.
    fn content_of(
        &self,
        visit: &Visit,
        applied: &Applied,
        method: &Method,
    ) -> Result<Response<Body>, Refusal> {
        let ask = ContentAsk {
            document: &applied.document,
            keys: &applied.ccm_keys,
            voice: &visit.voice,
            now: self.deps.clock.now(),
            url: &visit.url,
            target: &visit.target,
            method,
        };
        let answered = self.content.as_ref().and_then(|content| content.answer(ask));
        answered.ok_or_else(|| Refusal::new(CmgRefusal::NotFound, "no URL mapping matches this path"))
    }

    async fn gate(
        &self,
        visit: &Visit,
        applied: &Applied,
        endpoint: Option<&str>,
        headers: HeaderMap,
    ) -> Result<(), Refusal> {
        let ask = Ask { url: &visit.url, endpoint, headers: &headers };
        let passed = gate::check(self, applied, &visit.voice, ask).await;
        passed.map_err(|refused| Refusal::new(CmgRefusal::InvalidToken, refused.cause))
    }
}

/// The published endpoint that a path leads to, if it takes a body of this length.
fn published(applied: &Applied, path: &CmgPath, request: &Request<Body>) -> Result<Rewritten, Refusal> {
    let rewritten = rewrite(&applied.document.mappings, path)
        .map_err(|error| Refusal::new(CmgRefusal::NotFound, error.to_string()))?;
    form::length_allowed(request.headers(), &rewritten)?;
    Ok(rewritten)
}

/// The reply that starts a client without Azure AD properties (Fidelity: lab, configmgr §9).
fn aad_auth_info(visit: &Visit, applied: &Applied, query: Option<&str>) -> Response<Body> {
    let tenant = aadauthinfo::parse_query(query).ok();
    let found = tenant.and_then(|id| applied.document.tenant(&id)).filter(|tenant| tenant.token_auth_enabled);
    visit.voice.emit(CmgEvent::AadAuthInfoAnswered { tenant, found: found.is_some() });
    match found {
        Some(tenant) => {
            let info = AadAuthInfo {
                client_app_id: tenant.client_app_id,
                resource_uri: tenant.resource_uri.clone(),
                tenant_id: tenant.tenant_id,
            };
            answer::typed(StatusCode::OK, "application/json", info.to_body())
        }
        None => answer::refusal(CmgRefusal::NotFound, "no onboarded tenant of that id"),
    }
}
