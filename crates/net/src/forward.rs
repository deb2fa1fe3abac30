//! Relaying a request to another role as a stream, by `http::Uri`: the bytes judged are the bytes sent.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use axum::body::Body;
use cmglab_tls::stream::ClientStream;
use http::uri::Scheme;
use http::{Request, Response, Uri};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpStream;

use crate::{CallError, CallFailure, Deps, dial};

/// Sends requests on, with this machine's certificate and no rewriting of the target. Cheap to clone.
#[derive(Clone)]
pub struct Forwarder {
    deps: Deps,
    pool: Arc<Mutex<Option<(u64, Pool)>>>,
}

type Pool = Client<Dialler, Body>;

impl Forwarder {
    /// A forwarder for one role.
    #[must_use]
    pub fn new(deps: &Deps) -> Self {
        Self { deps: deps.clone(), pool: Arc::default() }
    }

    /// Sends `request`, whose URI is absolute, and returns the answer with its body still streaming.
    ///
    /// # Errors
    /// [`CallError`] with the failed check, in words and by kind.
    pub async fn send(&self, request: Request<Body>) -> Result<Response<Incoming>, CallError> {
        self.pool().request(request).await.map_err(|error| call_error(&error))
    }

    /// Connections of an earlier TLS epoch are never used again.
    fn pool(&self) -> Pool {
        let epoch = self.deps.store.epoch();
        let mut pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        match pool.as_ref() {
            Some((of, client)) if *of == epoch => client.clone(),
            _ => {
                let client = Client::builder(TokioExecutor::new())
                    .pool_timer(TokioTimer::new())
                    .build(Dialler(self.deps.clone()));
                *pool = Some((epoch, client.clone()));
                client
            }
        }
    }
}

impl fmt::Debug for Forwarder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Forwarder").finish_non_exhaustive()
    }
}

fn call_error(error: &hyper_util::client::legacy::Error) -> CallError {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(current) = cause {
        if let Some(found) = current.downcast_ref::<CallError>() {
            return found.clone();
        }
        cause = current.source();
    }
    CallError::new(CallFailure::Broken, format!("the connection broke: {}", innermost(error)))
}

pub(crate) fn innermost(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = inner.to_string();
        cause = inner.source();
    }
    text
}

#[derive(Clone)]
struct Dialler(Deps);

impl tower_service::Service<Uri> for Dialler {
    type Response = Dialled;
    type Error = CallError;
    type Future = Pin<Box<dyn Future<Output = Result<Dialled, CallError>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), CallError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let deps = self.0.clone();
        Box::pin(async move {
            let unusable = |what: &str| CallError::new(CallFailure::Request, format!("{uri} {what}"));
            if uri.scheme() != Some(&Scheme::HTTPS) {
                return Err(unusable("is not an https URL, and nothing is sent in the clear"));
            }
            let host = uri.host().ok_or_else(|| unusable("names no host"))?;
            let stream = dial(&deps, host, uri.port_u16().unwrap_or(443), &[b"http/1.1"]).await?;
            Ok(Dialled(TokioIo::new(stream)))
        })
    }
}

struct Dialled(TokioIo<ClientStream<TcpStream>>);

impl Connection for Dialled {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl hyper::rt::Read for Dialled {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: hyper::rt::ReadBufCursor<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl hyper::rt::Write for Dialled {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buffer)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
