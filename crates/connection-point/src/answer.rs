//! The management point's answer on its way back, as a stream.
//!
//! An answer that stands still is given up, whichever side is to blame: the management point that sends no
//! more, or a client that reads no more and would keep a connection and a place for itself.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use cmglab_events::kinds::{ConnectionPointEvent, ForwardFailure};
use cmglab_net::{reason_of, response_head_bytes};
use cmglab_proto::refusal::{ConnectorRefusal, Refusal as _};
use cmglab_tunnel::ReplyEnvelope;
use http::Response;
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;
use tokio_util::task::AbortOnDropHandle;

use crate::account::{Account, Answered};
use crate::headers;

/// Makes the management point's answer into the one for the gateway: a refusal gets the connection point's
/// own reason, a redirection becomes one (configmgr §5.8; §7, row 21); all else passes as it is.
pub(crate) fn relay(account: Account, patience: Duration, response: Response<Incoming>) -> Response<Body> {
    account.pulse.beat();
    let (mp_status, mp_reason) = (response.status(), reason_of(&response));
    let head_bytes = response_head_bytes(&response);
    let refusal = ConnectorRefusal::of_answer(mp_status, &mp_reason);
    let (status, reason) = match &refusal {
        Some(refusal) => (refusal.status(), refusal.reason().into_owned()),
        None => (mp_status, mp_reason.clone()),
    };
    account.voice.emit(ConnectionPointEvent::Answered {
        url: account.url().to_owned(),
        mp_status: mp_status.as_u16(),
        mp_reason,
        status: status.as_u16(),
        reason: reason.clone(),
    });
    let (mut parts, body) = response.into_parts();
    (parts.status, parts.version) = (status, http::Version::HTTP_2);
    headers::back(&mut parts.headers, mp_status, status);
    ReplyEnvelope { reason: reason.clone(), substatus: 0 }.attach(&mut parts.headers);
    let refused = refusal.is_some();
    let answered = Answered { status: status.as_u16(), reason, refused, head_bytes, body_bytes: 0 };
    Response::from_parts(parts, Body::new(Relayed::new(Flow { account, answered, body }, patience)))
}

/// An answer with its account.
struct Flow {
    account: Account,
    answered: Answered,
    body: Incoming,
}

struct Relayed {
    slot: Arc<Mutex<Slot>>,
    _watchdog: Option<AbortOnDropHandle<()>>,
}

struct Slot {
    state: State,
    reader: Option<Waker>,
}

enum State {
    Flowing(Box<Flow>),
    Done,
    GivenUp,
}

impl Relayed {
    fn new(flow: Flow, patience: Duration) -> Self {
        let (pulse, flows) = (Arc::clone(&flow.account.pulse), !flow.body.is_end_stream());
        let slot = Arc::new(Mutex::new(Slot { state: State::Flowing(Box::new(flow)), reader: None }));
        let watched = Arc::clone(&slot);
        let watchdog = flows.then(|| {
            AbortOnDropHandle::new(tokio::spawn(async move {
                pulse.stopped(patience).await;
                give_up(&watched, patience);
            }))
        });
        Self { slot, _watchdog: watchdog }
    }

    fn slot(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Drops the connection to the management point and gives the message's place free, even if nobody reads.
fn give_up(slot: &Mutex<Slot>, patience: Duration) {
    let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(flow) = slot.take(State::GivenUp) {
        flow.abort(ForwardFailure::Timeout, format!("nothing moved for {patience:?}"));
    }
    if let Some(reader) = slot.reader.take() {
        reader.wake();
    }
}

impl Slot {
    fn take(&mut self, then: State) -> Option<Box<Flow>> {
        match std::mem::replace(&mut self.state, then) {
            State::Flowing(flow) => Some(flow),
            ended => {
                self.state = ended;
                None
            }
        }
    }
}

impl Flow {
    fn finish(self) {
        self.account.finish(self.answered);
    }

    fn abort(mut self, failure: ForwardFailure, cause: String) {
        self.account.abort(failure, cause, Some(self.answered));
    }
}

impl HttpBody for Relayed {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        let mut slot = self.slot();
        let flow = match &mut slot.state {
            State::Flowing(flow) => flow,
            State::Done => return Poll::Ready(None),
            State::GivenUp => return Poll::Ready(Some(Err("nothing moved any more".into()))),
        };
        match Pin::new(&mut flow.body).poll_frame(cx) {
            Poll::Pending => {
                slot.reader = Some(cx.waker().clone());
                Poll::Pending
            }
            Poll::Ready(Some(Ok(frame))) => {
                flow.account.pulse.beat();
                flow.answered.body_bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
                if flow.body.is_end_stream() {
                    slot.take(State::Done).into_iter().for_each(|flow| flow.finish());
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => {
                let cause = error.to_string();
                slot.take(State::Done)
                    .into_iter()
                    .for_each(|flow| flow.abort(ForwardFailure::Broken, cause.clone()));
                Poll::Ready(Some(Err(error.into())))
            }
            Poll::Ready(None) => {
                slot.take(State::Done).into_iter().for_each(|flow| flow.finish());
                Poll::Ready(None)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.slot().state {
            State::Flowing(flow) => flow.body.is_end_stream(),
            State::Done => true,
            State::GivenUp => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.slot().state {
            State::Flowing(flow) => flow.body.size_hint(),
            State::Done | State::GivenUp => SizeHint::default(),
        }
    }
}

impl Drop for Relayed {
    fn drop(&mut self) {
        let Some(flow) = self.slot().take(State::Done) else { return };
        if flow.body.is_end_stream() {
            // Nothing was left to read, so nobody has read to the end.
            flow.finish();
        } else {
            flow.abort(ForwardFailure::Cancelled, "the client or its channel has gone".to_owned());
        }
    }
}
