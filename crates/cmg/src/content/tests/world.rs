use std::sync::LazyLock;

use axum::body::Body;
use bytes::Bytes;
use cmglab_clock::Clock;
use cmglab_events::kinds::CmgEvent;
use cmglab_events::{Events, Kind, Role};
use cmglab_fault::Faults;
use cmglab_ids::Ids;
use cmglab_net::{Deps, Resolver, read_capped, reason_of, shown};
use cmglab_proto::content_link::{ContentLink, ContentList, DEFAULT_LIFETIME};
use cmglab_proto::ids::RoleId;
use cmglab_proto::mapping::UrlMapping;
use cmglab_proto::settings::SettingsDocument;
use cmglab_tls::CertStore;
use cmglab_token::{Jwks, Keys, SigningKey};
use http::{HeaderMap, Method, Request};
use tower::ServiceExt as _;

use crate::Meter;
use crate::content::{CmgContent, ContentAsk, ContentStore, Storage, StorageConfig};

pub(super) const NOW: &str = "2027-03-01T12:00:00Z";

/// The site's key, and one of another site.
pub(super) static KEYS: LazyLock<[SigningKey; 2]> =
    LazyLock::new(|| [(); 2].map(|()| SigningKey::generate(NOW.parse().unwrap(), "site").unwrap()));

pub(super) struct World {
    pub(super) clock: Clock,
    pub(super) events: Events,
    pub(super) meter: Meter,
    pub(super) document: SettingsDocument,
    pub(super) content: CmgContent,
    pub(super) storage: Storage,
    deps: Deps,
}

#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) reason: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Answer {
    pub(super) async fn of(response: http::Response<Body>) -> Self {
        let (status, reason) = (response.status().as_u16(), reason_of(&response));
        let (head, body) = response.into_parts();
        let body = read_capped(body, 64 << 20).await.unwrap();
        Self { status, reason, headers: head.headers, body }
    }

    pub(super) fn text(&self) -> &str {
        str::from_utf8(&self.body).unwrap()
    }
}

/// Bytes that differ wherever one looks.
pub(super) fn file(length: u32) -> Bytes {
    (0..length).map(|index| index.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect()
}

impl World {
    pub(super) fn new() -> Self {
        Self::with(StorageConfig::new("labcontent".parse().unwrap()))
    }

    pub(super) fn with(config: StorageConfig) -> Self {
        let (events, clock) = (Events::new(), Clock::running_from(NOW.parse().unwrap(), 0.0));
        let deps = Deps {
            clock: clock.clone(),
            ids: Ids::seeded(4),
            events: events.source("labcontent", Role::Storage, &clock),
            store: CertStore::new(clock.clone()),
            resolver: Resolver::new(),
            faults: Faults::none(),
        };
        let store = ContentStore::new(clock.clone());
        let files = vec![("client.msi".to_owned(), file(200_000)), ("x64/b.dll".to_owned(), file(10))];
        store.publish(&"LAB00007".parse().unwrap(), &"LAB00007".parse().unwrap(), files).unwrap();
        let meter = Meter::new(clock.clone());
        let storage = Storage::new(config, store, deps.clone(), meter.clone()).unwrap();
        let ids = Ids::seeded(5);
        let mut document = SettingsDocument::new(1, ids.guid().into(), "LAB".parse().unwrap());
        document.mappings.push(UrlMapping::new(RoleId::new(1, 9), "https://MP.LAB.TEST".parse().unwrap()));
        let content = CmgContent::new(storage.clone());
        Self { clock, events, meter, document, content, storage, deps }
    }

    /// What a management point would sign now.
    pub(super) fn link(&self) -> ContentLink {
        let starts = self.clock.now();
        ContentLink {
            package: "LAB00007".parse().unwrap(),
            content: "LAB00007".parse().unwrap(),
            client: "GUID:3FB5CF5D-28A5-4460-AB39-9184CA214369".parse().unwrap(),
            issuer: "MP.LAB.TEST".to_owned(),
            starts,
            ends: starts + DEFAULT_LIFETIME,
        }
    }

    pub(super) fn signed(&self, link: &ContentLink) -> String {
        signed_by(&KEYS[0], link)
    }

    pub(super) async fn ask(&self, target: &str) -> Answer {
        self.ask_with(&Method::GET, target).await.unwrap()
    }

    pub(super) async fn ask_with(&self, method: &Method, target: &str) -> Option<Answer> {
        let keys = Keys::from_jwks(&Jwks::from_iter([KEYS[0].jwk().unwrap()])).unwrap();
        let voice = self.events.source("CMG", Role::Cmg, &self.clock);
        let ask = ContentAsk {
            document: &self.document,
            keys: &keys,
            voice: &voice,
            now: self.clock.now(),
            url: &shown(&format!("https://CMG.LAB.TEST{target}")),
            target,
            method,
        };
        Some(Answer::of(self.content.answer(ask)?).await)
    }

    /// The links to the two files.
    pub(super) async fn files(&self) -> ContentList {
        let answer = self.ask(&self.signed(&self.link())).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        ContentList::parse(&answer.body).unwrap()
    }

    pub(super) async fn fetch(&self, url: &str, headers: &[(&str, &str)]) -> Answer {
        Answer::of(self.begin(Method::GET, url, headers).await).await
    }

    /// The answer with its body still to come.
    pub(super) async fn begin(
        &self,
        method: Method,
        url: &str,
        headers: &[(&str, &str)],
    ) -> http::Response<Body> {
        let target = url.strip_prefix(&format!("https://{}", self.storage.host())).unwrap();
        let mut request = Request::builder().method(method).uri(target);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.storage.router().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    }

    pub(super) fn told(&self) -> Vec<CmgEvent> {
        let cmg = |event: cmglab_events::Event| match event.kind {
            Kind::Cmg(event) => Some(event),
            _ => None,
        };
        self.events.snapshot().into_iter().filter_map(cmg).collect()
    }

    pub(super) fn deps(&self) -> Deps {
        self.deps.clone()
    }
}

pub(super) fn signed_by(key: &SigningKey, link: &ContentLink) -> String {
    let signature = key.sign_bytes(link.signed_part().as_bytes()).unwrap();
    let url = link.to_url("https://CMG.LAB.TEST", &signature).unwrap();
    url.strip_prefix("https://CMG.LAB.TEST").unwrap().to_owned()
}
