//! A management point with all its surroundings.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use cmglab_clock::Clock;
use cmglab_events::kinds::{CertificateVerdict, ManagementPointEvent, TokenFault, TokenService};
use cmglab_events::{Events, Kind, Role};
use cmglab_fault::Faults;
use cmglab_ids::Ids;
use cmglab_management_point::{Content, ManagementPoint, ManagementPointConfig};
use cmglab_net::{Deps, Exchange, Peer, Resolver, Substatus, read_capped, reason_of};
use cmglab_proto::editions::Edition;
use cmglab_proto::ids::ExchangeId;
use cmglab_site::{DiscoveredUser, Location, Site, SiteConfig, User};
use cmglab_tls::CertStore;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};
use jiff::SignedDuration;
use tower::ServiceExt as _;

use crate::aad::{self, Aad};

pub(crate) const NOW: &str = "2027-03-01T12:00:00Z";
pub(crate) const DEVICE: &str = "8a1f2c0b-1111-4f0b-8f3a-52a1f2c0b222";
pub(crate) const USER: &str = "c3d0a9b8-2222-4b4b-9a9a-0a1b2c3d4e5f";
pub(crate) const BASE: &str = "https://CMG.LAB.TEST/CCM_Proxy_MutualAuth/72057594037938216";

pub(crate) struct Lab {
    pub(crate) mp: ManagementPoint,
    pub(crate) site: Site,
    pub(crate) deps: Deps,
    pub(crate) aad: Aad,
    pub(crate) clock: Clock,
    pub(crate) ids: Ids,
    pub(crate) events: Events,
    pub(crate) faults: Faults,
    pub(crate) user: User,
}

/// One request on its way in.
pub(crate) struct Ask {
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Bytes,
    verdict: CertificateVerdict,
}

/// The answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) substatus: u16,
    pub(crate) reason: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Lab {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut ManagementPointConfig)) -> Self {
        let (ids, events, faults) = (Ids::seeded(7), Events::new(), Faults::none());
        let clock = Clock::running_from(NOW.parse().unwrap(), 0.0);
        let deps = Deps {
            clock: clock.clone(),
            ids: ids.fork("mp"),
            events: events.source("MP", Role::ManagementPoint, &clock),
            store: CertStore::new(clock.clone()),
            resolver: Resolver::new(),
            faults: faults.clone(),
        };
        let aad = Aad::start(&deps, &ids).await;
        let config = SiteConfig { site_code: "LAB".parse().unwrap(), new_hierarchy: ids.guid().into() };
        let site = Site::open(Location::Memory, config).await.unwrap();
        site.onboard_tenant(aad::tenant()).await.unwrap();
        let found = DiscoveredUser {
            tenant: aad::tenant_id(),
            object: USER.parse().unwrap(),
            upn: "alice@lab.test".to_owned(),
            on_prem_sid: None,
        };
        let user = site.discover_user(found, &ids, clock.now()).await.unwrap();
        let mut config = ManagementPointConfig::new("MP.LAB.TEST");
        config.internet_base = Some(BASE.to_owned());
        change(&mut config);
        let content = Content::client(&config.site_version).unwrap();
        let mp = ManagementPoint::new(config, site.clone(), deps.clone(), content).await.unwrap();
        Self { mp, site, deps, aad, clock, ids, events, faults, user }
    }

    pub(crate) async fn send(&self, ask: Ask) -> Answer {
        let mut request =
            Request::builder().method(ask.method).uri(ask.path).body(Body::from(ask.body)).unwrap();
        *request.headers_mut() = ask.headers;
        let address = "127.0.0.1:40000".parse().unwrap();
        request.extensions_mut().insert(Peer { address, chain: Arc::default(), verdict: ask.verdict });
        request.extensions_mut().insert(Exchange(exchange()));
        let response = self.mp.router().oneshot(request).await.unwrap();
        assert_eq!(response.headers()[http::header::SERVER], "Microsoft-IIS/10.0");
        let (status, reason) = (response.status().as_u16(), reason_of(&response));
        let substatus = response.extensions().get::<Substatus>().map_or(0, |it| it.0);
        let (head, body) = response.into_parts();
        let body = read_capped(body, 16 << 20).await.unwrap();
        Answer { status, substatus, reason, headers: head.headers, body }
    }

    /// The management point's own events so far.
    pub(crate) fn told(&self) -> Vec<ManagementPointEvent> {
        let mine = |event: cmglab_events::Event| match event.kind {
            Kind::ManagementPoint(mine) => Some(mine),
            _ => None,
        };
        self.events.snapshot().into_iter().filter_map(mine).collect()
    }

    /// The last of them.
    pub(crate) fn last(&self) -> ManagementPointEvent {
        self.told().pop().unwrap()
    }

    /// The fault of the token that was refused last.
    pub(crate) fn refused_token(&self) -> (TokenService, TokenFault) {
        match self.last() {
            ManagementPointEvent::TokenRefused { service, fault, .. } => (service, fault),
            other => panic!("{other:?}"),
        }
    }

    /// The cause of a refusal that is neither about a token nor about a certificate.
    pub(crate) fn refusal(&self) -> (u16, u16, String) {
        match self.last() {
            ManagementPointEvent::Refused { status, substatus, reason, .. } => (status, substatus, reason),
            other => panic!("{other:?}"),
        }
    }

    /// The texts of a log of this machine.
    pub(crate) fn log(&self, name: &str) -> Vec<String> {
        let events = self.events.snapshot();
        let lines = events.iter().flat_map(|event| cmglab_events::logs::lines(event, Edition::Y2019));
        lines.filter(|line| line.file.file_name() == name).map(|line| line.text()).collect()
    }

    /// A CCM token of the device.
    pub(crate) async fn ccm_token(&self) -> String {
        let answer = self.send(Ask::get("/CCM_STS").bearer(&aad::device_token())).await;
        assert_eq!(answer.status, 200, "{:?}", self.last());
        String::from_utf8(answer.body.to_vec()).unwrap()
    }

    pub(crate) async fn advance(&self, by: SignedDuration) {
        self.clock.advance(by).await;
    }
}

impl Ask {
    pub(crate) fn new(method: &str, path: &str) -> Self {
        Self {
            method: Method::from_bytes(method.as_bytes()).unwrap(),
            path: path.to_owned(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            verdict: CertificateVerdict::Absent,
        }
    }

    pub(crate) fn get(path: &str) -> Self {
        Self::new("GET", path)
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header(AUTHORIZATION, &format!("Bearer {token}"))
    }

    pub(crate) fn header(mut self, name: HeaderName, value: &str) -> Self {
        self.headers.insert(name, HeaderValue::from_str(value).unwrap());
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    pub(crate) fn certificate(mut self, verdict: CertificateVerdict) -> Self {
        self.verdict = verdict;
        self
    }
}

impl Answer {
    /// Status, substatus and reason.
    pub(crate) fn line(&self) -> (u16, u16, &str) {
        (self.status, self.substatus, self.reason.as_str())
    }

    pub(crate) fn header(&self, name: HeaderName) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

pub(crate) fn exchange() -> ExchangeId {
    "11111111-2222-4333-8444-555555555555".parse().unwrap()
}

pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
