//! From the gate to a channel and back, as a stream in both directions.

mod account;
mod dispatch;
mod message;

use std::time::Duration;

use axum::body::Body;
use cmglab_net::{Substatus, read_capped, strip_hop_headers, until_still};
use cmglab_proto::ids::MessageId;
use cmglab_proto::refusal::CmgRefusal;
use cmglab_tunnel::ReplyEnvelope;
use http::{Request, Response};

use crate::Shared;
use crate::answer::set_reason;
use crate::route::{Refusal, Visit};
use account::Account;

/// Sends a request over a channel and returns its answer, body still streaming. The instance's place for it is
/// held until the last byte of the answer is gone.
pub(crate) async fn relay(
    shared: &Shared,
    visit: &Visit,
    most_bytes: u64,
    request: Request<Body>,
) -> Result<Response<Body>, Refusal> {
    let Some(place) = shared.statistics.place() else {
        return Ok(visit.refuse(full(shared)));
    };
    let message = MessageId::new(shared.deps.ids.guid());
    let account = Account::open(shared, visit, message, place, most_bytes, &request);
    let request = message::of(shared, visit, message, most_bytes, request, &account)?;
    let response = match dispatch::dispatch(shared, &account, request).await {
        Ok(response) => match whole(restore(response), shared.config.limits.patience).await {
            Ok(response) => response,
            Err(refusal) => visit.refuse(refusal),
        },
        Err(refusal) => visit.refuse(refusal),
    };
    Ok(account.settle(response))
}

/// An answer that is short is awaited as a whole, so that the loss of its channel is still a refusal and not
/// half an answer. A longer one streams.
async fn whole(response: Response<Body>, patience: Duration) -> Result<Response<Body>, Refusal> {
    let (parts, body) = response.into_parts();
    let body = Body::new(until_still(body, patience));
    match http_body::Body::size_hint(&body).exact() {
        Some(length @ 1..=SHORT) => {
            let short = usize::try_from(length).unwrap_or(usize::MAX);
            let read = read_capped(body, short).await.map_err(|error| {
                Refusal::new(CmgRefusal::BadGateway, format!("the answer broke off: {}", error.cause))
            })?;
            Ok(Response::from_parts(parts, Body::from(read)))
        }
        _ => Ok(Response::from_parts(parts, body)),
    }
}

fn full(shared: &Shared) -> Refusal {
    let most = shared.config.limits.most_requests;
    let cause = format!("{most} requests are under way already, which is what this instance takes");
    Refusal::new(CmgRefusal::ServiceUnavailable, cause)
}

/// Takes the envelope off an answer and gives it back what HTTP/2 dropped.
fn restore(mut response: Response<Body>) -> Response<Body> {
    let envelope = ReplyEnvelope::detach(response.headers_mut());
    strip_hop_headers(response.headers_mut());
    *response.version_mut() = http::Version::HTTP_11;
    if let Ok(envelope) = envelope {
        set_reason(&mut response, &envelope.reason);
        response.extensions_mut().insert(Substatus(envelope.substatus));
    }
    response
}

/// Bytes of the longest answer that is read whole.
const SHORT: u64 = 64 * 1024;
