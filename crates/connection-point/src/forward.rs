//! A client's message on its way to the management point.

use std::time::Duration;

use axum::body::Body;
use cmglab_clock::Stopwatch;
use cmglab_events::Source;
use cmglab_events::kinds::{ConnectionPointEvent, LabEvent};
use cmglab_fault::{Point, Verdict};
use cmglab_net::{CallError, CallFailure, MESSAGE_HEADER, counted, reason_of, shown};
use cmglab_proto::mapping::{Rewritten, rewrite};
use cmglab_proto::refusal::{ConnectorRefusal, Refusal as _};
use cmglab_proto::url::CmgPath;
use cmglab_tunnel::{Envelope, ReplyEnvelope};
use http::header::{HOST, HeaderMap, HeaderValue};
use http::{Request, Response, StatusCode, Uri};
use hyper::body::Incoming;

use crate::{Shared, plain};

/// Maps, forwards and answers one message.
pub(crate) async fn forward(shared: &Shared, request: Request<Incoming>) -> Response<Body> {
    let (mut parts, body) = request.into_parts();
    let Ok(envelope) = Envelope::detach(&mut parts.headers) else { return plain(StatusCode::BAD_REQUEST) };
    let voice = envelope
        .exchange
        .map_or_else(|| shared.deps.events.clone(), |exchange| shared.deps.events.in_exchange(exchange));
    let delivery = Delivery {
        shared,
        voice: voice.in_message(envelope.message),
        watch: Stopwatch::start(),
        method: parts.method.to_string(),
    };
    let Some(rewritten) = delivery.map(&envelope).await else {
        return refused(StatusCode::NOT_FOUND, "CMGConnector_NotFound");
    };
    delivery.voice.emit(ConnectionPointEvent::Forwarding {
        external_url: shown(&envelope.external_url()),
        url: shown(&rewritten.internal_url),
    });
    if delivery.cut_by_fault(&rewritten) {
        // The channel goes, and this message with it.
        return std::future::pending().await;
    }
    let uri: Uri = match rewritten.internal_url.parse() {
        Ok(uri) => uri,
        Err(_unreadable) => return refused(StatusCode::BAD_REQUEST, "CMGConnector_BadRequest"),
    };
    address(&mut parts.headers, &uri, &envelope);
    let mut onward = Request::new(Body::new(body));
    *onward.method_mut() = parts.method;
    *onward.uri_mut() = uri;
    *onward.headers_mut() = parts.headers;
    let answered = tokio::time::timeout(PATIENCE, shared.forwarder.send(onward)).await;
    match answered.unwrap_or_else(|_elapsed| Err(too_late())) {
        Ok(response) => delivery.answered(rewritten, response.map(Body::new)),
        Err(error) => delivery.failed(&rewritten, &error),
    }
}

struct Delivery<'a> {
    shared: &'a Shared,
    voice: Source,
    watch: Stopwatch,
    method: String,
}

impl Delivery<'_> {
    /// The mapping is checked again here: a gateway that was fooled, or is out of date, opens nothing.
    async fn map(&self, envelope: &Envelope) -> Option<Rewritten> {
        let path = CmgPath::parse(envelope.target.as_bytes()).ok();
        let settings = self.shared.site.settings().await.ok();
        let rewritten =
            path.zip(settings).and_then(|(path, settings)| rewrite(&settings.mappings, &path).ok());
        if rewritten.is_none() {
            self.voice
                .emit(ConnectionPointEvent::NotMapped { external_url: shown(&envelope.external_url()) });
        }
        rewritten
    }

    fn cut_by_fault(&self, rewritten: &Rewritten) -> bool {
        let cut = self.shared.deps.faults.at(Point::Forward, &rewritten.internal_url);
        if cut != Some(Verdict::CutChannel) {
            return false;
        }
        self.voice
            .emit(LabEvent::FaultApplied { point: "forward".to_owned(), verdict: "cut-channel".to_owned() });
        self.shared.cut.send_modify(|count| *count += 1);
        true
    }

    fn answered(self, rewritten: Rewritten, mut response: Response<Body>) -> Response<Body> {
        let status = response.status();
        let mp_reason = reason_of(&response);
        let reason = match ConnectorRefusal::of_answer(status, &mp_reason) {
            Some(refusal) => {
                *response.status_mut() = refusal.status();
                refusal.reason().into_owned()
            }
            None => mp_reason,
        };
        *response.version_mut() = http::Version::HTTP_2;
        response.headers_mut().remove("connection");
        response.headers_mut().remove("transfer-encoding");
        ReplyEnvelope { reason: reason.clone(), substatus: 0 }.attach(response.headers_mut());
        let status = response.status().as_u16();
        let Self { voice, watch, method, .. } = self;
        response.map(|body| {
            counted(body, move |body_bytes| {
                voice.emit(ConnectionPointEvent::Forwarded {
                    method,
                    url: shown(&rewritten.internal_url),
                    endpoint: rewritten.endpoint_name,
                    status,
                    reason,
                    body_bytes,
                    taken_ms: watch.millis(),
                });
            })
        })
    }

    fn failed(self, rewritten: &Rewritten, error: &CallError) -> Response<Body> {
        let refusal = match error.failure {
            CallFailure::Timeout => ConnectorRefusal::MpTimeout,
            _ => ConnectorRefusal::MpUnreachable,
        };
        let (status, reason) = (refusal.status(), refusal.reason().into_owned());
        self.voice.emit(ConnectionPointEvent::ForwardFailed {
            method: self.method,
            url: shown(&rewritten.internal_url),
            endpoint: rewritten.endpoint_name.clone(),
            status: status.as_u16(),
            reason: reason.clone(),
            cause: error.cause.clone(),
            taken_ms: self.watch.millis(),
        });
        refused(status, &reason)
    }
}

/// Headers of the onward request: the client's own, the management point's name, and the MessageID.
fn address(headers: &mut HeaderMap, uri: &Uri, envelope: &Envelope) {
    if let Some(host) = uri.authority().and_then(|host| HeaderValue::from_str(host.as_str()).ok()) {
        headers.insert(HOST, host);
    }
    if let Ok(message) = HeaderValue::from_str(&envelope.message.to_string()) {
        headers.insert(MESSAGE_HEADER, message);
    }
}

fn too_late() -> CallError {
    CallError::new(CallFailure::Timeout, format!("the management point did not answer within {PATIENCE:?}"))
}

fn refused(status: StatusCode, reason: &str) -> Response<Body> {
    let mut response = plain(status);
    ReplyEnvelope { reason: reason.to_owned(), substatus: 0 }.attach(response.headers_mut());
    response
}

/// Shorter than the gateway's own, so that the answer names the hop that was slow.
const PATIENCE: Duration = Duration::from_secs(50);
