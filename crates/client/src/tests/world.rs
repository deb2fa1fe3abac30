//! One client among stand-ins, over real TLS on free ports.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, LazyLock};

use cmglab_clock::Clock;
use cmglab_events::kinds::ClientEvent;
use cmglab_events::logs::{LogFile, lines};
use cmglab_events::{Events, Kind, Role};
use cmglab_fault::Faults;
use cmglab_ids::Ids;
use cmglab_net::{Deps, Listen, Resolver, ServerHandle, serve};
use cmglab_pki::read::Certificate;
use cmglab_pki::{Authorities, Profiles, SubjectName};
use cmglab_proto::editions::Edition;
use cmglab_proto::wpj::JoinType;
use cmglab_tls::{CertStore, Identity, ServerTls};
use jiff::Timestamp;
use secrecy::SecretString;
use tempfile::TempDir;

use super::fake::{Fake, TENANT, USER};
use crate::config::AutomaticRoots;
use crate::{Client, ClientConfig, Machine, UserSession, Wpj};

pub(super) const INSTALL: &str =
    "ccmsetup.exe CCMHOSTNAME=CMG.LAB.TEST/CCM_Proxy_MutualAuth/9 SMSSITECODE=LAB";

pub(super) struct World {
    pub(super) clock: Clock,
    pub(super) events: Events,
    pub(super) deps: Deps,
    pub(super) fake: Arc<Fake>,
    pub(super) place: TempDir,
    _servers: Vec<ServerHandle>,
}

/// What differs from one world to another.
pub(super) struct Kindness {
    /// The CMG's certificate: from the private PKI or from a public CA.
    pub(super) cmg_profile: &'static str,
    pub(super) trusts: &'static [&'static str],
}

impl World {
    /// A world whose client trusts what it needs to.
    pub(super) async fn new() -> Self {
        Self::with(Kindness { cmg_profile: "cmg-server", trusts: &["aad-tls", "cmg-root"] }).await
    }

    pub(super) async fn with(kindness: Kindness) -> Self {
        let (clock, ids, events) = (Clock::running_from(start(), 0.0), Ids::seeded(7), Events::new());
        let store = CertStore::new(clock.clone());
        for name in kindness.trusts {
            store.trust(AUTHORITIES.get(name).unwrap().cert_der()).unwrap();
        }
        let deps = Deps {
            clock: clock.clone(),
            ids: ids.clone(),
            events: events.source("PC1", Role::Client, &clock),
            store,
            resolver: Resolver::new(),
            faults: Faults::none(),
        };
        let lists = AUTHORITIES.iter().cloned().collect();
        let wpj = AUTHORITIES.get("ms-organization-access").unwrap().clone();
        let roots = AUTHORITIES.bundle(&["public-root", "client-root"]).unwrap().to_pem();
        let fake = Arc::new(Fake::new(clock.clone(), ids, wpj, lists, roots));
        let mut servers = Vec::new();
        for (host, profile) in [
            ("login.microsoftonline.com", Some("aad-server")),
            ("enterpriseregistration.windows.net", Some("aad-server")),
            ("CMG.LAB.TEST", Some(kindness.cmg_profile)),
            ("crl.lab.test", None),
        ] {
            servers.push(listen(&deps, host, profile, &fake).await);
        }
        let place = tempfile::tempdir().unwrap();
        Self { clock, events, deps, fake, place, _servers: servers }
    }

    /// A client whose device is joined and on which alice is logged on.
    pub(super) async fn joined(&self) -> Client {
        let mut client = self.client();
        client.join(JoinType::Join, "alice@lab.test", &password()).await.unwrap();
        client
    }

    /// A client as it is found in the folder.
    pub(super) fn client(&self) -> Client {
        let public = Certificate::parse(AUTHORITIES.get("public-root").unwrap().cert_der()).unwrap();
        let sha256 = BTreeSet::from([public.sha256_thumbprint()]);
        let automatic_roots = Some(AutomaticRoots { host: "crl.lab.test".to_owned(), sha256 });
        let config = ClientConfig { automatic_roots, ..ClientConfig::default() };
        let machine = Machine {
            host_name: "PC1".to_owned(),
            tenant: TENANT.parse().unwrap(),
            domain: "lab.test".to_owned(),
            wpj: Wpj::None,
            session: Some(UserSession {
                upn: "alice@lab.test".to_owned(),
                password: password(),
                sid: "S-1-5-21-1-2-3-1604".parse().unwrap(),
                account: USER.parse().unwrap(),
            }),
            folder: self.place.path().join("client"),
        };
        Client::new(config, machine, self.deps.clone()).unwrap()
    }

    /// The texts of one log so far.
    pub(super) fn log(&self, file: LogFile) -> Vec<String> {
        let events = self.events.snapshot();
        let lines = events.iter().flat_map(|event| lines(event, Edition::Y2019));
        lines.filter(|line| line.file == file).map(|line| line.text()).collect()
    }

    pub(super) fn client_events(&self) -> Vec<ClientEvent> {
        let events = self.events.snapshot().into_iter();
        events
            .filter_map(|event| match event.kind {
                Kind::Client(event) => Some(event),
                _ => None,
            })
            .collect()
    }
}

pub(super) fn password() -> SecretString {
    SecretString::from("p&ss wörd")
}

pub(super) fn start() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

async fn listen(deps: &Deps, host: &str, profile: Option<&str>, fake: &Arc<Fake>) -> ServerHandle {
    let tls = profile.map(|profile| {
        let names = [SubjectName::dns(host)];
        let issued = AUTHORITIES.issue(profile, &names, start(), &Ids::seeded(3)).unwrap();
        let identity = Identity::new(host, issued.chain().to_vec(), issued.key().pkcs8_der()).unwrap();
        ServerTls::new(identity)
    });
    let port = if tls.is_some() { 443 } else { 80 };
    let bind = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let listen = Listen { host: host.to_owned(), port, bind, shown_ip: None, tls };
    serve(deps, listen, fake.router()).await.unwrap()
}

static AUTHORITIES: LazyLock<Authorities> =
    LazyLock::new(|| Authorities::create(&Profiles::builtin(), start(), &Ids::seeded(1)).unwrap());
