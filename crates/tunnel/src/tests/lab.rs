//! A gateway, connection points, and a small PKI.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use cmglab_clock::Clock;
use cmglab_events::kinds::{CertificateVerdict, ConnectionPointEvent};
use cmglab_events::{Event, Events, Kind, Role};
use cmglab_fault::Faults;
use cmglab_ids::Ids;
use cmglab_net::{Deps, Listen, Peer, Resolver, ServerHandle};
use cmglab_pki::{Authority, KeyKind, PrivateKey, Profiles, SubjectName};
use cmglab_tls::{CertStore, ClientJudge, Identity, ServerTls};
use http::{Request, Response};
use hyper::body::Incoming;
use tokio::sync::mpsc;

use crate::{Channel, ChannelUp, Connector, FIRST_PORT, Serve, accept};

pub(super) const HOST: &str = "CMG.LAB.TEST";
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

pub(super) struct Lab {
    pub(super) events: Events,
    pub(super) clock: Clock,
    pub(super) ids: Ids,
    resolver: Resolver,
    root: Authority,
}

/// A gateway and the channels that were dialled in.
pub(super) struct Gateway {
    pub(super) server: ServerHandle,
    up: mpsc::UnboundedReceiver<ChannelUp>,
}

impl Lab {
    pub(super) fn new() -> Self {
        let clock = Clock::running_from("2026-03-01T12:00:00Z".parse().unwrap(), 0.0);
        let ids = Ids::seeded(1);
        let root = Authority::create_root(&Profiles::builtin(), "site", clock.now(), &ids).unwrap();
        Self { events: Events::new(), clock, ids, resolver: Resolver::new(), root }
    }

    pub(super) fn machine(&self, role: Role) -> Deps {
        let store = CertStore::new(self.clock.clone());
        store.trust(self.root.cert_der()).unwrap();
        store.check_crl(false);
        Deps {
            clock: self.clock.clone(),
            ids: self.ids.fork(role.label()),
            events: self.events.source(role.label(), role, &self.clock),
            store,
            resolver: self.resolver.clone(),
            faults: Faults::none(),
        }
    }

    /// A machine with the certificate of a connection point.
    pub(super) fn connection_point(&self) -> Deps {
        let deps = self.machine(Role::ConnectionPoint);
        deps.store.present(Some(self.identity("cp-channel")));
        deps
    }

    pub(super) fn identity(&self, profile: &str) -> Identity {
        let key = PrivateKey::generate(KeyKind::P256).unwrap();
        let issued =
            self.root.issue(profile, &[SubjectName::dns(HOST)], &key, self.clock.now(), &self.ids).unwrap();
        Identity::new(profile, issued.chain().to_vec(), issued.key().pkcs8_der()).unwrap()
    }

    pub(super) fn listen(&self) -> Listen {
        let roots = [self.root.cert_der().to_vec()];
        let judge = ClientJudge::new(&roots, None, self.clock.clone()).unwrap();
        Listen {
            host: HOST.to_owned(),
            port: FIRST_PORT,
            bind: SocketAddr::from(([127, 0, 0, 1], 0)),
            shown_ip: None,
            tls: Some(ServerTls::new(self.identity("cmg-channel")).asking(judge)),
        }
    }

    /// A gateway that admits connection points of the site.
    pub(super) async fn gateway(&self) -> Gateway {
        self.gateway_that(|peer| match peer.verdict {
            CertificateVerdict::Valid => Ok(()),
            verdict => Err(format!("{verdict:?}")),
        })
        .await
    }

    pub(super) async fn gateway_that(
        &self,
        admits: impl Fn(&Peer) -> Result<(), String> + Send + Sync + 'static,
    ) -> Gateway {
        let (sender, up) = mpsc::unbounded_channel();
        let on_up = move |up| sender.send(up).unwrap_or_default();
        let server = accept(&self.machine(Role::Cmg), self.listen(), admits, on_up).await.unwrap();
        Gateway { server, up }
    }

    pub(super) fn connector(&self, serve: Serve) -> Connector {
        Connector::new(self.connection_point(), HOST, FIRST_PORT, serve)
    }

    /// Waits for the `nth` event (from 1) of the connection point that matches.
    pub(super) async fn told(
        &self,
        what: &str,
        nth: usize,
        matches: impl Fn(&ConnectionPointEvent) -> bool,
    ) -> Event {
        let count = std::cell::Cell::new(0);
        let matches = |event: &Event| {
            let matched = matches!(&event.kind, Kind::ConnectionPoint(event) if matches(event));
            count.set(count.get() + usize::from(matched));
            matched && count.get() == nth
        };
        let patience = PATIENCE * 20;
        self.events.wait_for(what, patience, matches).await.unwrap_or_else(|missing| panic!("{missing}"))
    }

    pub(super) fn count(&self, matches: impl Fn(&ConnectionPointEvent) -> bool) -> usize {
        let matches = |event: &&Event| matches!(&event.kind, Kind::ConnectionPoint(event) if matches(event));
        self.events.snapshot().iter().filter(matches).count()
    }
}

impl Gateway {
    /// The next channel that is dialled in.
    pub(super) async fn channel(&mut self) -> ChannelUp {
        tokio::time::timeout(PATIENCE, self.up.recv()).await.expect("a channel in time").unwrap()
    }

    pub(super) fn has_channel(&mut self) -> bool {
        self.up.try_recv().is_ok()
    }
}

pub(super) fn connected(event: &ConnectionPointEvent) -> bool {
    matches!(event, ConnectionPointEvent::ChannelConnected { .. })
}

pub(super) fn closed(event: &ConnectionPointEvent) -> bool {
    matches!(event, ConnectionPointEvent::ChannelClosed { .. })
}

pub(super) fn failed(event: &ConnectionPointEvent) -> bool {
    matches!(event, ConnectionPointEvent::ChannelFailed { .. })
}

pub(super) fn serve<F, Fut>(handler: F) -> Serve
where
    F: Fn(Request<Incoming>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Response<Body>> + Send + 'static,
{
    Arc::new(move |request| Box::pin(handler(request)))
}

/// Answers with what was sent.
pub(super) fn echo() -> Serve {
    serve(|request| async move { Response::new(Body::new(request.into_body())) })
}

pub(super) fn say(text: &'static str) -> Serve {
    serve(move |_request| async move { Response::new(Body::from(text)) })
}

pub(super) fn get(path: &str) -> Request<Body> {
    Request::get(format!("https://channel{path}")).version(http::Version::HTTP_2).body(Body::empty()).unwrap()
}

/// The whole answer to a GET.
pub(super) async fn ask(channel: &Channel, path: &str) -> String {
    let response = tokio::time::timeout(PATIENCE, channel.send(get(path))).await.expect("an answer in time");
    let body = cmglab_net::read_capped(response.unwrap().into_body(), 1 << 20).await.unwrap();
    String::from_utf8(body.to_vec()).unwrap()
}

/// A body of `count` frames of 64 KiB that tells how many were asked for.
pub(super) fn frames(count: usize) -> (Body, Arc<std::sync::atomic::AtomicUsize>) {
    use std::sync::atomic::{AtomicUsize, Ordering};
    let pulled = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&pulled);
    let frames = (0..count).map(move |_| {
        counter.fetch_add(1, Ordering::SeqCst);
        Ok::<_, Infallible>(bytes::Bytes::from_static(&[b'x'; 64 * 1024]))
    });
    (Body::from_stream(futures_util::stream::iter(frames)), pulled)
}
