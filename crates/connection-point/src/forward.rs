//! A client's message on its way to the management point.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use cmglab_events::Source;
use cmglab_events::kinds::{ConnectionPointEvent, LabEvent};
use cmglab_fault::{Point, Verdict};
use cmglab_net::{CallError, CallFailure, shown};
use cmglab_proto::mapping::{Rewritten, rewrite};
use cmglab_proto::refusal::connector_reason;
use cmglab_proto::settings::SettingsDocument;
use cmglab_proto::url::CmgPath;
use cmglab_tunnel::{Envelope, ReplyEnvelope};
use http::header::{HeaderValue, RETRY_AFTER};
use http::{Request, Response, StatusCode, Uri};
use hyper::body::Incoming;
use tokio::sync::watch;

use crate::account::Account;
use crate::{Shared, answer, headers, plain};

/// Maps, forwards and answers one message. Dropping the future, when the channel or the client goes, drops
/// the request to the management point with it. Nothing is tried twice.
pub(crate) async fn forward(
    shared: &Shared,
    request: Request<Incoming>,
    cut: &watch::Sender<u64>,
) -> Response<Body> {
    let (mut parts, body) = request.into_parts();
    let Ok(envelope) = Envelope::detach(&mut parts.headers) else { return plain(StatusCode::BAD_REQUEST) };
    let voice = envelope
        .exchange
        .map_or_else(|| shared.deps.events.clone(), |exchange| shared.deps.events.in_exchange(exchange));
    let voice = voice.in_message(envelope.message);
    let Ok(place) = Arc::clone(&shared.places).try_acquire_owned() else {
        return turned_away(shared, &voice, &envelope);
    };
    let Ok(settings) = shared.site.settings().await else {
        // What cannot be looked up is not therefore unknown.
        return turned_away(shared, &voice, &envelope);
    };
    let Some((rewritten, uri)) = map(&settings, &envelope) else {
        voice.emit(ConnectionPointEvent::NotMapped { external_url: shown(&envelope.external_url()) });
        return refused(StatusCode::NOT_FOUND);
    };
    voice.emit(forwarding(shared, &envelope, &rewritten));
    headers::onward(&mut parts.headers, &uri, &envelope);
    (parts.uri, parts.version) = (uri, http::Version::HTTP_11);
    let onward = Request::from_parts(parts, Body::new(body));
    let (account, onward) = Account::open(shared, voice, &rewritten, place, onward);
    if cut_by_fault(shared, &account.voice, &rewritten) {
        cut.send_modify(|count| *count += 1);
        // The channel goes, and this message with it.
        return std::future::pending().await;
    }
    let patience = shared.config.limits.patience;
    let answered = tokio::select! {
        answered = shared.forwarder.send(onward) => answered,
        () = account.pulse.stopped(patience) => Err(too_late(patience)),
    };
    match answered {
        Ok(response) => answer::relay(account, patience, response),
        Err(error) => {
            let (status, reason) = account.fail(&error);
            refused_as(status, reason)
        }
    }
}

/// The mapping is checked again here: a gateway that was fooled, or is out of date, opens nothing.
fn map(settings: &SettingsDocument, envelope: &Envelope) -> Option<(Rewritten, Uri)> {
    let path = CmgPath::parse(envelope.target.as_bytes()).ok()?;
    let rewritten = rewrite(&settings.mappings, &path).ok()?;
    let uri = rewritten.internal_url.parse().ok()?;
    Some((rewritten, uri))
}

/// What the log calls the change of URLs: the published endpoint's external form gives place to the internal
/// one, and what follows it stays.
fn forwarding(shared: &Shared, envelope: &Envelope, rewritten: &Rewritten) -> ConnectionPointEvent {
    let (external_url, url) = (envelope.external_url(), &rewritten.internal_url);
    let follows = url.get(rewritten.internal_prefix.len()..).unwrap_or_default();
    let prefix = |whole: &str| shown(whole.strip_suffix(follows).unwrap_or(whole));
    ConnectionPointEvent::Forwarding {
        external_prefix: prefix(&external_url),
        internal_prefix: prefix(url),
        external_url: shown(&external_url),
        url: shown(url),
        verbose: shared.config.verbose,
    }
}

fn cut_by_fault(shared: &Shared, voice: &Source, rewritten: &Rewritten) -> bool {
    let faults = &shared.deps.faults;
    if faults.is_empty() || faults.at(Point::Forward, &rewritten.internal_url) != Some(Verdict::CutChannel) {
        return false;
    }
    voice.emit(LabEvent::FaultApplied { point: "forward".to_owned(), verdict: "cut-channel".to_owned() });
    true
}

fn turned_away(shared: &Shared, voice: &Source, envelope: &Envelope) -> Response<Body> {
    voice.emit(ConnectionPointEvent::TurnedAway {
        external_url: shown(&envelope.external_url()),
        under_way: shared.config.limits.places(),
    });
    let mut response = refused(StatusCode::SERVICE_UNAVAILABLE);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECONDS));
    response
}

fn too_late(patience: Duration) -> CallError {
    CallError::new(CallFailure::Timeout, format!("the management point did not answer within {patience:?}"))
}

fn refused(status: StatusCode) -> Response<Body> {
    refused_as(status, connector_reason(status, ""))
}

fn refused_as(status: StatusCode, reason: String) -> Response<Body> {
    let mut response = plain(status);
    ReplyEnvelope { reason, substatus: 0 }.attach(response.headers_mut());
    response
}

/// What is under way has mostly ended by then.
const RETRY_AFTER_SECONDS: &str = "5";
