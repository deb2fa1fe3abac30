//! Fetching CRLs from their distribution points, over plain HTTP as RFC 5280 §4.2.1.13 allows.

use std::time::Duration;

use bytes::Bytes;
use cmglab_clock::Stopwatch;
use cmglab_events::kinds::{CertificateVerdict, CrlOutcome, NetEvent};
use cmglab_tls::{ClientJudge, CrlCache, Judgement};
use http::StatusCode;
use http::uri::Authority;
use http_body_util::Empty;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_util::task::AbortOnDropHandle;

use crate::{CallError, CallFailure, Deps, read_capped};

/// What a certificate chain (DER, leaf first) is worth to `judge`; CRLs that it lacks are fetched first.
pub async fn judge(deps: &Deps, judge: &ClientJudge, chain: &[Vec<u8>]) -> CertificateVerdict {
    let urls = match judge.judge(chain) {
        Judgement::Verdict(verdict) => return verdict,
        Judgement::NeedsCrls(urls) => urls,
    };
    if let Some(cache) = judge.crls() {
        fetch_all(deps, cache, &urls).await;
    }
    match judge.judge(chain) {
        Judgement::Verdict(verdict) => verdict,
        Judgement::NeedsCrls(_) => CertificateVerdict::RevocationUnknown,
    }
}

/// Fetches each list into `cache`; what cannot be had is an event and stays missing.
pub(crate) async fn fetch_all(deps: &Deps, cache: &CrlCache, urls: &[String]) {
    let named = urls.iter().filter(|url| !url.is_empty()).take(MOST_FETCHES);
    futures_util::future::join_all(named.map(|url| fetch_one(deps, cache, url))).await;
}

async fn fetch_one(deps: &Deps, cache: &CrlCache, url: &str) {
    let watch = Stopwatch::start();
    let unavailable = |status, cause| CrlOutcome::Unavailable { status, cause };
    let outcome = match answered(deps, url, LARGEST_CRL).await {
        Ok((StatusCode::OK, der)) if cache.insert(url, der.to_vec()) => {
            CrlOutcome::Fetched { bytes: der.len() as u64 }
        }
        Ok((StatusCode::OK, _)) => {
            unavailable(Some(200), "the answer is not a CRL with a nextUpdate".to_owned())
        }
        Ok((status, _)) => unavailable(Some(status.as_u16()), format!("{url} answered {status}")),
        Err(error) => unavailable(None, error.cause),
    };
    deps.events.emit(NetEvent::CrlFetched { url: url.to_owned(), outcome, taken_ms: watch.millis() });
}

/// A GET over plain HTTP, for what proves itself by a signature or by a list that the caller has: CRLs and
/// published roots. Takes an answer of at most `cap` bytes.
///
/// # Errors
/// [`CallError`] for any answer but 200, or none within five seconds.
pub async fn http_get(deps: &Deps, url: &str, cap: usize) -> Result<Bytes, CallError> {
    match answered(deps, url, cap).await? {
        (StatusCode::OK, body) => Ok(body),
        (status, _) => Err(CallError::new(CallFailure::Broken, format!("{url} answered {status}"))),
    }
}

async fn answered(deps: &Deps, url: &str, cap: usize) -> Result<(StatusCode, Bytes), CallError> {
    tokio::time::timeout(PATIENCE, fetch(deps, url, cap)).await.unwrap_or_else(|_elapsed| {
        Err(CallError::new(CallFailure::Timeout, format!("{url}: no answer within {PATIENCE:?}")))
    })
}

async fn fetch(deps: &Deps, url: &str, cap: usize) -> Result<(StatusCode, Bytes), CallError> {
    let bad = |cause: String| CallError::new(CallFailure::Request, cause);
    let uri: http::Uri = url.parse().map_err(|error| bad(format!("{url}: {error}")))?;
    let host = uri.host().ok_or_else(|| bad(format!("{url} names no host")))?;
    let address = deps.resolver.lookup(host, uri.port_u16().unwrap_or(80))?;
    let stream = TcpStream::connect(address)
        .await
        .map_err(|error| CallError::new(CallFailure::Connect, format!("cannot reach {host}: {error}")))?;
    let broken = |error: hyper::Error| CallError::new(CallFailure::Broken, format!("{url}: {error}"));
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    let _driver = AbortOnDropHandle::new(tokio::spawn(connection));
    let path = uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    let request = http::Request::get(path)
        .header(http::header::HOST, uri.authority().map_or(host, Authority::as_str))
        .header(http::header::USER_AGENT, "Microsoft-CryptoAPI/10.0")
        .body(Empty::<Bytes>::new())
        .map_err(|error| bad(error.to_string()))?;
    let response = sender.send_request(request).await.map_err(broken)?;
    let status = response.status();
    Ok((status, read_capped(response.into_body(), cap).await?))
}

const LARGEST_CRL: usize = 1024 * 1024;
const MOST_FETCHES: usize = 8;
const PATIENCE: Duration = Duration::from_secs(5);
