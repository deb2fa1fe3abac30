//! The service, and the hand that changes its directory while it runs.

use std::fmt;
use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use cmglab_net::Deps;
use cmglab_pki::read::Certificate;
use cmglab_pki::{Authority, peer_to_peer};
use cmglab_proto::ids::TenantId;
use cmglab_token::{HeaderKind, SigningKey};
use jiff::SignedDuration;
use serde_json::Value;

use crate::answer::{self, Trouble};
use crate::ask::Ask;
use crate::authorize::Wish;
use crate::directory::Directory;
use crate::grant::authorization_code::Code;
use crate::grant::device_code::store::DeviceCodes;
use crate::grant::refresh::RefreshToken;
use crate::key_ring::KeyRing;
use crate::nonce::Nonces;
use crate::proof::Chains;
use crate::prt::Prt;
use crate::session::Session;
use crate::tickets::Tickets;
use crate::weather::Loops;
use crate::{AadConfig, AadError, Hosts, Lifetimes, PrtOptions, journal, route, weather};

/// The keys that tokens are signed with.
#[derive(Debug, Clone)]
pub struct SigningKeys {
    /// Signs.
    pub current: SigningKey,
    /// Is published beside it and signs nothing yet, so that whoever verifies must choose by key id.
    pub next: SigningKey,
}

/// Azure AD: token service and device registration. Cheap to clone; clones are the same service.
#[derive(Clone)]
pub struct Aad(Arc<Inner>, Option<Arc<OnceLock<Hosts>>>);

/// Where a second face of the service is told under which origin it is reached.
#[derive(Debug, Clone)]
pub struct OwnOrigin(Arc<OnceLock<Hosts>>);

struct Inner {
    hosts: Hosts,
    lifetimes: Lifetimes,
    directory: RwLock<Directory>,
    ring: RwLock<KeyRing>,
    key_provisioning_needs_second_factor: bool,
    authority: Authority,
    authority_certificate: Certificate,
    chains: Chains,
    peer_authority: Authority,
    nonces: Nonces,
    loops: Loops,
    refresh_tokens: Tickets<RefreshToken>,
    prts: Tickets<Prt>,
    prt_options: PrtOptions,
    codes: Tickets<Code>,
    device_codes: DeviceCodes,
    sessions: Tickets<Session>,
    wishes: Tickets<Wish>,
    own_origins: RwLock<Vec<Arc<OnceLock<Hosts>>>>,
    deps: Deps,
}

impl Aad {
    /// Makes the service; binds nothing. `authority` is MS-Organization-Access.
    ///
    /// # Errors
    /// [`AadError`] names the entry of `config` that cannot be used.
    pub fn new(
        config: &AadConfig,
        keys: &SigningKeys,
        authority: Authority,
        deps: Deps,
    ) -> Result<Self, AadError> {
        check(config)?;
        let authority_certificate = Certificate::parse(authority.cert_der())
            .map_err(|_| invalid("authority", authority.common_name(), "its certificate cannot be read"))?;
        let peer_authority = peer_to_peer::authority(deps.clock.now(), &deps.ids.fork("peer-to-peer"))
            .map_err(|_| invalid("peer-to-peer authority", "", "it cannot be made"))?;
        let lifetime = SignedDuration::from_secs(i64::from(config.lifetimes.nonce));
        let nonces = Nonces::new(lifetime)
            .map_err(|_| invalid("nonces", "", "the crypto provider gives no randomness"))?;
        let inner = Arc::new(Inner {
            hosts: config.hosts.clone(),
            lifetimes: config.lifetimes,
            directory: RwLock::new(Directory::new(config)?),
            ring: RwLock::new(KeyRing::new(keys)?),
            key_provisioning_needs_second_factor: config.key_provisioning_needs_second_factor,
            authority,
            authority_certificate,
            chains: Chains::default(),
            peer_authority,
            nonces,
            loops: Loops::new(config.loop_limit),
            refresh_tokens: Tickets::new(LONG),
            prts: Tickets::new(LONG),
            prt_options: config.prt,
            codes: Tickets::new(SHORT),
            device_codes: DeviceCodes::new(),
            sessions: Tickets::new(SHORT),
            wishes: Tickets::new(WISHES),
            own_origins: RwLock::default(),
            deps,
        });
        Ok(Self(inner, None))
    }

    /// The same service under an origin of its own: what it says of hosts and issuers names that origin,
    /// once it is told ([`OwnOrigin::set`]). Directory, keys and all that was issued are shared.
    #[must_use]
    pub fn at_own_origin(&self) -> (Self, OwnOrigin) {
        let hosts = Arc::new(OnceLock::new());
        self.0.own_origins.write().unwrap_or_else(PoisonError::into_inner).push(hosts.clone());
        (Self(self.0.clone(), Some(hosts.clone())), OwnOrigin(hosts))
    }

    /// Answers for the token service and for device registration; their paths do not overlap. Paths are told
    /// apart without regard to case and to a slash at their end.
    pub fn router(&self) -> Router {
        Router::new().fallback(handle).with_state(self.clone())
    }
}

impl OwnOrigin {
    /// Says the origin, such as `localhost:8443`; the first word counts.
    pub fn set(&self, authority: impl Into<String>) {
        let _first = self.0.set(Hosts::own_origin(authority));
    }
}

/// What handlers work with.
impl Aad {
    pub(crate) fn directory(&self) -> RwLockReadGuard<'_, Directory> {
        self.0.directory.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn directory_mut(&self) -> RwLockWriteGuard<'_, Directory> {
        self.0.directory.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn hosts(&self) -> &Hosts {
        self.1.as_ref().and_then(|own| own.get()).unwrap_or(&self.0.hosts)
    }

    pub(crate) fn lifetimes(&self) -> Lifetimes {
        self.0.lifetimes
    }

    /// The signing keys as they are now.
    pub(crate) fn ring(&self) -> KeyRing {
        self.0.ring.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts other signing keys in place; `change` makes them of those in force.
    pub(crate) fn change_ring(
        &self,
        change: impl FnOnce(&KeyRing) -> Result<KeyRing, AadError>,
    ) -> Result<(), AadError> {
        let mut ring = self.0.ring.write().unwrap_or_else(PoisonError::into_inner);
        *ring = change(&ring)?;
        Ok(())
    }

    pub(crate) fn loops(&self) -> &Loops {
        &self.0.loops
    }

    pub(crate) fn authority(&self) -> &Authority {
        &self.0.authority
    }

    pub(crate) fn authority_certificate(&self) -> &Certificate {
        &self.0.authority_certificate
    }

    /// Device certificates whose issuer has been checked.
    pub(crate) fn chains(&self) -> &Chains {
        &self.0.chains
    }

    /// Who signs the certificates that devices show each other.
    pub(crate) fn peer_authority(&self) -> &Authority {
        &self.0.peer_authority
    }

    pub(crate) fn key_provisioning_needs_second_factor(&self) -> bool {
        self.0.key_provisioning_needs_second_factor
    }

    pub(crate) fn nonces(&self) -> &Nonces {
        &self.0.nonces
    }

    pub(crate) fn refresh_tokens(&self) -> &Tickets<RefreshToken> {
        &self.0.refresh_tokens
    }

    pub(crate) fn prts(&self) -> &Tickets<Prt> {
        &self.0.prts
    }

    pub(crate) fn prt_options(&self) -> PrtOptions {
        self.0.prt_options
    }

    pub(crate) fn codes(&self) -> &Tickets<Code> {
        &self.0.codes
    }

    pub(crate) fn device_code_store(&self) -> &DeviceCodes {
        &self.0.device_codes
    }

    pub(crate) fn sessions(&self) -> &Tickets<Session> {
        &self.0.sessions
    }

    /// The authorization requests that wait at their sign-in page.
    pub(crate) fn wishes(&self) -> &Tickets<Wish> {
        &self.0.wishes
    }

    pub(crate) fn deps(&self) -> &Deps {
        &self.0.deps
    }

    pub(crate) fn issuer(&self, version: u8, tenant: impl fmt::Display) -> String {
        issuer(self.hosts(), version, tenant)
    }

    /// Every issuer of a tenant, under the names of the service and under each origin of its own: what one
    /// face has issued the others take.
    pub(crate) fn own_issuers(&self, tenant: TenantId) -> Vec<String> {
        let of = |hosts: &Hosts| [1, 2].map(|version| issuer(hosts, version, tenant));
        let own = self.0.own_origins.read().unwrap_or_else(PoisonError::into_inner);
        let own = own.iter().filter_map(|hosts| hosts.get());
        [&self.0.hosts].into_iter().chain(own).flat_map(of).collect()
    }

    pub(crate) fn sign(&self, version: u8, claims: &Value) -> Result<String, Trouble> {
        let header = if version == 2 { HeaderKind::AadV2 } else { HeaderKind::AadV1 };
        self.ring().current().sign(header, claims).map_err(|error| Trouble::Failed(error.to_string()))
    }
}

impl fmt::Debug for Aad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Aad")
            .field("hosts", &self.0.hosts)
            .field("ring", &self.ring())
            .finish_non_exhaustive()
    }
}

fn issuer(hosts: &Hosts, version: u8, tenant: impl fmt::Display) -> String {
    match version {
        2 => format!("https://{}/{tenant}/v2.0", hosts.login),
        _ => format!("https://{}/{tenant}/", hosts.issuer),
    }
}

async fn handle(State(aad): State<Aad>, request: Request) -> Response {
    let (ask, sound) = Ask::take(request, aad.deps()).await;
    route::prepare(&aad, &ask);
    let outcome = sound.and_then(|()| weather::check(&aad, &ask)).and_then(|()| route::dispatch(&aad, &ask));
    journal::tell(&ask, &outcome);
    answer::render(&ask, outcome)
}

fn check(config: &AadConfig) -> Result<(), AadError> {
    let Hosts { login, aliases, issuer, registration } = &config.hosts;
    for host in [login, issuer, registration].into_iter().chain(aliases) {
        if host.is_empty() || host.contains(['/', '@', '?', '#', ' ']) {
            return Err(invalid("host", host, "use a bare name such as login.microsoftonline.com"));
        }
    }
    let Lifetimes {
        device_token,
        user_token_min,
        user_token_max,
        nonce,
        refresh_token,
        primary_refresh_token,
        code,
        device_code,
    } = config.lifetimes;
    let all = [device_token, user_token_min, nonce, refresh_token, primary_refresh_token, code, device_code];
    all.into_iter().try_for_each(lasting)?;
    if user_token_max < user_token_min {
        let max = user_token_max.to_string();
        return Err(invalid("user_token_max", &max, "it is below user_token_min"));
    }
    Ok(())
}

/// Refuses a lifetime of no seconds.
pub(crate) fn lasting(seconds: u32) -> Result<(), AadError> {
    if seconds > 0 { Ok(()) } else { Err(invalid("lifetime", "0", "use a number of seconds above zero")) }
}

fn invalid(what: &'static str, value: &str, reason: &'static str) -> AadError {
    AadError::Invalid { what, value: value.to_owned(), reason }
}

/// How many refresh tokens are kept, and as many primary ones.
const LONG: usize = 50_000;
/// How many codes are kept, and as many sessions of browsers.
const SHORT: usize = 10_000;
/// How many sign-in pages may be open: nobody has proved anything yet.
const WISHES: usize = 2_000;
