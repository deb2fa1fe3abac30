//! The account of one message on its way: told and counted once, however it ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::Body;
use cmglab_events::Source;
use cmglab_events::kinds::{ConnectionPointEvent as E, ForwardFailure};
use cmglab_net::{CallError, CallFailure, counted_as_it_flows, request_head_bytes, shown};
use cmglab_proto::mapping::Rewritten;
use cmglab_proto::refusal::{ConnectorRefusal, Refusal as _};
use http::{Request, StatusCode};
use tokio::sync::OwnedSemaphorePermit;

use crate::Shared;
use crate::headers::has_bearer;
use crate::pulse::Pulse;
use crate::traffic::{Figures, Key, Traffic};

/// Dropping it while it is open is the message's end, too: its channel or its client has gone.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) voice: Source,
    pub(crate) pulse: Arc<Pulse>,
    traffic: Traffic,
    key: Key,
    method: String,
    url: String,
    bearer: bool,
    request_bytes: Arc<AtomicU64>,
    verbose: bool,
    open: bool,
    /// Given back when all is told.
    _place: OwnedSemaphorePermit,
}

/// What the management point has answered, as far as it has come.
#[derive(Debug, Clone, Default)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) reason: String,
    /// Whether the connection point refuses on behalf of the management point.
    pub(crate) refused: bool,
    pub(crate) head_bytes: u64,
    pub(crate) body_bytes: u64,
}

impl Account {
    /// Opens the account of `request`, whose body is counted from now on.
    pub(crate) fn open(
        shared: &Shared,
        voice: Source,
        rewritten: &Rewritten,
        place: OwnedSemaphorePermit,
        request: Request<Body>,
    ) -> (Self, Request<Body>) {
        let authority = rewritten.mp_base.authority();
        let host = authority.split_once(':').map_or(authority, |(host, _port)| host);
        let key = Key { endpoint: rewritten.endpoint_name.clone(), target_host: host.to_owned() };
        shared.traffic.begun(&key);
        let account = Self {
            voice,
            pulse: Arc::new(Pulse::start()),
            traffic: shared.traffic.clone(),
            key,
            method: request.method().to_string(),
            url: shown(&rewritten.internal_url),
            bearer: has_bearer(request.headers()),
            request_bytes: Arc::new(AtomicU64::new(request_head_bytes(&request))),
            verbose: shared.config.verbose,
            open: true,
            _place: place,
        };
        let (counter, pulse) = (Arc::clone(&account.request_bytes), Arc::clone(&account.pulse));
        let request = request.map(|body| {
            counted_as_it_flows(body, move |bytes| {
                counter.fetch_add(bytes, Ordering::Relaxed);
                pulse.beat();
            })
        });
        (account, request)
    }

    /// Internal URL, as it may be shown.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The answer was passed on whole.
    pub(crate) fn finish(mut self, answered: Answered) {
        self.close(Some(&answered), answered.refused, |account| {
            account.voice.emit(account.forwarded(answered.clone()));
        });
    }

    /// There was no answer; returns what is answered in its place.
    pub(crate) fn fail(mut self, error: &CallError) -> (StatusCode, String) {
        let refusal = match error.failure {
            CallFailure::Timeout => ConnectorRefusal::MpTimeout,
            _ => ConnectorRefusal::MpUnreachable,
        };
        let (status, reason) = (refusal.status(), refusal.reason().into_owned());
        self.close(None, true, |account| {
            account.voice.emit(E::ForwardFailed {
                method: account.method.clone(),
                url: account.url.clone(),
                endpoint: account.key.endpoint.clone(),
                status: status.as_u16(),
                reason: reason.clone(),
                failure: kind(error.failure),
                cause: error.cause.clone(),
                taken_ms: account.pulse.millis(),
                verbose: account.verbose,
            });
        });
        (status, reason)
    }

    /// It was given up, before or after its answer had begun.
    pub(crate) fn abort(&mut self, failure: ForwardFailure, cause: String, answered: Option<Answered>) {
        self.close(answered.as_ref(), true, |account| {
            account.voice.emit(E::ForwardAborted {
                method: account.method.clone(),
                url: account.url.clone(),
                endpoint: account.key.endpoint.clone(),
                failure,
                cause,
                taken_ms: account.pulse.millis(),
            });
            if let Some(answered) = answered.clone() {
                account.voice.emit(account.forwarded(answered));
            }
        });
    }

    fn close(&mut self, answered: Option<&Answered>, failed: bool, tell: impl FnOnce(&Self)) {
        if !std::mem::replace(&mut self.open, false) {
            return;
        }
        let figures = Figures {
            bearer: self.bearer,
            request_bytes: self.request_bytes.load(Ordering::Relaxed),
            response_bytes: answered.map_or(0, |it| it.head_bytes + it.body_bytes),
            failed,
        };
        self.traffic.ended(&self.key, figures, || tell(self));
    }

    fn forwarded(&self, answered: Answered) -> E {
        E::Forwarded {
            method: self.method.clone(),
            url: self.url.clone(),
            endpoint: self.key.endpoint.clone(),
            status: answered.status,
            reason: answered.reason,
            body_bytes: answered.body_bytes,
            taken_ms: self.pulse.millis(),
            verbose: self.verbose,
        }
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        self.abort(ForwardFailure::Cancelled, "the client or its channel has gone".to_owned(), None);
    }
}

fn kind(failure: CallFailure) -> ForwardFailure {
    match failure {
        CallFailure::Connect => ForwardFailure::Connect,
        CallFailure::Timeout => ForwardFailure::Timeout,
        CallFailure::Tls(_) => ForwardFailure::Trust,
        CallFailure::UnknownName => ForwardFailure::Name,
        _ => ForwardFailure::Broken,
    }
}
