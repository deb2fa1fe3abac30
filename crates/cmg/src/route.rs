//! The public port: from the raw target to an answer.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use cmglab_events::Source;
use cmglab_events::kinds::{CertificateVerdict, CmgEvent};
use cmglab_net::{Exchange, Peer, shown};
use cmglab_proto::aadauthinfo::{self, AadAuthInfo};
use cmglab_proto::mapping::{Rewritten, rewrite};
use cmglab_proto::refusal::{CmgRefusal, Refusal as _};
use cmglab_proto::url::{AuthScheme, CmgPath, TargetError};
use http::header::{CONNECTION, CONTENT_LENGTH};
use http::{HeaderMap, Method, Request, Response, StatusCode};

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
}

impl Visit {
    /// Answers with a refusal and says so; a refused token has told its own story at the gate.
    pub(crate) fn refuse(&self, Refusal { refusal, cause }: Refusal) -> Response<Body> {
        if refusal != CmgRefusal::InvalidToken {
            self.voice.emit(CmgEvent::Refused {
                url: self.url.clone(),
                status: refusal.status().as_u16(),
                reason: refusal.reason().into_owned(),
                cause: cause.clone(),
            });
        }
        answer::refusal(refusal, &cause)
    }
}

impl Refusal {
    pub(crate) fn new(refusal: CmgRefusal, cause: impl Into<String>) -> Self {
        Self { refusal, cause: cause.into() }
    }
}

impl Shared {
    async fn route(&self, visit: &Visit, request: Request<Body>) -> Result<Response<Body>, Refusal> {
        let applied = self.settings.current().ok_or_else(|| {
            Refusal::new(CmgRefusal::ServiceUnavailable, "no settings of the site have arrived yet")
        })?;
        method_allowed(request.method())?;
        connection_allowed(request.headers())?;
        let path = CmgPath::parse(visit.target.as_bytes()).map_err(|error| target_refused(&error))?;
        match &path {
            // The certificate is judged before the path, as IIS does it.
            CmgPath::Proxy { scheme: AuthScheme::MutualAuth, .. } => Err(mutual_auth(&request)),
            CmgPath::Proxy { .. } => {
                let rewritten = rewrite(&applied.document.mappings, &path)
                    .map_err(|error| Refusal::new(CmgRefusal::NotFound, error.to_string()))?;
                length_allowed(&request, &rewritten)?;
                self.proxy(visit, &applied, &rewritten, request).await
            }
            CmgPath::AadAuthInfo { query } => {
                only_read(request.method())?;
                Ok(aad_auth_info(visit, &applied, query.as_deref()))
            }
            CmgPath::ServiceMetadata { scheme } => {
                self.service_metadata(visit, &applied, *scheme, request.headers().clone()).await
            }
            CmgPath::Other => Err(Refusal::new(CmgRefusal::NotFound, "no URL mapping matches this path")),
        }
    }

    async fn proxy(
        &self,
        visit: &Visit,
        applied: &Applied,
        rewritten: &Rewritten,
        request: Request<Body>,
    ) -> Result<Response<Body>, Refusal> {
        let endpoint = rewritten.endpoint_name.as_str();
        self.gate(visit, applied, endpoint, request.headers().clone()).await?;
        relay::relay(self, visit, rewritten.max_request_bytes, request).await
    }

    async fn gate(
        &self,
        visit: &Visit,
        applied: &Applied,
        endpoint: &str,
        headers: HeaderMap,
    ) -> Result<(), Refusal> {
        let ask = Ask { url: &visit.url, endpoint, headers: &headers };
        let passed = gate::check(self, applied, &visit.voice, ask).await;
        passed.map_err(|refused| Refusal::new(CmgRefusal::InvalidToken, refused.cause))
    }

    async fn service_metadata(
        &self,
        visit: &Visit,
        applied: &Applied,
        scheme: AuthScheme,
        headers: HeaderMap,
    ) -> Result<Response<Body>, Refusal> {
        if scheme == AuthScheme::ServerAuth {
            self.gate(visit, applied, "", headers).await?;
        }
        Err(Refusal::new(
            CmgRefusal::NotImplemented,
            "ServiceMetadata has no public format; the lab serves none",
        ))
    }
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

/// The verbs that devices between client and gateway must pass (configmgr §1.8).
fn method_allowed(method: &Method) -> Result<(), Refusal> {
    if METHODS.contains(&method.as_str()) {
        return Ok(());
    }
    Err(Refusal::new(CmgRefusal::MethodNotAllowed, format!("{method} is not one of {}", METHODS.join(", "))))
}

fn only_read(method: &Method) -> Result<(), Refusal> {
    match *method {
        Method::GET | Method::HEAD => Ok(()),
        _ => Err(Refusal::new(CmgRefusal::MethodNotAllowed, "AADAuthInfo answers GET and HEAD")),
    }
}

/// A caller that declares an end-to-end header to be for one hop (RFC 9110 §7.6.1) would have the gate and
/// the management point see different requests.
fn connection_allowed(headers: &HeaderMap) -> Result<(), Refusal> {
    let named = headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
    let mut named = named.flat_map(|list| list.split(',')).map(str::trim);
    match named.find(|name| END_TO_END.iter().any(|header| name.eq_ignore_ascii_case(header))) {
        Some(name) => Err(Refusal::new(
            CmgRefusal::BadRequest,
            format!("Connection names {name}, which is not for one hop only"),
        )),
        None => Ok(()),
    }
}

fn length_allowed(request: &Request<Body>, rewritten: &Rewritten) -> Result<(), Refusal> {
    let stated = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    match stated.and_then(|text| text.parse::<u64>().ok()) {
        Some(length) if length > rewritten.max_request_bytes => Err(Refusal::new(
            CmgRefusal::RequestEntityTooLarge,
            format!("{} takes at most {} bytes", rewritten.endpoint_name, rewritten.max_request_bytes),
        )),
        _ => Ok(()),
    }
}

fn mutual_auth(request: &Request<Body>) -> Refusal {
    use CertificateVerdict as V;
    let verdict = request.extensions().get::<Peer>().map_or(V::Absent, |peer| peer.verdict);
    let (refusal, cause) = match verdict {
        V::Valid => (
            CmgRefusal::NotImplemented,
            "the certificate is good, but relaying MutualAuth requests is not built yet",
        ),
        V::Absent => (CmgRefusal::CertificateRequired, "MutualAuth needs a client certificate"),
        V::Revoked | V::RevocationUnknown => {
            (CmgRefusal::RevokedCertificate, "the client certificate is revoked, or its CRL cannot be had")
        }
        V::Expired | V::NotYetValid => {
            (CmgRefusal::ExpiredCertificate, "the client certificate is out of date")
        }
        _ => (
            CmgRefusal::UntrustedCertificate,
            "the client certificate does not chain to the uploaded roots, or is not for client authentication",
        ),
    };
    Refusal::new(refusal, cause)
}

fn target_refused(error: &TargetError) -> Refusal {
    let refusal = match error {
        TargetError::TooLong { .. } => CmgRefusal::RequestUriTooLong,
        _ => CmgRefusal::BadRequest,
    };
    Refusal::new(refusal, error.to_string())
}

const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "CCM_POST", "BITS_POST", "PROPFIND"];

const END_TO_END: [&str; 8] = [
    "authorization",
    "cache-control",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "host",
    "range",
];
