//! A small directory, a frozen clock, and a caller.

use std::sync::{Arc, OnceLock};

use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cmglab_clock::Clock;
use cmglab_events::kinds::{AadEvent, CertificateVerdict};
use cmglab_events::{Events, Kind, Role};
use cmglab_fault::Faults;
use cmglab_ids::Ids;
use cmglab_net::{Deps, Exchange, Peer, Resolver};
use cmglab_pki::read::Certificate;
use cmglab_pki::wpj::{WpjSubject, certificate_request};
use cmglab_pki::{Authority, KeyKind, Overrides, PrivateKey, Profiles};
use cmglab_proto::ids::{AppId, DeviceId, ExchangeId, TenantId};
use cmglab_tls::CertStore;
use cmglab_token::{Expect, Jwks, Keys, SigningKey, jws_x5c, verify};
use http::{HeaderMap, Method, Request};
use http_body_util::BodyExt as _;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use tower::ServiceExt as _;
use uuid::{Uuid, uuid};

use super::clients::{self, ROLE, WEB};
use crate::{
    Aad, AadConfig, App, Hosts, Lifetimes, Password, Permission, PrtOptions, SigningKeys, Tenant, User,
    UserCondition,
};

pub(super) const TENANT: TenantId = TenantId::new(uuid!("6c7a4b2e-0000-4000-8000-000000000001"));
pub(super) const OTHER_TENANT: TenantId = TenantId::new(uuid!("6c7a4b2e-0000-4000-8000-000000000002"));
pub(super) const NATIVE: AppId = AppId::new(uuid!("aaaaaaaa-0000-4000-8000-000000000001"));
pub(super) const SERVER: AppId = AppId::new(uuid!("aaaaaaaa-0000-4000-8000-000000000002"));
pub(super) const SERVER_V2: AppId = AppId::new(uuid!("aaaaaaaa-0000-4000-8000-000000000003"));
pub(super) const ALICE: Uuid = uuid!("bbbbbbbb-0000-4000-8000-000000000001");
pub(super) const BROKER: &str = "29d9ed98-a469-4536-ade2-f981bc1d605e";
pub(super) const PASSWORD: &str = "P@ss word+1&2";
pub(super) const RESOURCE: &str = "https://ConfigMgrService";
pub(super) const DRS: &str = "urn:ms-drs:enterpriseregistration.windows.net";

pub(super) struct Lab {
    pub(super) aad: Aad,
    pub(super) clock: Clock,
    pub(super) events: Events,
    pub(super) ids: Ids,
    pub(super) faults: Faults,
}

pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) json: Value,
    /// The body as it is.
    pub(super) text: String,
}

/// A joined device, as its owner knows it.
pub(super) struct Joined {
    pub(super) id: DeviceId,
    pub(super) certificate: Vec<u8>,
}

pub(super) fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

pub(super) fn signing_keys() -> &'static SigningKeys {
    static KEYS: OnceLock<SigningKeys> = OnceLock::new();
    let key = || SigningKey::generate(now(), "accounts.lab.test").unwrap();
    KEYS.get_or_init(|| SigningKeys { current: key(), next: key() })
}

pub(crate) fn authority() -> &'static Authority {
    static AUTHORITY: OnceLock<Authority> = OnceLock::new();
    AUTHORITY.get_or_init(new_authority)
}

/// An authority of the same name with another key.
pub(super) fn impostor() -> &'static Authority {
    static AUTHORITY: OnceLock<Authority> = OnceLock::new();
    AUTHORITY.get_or_init(new_authority)
}

pub(super) fn new_authority() -> Authority {
    Authority::create_root(&Profiles::builtin(), "ms-organization-access", now(), &Ids::seeded(9)).unwrap()
}

pub(super) fn device_key() -> &'static PrivateKey {
    static KEY: OnceLock<PrivateKey> = OnceLock::new();
    KEY.get_or_init(|| PrivateKey::generate(KeyKind::Rsa2048).unwrap())
}

pub(super) fn stolen_key() -> &'static PrivateKey {
    static KEY: OnceLock<PrivateKey> = OnceLock::new();
    KEY.get_or_init(|| PrivateKey::generate(KeyKind::Rsa2048).unwrap())
}

pub(crate) fn config() -> AadConfig {
    AadConfig {
        hosts: Hosts::documented(),
        lifetimes: Lifetimes::documented(),
        tenants: vec![tenant(TENANT, "lab.test"), tenant(OTHER_TENANT, "other.test")],
        apps: vec![
            App {
                redirect_uris: vec![
                    format!("ms-appx-web://Microsoft.AAD.BrokerPlugin/{NATIVE}"),
                    "http://localhost".to_owned(),
                ],
                public: true,
                permissions: vec![may_act(SERVER), may_act(SERVER_V2), may_act(WEB)],
                ..app(NATIVE, None)
            },
            App { roles: vec![ROLE.to_owned()], ..app(SERVER, Some(RESOURCE)) },
            App { access_token_version: 2, ..app(SERVER_V2, Some("https://v2")) },
            clients::web(),
            clients::other_web(),
        ],
        users: vec![
            user(ALICE, "alice@lab.test"),
            User { enabled: false, ..user(Uuid::from_u128(1), "bob@lab.test") },
            user(Uuid::from_u128(2), "carol@other.test"),
        ],
        loop_limit: None,
        prt: PrtOptions::default(),
        devices: Vec::new(),
        key_provisioning_needs_second_factor: false,
    }
}

pub(super) fn tenant(id: TenantId, domain: &str) -> Tenant {
    Tenant { id, domains: vec![domain.to_owned()], name: "Lab".to_owned(), region: "EU".to_owned() }
}

pub(super) fn app(app_id: AppId, uri: Option<&str>) -> App {
    App {
        app_id_uris: uri.map(str::to_owned).into_iter().collect(),
        device_only_auth: true,
        ..App::new(app_id, Uuid::from_u128(7).into(), "App", TENANT)
    }
}

/// What lets a client act for users at a resource.
pub(super) fn may_act(resource: AppId) -> Permission {
    Permission { resource, scopes: vec!["user_impersonation".to_owned()], roles: Vec::new() }
}

pub(super) fn user(object_id: Uuid, upn: &str) -> User {
    User {
        object_id: object_id.into(),
        upn: upn.to_owned(),
        name: "Alice Example".to_owned(),
        password: Password::new(PASSWORD),
        puid: "10032000ABCDEF01".to_owned(),
        onprem_sid: Some("S-1-5-21-1-2-3-1001".to_owned()),
        enabled: true,
        condition: UserCondition::Good,
        groups: Vec::new(),
        claims: Map::new(),
    }
}

impl Lab {
    pub(super) fn new() -> Self {
        Self::with(&config())
    }

    pub(super) fn with(config: &AadConfig) -> Self {
        Self::under(config, authority())
    }

    /// With an authority of its own, for what changes the authority.
    pub(super) fn under(config: &AadConfig, authority: &Authority) -> Self {
        let (clock, events, ids) = (Clock::running_from(now(), 0.0), Events::new(), Ids::seeded(1));
        let faults = Faults::default();
        let deps = Deps {
            clock: clock.clone(),
            ids: ids.fork("aad"),
            events: events.source("AAD", Role::Aad, &clock),
            store: CertStore::new(clock.clone()),
            resolver: Resolver::new(),
            faults: faults.clone(),
        };
        let aad = Aad::new(config, signing_keys(), authority.clone(), deps).unwrap();
        Self { aad, clock, events, ids, faults }
    }

    pub(super) async fn send(&self, mut request: Request<Body>) -> Reply {
        request.extensions_mut().insert(Exchange(ExchangeId::new(Uuid::from_u128(99))));
        let response = self.aad.router().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8(body.to_vec()).unwrap();
        let is_json = parts.headers["content-type"].to_str().unwrap().starts_with("application/json");
        let json =
            if is_json && !text.is_empty() { serde_json::from_str(&text).unwrap() } else { Value::Null };
        Reply { status: parts.status.as_u16(), headers: parts.headers, json, text }
    }

    pub(super) async fn get(&self, target: &str) -> Reply {
        self.send(Request::get(target).body(Body::empty()).unwrap()).await
    }

    pub(super) async fn post(&self, target: &str, form: &[(&str, &str)]) -> Reply {
        self.send(Request::post(target).body(Body::from(encode(form))).unwrap()).await
    }

    pub(super) async fn nonce(&self) -> String {
        let reply = self.post("/common/oauth2/token", &[("grant_type", "srv_challenge")]).await;
        reply.json["Nonce"].as_str().unwrap().to_owned()
    }

    /// Signs Alice in for device registration.
    pub(super) async fn registration_token(&self) -> String {
        self.user_token(DRS, BROKER).await
    }

    pub(super) async fn user_token(&self, resource: &str, client: &str) -> String {
        let reply = self.post("/lab.test/oauth2/token", &password_form(resource, client)).await;
        assert_eq!(reply.status, 200, "{}", reply.json);
        reply.json["access_token"].as_str().unwrap().to_owned()
    }

    /// What a device signs to get a token of its own.
    pub(super) async fn device_token_payload(&self) -> Value {
        json!({
            "resource": RESOURCE,
            "client_id": NATIVE,
            "request_nonce": self.nonce().await,
            "win_ver": "10.0.22621.608",
            "grant_type": "device_token",
            "redirect_uri": format!("ms-appx-web://Microsoft.AAD.BrokerPlugin/{NATIVE}"),
            "iss": "aad:brokerplugin",
            "iat": "1795289721",
        })
    }

    /// Signs Alice in by a request that her device signs, so that the token is bound to it.
    pub(super) async fn on_device(&self, x5c: &Value, resource: &str) -> Reply {
        let payload = json!({
            "client_id": BROKER, "request_nonce": self.nonce().await, "scope": "openid",
            "resource": resource, "grant_type": "password", "username": "alice@lab.test",
            "password": PASSWORD,
        });
        let request = signed(x5c, device_key(), &payload);
        let bearer = "urn:ietf:params:oauth:grant-type:jwt-bearer";
        self.post("/lab.test/oauth2/token", &[("grant_type", bearer), ("request", &request)]).await
    }

    pub(super) async fn join(&self) -> Joined {
        let reply = self.join_with(&self.registration_token().await, &join_body(0)).await;
        assert_eq!(reply.status, 200, "{}", reply.json);
        let certificate = STANDARD.decode(reply.json["Certificate"]["RawBody"].as_str().unwrap()).unwrap();
        let subject = Certificate::parse(&certificate).unwrap().subject_common_name.unwrap();
        Joined { id: subject.parse().unwrap(), certificate }
    }

    pub(super) async fn join_with(&self, token: &str, body: &Value) -> Reply {
        let request = Request::post("/EnrollmentServer/device/?api-version=2.0")
            .header("authorization", format!("Bearer {token}"))
            .body(Body::from(body.to_string()))
            .unwrap();
        self.send(request).await
    }

    /// A request with a body of JSON, and with a token if there is one.
    pub(super) async fn json(
        &self,
        method: Method,
        target: &str,
        token: Option<&str>,
        body: &Value,
    ) -> Reply {
        let mut request = Request::builder().method(method).uri(target);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    pub(super) async fn delete(&self, id: DeviceId, leaf: &[u8], verdict: CertificateVerdict) -> Reply {
        let mut request = Request::builder()
            .method(Method::DELETE)
            .uri(format!("/EnrollmentServer/device/{id}"))
            .body(Body::empty())
            .unwrap();
        let address = "127.0.0.9:1234".parse().unwrap();
        request.extensions_mut().insert(Peer { address, chain: Arc::new(vec![leaf.to_vec()]), verdict });
        self.send(request).await
    }

    /// The keys as a verifier gets them.
    pub(super) async fn keys(&self) -> Keys {
        let reply = self.get("/common/discovery/keys").await;
        Keys::from_jwks(&Jwks::parse(reply.json.to_string().as_bytes()).unwrap()).unwrap()
    }

    /// The claims of a token that verifies.
    pub(super) async fn claims(&self, token: &Value, issuer: &str, audience: &str) -> Map<String, Value> {
        let expect = Expect {
            issuers: &[issuer],
            audiences: &[audience],
            now: self.clock.now(),
            leeway: SignedDuration::ZERO,
        };
        verify(token.as_str().unwrap(), &self.keys().await, &expect).unwrap().claims
    }

    /// What happened, but for the journal.
    pub(super) fn aad_events(&self) -> Vec<AadEvent> {
        self.all_events().filter(|event| !matches!(event, AadEvent::Answered { .. })).collect()
    }

    /// The journal: what was asked, the status, and what was answered.
    pub(super) fn journal(&self) -> Vec<(Value, u16, String)> {
        let answered = self.all_events().filter_map(|event| match event {
            AadEvent::Answered { asked, status, answer, .. } => Some((asked, status, answer)),
            _ => None,
        });
        answered.collect()
    }

    fn all_events(&self) -> impl Iterator<Item = AadEvent> {
        let kinds = self.events.snapshot().into_iter().map(|event| event.kind);
        kinds.filter_map(|kind| match kind {
            Kind::Aad(event) => Some(event),
            _ => None,
        })
    }

    /// A certificate that the protocol would not give.
    pub(super) fn certificate(&self, authority: &Authority, id: DeviceId, overrides: &Overrides) -> Vec<u8> {
        let subject = WpjSubject {
            device_id: id.guid(),
            object_id: ALICE,
            tenant_id: TENANT.guid(),
            join_type: b'1',
            region: "EU".to_owned(),
        };
        let csr = certificate_request(device_key()).unwrap();
        authority.issue_wpj_with(&csr, &subject, overrides, now(), &self.ids).unwrap()
    }
}

pub(super) fn v1_issuer() -> String {
    format!("https://sts.windows.net/{TENANT}/")
}

pub(super) fn password_form<'a>(resource: &'a str, client: &'a str) -> [(&'static str, &'a str); 5] {
    [
        ("grant_type", "password"),
        ("client_id", client),
        ("resource", resource),
        ("username", "alice@lab.test"),
        ("password", PASSWORD),
    ]
}

pub(super) fn join_body(join_type: u8) -> Value {
    let words = [2048_u32, 3, 256, 0, 0];
    let header: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    json!({
        "CertificateRequest": {
            "Type": "pkcs10",
            "Data": STANDARD.encode(certificate_request(device_key()).unwrap()),
        },
        "TransportKey": STANDARD.encode([&b"RSA1"[..], &header, &[1, 0, 1], &[0xab; 256]].concat()),
        "TargetDomain": "lab.test",
        "DeviceType": "Windows",
        "OSVersion": "10.0.22631.0",
        "DeviceDisplayName": "LAB-PC1",
        "JoinType": join_type,
        "attributes": {"ReuseDevice": "true"},
    })
}

/// Signs a request as a device does.
pub(super) fn signed(x5c: &Value, key: &PrivateKey, payload: &Value) -> String {
    let mut header = json!({"alg": key.jws_algorithm(), "typ": "JWT", "kdf_ver": 2});
    if !x5c.is_null() {
        header["x5c"] = x5c.clone();
    }
    jws_x5c::sign(&header, payload, |message| key.sign_jws(message).map(|(_, made)| made)).unwrap()
}

pub(super) fn encode(form: &[(&str, &str)]) -> String {
    let escape = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    let pairs: Vec<_> = form.iter().map(|(name, value)| format!("{name}={}", escape(value))).collect();
    pairs.join("&")
}
