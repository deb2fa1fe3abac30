//! A gateway, a management point, a host of CRLs and a small PKI.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use cmglab_clock::Clock;
use cmglab_events::kinds::{CertificateVerdict, ConnectionPointEvent, NetEvent, Served};
use cmglab_events::logs::{LogFile, lines};
use cmglab_events::{Event, Events, Kind, Role};
use cmglab_fault::Faults;
use cmglab_ids::Ids;
use cmglab_net::{Deps, Listen, Resolver, ServerHandle, read_capped, serve};
use cmglab_pki::{Authority, KeyKind, Overrides, PrivateKey, Profiles, SubjectName};
use cmglab_proto::editions::Edition;
use cmglab_proto::ids::{MessageId, RoleId};
use cmglab_proto::mapping::UrlMapping;
use cmglab_site::{Location, Site, SiteConfig};
use cmglab_tls::{CertStore, ClientJudge, Identity, ServerTls};
use cmglab_tunnel::{
    Channel, ChannelUp, Envelope, MESSAGE_PATH, ReplyEnvelope, SendFailure, Transport, accept,
};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use tokio::sync::mpsc;

use crate::{Candidate, ConnectionPoint, ConnectionPointConfig, EndpointTraffic};

pub(super) const CMG: &str = "CMG.LAB.TEST";
pub(super) const MP: &str = "MP.LAB.TEST";
pub(super) const PATIENCE: Duration = Duration::from_secs(20);
/// Where `path` is to be found from outside.
pub(super) const OUTSIDE: &str = "/CCM_Proxy_ServerAuth/72057594037938216";

pub(super) struct Lab {
    pub(super) events: Events,
    pub(super) clock: Clock,
    pub(super) ids: Ids,
    pub(super) site: Site,
    pub(super) root: Authority,
    pub(super) faults: Faults,
    resolver: Resolver,
}

/// A gateway instance and the channels that were dialled in.
pub(super) struct Gateway {
    _port: ServerHandle,
    up: mpsc::UnboundedReceiver<ChannelUp>,
}

/// What a client is answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) reason: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Lab {
    pub(super) async fn new() -> Self {
        let clock = Clock::running_from("2026-03-01T12:00:00Z".parse().unwrap(), 0.0);
        let ids = Ids::seeded(1);
        let root = Authority::create_root(&Profiles::builtin(), "site", clock.now(), &ids).unwrap();
        let config = SiteConfig { site_code: "LAB".parse().unwrap(), new_hierarchy: ids.guid().into() };
        let site = Site::open(Location::Memory, config).await.unwrap();
        let (faults, resolver) = (Faults::none(), Resolver::new());
        let lab = Self { events: Events::new(), clock, ids, site, root, faults, resolver };
        lab.publish_mp(MP).await;
        lab
    }

    pub(super) async fn publish_mp(&self, host: &str) {
        let base = format!("https://{host}").parse().unwrap();
        self.site.set_mapping(UrlMapping::new(RoleId::new(1, 10_280), base)).await.unwrap();
    }

    pub(super) fn machine(&self, role: Role) -> Deps {
        let store = CertStore::new(self.clock.clone());
        store.trust(self.root.cert_der()).unwrap();
        // Servers' certificates are not what is tested here.
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

    pub(super) fn identity(&self, profile: &str, host: &str) -> Identity {
        self.identity_of(&self.root, profile, host, &Overrides::default())
    }

    pub(super) fn identity_of(
        &self,
        issuer: &Authority,
        profile: &str,
        host: &str,
        overrides: &Overrides,
    ) -> Identity {
        let key = PrivateKey::generate(KeyKind::P256).unwrap();
        let (names, now) = ([SubjectName::dns(host)], self.clock.now());
        let issued = issuer.issue_with(profile, &names, overrides, &key, now, &self.ids).unwrap();
        Identity::new(profile, issued.chain().to_vec(), issued.key().pkcs8_der()).unwrap()
    }

    /// A gateway's instance, counted from 1, that admits connection points of the site.
    pub(super) async fn gateway(&self, instance: u8) -> Gateway {
        let (sender, up) = mpsc::unbounded_channel();
        let tls = ServerTls::new(self.identity("cmg-channel", CMG)).asking(self.judge());
        let listen = listen(CMG, Transport::TcpTls.port(instance, 16), Some(tls));
        let admit = |peer: &cmglab_net::Peer| match peer.verdict {
            CertificateVerdict::Valid => Ok(()),
            verdict => Err(format!("{verdict:?}")),
        };
        let on_up = move |up| sender.send(up).unwrap_or_default();
        Gateway { _port: accept(&self.machine(Role::Cmg), listen, admit, on_up).await.unwrap(), up }
    }

    /// A management point that answers by `app` and asks for certificates.
    pub(super) async fn mp(&self, app: Router) -> ServerHandle {
        let tls = ServerTls::new(self.identity("mp-server", MP)).asking(self.judge());
        serve(&self.machine(Role::ManagementPoint), listen(MP, 443, Some(tls)), app).await.unwrap()
    }

    fn judge(&self) -> ClientJudge {
        ClientJudge::new(&[self.root.cert_der().to_vec()], None, self.clock.clone()).unwrap()
    }

    /// Publishes the root's CRL; tells how often it was asked for.
    pub(super) async fn publish_crl(&self) -> (ServerHandle, Arc<AtomicUsize>) {
        let (asked, crl) = (Arc::new(AtomicUsize::new(0)), self.root.crl(self.clock.now(), 1).unwrap());
        let counter = Arc::clone(&asked);
        let app = Router::new().fallback(move || async move {
            counter.fetch_add(1, Ordering::SeqCst);
            crl
        });
        let listen = listen("crl.lab.test", 80, None);
        (serve(&self.machine(Role::Revocation), listen, app).await.unwrap(), asked)
    }

    /// A connection point over TCP-TLS with these certificates.
    pub(super) fn connection_point(&self, candidates: Vec<Candidate>) -> ConnectionPoint {
        self.configured(candidates, |_config| {})
    }

    pub(super) fn configured(
        &self,
        candidates: Vec<Candidate>,
        change: impl FnOnce(&mut ConnectionPointConfig),
    ) -> ConnectionPoint {
        let mut config =
            ConnectionPointConfig { transports: vec![Transport::TcpTls], ..ConnectionPointConfig::new(CMG) };
        change(&mut config);
        let deps = self.machine(Role::ConnectionPoint);
        let channel = self.machine(Role::ConnectionPoint).store;
        channel.present(Some(self.identity("cp-channel", "cp.lab.test")));
        ConnectionPoint::new(config, self.site.clone(), deps, channel, candidates)
    }

    /// A message for `path` of the management point, as the gateway sends it.
    pub(super) fn message(&self, path: &str) -> Request<Body> {
        self.message_to(format!("{OUTSIDE}{path}"))
    }

    pub(super) fn message_to(&self, target: String) -> Request<Body> {
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = format!("https://channel{MESSAGE_PATH}").parse().unwrap();
        *request.version_mut() = http::Version::HTTP_2;
        let message = MessageId::new(self.ids.guid());
        let envelope = Envelope { message, exchange: None, target, origin: format!("https://{CMG}") };
        envelope.attach(request.headers_mut());
        request
    }

    /// Waits for an event of the connection point.
    pub(super) async fn told(
        &self,
        what: &str,
        matches: impl Fn(&ConnectionPointEvent) -> bool,
    ) -> ConnectionPointEvent {
        let matched = |event: &Event| matches!(&event.kind, Kind::ConnectionPoint(event) if matches(event));
        let found = self.events.wait_for(what, PATIENCE, matched).await;
        match found.unwrap_or_else(|missing| panic!("{missing}")).kind {
            Kind::ConnectionPoint(event) => event,
            other => panic!("{other:?}"),
        }
    }

    /// The lines of SMS_CLOUD_PROXYCONNECTOR.log so far that begin with one of these, MessageIDs blotted out.
    pub(super) fn log(&self, beginnings: &[&str]) -> Vec<String> {
        let events = self.events.snapshot();
        let lines = events.iter().flat_map(|event| {
            let id = event.message.map_or_else(|| "no message".to_owned(), |id| id.to_string());
            let lines = lines(event, Edition::Y2019).into_iter();
            let own = lines.filter(|line| line.file == LogFile::ProxyConnector);
            own.map(move |line| line.text().replace(&id, "<id>")).collect::<Vec<_>>()
        });
        lines.filter(|line| beginnings.iter().any(|beginning| line.starts_with(beginning))).collect()
    }

    /// Every traffic report so far: what was under way at most, and the endpoints.
    pub(super) fn reports(&self) -> Vec<(u64, Vec<EndpointTraffic>)> {
        let report = |event: Event| match event.kind {
            Kind::ConnectionPoint(ConnectionPointEvent::TrafficReported {
                max_concurrent_requests,
                endpoints,
                ..
            }) => Some((max_concurrent_requests, endpoints)),
            _ => None,
        };
        self.events.snapshot().into_iter().filter_map(report).collect()
    }

    /// What the management point says of the request for `stem`.
    pub(super) async fn served(&self, stem: &str) -> Served {
        let is = |event: &Event| {
            let kind = (&event.kind, event.role);
            matches!(kind, (Kind::Net(NetEvent::Served(it)), Role::ManagementPoint) if it.stem == stem)
        };
        match self.events.wait_for(stem, PATIENCE, is).await.unwrap().kind {
            Kind::Net(NetEvent::Served(served)) => served,
            other => panic!("{other:?}"),
        }
    }
}

impl Gateway {
    /// The next channel that is dialled in.
    pub(super) async fn channel(&mut self) -> Channel {
        tokio::time::timeout(PATIENCE, self.up.recv()).await.expect("a channel in time").unwrap().channel
    }
}

/// Sends a message and awaits the head of its answer.
pub(super) async fn send(
    channel: &Channel,
    request: Request<Body>,
) -> Result<Response<Incoming>, SendFailure> {
    tokio::time::timeout(PATIENCE, channel.send(request)).await.expect("an answer in time")
}

/// The whole answer.
pub(super) async fn ask(channel: &Channel, request: Request<Body>) -> Answer {
    let mut response = send(channel, request).await.unwrap();
    let reason = ReplyEnvelope::detach(response.headers_mut()).unwrap().reason;
    let (parts, body) = response.into_parts();
    let body = read_capped(body, 64 << 20).await.unwrap();
    Answer { status: parts.status.as_u16(), reason, headers: parts.headers, body }
}

/// `request` with another verb and a body whose length is known.
pub(super) fn posting(mut request: Request<Body>, body: impl Into<Bytes>) -> Request<Body> {
    let body = body.into();
    *request.method_mut() = Method::from_bytes(b"CCM_POST").unwrap();
    request.headers_mut().insert(http::header::CONTENT_LENGTH, body.len().into());
    request.map(|_| Body::from(body))
}

/// An answer of the management point with IIS's own phrase.
pub(super) fn with_reason(status: u16, reason: &'static str, body: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response.extensions_mut().insert(hyper::ext::ReasonPhrase::from_static(reason.as_bytes()));
    response
}

fn listen(host: &str, port: u16, tls: Option<ServerTls>) -> Listen {
    let bind = SocketAddr::from(([127, 0, 0, 1], 0));
    Listen { host: host.to_owned(), port, bind, shown_ip: None, tls }
}
