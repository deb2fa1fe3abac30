//! The message for the channel: the client's own headers and body, and the envelope beside them.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::body::Body;
use cmglab_net::{counted_as_it_flows, strip_hop_headers};
use cmglab_proto::ids::MessageId;
use cmglab_proto::refusal::CmgRefusal;
use cmglab_tunnel::{Envelope, MESSAGE_PATH};
use http::header::CONTENT_LENGTH;
use http::{Request, Uri};
use http_body::Body as _;
use http_body_util::BodyExt as _;

use super::account::Account;
use crate::Shared;
use crate::route::{Refusal, Visit};

pub(super) fn of(
    shared: &Shared,
    visit: &Visit,
    message: MessageId,
    most_bytes: u64,
    request: Request<Body>,
    account: &Account,
) -> Result<Request<Body>, Refusal> {
    let (mut parts, body) = request.into_parts();
    strip_hop_headers(&mut parts.headers);
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
    let (counter, broke) = (Arc::clone(&account.request_bytes), Arc::clone(&account.body_broke));
    let body = body.map_err(move |error| {
        broke.store(true, Ordering::SeqCst);
        error
    });
    let body = counted_as_it_flows(body, move |bytes| {
        counter.fetch_add(bytes, Ordering::SeqCst);
    });
    let limit = usize::try_from(most_bytes).unwrap_or(usize::MAX);
    let body = Body::new(http_body_util::Limited::new(body, limit));
    let unusable = |error: http::Error| Refusal::new(CmgRefusal::BadRequest, error.to_string());
    let uri = Uri::builder().scheme("https").authority("channel").path_and_query(MESSAGE_PATH);
    let mut message = Request::builder()
        .method(parts.method)
        .uri(uri.build().map_err(unusable)?)
        .version(http::Version::HTTP_2)
        .body(body)
        .map_err(unusable)?;
    *message.headers_mut() = parts.headers;
    Ok(message)
}
