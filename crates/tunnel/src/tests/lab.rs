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
use cmglab_net::{Deps, Listen, Peer, Resolver, ServerHandle, serve as serve_http};
use cmglab_pki::{Authority, KeyKind, PrivateKey, Profiles, SubjectName};
use cmglab_tls::{CertStore, ClientJudge, Identity, ServerTls};
use http::{Request, Response};
use hyper::body::Incoming;
use tokio::sync::{Semaphore, mpsc};

use super::middlebox::Middlebox;
use crate::{
    Channel, ChannelPorts, ChannelUp, Connector, HttpsChannels, SendFailure, Serve, Target, Transport, accept,
};

pub(super) const HOST: &str = "CMG.LAB.TEST";
pub(super) const PATIENCE: Duration = Duration::from_secs(20);
pub(super) const TCP_PORT: u16 = 10140;
pub(super) const HTTPS_PORT: u16 = 443;

pub(super) struct Lab {
    pub(super) events: Events,
    pub(super) clock: Clock,
    pub(super) ids: Ids,
    pub(super) faults: Faults,
    resolver: Resolver,
    root: Authority,
    way: Way,
}

/// What a channel is built over, and how good the way there is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Way {
    pub(super) transport: Transport,
    /// Whether a slow link is between.
    pub(super) slow: bool,
}

/// A gateway on both its ports, and the channels that were dialled in.
pub(super) struct Gateway {
    tcp: ServerHandle,
    https: ServerHandle,
    pub(super) channels: HttpsChannels,
    /// What stands before the port of the lab's way.
    pub(super) between: Option<Middlebox>,
    up: mpsc::UnboundedReceiver<ChannelUp>,
}

impl Lab {
    /// Over TCP-TLS, directly.
    pub(super) fn new() -> Self {
        Self::over(Way { transport: Transport::TcpTls, slow: false })
    }

    pub(super) fn over(way: Way) -> Self {
        let clock = Clock::running_from("2026-03-01T12:00:00Z".parse().unwrap(), 0.0);
        let ids = Ids::seeded(1);
        let root = Authority::create_root(&Profiles::builtin(), "site", clock.now(), &ids).unwrap();
        Self {
            events: Events::new(),
            clock,
            ids,
            faults: Faults::none(),
            resolver: Resolver::new(),
            root,
            way,
        }
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
            faults: self.faults.clone(),
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

    pub(super) fn judge(&self) -> ClientJudge {
        ClientJudge::new(&[self.root.cert_der().to_vec()], None, self.clock.clone()).unwrap()
    }

    pub(super) fn listen(&self, port: u16) -> Listen {
        Listen {
            host: HOST.to_owned(),
            port,
            bind: SocketAddr::from(([127, 0, 0, 1], 0)),
            shown_ip: None,
            tls: Some(ServerTls::new(self.identity("cmg-channel")).asking(self.judge())),
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
        let admits = Arc::new(admits);
        let (also_admits, also_sender) = (Arc::clone(&admits), sender.clone());
        let deps = self.machine(Role::Cmg);
        let channels = HttpsChannels::new(
            &deps,
            self.judge(),
            move |peer: &Peer| also_admits(peer),
            move |up| also_sender.send(up).unwrap_or_default(),
        );
        let https = serve_http(&deps, self.listen(HTTPS_PORT), channels.router()).await.unwrap();
        let on_up = move |up| sender.send(up).unwrap_or_default();
        let tcp = accept(&deps, self.listen(TCP_PORT), move |peer: &Peer| admits(peer), on_up).await.unwrap();
        let mut gateway = Gateway { tcp, https, channels, between: None, up };
        if self.way.slow {
            self.between(&mut gateway).await.slow_down();
        }
        gateway
    }

    /// Puts a middlebox before the port of the lab's way.
    pub(super) async fn between<'a>(&self, gateway: &'a mut Gateway) -> &'a Middlebox {
        if gateway.between.is_none() {
            let port = self.way.transport.port(1, 1);
            let server = self.resolver.lookup(HOST, port).unwrap();
            let middlebox = Middlebox::before(server).await;
            self.resolver.point(HOST, port, middlebox.address());
            gateway.between = Some(middlebox);
        }
        gateway.between.as_ref().unwrap()
    }

    pub(super) fn connector(&self, serve: Serve) -> Connector {
        self.connector_by(self.connection_point(), &[self.way.transport], serve)
    }

    pub(super) fn connector_by(&self, deps: Deps, transports: &[Transport], serve: Serve) -> Connector {
        let transports = transports.to_vec();
        Connector::new(
            deps,
            Target {
                host: HOST.to_owned(),
                instance: 1,
                instances: 1,
                ports: ChannelPorts::default(),
                transports,
            },
            serve,
        )
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
        let patience = PATIENCE * 5;
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

    pub(super) async fn shutdown(&self, grace: Duration) {
        tokio::join!(
            async {
                self.channels.shutdown(grace).await;
                self.https.shutdown(grace).await;
            },
            self.tcp.shutdown(grace)
        );
    }

    /// Cuts everything at once, and waits for its end.
    pub(super) async fn abort(&self) {
        self.channels.abort();
        self.tcp.abort();
        self.https.abort();
        tokio::join!(self.tcp.closed(), self.https.closed(), self.channels.shutdown(Duration::ZERO));
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

/// Tells when its request has come, and when it was dropped or answered; answers one for every permit.
pub(super) struct Held {
    pub(super) serve: Serve,
    pub(super) came: mpsc::UnboundedReceiver<()>,
    pub(super) dropped: mpsc::UnboundedReceiver<()>,
    pub(super) gate: Arc<Semaphore>,
}

struct OnDrop(mpsc::UnboundedSender<()>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        let _ended = self.0.send(());
    }
}

pub(super) fn held() -> Held {
    let (comes, came) = mpsc::unbounded_channel();
    let (drops, dropped) = mpsc::unbounded_channel();
    let gate = Arc::new(Semaphore::new(0));
    let opened = Arc::clone(&gate);
    let serve = serve(move |_request| {
        let (comes, guard, opened) = (comes.clone(), OnDrop(drops.clone()), Arc::clone(&opened));
        async move {
            let _ended = comes.send(());
            opened.acquire().await.unwrap().forget();
            drop(guard);
            Response::new(Body::from("done"))
        }
    });
    Held { serve, came, dropped, gate }
}

/// What became of a request that is under way.
pub(super) fn ask_later(
    channel: &Channel,
    request: Request<Body>,
) -> tokio::task::JoinHandle<Result<Response<Incoming>, SendFailure>> {
    let channel = channel.clone();
    tokio::spawn(async move { channel.send(request).await })
}

pub(super) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("{what} in time"))
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
