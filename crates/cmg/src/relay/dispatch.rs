//! Which channel takes a request, and for how long its answer is awaited.

use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::Body;
use cmglab_events::kinds::CmgEvent;
use cmglab_proto::refusal::CmgRefusal;
use cmglab_tunnel::{Channel, SendFailure};
use http::{Request, Response};

use super::account::Account;
use crate::Shared;
use crate::route::Refusal;

/// Asks the channels in their turn. The next one is tried only while nothing of the request was sent: what was
/// sent, even in part, may have been carried out.
pub(super) async fn dispatch(
    shared: &Shared,
    account: &Account,
    mut request: Request<Body>,
) -> Result<Response<Body>, Refusal> {
    let mut lost = None;
    for channel in shared.channels.turn() {
        let connection = channel.connection().to_owned();
        let message = account.message;
        account.voice.emit(CmgEvent::Dispatched { message, connection: connection.clone() });
        let Some(answer) = moving(shared.config.limits.patience, account, &channel, request).await else {
            let cause = format!("connection {connection} has not answered, and nothing moves any more");
            return Err(Refusal::new(CmgRefusal::GatewayTimeout, cause));
        };
        match answer {
            Ok(response) => return Ok(response.map(Body::new)),
            Err(SendFailure { unsent: None, .. }) if account.is_too_long() => {
                let cause = "the body is longer than its endpoint takes";
                return Err(Refusal::new(CmgRefusal::RequestEntityTooLarge, cause));
            }
            Err(SendFailure { unsent: None, .. }) if account.body_broke.load(Ordering::SeqCst) => {
                let cause = "the client's body broke off, or its chunks made no sense";
                return Err(Refusal::new(CmgRefusal::BadRequest, cause));
            }
            Err(SendFailure { cause, unsent: None }) => {
                let cause = format!("connection {connection} was lost with the request under way: {cause}");
                return Err(Refusal::new(CmgRefusal::BadGateway, cause));
            }
            Err(SendFailure { cause, unsent: Some(unsent) }) => {
                account.voice.emit(CmgEvent::Undelivered { message, connection, cause: cause.clone() });
                (request, lost) = (*unsent, Some(cause));
            }
        }
    }
    let cause = match lost {
        Some(cause) => format!("no connection point could take the request: {cause}"),
        None => "no connection point is connected to this instance".to_owned(),
    };
    Err(Refusal::new(CmgRefusal::ServiceUnavailable, cause))
}

/// The answer; nothing when neither it nor any byte of the request has come for `patience`.
async fn moving(
    patience: Duration,
    account: &Account,
    channel: &Channel,
    request: Request<Body>,
) -> Option<Result<Response<hyper::body::Incoming>, SendFailure>> {
    let mut answer = std::pin::pin!(channel.send(request));
    let mut seen = account.request_bytes.load(Ordering::SeqCst);
    loop {
        if let Ok(answer) = tokio::time::timeout(patience, answer.as_mut()).await {
            return Some(answer);
        }
        let now = account.request_bytes.load(Ordering::SeqCst);
        if std::mem::replace(&mut seen, now) == now {
            return None;
        }
    }
}
