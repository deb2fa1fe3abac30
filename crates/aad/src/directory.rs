//! What Azure AD knows: tenants, applications, users and devices, found by what requests name them by.

mod devices;
mod user_keys;

use std::collections::HashMap;
use std::sync::Arc;

use cmglab_proto::ids::{AppId, ObjectId, TenantId};
use cmglab_proto::wpj::Region;
use cmglab_token::assertion::Credential;
use jiff::Timestamp;

use crate::errors::{
    CLIENT_DISABLED, RESOURCE_DISABLED, Refusal, UNKNOWN_CLIENT, UNKNOWN_RESOURCE, UNKNOWN_TENANT,
    UNKNOWN_USER,
};
use crate::service::lasting;
use crate::tenant_ref::TenantRef;
use crate::{AadConfig, AadError, App, AppCertificate, Tenant, User, first_party};
use devices::Devices;
use user_keys::UserKeys;

pub(crate) use user_keys::UserKey;

/// The directory. Lookups by text pass over the case of ASCII letters.
pub(crate) struct Directory {
    tenants: HashMap<TenantId, Tenant>,
    domains: HashMap<String, TenantId>,
    apps: HashMap<AppId, Arc<App>>,
    first_party: Vec<Arc<App>>,
    users: HashMap<String, User>,
    devices: Devices,
    user_keys: UserKeys,
    /// From when on sessions of a user count, where earlier ones were revoked.
    revocations: HashMap<ObjectId, Timestamp>,
}

/// An application as the target of a token.
pub(crate) struct Resource {
    pub(crate) app: Arc<App>,
    /// The name it was asked by.
    pub(crate) asked: String,
}

impl Directory {
    pub(crate) fn new(config: &AadConfig) -> Result<Self, AadError> {
        let mut directory = Self {
            tenants: HashMap::new(),
            domains: HashMap::new(),
            apps: HashMap::new(),
            first_party: first_party::apps().into_iter().map(Arc::new).collect(),
            users: HashMap::new(),
            devices: Devices::default(),
            user_keys: UserKeys::default(),
            revocations: HashMap::new(),
        };
        config.tenants.iter().try_for_each(|tenant| directory.add_tenant(tenant.clone()))?;
        config.apps.iter().try_for_each(|app| directory.add_app(app.clone()))?;
        config.users.iter().try_for_each(|user| directory.add_user(user.clone()))?;
        config.devices.iter().try_for_each(|device| directory.sync_device(device.clone()))?;
        Ok(directory)
    }

    pub(crate) fn add_tenant(&mut self, tenant: Tenant) -> Result<(), AadError> {
        if tenant.region.parse::<Region>().is_err() {
            return Err(invalid("region", &tenant.region, "use one of AF AS AP EU ME NA SA"));
        }
        if tenant.domains.is_empty() {
            return Err(invalid("tenant", &tenant.id.to_string(), "it needs at least one domain"));
        }
        if self.tenants.contains_key(&tenant.id) {
            return Err(duplicate("tenant", tenant.id));
        }
        let mut names: Vec<_> = tenant.domains.iter().map(|domain| domain.to_ascii_lowercase()).collect();
        names.sort_unstable();
        for (index, name) in names.iter().enumerate() {
            if self.domains.contains_key(name) || names[..index].contains(name) {
                return Err(duplicate("domain", name));
            }
            if RESERVED.contains(&name.as_str()) || !name.contains('.') || name.contains(['/', '@', ' ']) {
                return Err(invalid("domain", name, "use a DNS name such as lab.test"));
            }
        }
        self.domains.extend(names.into_iter().map(|name| (name, tenant.id)));
        self.tenants.insert(tenant.id, tenant);
        Ok(())
    }

    pub(crate) fn add_app(&mut self, app: App) -> Result<(), AadError> {
        if !self.tenants.contains_key(&app.tenant) {
            return Err(AadError::UnknownTenant(app.tenant));
        }
        if !matches!(app.access_token_version, 1 | 2) {
            let version = app.access_token_version.to_string();
            return Err(invalid("access_token_version", &version, "use 1 or 2"));
        }
        app.claims.lifetime.map_or(Ok(()), lasting)?;
        if self.apps.contains_key(&app.app_id) {
            return Err(duplicate("application", app.app_id));
        }
        if app.certificates.iter().any(|AppCertificate(der)| Credential::from_certificate(der).is_err()) {
            return Err(invalid("certificate of application", &app.name, "use an X.509 certificate in DER"));
        }
        let mut others = self.apps.values().filter(|other| other.tenant == app.tenant);
        if let Some(uri) = app.app_id_uris.iter().find(|uri| others.any(|other| named(other, uri))) {
            return Err(duplicate("App ID URI", uri));
        }
        self.apps.insert(app.app_id, Arc::new(app));
        Ok(())
    }

    pub(crate) fn add_user(&mut self, user: User) -> Result<(), AadError> {
        if self.tenant_of_upn(&user.upn).is_none() {
            return Err(invalid("user", &user.upn, "its domain belongs to no tenant of the directory"));
        }
        if user.puid.len() != 16 || !user.puid.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(invalid("puid", &user.puid, "use 16 hexadecimal digits"));
        }
        if self.users.values().any(|other| other.object_id == user.object_id) {
            return Err(duplicate("user object id", user.object_id));
        }
        let upn = user.upn.to_ascii_lowercase();
        if self.users.contains_key(&upn) {
            return Err(duplicate("user", upn));
        }
        self.users.insert(upn, user);
        Ok(())
    }

    /// The tenant that a segment of a path names.
    pub(crate) fn tenant_ref(&self, segment: &str) -> TenantRef {
        match segment {
            "common" => TenantRef::Common,
            "organizations" => TenantRef::Organizations,
            "consumers" => TenantRef::Consumers,
            name => {
                let by_id = name.parse().ok().filter(|tenant| self.tenants.contains_key(tenant));
                by_id
                    .or_else(|| self.tenant_of_domain(name))
                    .map_or_else(|| TenantRef::Unknown(name.to_owned()), TenantRef::Known)
            }
        }
    }

    pub(crate) fn tenant(&self, id: TenantId) -> Option<&Tenant> {
        self.tenants.get(&id)
    }

    pub(crate) fn tenant_of_domain(&self, domain: &str) -> Option<TenantId> {
        self.domains.get(&domain.to_ascii_lowercase()).copied()
    }

    pub(crate) fn tenant_of_upn(&self, upn: &str) -> Option<TenantId> {
        upn.rsplit_once('@').and_then(|(_, domain)| self.tenant_of_domain(domain))
    }

    /// The client of a request.
    pub(crate) fn client(&self, tenant: TenantId, id: &str) -> Result<&App, Refusal> {
        let known = id.parse().ok().and_then(|id| self.app(tenant, id));
        let app = known.ok_or_else(|| UNKNOWN_CLIENT.about(&[id, self.name_of(tenant)]))?;
        if app.disabled { Err(CLIENT_DISABLED.about(&[id])) } else { Ok(app) }
    }

    /// The client of a request at a path that may leave the tenant open.
    pub(crate) fn client_at(&self, path: &TenantRef, id: &str) -> Result<&App, Refusal> {
        match path {
            TenantRef::Known(tenant) => self.client(*tenant, id),
            TenantRef::Common | TenantRef::Organizations => {
                let known = id.parse().ok().and_then(|id| self.apps_at(path).find(|app| app.app_id == id));
                let app = known.ok_or_else(|| UNKNOWN_CLIENT.about(&[id, &path.to_string()]))?;
                if app.disabled { Err(CLIENT_DISABLED.about(&[id])) } else { Ok(app) }
            }
            TenantRef::Consumers | TenantRef::Unknown(_) => Err(UNKNOWN_TENANT.about(&[&path.to_string()])),
        }
    }

    /// The applications of a path: those of its tenant, or all where it names none, then those that every
    /// tenant has.
    pub(crate) fn apps_at(&self, path: &TenantRef) -> impl Iterator<Item = &Arc<App>> {
        let named = if let TenantRef::Known(tenant) = path { Some(*tenant) } else { None };
        let own = self.apps.values().filter(move |app| named.is_none_or(|tenant| app.tenant == tenant));
        own.chain(&self.first_party)
    }

    /// The target of a token, by an App ID URI, with or without a slash at its end, or by its id.
    pub(crate) fn resource(&self, tenant: TenantId, asked: &str) -> Result<Resource, Refusal> {
        let by_id = asked.parse().ok().and_then(|id| self.app(tenant, id));
        let by_name = || self.visible(tenant).find(|app| named(app, asked));
        let app =
            by_id.or_else(by_name).ok_or_else(|| UNKNOWN_RESOURCE.about(&[asked, self.name_of(tenant)]))?;
        if app.disabled {
            return Err(RESOURCE_DISABLED.about(&[asked]));
        }
        Ok(Resource { app: app.clone(), asked: asked.to_owned() })
    }

    /// A user of `tenant`, by principal name.
    pub(crate) fn user(&self, tenant: TenantId, upn: &str) -> Result<&User, Refusal> {
        let user = self.users.get(&upn.to_ascii_lowercase());
        user.filter(|user| self.tenant_of_upn(&user.upn) == Some(tenant))
            .ok_or_else(|| UNKNOWN_USER.about(&[upn, &tenant.to_string()]))
    }

    pub(crate) fn user_by_object(&self, id: ObjectId) -> Option<&User> {
        self.users.values().find(|user| user.object_id == id)
    }

    /// A user of `tenant`, by object id.
    pub(crate) fn user_by_id(&self, tenant: TenantId, id: ObjectId) -> Result<&User, Refusal> {
        let user = self.user_by_object(id).filter(|user| self.tenant_of_upn(&user.upn) == Some(tenant));
        user.ok_or_else(|| UNKNOWN_USER.about(&[&id.to_string(), &tenant.to_string()]))
    }

    pub(crate) fn user_mut(&mut self, upn: &str) -> Result<&mut User, AadError> {
        let key = upn.to_ascii_lowercase();
        self.users.get_mut(&key).ok_or_else(|| AadError::UnknownUser(upn.to_owned()))
    }

    /// Takes a user off, with all that is kept about him.
    pub(crate) fn remove_user(&mut self, upn: &str) -> Result<User, AadError> {
        let user = self.users.remove(&upn.to_ascii_lowercase());
        let user = user.ok_or_else(|| AadError::UnknownUser(upn.to_owned()))?;
        self.user_keys.forget_user(user.object_id);
        self.revocations.remove(&user.object_id);
        Ok(user)
    }

    pub(crate) fn revoke_sessions(&mut self, user: ObjectId, from: Timestamp) {
        self.revocations.insert(user, from);
    }

    /// From when on sessions of a user count, where earlier ones were revoked.
    pub(crate) fn revoked(&self, user: ObjectId) -> Option<Timestamp> {
        self.revocations.get(&user).copied()
    }

    /// The delegated permissions that a client holds at a resource. Microsoft's own applications hold all
    /// and are open to all, and an application needs none at itself.
    pub(crate) fn delegated(&self, client: &App, resource: &App) -> Vec<String> {
        let microsofts = |app: &App| self.first_party.iter().any(|known| known.app_id == app.app_id);
        if microsofts(client) || microsofts(resource) || client.app_id == resource.app_id {
            return resource.scopes.clone();
        }
        let held = client.permissions.iter().filter(|held| held.resource == resource.app_id);
        let held = held.flat_map(|held| &held.scopes).filter(|scope| resource.scopes.contains(scope));
        held.cloned().collect()
    }

    pub(crate) fn app_mut(&mut self, id: AppId) -> Result<&mut App, AadError> {
        self.apps.get_mut(&id).map(Arc::make_mut).ok_or(AadError::UnknownApp(id))
    }

    pub(crate) fn remove_app(&mut self, id: AppId) -> Result<Arc<App>, AadError> {
        self.apps.remove(&id).ok_or(AadError::UnknownApp(id))
    }

    /// The application roles that a client holds at a resource, for itself.
    pub(crate) fn roles(&self, client: &App, resource: &App) -> Vec<String> {
        let held = client.permissions.iter().filter(|held| held.resource == resource.app_id);
        let held = held.flat_map(|held| &held.roles).filter(|role| resource.roles.contains(role));
        held.cloned().collect()
    }

    /// The name of a tenant for messages.
    pub(crate) fn name_of(&self, tenant: TenantId) -> &str {
        self.tenants.get(&tenant).map_or("", |tenant| tenant.name.as_str())
    }

    fn app(&self, tenant: TenantId, id: AppId) -> Option<&Arc<App>> {
        let own = self.apps.get(&id).filter(|app| app.tenant == tenant);
        own.or_else(|| self.first_party.iter().find(|app| app.app_id == id))
    }

    /// The tenant's own applications, then those that every tenant has.
    fn visible(&self, tenant: TenantId) -> impl Iterator<Item = &Arc<App>> {
        let own = self.apps.values().filter(move |app| app.tenant == tenant);
        own.chain(&self.first_party)
    }
}

fn named(app: &App, asked: &str) -> bool {
    fn bare(uri: &str) -> &str {
        uri.strip_suffix('/').unwrap_or(uri)
    }
    app.app_id_uris.iter().any(|uri| bare(uri).eq_ignore_ascii_case(bare(asked)))
}

fn duplicate(what: &'static str, value: impl ToString) -> AadError {
    AadError::Duplicate { what, value: value.to_string() }
}

fn invalid(what: &'static str, value: &str, reason: &'static str) -> AadError {
    AadError::Invalid { what, value: value.to_owned(), reason }
}

const RESERVED: [&str; 4] = ["common", "consumers", "enrollmentserver", "organizations"];
