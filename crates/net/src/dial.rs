//! Opening a TLS connection to a name of the lab.

use std::time::Duration;

use cmglab_events::kinds::{LabEvent, TlsFailure};
use cmglab_fault::{Point, Verdict};
use cmglab_tls::TlsProblem;
use cmglab_tls::stream::{ClientStream, TlsConnector};
use tokio::net::TcpStream;

use crate::{CallError, CallFailure, Deps, crl};

/// Connects to `host:port` with this machine's certificate store. A CRL that the judgement lacks is
/// fetched and the handshake tried once more; nothing is sent before the server is trusted.
///
/// # Errors
/// [`CallError`] with the failed check, in words and by kind.
pub async fn dial(
    deps: &Deps,
    host: &str,
    port: u16,
    alpn: &[&[u8]],
) -> Result<ClientStream<TcpStream>, CallError> {
    match attempt(deps, host, port, alpn).await {
        Err(Attempt::NeedsCrls(urls)) => {
            crl::fetch_all(deps, deps.store.crls(), &urls).await;
            attempt(deps, host, port, alpn).await.map_err(|second| match second {
                Attempt::NeedsCrls(urls) => revocation_offline(host, &urls),
                Attempt::Failed(error) => error,
            })
        }
        Err(Attempt::Failed(error)) => Err(error),
        Ok(stream) => Ok(stream),
    }
}

enum Attempt {
    Failed(CallError),
    NeedsCrls(Vec<String>),
}

impl From<CallError> for Attempt {
    fn from(error: CallError) -> Self {
        Self::Failed(error)
    }
}

async fn attempt(
    deps: &Deps,
    host: &str,
    port: u16,
    alpn: &[&[u8]],
) -> Result<ClientStream<TcpStream>, Attempt> {
    if !deps.faults.is_empty() {
        refused_by_fault(deps, &format!("{host}:{port}"))?;
    }
    let address = deps.resolver.lookup(host, port)?;
    let config = deps.store.client_config(alpn).map_err(|error| failed(CallFailure::Request, &error))?;
    let name = host.to_ascii_lowercase().try_into().map_err(|error| failed(CallFailure::Request, &error))?;
    let timeout = |_elapsed| {
        CallError::new(CallFailure::Timeout, format!("{host}:{port} did not answer within {PATIENCE:?}"))
    };
    let tcp = tokio::time::timeout(PATIENCE, TcpStream::connect(address)).await.map_err(timeout)?.map_err(
        |error| CallError::new(CallFailure::Connect, format!("cannot connect to {host}:{port}: {error}")),
    )?;
    let _best_effort = tcp.set_nodelay(true);
    let handshake = TlsConnector::from(config).connect(name, tcp);
    tokio::time::timeout(PATIENCE, handshake).await.map_err(timeout)?.map_err(|error| {
        match TlsProblem::of(&error) {
            Some(TlsProblem::NeedsCrls(urls)) => Attempt::NeedsCrls(urls),
            Some(TlsProblem::Refused(failure)) => refused(host, failure, &error.to_string()).into(),
            _ => CallError::new(CallFailure::Broken, format!("TLS with {host}:{port}: {error}")).into(),
        }
    })
}

/// As a firewall would that lets nobody out to that port.
fn refused_by_fault(deps: &Deps, server: &str) -> Result<(), CallError> {
    if deps.faults.at(Point::Dial, server) != Some(Verdict::Refuse) {
        return Ok(());
    }
    deps.events.emit(LabEvent::FaultApplied { point: "dial".to_owned(), verdict: "refuse".to_owned() });
    Err(CallError::new(CallFailure::Connect, format!("cannot connect to {server}: connection refused")))
}

fn failed(failure: CallFailure, error: &dyn std::error::Error) -> CallError {
    CallError::new(failure, error.to_string())
}

fn refused(host: &str, failure: TlsFailure, cause: &str) -> CallError {
    let words = match failure {
        TlsFailure::Other => format!("TLS with {host} failed: {cause}"),
        _ => format!("the certificate of {host} was refused: {cause}"),
    };
    CallError::new(CallFailure::Tls(failure), words)
}

fn revocation_offline(host: &str, urls: &[String]) -> CallError {
    let cause = if urls.iter().all(String::is_empty) {
        "its chain names no distribution point, so revocation cannot be checked".to_owned()
    } else {
        format!("the revocation server was offline: no current CRL from {}", urls.join(", "))
    };
    refused(host, TlsFailure::RevocationOffline, &cause)
}

const PATIENCE: Duration = Duration::from_secs(10);
