//! How close device tokens come to what their cryptography allows.
//!
//! Azure AD runs alone on one thread, over real TLS with kept connections; callers run on others. Its CPU
//! time is read from the kernel, so that a noisy machine does not count. The limit is what one request
//! cannot do without: one RS256 signature, and two verifications (the request's and its certificate's),
//! timed alone on one thread of the same run. For scale it is set beside `openssl speed rsa2048`, if there
//! is an openssl.
//!
//! `cargo bench -p cmglab-tests --bench device_token [-- --requests N]`

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a program for the eye, run by hand")]

use std::fs;
use std::process::Command;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cmglab_aad::{
    Aad, AadConfig, App, Hosts, Lifetimes, Password, PrtOptions, SigningKeys, Tenant, User, UserCondition,
};
use cmglab_clock::{Clock, Stopwatch};
use cmglab_events::{Events, Role};
use cmglab_fault::Faults;
use cmglab_ids::Ids;
use cmglab_net::{Call, Deps, HttpClient, Listen, Resolver, ServerHandle, serve};
use cmglab_pki::read::Certificate;
use cmglab_pki::{Authority, KeyKind, PrivateKey, Profiles, SubjectName, wpj};
use cmglab_proto::ids::{AppId, TenantId};
use cmglab_tls::{CertStore, Identity, ServerTls};
use cmglab_token::{HeaderKind, SigningKey, jws_x5c};
use http::Method;
use serde_json::{Value, json};
use uuid::Uuid;

/// That of the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let requests = argument("--requests").unwrap_or(9000);
    if cpu(ROLE).is_none() {
        println!("skipped: /proc/self/task/*/schedstat is not there, so CPU time cannot be read");
        return;
    }
    let world = World::new();
    let callers = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let device = callers.block_on(world.joined());
    callers.block_on(world.ask(&device, requests / 10));
    // Limit and service take turns, so that a busy neighbour counts for both alike.
    let rounds = (0..ROUNDS).map(|_| {
        let limit = world.limit(&device);
        let (before, watch) = (cpu(ROLE).unwrap(), Stopwatch::start());
        callers.block_on(world.ask(&device, requests / ROUNDS));
        Round { limit, cpu: (cpu(ROLE).unwrap() - before) / (requests / ROUNDS), wall: watch.elapsed() }
    });
    report(requests, rounds.collect());
}

/// One turn of limit and service; times are per token but for `wall`.
struct Round {
    limit: Limit,
    cpu: Duration,
    wall: Duration,
}

impl Round {
    fn floor(&self) -> Duration {
        self.limit.sign + self.limit.verify * 2
    }

    fn ratio(&self) -> f64 {
        self.floor().as_secs_f64() / self.cpu.as_secs_f64()
    }
}

fn report(requests: u32, mut rounds: Vec<Round>) {
    let wall: Duration = rounds.iter().map(|round| round.wall).sum();
    println!(
        "device tokens            {requests} over TLS, {:.0}/s by the wall",
        f64::from(requests) / wall.as_secs_f64()
    );
    rounds.sort_by(|a, b| a.ratio().total_cmp(&b.ratio()));
    let (worst, median, best) = (&rounds[0], &rounds[rounds.len() / 2], &rounds[rounds.len() - 1]);
    println!("role's CPU per token     {:?} (the median round of {})", median.cpu, rounds.len());
    println!(
        "limit: 1 sign, 2 verify  {:?} ({:?} and {:?} each, alone)",
        median.floor(),
        median.limit.sign,
        median.limit.verify
    );
    println!(
        "share of the limit       {:.3}, from {:.3} to {:.3} (aim: 0.8 or more)",
        median.ratio(),
        worst.ratio(),
        best.ratio()
    );
    match openssl() {
        Some(per_second) => {
            let ours = 1.0 / median.cpu.as_secs_f64();
            println!(
                "openssl speed rsa2048    {per_second:.0} signatures/s; tokens by CPU {ours:.0}/s, ratio {:.3}",
                ours / per_second
            );
        }
        None => println!("openssl speed rsa2048    skipped: no openssl here"),
    }
}

/// Azure AD on its own thread, and what callers need.
struct World {
    deps: Deps,
    device_key: PrivateKey,
    signing: SigningKey,
    authority: Authority,
    _role: (tokio::runtime::Runtime, [ServerHandle; 1]),
}

/// A joined device.
struct Joined {
    certificate: Vec<u8>,
    client: HttpClient,
}

/// What cannot be done without.
#[derive(Clone, Copy)]
struct Limit {
    sign: Duration,
    verify: Duration,
}

impl World {
    fn new() -> Self {
        let (clock, ids, profiles) = (Clock::system(), Ids::seeded(1), Profiles::builtin());
        let now = clock.now();
        let authority = Authority::create_root(&profiles, "ms-organization-access", now, &ids).unwrap();
        let root = Authority::create_root(&profiles, "aad-tls", now, &ids).unwrap();
        let key = || SigningKey::generate(now, "accounts.lab.test").unwrap();
        let keys = SigningKeys { current: key(), next: key() };
        let (events, resolver) = (Events::new(), Resolver::new());
        let machine = |name: &str, role| {
            let store = CertStore::new(clock.clone());
            store.trust(root.cert_der()).unwrap();
            store.check_crl(false);
            Deps {
                clock: clock.clone(),
                ids: ids.fork(name),
                events: events.source(name, role, &clock),
                store,
                resolver: resolver.clone(),
                faults: Faults::none(),
            }
        };
        let role_deps = machine(LOGIN, Role::Aad);
        let aad = Aad::new(&config(), &keys, authority.clone(), role_deps.clone()).unwrap();
        let tls_key = PrivateKey::generate(KeyKind::P256).unwrap();
        let names = [LOGIN, REGISTRATION].map(SubjectName::dns);
        let issued = root.issue("aad-server", &names, &tls_key, now, &ids).unwrap();
        let identity = Identity::new(LOGIN, issued.chain().to_vec(), issued.key().pkcs8_der()).unwrap();
        let listen = Listen {
            host: LOGIN.to_owned(),
            port: 443,
            bind: ([127, 0, 0, 1], 0).into(),
            shown_ip: None,
            tls: Some(ServerTls::new(identity)),
        };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name(ROLE)
            .enable_all()
            .build()
            .unwrap();
        let port = runtime.block_on(serve(&role_deps, listen, aad.router())).unwrap();
        resolver.point(REGISTRATION, 443, port.local_addr());
        Self {
            deps: machine("PC", Role::Client),
            device_key: PrivateKey::generate(KeyKind::Rsa2048).unwrap(),
            signing: keys.current,
            authority,
            _role: (runtime, [port]),
        }
    }

    async fn joined(&self) -> Joined {
        let client = HttpClient::new(&self.deps);
        let form = format!(
            "grant_type=password&client_id={BROKER}&resource=urn:ms-drs:{REGISTRATION}&username=a@lab.test&password=p"
        );
        let token = self.post(&client, "lab.test", form).await["access_token"].as_str().unwrap().to_owned();
        let csr = STANDARD.encode(wpj::certificate_request(&self.device_key).unwrap());
        let body = json!({
            "CertificateRequest": {"Type": "pkcs10", "Data": csr}, "TransportKey": transport_key(),
            "TargetDomain": "lab.test", "DeviceType": "Windows", "OSVersion": "10.0.22631.0",
            "DeviceDisplayName": "PC", "JoinType": 0,
        });
        let url = format!("https://{REGISTRATION}/EnrollmentServer/device/?api-version=2.0");
        let call = Call::new(Method::POST, url).bearer(&token).body("application/json", body.to_string());
        let answer = client.send(&self.deps.events, &call).await.unwrap();
        let answer: Value = serde_json::from_slice(&answer.body).unwrap();
        let certificate = STANDARD.decode(answer["Certificate"]["RawBody"].as_str().unwrap()).unwrap();
        Joined { certificate, client }
    }

    /// Asks for device tokens on a few connections at once, with one nonce, which is good for minutes.
    async fn ask(&self, device: &Joined, requests: u32) {
        let nonce = self.post(&device.client, "common", "grant_type=srv_challenge".to_owned()).await;
        let jws = self.request(device, nonce["Nonce"].as_str().unwrap());
        let form = format!("windows_api_version=2.2&grant_type={JWT_BEARER}&request={jws}");
        let url = format!("https://{LOGIN}/lab.test/oauth2/token");
        let asking = (0..CALLERS).map(|_| {
            let (client, voice) = (device.client.clone(), self.deps.events.clone());
            let call = Call::new(Method::POST, url.clone()).body(FORM, form.clone());
            tokio::spawn(async move {
                for _ in 0..requests / CALLERS {
                    let answer = client.send(&voice, &call).await.unwrap();
                    assert_eq!(answer.status, 200, "{:?}", answer.body);
                }
            })
        });
        for asking in asking.collect::<Vec<_>>() {
            asking.await.unwrap();
        }
    }

    fn request(&self, device: &Joined, nonce: &str) -> String {
        let header =
            json!({"alg": "RS256", "typ": "JWT", "kdf_ver": 2, "x5c": STANDARD.encode(&device.certificate)});
        let payload = json!({
            "resource": RESOURCE, "client_id": CLIENT, "request_nonce": nonce, "win_ver": "10.0.22631.0",
            "grant_type": "device_token", "redirect_uri": broker_redirect(), "iss": "aad:brokerplugin",
        });
        jws_x5c::sign(&header, &payload, |message| self.device_key.sign_rs256(message)).unwrap()
    }

    /// Times the operations of one request, alone.
    fn limit(&self, device: &Joined) -> Limit {
        let claims =
            json!({"aud": RESOURCE, "iss": "https://sts.windows.net/", "sub": CLIENT, "tid": CLIENT});
        let certificate = Certificate::parse(&device.certificate).unwrap();
        let issuer = Certificate::parse(self.authority.cert_der()).unwrap();
        let alone = std::thread::Builder::new().name(ALONE.to_owned());
        let signing = self.signing.clone();
        let timed = alone.spawn(move || {
            let sign = per_turn(SIGNATURES, || drop(signing.sign(HeaderKind::AadV1, &claims).unwrap()));
            let verify = per_turn(VERIFICATIONS, || certificate.is_signed_by(&issuer).unwrap());
            Limit { sign, verify }
        });
        timed.unwrap().join().unwrap()
    }

    async fn post(&self, client: &HttpClient, tenant: &str, form: String) -> Value {
        let url = format!("https://{LOGIN}/{tenant}/oauth2/token");
        let answer =
            client.send(&self.deps.events, &Call::new(Method::POST, url).body(FORM, form)).await.unwrap();
        serde_json::from_slice(&answer.body).unwrap()
    }
}

/// CPU time of one turn, on the thread [`ALONE`].
fn per_turn(turns: u32, mut turn: impl FnMut()) -> Duration {
    (0..turns / 10).for_each(|_| turn());
    let before = cpu(ALONE).unwrap();
    (0..turns).for_each(|_| turn());
    (cpu(ALONE).unwrap() - before) / turns
}

/// CPU time of the threads of this process that have this name; `None` where the kernel does not tell.
fn cpu(name: &str) -> Option<Duration> {
    let mut sum = 0;
    for task in fs::read_dir("/proc/self/task").ok()? {
        let task = task.ok()?.path();
        if fs::read_to_string(task.join("comm")).ok()?.trim() == name {
            let times = fs::read_to_string(task.join("schedstat")).ok()?;
            sum += times.split_whitespace().next()?.parse::<u64>().ok()?;
        }
    }
    Some(Duration::from_nanos(sum))
}

/// Signatures a second of `openssl speed rsa2048`.
fn openssl() -> Option<f64> {
    let output = Command::new("openssl").args(["speed", "-seconds", "2", "rsa2048"]).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let line = text.lines().find(|line| line.starts_with("rsa") && line.contains("2048"))?;
    // Columns after the two times: signatures, then verifications a second.
    line.split_whitespace()
        .filter_map(|word| word.parse().ok())
        .find(|number: &f64| *number > 50.0 && *number != 2048.0)
}

fn argument(name: &str) -> Option<u32> {
    let words: Vec<String> = std::env::args().collect();
    let at = words.iter().position(|word| word == name)?;
    words.get(at + 1)?.parse().ok()
}

fn config() -> AadConfig {
    let (tenant, client) = (TenantId::new(Uuid::from_u128(1)), AppId::new(CLIENT.parse().unwrap()));
    let app = |id, name: &str| App::new(id, Uuid::from_u128(2).into(), name, tenant);
    AadConfig {
        hosts: Hosts::documented(),
        lifetimes: Lifetimes::documented(),
        tenants: vec![Tenant {
            id: tenant,
            domains: vec!["lab.test".to_owned()],
            name: "lab.test".to_owned(),
            region: "EU".to_owned(),
        }],
        apps: vec![
            App { redirect_uris: vec![broker_redirect()], public: true, ..app(client, "client") },
            App {
                app_id_uris: vec![RESOURCE.to_owned()],
                device_only_auth: true,
                ..app(AppId::new(Uuid::from_u128(3)), "server")
            },
        ],
        users: vec![User {
            object_id: Uuid::from_u128(4).into(),
            upn: "a@lab.test".to_owned(),
            name: "A".to_owned(),
            password: Password::new("p"),
            puid: "100320FFFFFFFFFF".to_owned(),
            onprem_sid: None,
            enabled: true,
            condition: UserCondition::Good,
            groups: Vec::new(),
            claims: serde_json::Map::new(),
        }],
        loop_limit: None,
        prt: PrtOptions::default(),
        devices: Vec::new(),
        key_provisioning_needs_second_factor: false,
    }
}

fn broker_redirect() -> String {
    format!("ms-appx-web://Microsoft.AAD.BrokerPlugin/{CLIENT}")
}

/// A BCRYPT_RSAKEY_BLOB that is never used.
fn transport_key() -> String {
    let words = [2048_u32, 3, 256, 0, 0];
    let header: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    STANDARD.encode([&b"RSA1"[..], &header, &[1, 0, 1], &[0xab; 256]].concat())
}

const ROLE: &str = "azure-ad";
const ALONE: &str = "alone";
const CALLERS: u32 = 8;
const ROUNDS: u32 = 9;
// The kernel counts in steps of some milliseconds; each takes a hundred times as long.
const SIGNATURES: u32 = 1500;
const VERIFICATIONS: u32 = 15_000;
const LOGIN: &str = "login.microsoftonline.com";
const REGISTRATION: &str = "enterpriseregistration.windows.net";
const BROKER: &str = "29d9ed98-a469-4536-ade2-f981bc1d605e";
const CLIENT: &str = "22ed38d9-0000-4036-8000-a98452fda4fc";
const RESOURCE: &str = "https://ConfigMgrService";
const FORM: &str = "application/x-www-form-urlencoded";
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
