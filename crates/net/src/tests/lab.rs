//! Two machines, a small PKI and a raw socket.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use cmglab_clock::Clock;
use cmglab_events::kinds::{NetEvent, Served};
use cmglab_events::{Event, Events, Kind, Role};
use cmglab_fault::Faults;
use cmglab_ids::Ids;
use cmglab_pki::{Authority, KeyKind, PrivateKey, Profiles, SubjectName};
use cmglab_tls::{CertStore, Identity, ServerTls};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::{Deps, Listen, Resolver, ServerHandle, serve};

pub(super) const HOST: &str = "MP.LAB.TEST";
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

pub(super) struct Lab {
    pub(super) events: Events,
    pub(super) clock: Clock,
    pub(super) ids: Ids,
    pub(super) resolver: Resolver,
    pub(super) root: Authority,
}

impl Lab {
    pub(super) fn new() -> Self {
        let clock = Clock::running_from("2026-03-01T12:00:00Z".parse().unwrap(), 0.0);
        let ids = Ids::seeded(1);
        let root = Authority::create_root(&Profiles::builtin(), "site", clock.now(), &ids).unwrap();
        Self { events: Events::new(), clock, ids, resolver: Resolver::new(), root }
    }

    /// A machine that trusts the root and checks no CRLs.
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

    pub(super) fn issue(&self, profile: &str, name: &str) -> cmglab_pki::Identity {
        let key = PrivateKey::generate(KeyKind::P256).unwrap();
        self.root.issue(profile, &[SubjectName::dns(name)], &key, self.clock.now(), &self.ids).unwrap()
    }

    pub(super) fn identity(&self, profile: &str, name: &str) -> Identity {
        let issued = self.issue(profile, name);
        Identity::new(name, issued.chain().to_vec(), issued.key().pkcs8_der()).unwrap()
    }

    /// Serves `app` as [`HOST`] over TLS.
    pub(super) async fn secure(&self, app: Router) -> ServerHandle {
        let tls = ServerTls::new(self.identity("mp-server", HOST));
        self.listen(HOST, Some(tls), app).await
    }

    /// Serves `app` as [`HOST`] in the clear, for raw sockets.
    pub(super) async fn plain(&self, app: Router) -> ServerHandle {
        self.listen(HOST, None, app).await
    }

    pub(super) async fn listen(&self, host: &str, tls: Option<ServerTls>, app: Router) -> ServerHandle {
        serve(&self.machine(Role::ManagementPoint), listen(host, tls), app).await.unwrap()
    }

    pub(super) async fn seen(&self, what: &str, matches: impl Fn(&NetEvent) -> bool) -> Event {
        let found = self.events.wait_for(what, PATIENCE, |event| net(event).is_some_and(&matches)).await;
        found.unwrap_or_else(|missing| panic!("{missing}"))
    }

    pub(super) async fn malformed(&self) -> String {
        let event = self.seen("MalformedRequest", |it| matches!(it, NetEvent::MalformedRequest { .. })).await;
        match event.kind {
            Kind::Net(NetEvent::MalformedRequest { cause, .. }) => cause,
            other => panic!("{other:?}"),
        }
    }

    /// The figures of the request for `stem`.
    pub(super) async fn served(&self, stem: &str) -> Served {
        let event = self.seen(stem, |it| matches!(it, NetEvent::Served(served) if served.stem == stem)).await;
        match event.kind {
            Kind::Net(NetEvent::Served(served)) => served,
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn count(&self, matches: impl Fn(&NetEvent) -> bool) -> usize {
        self.events.snapshot().iter().filter(|event| net(event).is_some_and(&matches)).count()
    }
}

pub(super) fn net(event: &Event) -> Option<&NetEvent> {
    match &event.kind {
        Kind::Net(event) => Some(event),
        _ => None,
    }
}

pub(super) fn listen(host: &str, tls: Option<ServerTls>) -> Listen {
    let port = if tls.is_some() { 443 } else { 80 };
    let bind = SocketAddr::from(([127, 0, 0, 1], 0));
    Listen { host: host.to_owned(), port, bind, shown_ip: None, tls }
}

/// A raw socket's view of a connection.
pub(super) struct Raw(TcpStream);

impl Raw {
    pub(super) async fn connect(server: &ServerHandle) -> Self {
        let stream = TcpStream::connect(server.local_addr()).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self(stream)
    }

    pub(super) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Everything up to the end of the connection, which must come from the other side.
    pub(super) async fn rest(mut self) -> String {
        let mut all = Vec::new();
        let read = tokio::time::timeout(PATIENCE, self.0.read_to_end(&mut all)).await;
        // A server that closes with bytes unread resets the connection; what it said has arrived.
        let _reset = read.expect("the server closes the connection");
        String::from_utf8_lossy(&all).into_owned()
    }

    /// What comes until `end` has come.
    pub(super) async fn until(&mut self, end: &str) -> String {
        let mut all = Vec::new();
        while !all.ends_with(end.as_bytes()) {
            let byte = tokio::time::timeout(PATIENCE, self.0.read_u8()).await;
            all.push(byte.unwrap_or_else(|_| panic!("no {end:?} in {:?}", text(&all))).unwrap());
        }
        text(&all)
    }
}

/// One request on a connection of its own, which `bytes` must ask to close.
pub(super) async fn ask(server: &ServerHandle, bytes: impl AsRef<[u8]>) -> String {
    let mut raw = Raw::connect(server).await;
    raw.send(bytes).await;
    raw.rest().await
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
