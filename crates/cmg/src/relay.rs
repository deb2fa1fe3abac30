//! From the gate to the channel and back, as a stream in both directions.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::Body;
use cmglab_clock::Stopwatch;
use cmglab_events::Source;
use cmglab_events::kinds::CmgEvent;
use cmglab_net::{
    EXCHANGE_HEADER, MESSAGE_HEADER, Substatus, counted, reason_of, request_head_bytes, response_head_bytes,
    shown,
};
use cmglab_proto::ids::MessageId;
use cmglab_proto::refusal::CmgRefusal;
use cmglab_tunnel::{ChannelError, Envelope, MESSAGE_PATH, ReplyEnvelope};
use http::header::{
    CONNECTION, CONTENT_LENGTH, HOST, HeaderMap, HeaderName, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use http::{Request, Response, Uri};
use http_body::Body as _;

use crate::Shared;
use crate::answer::set_reason;
use crate::route::{Refusal, Visit};
use crate::traffic::Traffic;

/// Sends a request over a channel and returns its answer, body still streaming.
pub(crate) async fn relay(
    shared: &Shared,
    visit: &Visit,
    most_bytes: u64,
    request: Request<Body>,
) -> Result<Response<Body>, Refusal> {
    let channel = shared.channels.pick().map_err(|error| channel_refused(&error))?;
    let message = MessageId::new(shared.deps.ids.guid());
    let account = Account::open(shared, visit, message, &request);
    let request = message_of(shared, visit, message, most_bytes, request, &account)?;
    let answered = tokio::time::timeout(PATIENCE, channel.send(request)).await;
    let response = match answered {
        Ok(Ok(response)) => restore(response.map(Body::new)),
        Ok(Err(error)) => visit.refuse(channel_refused(&error)),
        Err(_elapsed) => {
            let cause = "the connection point did not answer in time";
            visit.refuse(Refusal::new(CmgRefusal::GatewayTimeout, cause))
        }
    };
    Ok(account.settle(response))
}

/// The figures of one relayed request, told once its answer is complete.
struct Account {
    voice: Source,
    traffic: Traffic,
    watch: Stopwatch,
    message: MessageId,
    method: String,
    url: String,
    request_uri: String,
    request_bytes: Arc<AtomicU64>,
}

impl Account {
    fn open(shared: &Shared, visit: &Visit, message: MessageId, request: &Request<Body>) -> Self {
        let voice = visit.voice.in_message(message);
        voice.emit(CmgEvent::Relaying { message, url: visit.url.clone() });
        Self {
            voice,
            traffic: shared.traffic.clone(),
            watch: Stopwatch::start(),
            message,
            method: request.method().to_string(),
            url: visit.url.clone(),
            request_uri: shown(request.uri().path()).to_ascii_uppercase(),
            request_bytes: Arc::new(AtomicU64::new(request_head_bytes(request))),
        }
    }

    fn settle(self, response: Response<Body>) -> Response<Body> {
        let (status, reason) = (response.status().as_u16(), reason_of(&response));
        let head_bytes = response_head_bytes(&response);
        response.map(|body| counted(body, move |bytes| self.tell(status, reason, head_bytes + bytes)))
    }

    fn tell(self, status: u16, reason: String, response_bytes: u64) {
        let Self { voice, traffic, watch, message, method, url, request_uri, request_bytes } = self;
        let (request_bytes, taken_ms) = (request_bytes.load(Ordering::SeqCst), watch.millis());
        let relayed = CmgEvent::Relayed {
            message,
            method,
            request_uri: request_uri.clone(),
            url,
            status,
            reason,
            request_bytes,
            response_bytes,
            taken_ms,
        };
        traffic.count(&request_uri, request_bytes, response_bytes, taken_ms, || voice.emit(relayed));
    }
}

/// The message for the channel: the client's own headers and body, and the envelope beside them.
fn message_of(
    shared: &Shared,
    visit: &Visit,
    message: MessageId,
    most_bytes: u64,
    request: Request<Body>,
    account: &Account,
) -> Result<Request<Body>, Refusal> {
    let (mut parts, body) = request.into_parts();
    strip(&mut parts.headers);
    let envelope = Envelope {
        message,
        exchange: visit.voice.exchange(),
        target: visit.target.clone(),
        origin: shared.origin(),
    };
    envelope.attach(&mut parts.headers);
    if body.size_hint().exact().is_none_or(|length| length > most_bytes) {
        // The length is unknown until the stream ends; the cap still holds.
        parts.headers.remove(CONTENT_LENGTH);
    }
    let counter = Arc::clone(&account.request_bytes);
    let limit = usize::try_from(most_bytes).unwrap_or(usize::MAX);
    let body = Body::new(http_body_util::Limited::new(body, limit));
    let body = counted(body, move |bytes| {
        counter.fetch_add(bytes, Ordering::SeqCst);
    });
    let unusable = |error: http::Error| Refusal::new(CmgRefusal::BadRequest, error.to_string());
    let mut message = Request::builder()
        .method(parts.method)
        .uri(
            Uri::builder()
                .scheme("https")
                .authority("channel")
                .path_and_query(MESSAGE_PATH)
                .build()
                .map_err(unusable)?,
        )
        .version(http::Version::HTTP_2)
        .body(body)
        .map_err(unusable)?;
    *message.headers_mut() = parts.headers;
    Ok(message)
}

/// Takes the envelope off an answer and gives it back what HTTP/2 dropped.
fn restore(mut response: Response<Body>) -> Response<Body> {
    let envelope = ReplyEnvelope::detach(response.headers_mut());
    strip(response.headers_mut());
    *response.version_mut() = http::Version::HTTP_11;
    if let Ok(envelope) = envelope {
        set_reason(&mut response, &envelope.reason);
        response.extensions_mut().insert(Substatus(envelope.substatus));
    }
    response
}

/// Removes what is meant for one hop only (RFC 9110 §7.6.1), and the lab's own headers.
fn strip(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named {
        headers.remove(name);
    }
    for name in [CONNECTION, HOST, TE, TRAILER, TRANSFER_ENCODING, UPGRADE] {
        headers.remove(name);
    }
    for name in ["keep-alive", "proxy-connection", "proxy-authenticate", EXCHANGE_HEADER, MESSAGE_HEADER] {
        headers.remove(name);
    }
}

fn channel_refused(error: &ChannelError) -> Refusal {
    let refusal = match error {
        ChannelError::NoChannel => CmgRefusal::ServiceUnavailable,
        _ => CmgRefusal::BadGateway,
    };
    Refusal::new(refusal, error.to_string())
}

const PATIENCE: Duration = Duration::from_secs(60);
