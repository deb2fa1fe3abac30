//! A stranger: an ordinary HTTP library that knows nothing of the lab but its roots and one address.
//!
//! Its requests are not made by the lab's own client, so what the gateway answers is seen by another's eyes.
//! That library tidies a path before it sends it; requests that must go out byte for byte are a matter for
//! a raw socket.

use std::sync::Arc;
use std::time::Duration;

use cmglab_clock::Stopwatch;
use cmglab_events::Role;
use cmglab_events::kinds::NetEvent;
use cmglab_lab::Lab;
use http::Method;
use http::header::{HOST, USER_AGENT};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, Url};

use crate::model::RawRequest;

use super::actor::{Impossible, words};

/// Sends one request to the gateway. Any answer will do; what it was is judged from the events.
pub(super) async fn ask(lab: &Lab, request: &RawRequest) -> Result<(), Impossible> {
    let voice = lab.machine("stranger", Role::Lab, &[]).map_err(words)?.events;
    let watch = Stopwatch::start();
    let response = send(lab, request).await?;
    let status = response.status();
    let reason = response.extensions().get::<hyper::ext::ReasonPhrase>();
    let reason = match reason {
        Some(reason) => String::from_utf8_lossy(reason.as_bytes()).into_owned(),
        None => status.canonical_reason().unwrap_or_default().to_owned(),
    };
    voice.emit(NetEvent::Called {
        host: lab.topology().cmg.host.clone(),
        method: request.method.clone(),
        target: request.path.clone(),
        status: status.as_u16(),
        reason,
        taken_ms: watch.millis(),
    });
    Ok(())
}

async fn send(lab: &Lab, request: &RawRequest) -> Result<Response, Impossible> {
    let host = &lab.topology().cmg.host;
    let url: Url = format!("https://{host}{}", request.path).parse().map_err(words)?;
    // A path such as `@elsewhere/` would change the host.
    if !url.host_str().is_some_and(|found| found.eq_ignore_ascii_case(host)) || url.port().is_some() {
        return Err(format!("the path {} leads away from {host}; begin it with a slash", request.path));
    }
    let method: Method = request.method.parse().map_err(words)?;
    let mut ask = client(lab)?.request(method, url);
    if let Some(host) = &request.host {
        ask = ask.header(HOST, host);
    }
    if let Some(user_agent) = &request.user_agent {
        ask = ask.header(USER_AGENT, user_agent);
    }
    ask.send().await.map_err(words)
}

/// It minds no CRL, as most HTTP libraries do not; it follows nothing and asks no name server.
#[expect(clippy::disallowed_methods, reason = "a client that is not the lab's own is the point of it")]
fn client(lab: &Lab) -> Result<Client, Impossible> {
    let host = &lab.topology().cmg.host;
    let store = lab.machine("stranger", Role::Lab, &["cmg-root", "public-root"]).map_err(words)?.store;
    store.check_crl(false);
    let tls = store.client_config(&[b"http/1.1"]).map_err(words)?;
    let address = lab.resolver().lookup(host, 443).map_err(words)?;
    Client::builder()
        .tls_backend_preconfigured(Arc::unwrap_or_clone(tls))
        .resolve(&host.to_ascii_lowercase(), address)
        .redirect(Policy::none())
        .no_proxy()
        .https_only(true)
        .http1_only()
        .timeout(PATIENCE)
        .build()
        .map_err(words)
}

const PATIENCE: Duration = Duration::from_secs(30);
