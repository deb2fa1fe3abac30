//! A stranger: an ordinary HTTP library that knows nothing of the lab but its roots and addresses.
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
use cmglab_net::Deps;
use cmglab_proto::sts::BearerToken;
use http::header::{HOST, USER_AGENT};
use http::{HeaderMap, Method, StatusCode};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response, Url};

use crate::model::RawRequest;

use super::actor::{Impossible, words};
use super::presented;

/// Sends one request to the gateway. Any answer will do; what it was is judged from the events.
pub(super) async fn ask(
    lab: &Lab,
    request: &RawRequest,
    token: Option<&BearerToken>,
) -> Result<(), Impossible> {
    let stranger = Stranger::new(lab)?;
    if let Some(state) = request.certificate {
        stranger.deps.store.present(Some(presented::certificate(lab, state, &stranger.deps.ids)?));
    }
    let host = &lab.topology().cmg.host;
    let method: Method = request.method.parse().map_err(words)?;
    stranger
        .send(method, host, &request.path, |mut ask| {
            if let Some(host) = &request.host {
                ask = ask.header(HOST, host);
            }
            if let Some(user_agent) = &request.user_agent {
                ask = ask.header(USER_AGENT, user_agent);
            }
            token.into_iter().fold(ask, |ask, token| ask.bearer_auth(token.expose()))
        })
        .await
        .map(drop)
}

/// A machine of its own.
pub(super) struct Stranger<'a> {
    lab: &'a Lab,
    deps: Deps,
}

/// What came back, read whole.
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) reason: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl<'a> Stranger<'a> {
    /// It minds no CRL, as most HTTP libraries do not.
    pub(super) fn new(lab: &'a Lab) -> Result<Self, Impossible> {
        let deps = lab.machine("stranger", Role::Lab, &["cmg-root", "public-root", "aad-tls"]);
        let deps = deps.map_err(words)?;
        deps.store.check_crl(false);
        Ok(Self { lab, deps })
    }

    /// One request to a host of the lab, and its answer.
    pub(super) async fn send(
        &self,
        method: Method,
        host: &str,
        path: &str,
        with: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Result<Reply, Impossible> {
        let url: Url = format!("https://{host}{path}").parse().map_err(words)?;
        // A path such as `@elsewhere/` would change the host.
        if !url.host_str().is_some_and(|found| found.eq_ignore_ascii_case(host)) || url.port().is_some() {
            return Err(format!("the path {path} leads away from {host}; begin it with a slash"));
        }
        let (watch, verb) = (Stopwatch::start(), method.to_string());
        let response = with(self.http(host)?.request(method, url)).send().await.map_err(words)?;
        let reply = read(response).await?;
        self.deps.events.emit(NetEvent::Called {
            host: host.to_owned(),
            method: verb,
            target: path.to_owned(),
            status: reply.status.as_u16(),
            reason: reply.reason.clone(),
            taken_ms: watch.millis(),
        });
        Ok(reply)
    }

    /// It follows nothing and asks no name server.
    #[expect(clippy::disallowed_methods, reason = "a client that is not the lab's own is the point of it")]
    fn http(&self, host: &str) -> Result<Client, Impossible> {
        let tls = self.deps.store.client_config(&[b"http/1.1"]).map_err(words)?;
        let address = self.lab.resolver().lookup(host, 443).map_err(words)?;
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
}

async fn read(mut response: Response) -> Result<Reply, Impossible> {
    let (status, headers) = (response.status(), response.headers().clone());
    let reason = match response.extensions().get::<hyper::ext::ReasonPhrase>() {
        Some(reason) => String::from_utf8_lossy(reason.as_bytes()).into_owned(),
        None => status.canonical_reason().unwrap_or_default().to_owned(),
    };
    let mut body = Vec::new();
    // The rest of what is longer is of no use to anybody here.
    while body.len() < LARGEST
        && let Some(part) = response.chunk().await.map_err(words)?
    {
        body.extend_from_slice(&part);
    }
    Ok(Reply { status, reason, headers, body })
}

const PATIENCE: Duration = Duration::from_secs(30);
const LARGEST: usize = 1 << 20;
