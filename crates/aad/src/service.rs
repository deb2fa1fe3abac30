//! The service, and the hand that changes its directory while it runs.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use cmglab_events::kinds::AadEvent;
use cmglab_net::Deps;
use cmglab_pki::Authority;
use cmglab_pki::read::Certificate;
use cmglab_proto::ids::{AppId, DeviceId, TenantId};
use cmglab_token::{HeaderKind, Jwk, Jwks, Keys, SigningKey};
use jiff::SignedDuration;
use serde_json::Value;

use crate::answer::{self, Trouble};
use crate::ask::Ask;
use crate::directory::Directory;
use crate::nonce::Nonces;
use crate::{AadConfig, AadError, App, Device, Hosts, Lifetimes, Tenant, User, route};

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
pub struct Aad(Arc<Inner>);

struct Inner {
    hosts: Hosts,
    lifetimes: Lifetimes,
    directory: RwLock<Directory>,
    signer: SigningKey,
    published: Vec<Jwk>,
    keys: Keys,
    authority: Authority,
    authority_certificate: Certificate,
    nonces: Nonces,
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
        if keys.current.kid() == keys.next.kid() {
            return Err(AadError::SameKey);
        }
        let published = vec![keys.current.jwk()?, keys.next.jwk()?];
        let authority_certificate = Certificate::parse(authority.cert_der())
            .map_err(|_| invalid("authority", authority.common_name(), "its certificate cannot be read"))?;
        let lifetime = SignedDuration::from_secs(i64::from(config.lifetimes.nonce));
        let nonces = Nonces::new(lifetime)
            .map_err(|_| invalid("nonces", "", "the crypto provider gives no randomness"))?;
        Ok(Self(Arc::new(Inner {
            hosts: config.hosts.clone(),
            lifetimes: config.lifetimes,
            directory: RwLock::new(Directory::new(config)?),
            signer: keys.current.clone(),
            keys: Keys::from_jwks(&published.iter().cloned().collect::<Jwks>())?,
            published,
            authority,
            authority_certificate,
            nonces,
            deps,
        })))
    }

    /// Answers for the token service and for device registration; their paths do not overlap. Paths are told
    /// apart without regard to case and to a slash at their end.
    pub fn router(&self) -> Router {
        Router::new().fallback(handle).with_state(self.clone())
    }

    /// The devices that have joined, by id.
    #[must_use]
    pub fn devices(&self) -> Vec<Device> {
        self.directory().devices().cloned().collect()
    }

    /// Adds a tenant.
    ///
    /// # Errors
    /// [`AadError::Duplicate`] or [`AadError::Invalid`].
    pub fn add_tenant(&self, tenant: Tenant) -> Result<(), AadError> {
        let change = format!("tenant {} ({}) added", tenant.id, tenant.name);
        self.directory_mut().add_tenant(tenant)?;
        self.changed(change);
        Ok(())
    }

    /// Registers an application.
    ///
    /// # Errors
    /// [`AadError::UnknownTenant`], [`AadError::Duplicate`] or [`AadError::Invalid`].
    pub fn add_app(&self, app: App) -> Result<(), AadError> {
        let change = format!("application {} ({}) registered", app.app_id, app.name);
        self.directory_mut().add_app(app)?;
        self.changed(change);
        Ok(())
    }

    /// Adds a user.
    ///
    /// # Errors
    /// [`AadError::Duplicate`] or [`AadError::Invalid`].
    pub fn add_user(&self, user: User) -> Result<(), AadError> {
        let change = format!("user {} added", user.upn);
        self.directory_mut().add_user(user)?;
        self.changed(change);
        Ok(())
    }

    /// Says whether a device alone may get tokens for an application.
    ///
    /// # Errors
    /// [`AadError::UnknownApp`].
    pub fn set_device_only_auth(&self, app: AppId, allowed: bool) -> Result<(), AadError> {
        self.directory_mut().app_mut(app)?.device_only_auth = allowed;
        self.changed(format!("application {app}: device-only authentication {}", on_or_off(allowed)));
        Ok(())
    }

    /// Takes an application off the directory.
    ///
    /// # Errors
    /// [`AadError::UnknownApp`].
    pub fn unregister_app(&self, app: AppId) -> Result<(), AadError> {
        self.directory_mut().remove_app(app)?;
        self.changed(format!("application {app} unregistered"));
        Ok(())
    }

    /// Keeps a device from getting tokens; it stays in the directory.
    ///
    /// # Errors
    /// [`AadError::UnknownDevice`].
    pub fn disable_device(&self, device: DeviceId) -> Result<(), AadError> {
        self.set_device(device, false)
    }

    /// Lets a disabled device get tokens again.
    ///
    /// # Errors
    /// [`AadError::UnknownDevice`].
    pub fn enable_device(&self, device: DeviceId) -> Result<(), AadError> {
        self.set_device(device, true)
    }

    /// Takes a device off the directory. Its certificate stays what it is.
    ///
    /// # Errors
    /// [`AadError::UnknownDevice`].
    pub fn delete_device(&self, device: DeviceId) -> Result<(), AadError> {
        let tenant = self.directory_mut().remove_device(device)?.tenant;
        self.0.deps.events.emit(AadEvent::DeviceDeleted { tenant, device });
        Ok(())
    }

    fn set_device(&self, device: DeviceId, enabled: bool) -> Result<(), AadError> {
        self.directory_mut().device_mut(device)?.enabled = enabled;
        self.changed(format!("device {device} switched {}", on_or_off(enabled)));
        Ok(())
    }

    fn changed(&self, change: String) {
        self.0.deps.events.emit(AadEvent::DirectoryChanged { change });
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
        &self.0.hosts
    }

    pub(crate) fn lifetimes(&self) -> Lifetimes {
        self.0.lifetimes
    }

    pub(crate) fn published(&self) -> &[Jwk] {
        &self.0.published
    }

    pub(crate) fn keys(&self) -> &Keys {
        &self.0.keys
    }

    pub(crate) fn authority(&self) -> &Authority {
        &self.0.authority
    }

    pub(crate) fn authority_certificate(&self) -> &Certificate {
        &self.0.authority_certificate
    }

    pub(crate) fn nonces(&self) -> &Nonces {
        &self.0.nonces
    }

    pub(crate) fn deps(&self) -> &Deps {
        &self.0.deps
    }

    pub(crate) fn issuer(&self, version: u8, tenant: impl fmt::Display) -> String {
        let Hosts { issuer, login, .. } = &self.0.hosts;
        match version {
            2 => format!("https://{login}/{tenant}/v2.0"),
            _ => format!("https://{issuer}/{tenant}/"),
        }
    }

    pub(crate) fn issuers(&self, tenant: TenantId) -> [String; 2] {
        [self.issuer(1, tenant), self.issuer(2, tenant)]
    }

    pub(crate) fn sign(&self, version: u8, claims: &Value) -> Result<String, Trouble> {
        let header = if version == 2 { HeaderKind::AadV2 } else { HeaderKind::AadV1 };
        self.0.signer.sign(header, claims).map_err(|error| Trouble::Failed(error.to_string()))
    }
}

impl fmt::Debug for Aad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Aad")
            .field("hosts", &self.0.hosts)
            .field("signer", &self.0.signer)
            .finish_non_exhaustive()
    }
}

async fn handle(State(aad): State<Aad>, request: Request) -> Response {
    let (ask, sound) = Ask::take(request, aad.deps()).await;
    let outcome = sound.and_then(|()| route::dispatch(&aad, &ask));
    answer::render(&ask, outcome)
}

fn check(config: &AadConfig) -> Result<(), AadError> {
    let Hosts { login, aliases, issuer, registration } = &config.hosts;
    for host in [login, issuer, registration].into_iter().chain(aliases) {
        if host.is_empty() || host.contains(['/', '@', '?', '#', ' ']) {
            return Err(invalid("host", host, "use a bare name such as login.microsoftonline.com"));
        }
    }
    let Lifetimes { device_token, user_token_min, user_token_max, nonce } = config.lifetimes;
    if device_token == 0 || user_token_min == 0 || nonce == 0 {
        return Err(invalid("lifetime", "0", "use a number of seconds above zero"));
    }
    if user_token_max < user_token_min {
        let max = user_token_max.to_string();
        return Err(invalid("user_token_max", &max, "it is below user_token_min"));
    }
    Ok(())
}

fn invalid(what: &'static str, value: &str, reason: &'static str) -> AadError {
    AadError::Invalid { what, value: value.to_owned(), reason }
}

fn on_or_off(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}
