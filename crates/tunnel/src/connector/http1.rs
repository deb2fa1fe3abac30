//! The little of an HTTP/1.1 client that a channel over HTTPS needs.

use bytes::Bytes;
use cmglab_net::{Deps, dial, read_capped, reason_of};
use cmglab_tls::stream::ClientStream;
use http::header::{CONNECTION, HOST, UPGRADE as UPGRADE_HEADER};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_util::task::AbortOnDropHandle;

use super::attempt::HELLO_PATIENCE;
use crate::{LARGEST_PIECE, Stream, UPGRADE, UPGRADE_PATH, in_words};

/// One connection to the gateway's HTTPS port, dialled when it is needed and again when it was lost.
pub(super) struct Http {
    deps: Deps,
    host: String,
    port: u16,
    connection: Option<(SendRequest<Full<Bytes>>, AbortOnDropHandle<()>)>,
}

/// An answer, read whole.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) reason: String,
    pub(super) body: Bytes,
}

impl Http {
    pub(super) fn new(deps: &Deps, host: &str, port: u16) -> Self {
        Self { deps: deps.clone(), host: host.to_owned(), port, connection: None }
    }

    /// Sends one request; the error is the cause in words, and then, or when this is dropped, the next
    /// request gets a connection of its own.
    pub(super) async fn ask(&mut self, method: Method, target: &str, body: Bytes) -> Result<Reply, String> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = target.parse().map_err(|error: http::uri::InvalidUri| error.to_string())?;
        let host = authority(&self.host, self.port);
        request.headers_mut().insert(HOST, host.parse().map_err(|_| format!("{host} is no host"))?);
        let (mut sender, driver) = match self.connection.take() {
            Some(connection) if !connection.0.is_closed() => connection,
            _ => self.connect().await?,
        };
        let reply = reply(&mut sender, request).await?;
        self.connection = Some((sender, driver));
        Ok(reply)
    }

    async fn connect(&self) -> Result<(SendRequest<Full<Bytes>>, AbortOnDropHandle<()>), String> {
        let (sender, connection) =
            http1::handshake(TokioIo::new(tls(&self.deps, &self.host, self.port).await?))
                .await
                .map_err(|error| in_words(&error))?;
        let driver = tokio::spawn(async move {
            // Whoever waits for an answer is told.
            let _ended = connection.await;
        });
        Ok((sender, AbortOnDropHandle::new(driver)))
    }
}

async fn reply(
    sender: &mut SendRequest<Full<Bytes>>,
    request: Request<Full<Bytes>>,
) -> Result<Reply, String> {
    sender.ready().await.map_err(|error| in_words(&error))?;
    let response = sender.send_request(request).await.map_err(|error| in_words(&error))?;
    let (status, reason) = (response.status().as_u16(), reason_of(&response));
    let body = read_capped(response.into_body(), LARGEST_PIECE).await.map_err(|error| error.cause)?;
    Ok(Reply { status, reason, body })
}

/// Turns an HTTPS connection into a channel (RFC 9110 §7.8).
pub(super) async fn upgrade(deps: &Deps, host: &str, port: u16) -> Result<Box<dyn Stream>, String> {
    let response = tokio::time::timeout(HELLO_PATIENCE, ask_upgrade(deps, host, port));
    let response = response.await.map_err(|_elapsed| format!("no answer within {HELLO_PATIENCE:?}"))??;
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Err(refused(response.status().as_u16(), &reason_of(&response)));
    }
    if response.headers().get(UPGRADE_HEADER).is_none_or(|value| value != UPGRADE) {
        return Err("what answers there switches to another protocol".to_owned());
    }
    let upgraded = hyper::upgrade::on(response).await.map_err(|error| in_words(&error))?;
    Ok(Box::new(TokioIo::new(upgraded)))
}

async fn ask_upgrade(deps: &Deps, host: &str, port: u16) -> Result<Response<Incoming>, String> {
    let request = Request::get(UPGRADE_PATH)
        .header(HOST, authority(host, port))
        .header(CONNECTION, "Upgrade")
        .header(UPGRADE_HEADER, UPGRADE)
        .body(Full::new(Bytes::new()))
        .map_err(|error| error.to_string())?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(tls(deps, host, port).await?))
        .await
        .map_err(|error| in_words(&error))?;
    // It ends with the upgrade, or when the answer was another.
    tokio::spawn(connection.with_upgrades());
    sender.send_request(request).await.map_err(|error| in_words(&error))
}

/// An answer that is not the one that was due, in the words of the product's log.
pub(super) fn refused(status: u16, reason: &str) -> String {
    format!("The remote server returned an error: ({status}) {reason}.")
}

async fn tls(deps: &Deps, host: &str, port: u16) -> Result<ClientStream<TcpStream>, String> {
    dial(deps, host, port, &[b"http/1.1"]).await.map_err(|error| error.cause)
}

fn authority(host: &str, port: u16) -> String {
    if port == 443 { host.to_owned() } else { format!("{host}:{port}") }
}
