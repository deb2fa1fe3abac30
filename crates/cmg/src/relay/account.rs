//! The figures of one relayed request, told once its answer is complete.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use axum::body::Body;
use cmglab_clock::Stopwatch;
use cmglab_events::Source;
use cmglab_events::kinds::CmgEvent;
use cmglab_net::{counted, reason_of, request_head_bytes, response_head_bytes, shown};
use cmglab_proto::ids::MessageId;
use http::{Request, Response};

use crate::Shared;
use crate::egress::Meter;
use crate::route::Visit;
use crate::statistics::Place;
use crate::traffic::Traffic;

pub(super) struct Account {
    pub(super) voice: Source,
    traffic: Traffic,
    egress: Meter,
    watch: Stopwatch,
    pub(super) message: MessageId,
    method: String,
    url: String,
    request_uri: String,
    /// Head and body so far: also how one sees that a request still moves.
    pub(super) request_bytes: Arc<AtomicU64>,
    /// At how many the request is longer than its endpoint takes.
    most_request_bytes: u64,
    /// Whether the client's own bytes broke off or made no sense.
    pub(super) body_broke: Arc<AtomicBool>,
    told: bool,
    _place: Place,
}

impl Account {
    pub(super) fn open(
        shared: &Shared,
        visit: &Visit,
        message: MessageId,
        place: Place,
        most_bytes: u64,
        request: &Request<Body>,
    ) -> Self {
        let head_bytes = request_head_bytes(request);
        let voice = visit.voice.in_message(message);
        voice.emit(CmgEvent::Relaying { message, url: visit.url.clone() });
        Self {
            voice,
            traffic: shared.traffic.clone(),
            egress: shared.egress.clone(),
            watch: Stopwatch::start(),
            message,
            method: request.method().to_string(),
            url: visit.url.clone(),
            request_uri: shown(request.uri().path()).to_ascii_uppercase(),
            request_bytes: Arc::new(AtomicU64::new(head_bytes)),
            most_request_bytes: head_bytes.saturating_add(most_bytes),
            body_broke: Arc::default(),
            told: false,
            _place: place,
        }
    }

    /// Whether more of the body has come than its endpoint takes.
    pub(super) fn is_too_long(&self) -> bool {
        self.request_bytes.load(Ordering::SeqCst) > self.most_request_bytes
    }

    pub(super) fn settle(mut self, response: Response<Body>) -> Response<Body> {
        let (status, reason) = (response.status().as_u16(), reason_of(&response));
        let head_bytes = response_head_bytes(&response);
        response.map(|body| counted(body, move |bytes| self.tell(status, reason, head_bytes + bytes)))
    }

    fn tell(&mut self, status: u16, reason: String, response_bytes: u64) {
        self.told = true;
        let (request_bytes, taken_ms) = self.gone();
        let relayed = CmgEvent::Relayed {
            message: self.message,
            method: self.method.clone(),
            request_uri: self.request_uri.clone(),
            url: self.url.clone(),
            status,
            reason,
            request_bytes,
            response_bytes,
            taken_ms,
        };
        let tell = || self.voice.emit(relayed);
        self.traffic.count(&self.request_uri, request_bytes, Some(response_bytes), taken_ms, tell);
    }

    /// Bytes of the request and milliseconds. What goes on to the site leaves the gateway too.
    fn gone(&self) -> (u64, u64) {
        let request_bytes = self.request_bytes.load(Ordering::SeqCst);
        self.egress.add(request_bytes);
        (request_bytes, self.watch.millis())
    }
}

/// A client that leaves before its answer has still been at work.
impl Drop for Account {
    fn drop(&mut self) {
        if self.told {
            return;
        }
        let (request_bytes, taken_ms) = self.gone();
        let (message, url) = (self.message, self.url.clone());
        let abandoned = CmgEvent::Abandoned { message, url, request_bytes, taken_ms };
        let tell = || self.voice.emit(abandoned);
        self.traffic.count(&self.request_uri, request_bytes, None, taken_ms, tell);
    }
}
