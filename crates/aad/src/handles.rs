//! The hand that changes the directory while the service runs: what a control surface calls.

use cmglab_events::kinds::AadEvent;
use cmglab_proto::ids::{AppId, DeviceId, ObjectId};
use cmglab_token::SigningKey;

use crate::grant::refresh::following;
use crate::key_ring::KeyRing;
use crate::service::lasting;
use crate::{
    Aad, AadError, AccessRules, App, ClaimOptions, Device, Password, Permission, Tenant, User, UserCondition,
};

impl Aad {
    /// The devices that have joined, by id.
    #[must_use]
    pub fn devices(&self) -> Vec<Device> {
        self.directory().devices().cloned().collect()
    }

    /// Lets the next signing key sign and publishes `next` beside it; tokens of the former verify as before.
    ///
    /// # Errors
    /// [`AadError::SameKey`] when `next` is already there; [`AadError::Key`].
    pub fn rotate_keys(&self, next: SigningKey) -> Result<(), AadError> {
        let change = format!("signing key {} is next", next.kid());
        self.change_ring(|ring| ring.rotated(next))?;
        self.changed(change);
        Ok(())
    }

    /// Publishes only the key that signs and the next one: tokens of earlier keys verify no more.
    ///
    /// # Errors
    /// [`AadError::Key`].
    pub fn retire_keys(&self) -> Result<(), AadError> {
        self.change_ring(KeyRing::retired)?;
        self.changed("former signing keys retired".to_owned());
        Ok(())
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
        let change = format!("application {app}: device-only authentication {}", on_or_off(allowed));
        self.change_app(app, change, |app| app.device_only_auth = allowed)
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
        self.deps().events.emit(AadEvent::DeviceDeleted { tenant, device });
        Ok(())
    }

    /// Says whether a device meets the policies of its management.
    ///
    /// # Errors
    /// [`AadError::UnknownDevice`].
    pub fn set_compliant(&self, device: DeviceId, compliant: bool) -> Result<(), AadError> {
        self.directory_mut().device_mut(device)?.compliant = compliant;
        self.changed(format!("device {device}: compliance {}", on_or_off(compliant)));
        Ok(())
    }

    /// Switches an application on or off.
    ///
    /// # Errors
    /// [`AadError::UnknownApp`].
    pub fn set_app_enabled(&self, app: AppId, enabled: bool) -> Result<(), AadError> {
        self.change_app(app, format!("application {app} switched {}", on_or_off(enabled)), |app| {
            app.disabled = !enabled;
        })
    }

    /// Sets what must be met before a token for an application is issued.
    ///
    /// # Errors
    /// [`AadError::UnknownApp`].
    pub fn set_access_rules(&self, app: AppId, rules: AccessRules) -> Result<(), AadError> {
        self.change_app(app, format!("application {app}: access rules changed"), |app| app.access = rules)
    }

    /// Sets what the tokens for an application say.
    ///
    /// # Errors
    /// [`AadError::UnknownApp`]; [`AadError::Invalid`] for a lifetime of no seconds.
    pub fn set_claims(&self, app: AppId, claims: ClaimOptions) -> Result<(), AadError> {
        claims.lifetime.map_or(Ok(()), lasting)?;
        self.change_app(app, format!("application {app}: claims changed"), |app| app.claims = claims)
    }

    /// Grants a client what it may do at a resource, in place of what it held there.
    ///
    /// # Errors
    /// [`AadError::UnknownApp`] for the client or the resource.
    pub fn grant_consent(&self, client: AppId, permission: Permission) -> Result<(), AadError> {
        let resource = permission.resource;
        self.directory_mut().app_mut(resource)?;
        self.change_app(client, format!("application {client}: consent for {resource} granted"), |app| {
            app.permissions.retain(|held| held.resource != resource);
            app.permissions.push(permission);
        })
    }

    /// Takes from a client what it holds at a resource.
    ///
    /// # Errors
    /// [`AadError::UnknownApp`].
    pub fn remove_consent(&self, client: AppId, resource: AppId) -> Result<(), AadError> {
        self.change_app(client, format!("application {client}: consent for {resource} removed"), |app| {
            app.permissions.retain(|held| held.resource != resource);
        })
    }

    /// Takes a user off the directory.
    ///
    /// # Errors
    /// [`AadError::UnknownUser`].
    pub fn delete_user(&self, upn: &str) -> Result<(), AadError> {
        let user = self.directory_mut().remove_user(upn)?;
        self.changed(format!("user {} deleted", user.upn));
        Ok(())
    }

    /// Lets a user sign in, or keeps him from it.
    ///
    /// # Errors
    /// [`AadError::UnknownUser`].
    pub fn set_user_enabled(&self, upn: &str, enabled: bool) -> Result<(), AadError> {
        self.change_user(upn, &format!("switched {}", on_or_off(enabled)), |user| user.enabled = enabled)
    }

    /// Sets what stands in the way of a user's password.
    ///
    /// # Errors
    /// [`AadError::UnknownUser`].
    pub fn set_user_condition(&self, upn: &str, condition: UserCondition) -> Result<(), AadError> {
        self.change_user(upn, &format!("condition {condition:?}"), |user| user.condition = condition)
    }

    /// Gives a user another password, which ends what he had signed in to.
    ///
    /// # Errors
    /// [`AadError::UnknownUser`].
    pub fn set_password(&self, upn: &str, password: Password) -> Result<(), AadError> {
        self.change_user(upn, "password changed", |user| user.password = password)?;
        self.revoke_sessions(upn)
    }

    /// Ends what a user has signed in to: codes, refresh tokens and primary refresh tokens of the time
    /// before are refused, those of the very same instant among them. Access tokens stay good until they
    /// expire.
    ///
    /// # Errors
    /// [`AadError::UnknownUser`].
    pub fn revoke_sessions(&self, upn: &str) -> Result<(), AadError> {
        let now = self.deps().clock.now();
        let mut directory = self.directory_mut();
        let user = directory.user_mut(upn)?.object_id;
        // Also after an earlier revocation of this instant, and what was issued since.
        let earlier = directory.revoked(user).filter(|from| now < *from);
        directory.revoke_sessions(user, following(earlier.unwrap_or(now)));
        drop(directory);
        self.changed(format!("user {upn}: sessions revoked"));
        Ok(())
    }

    /// The principal name of a user.
    #[must_use]
    pub fn user_name(&self, user: ObjectId) -> Option<String> {
        self.directory().user_by_object(user).map(|user| user.upn.clone())
    }

    fn change_app(&self, app: AppId, change: String, with: impl FnOnce(&mut App)) -> Result<(), AadError> {
        with(self.directory_mut().app_mut(app)?);
        self.changed(change);
        Ok(())
    }

    fn change_user(&self, upn: &str, change: &str, with: impl FnOnce(&mut User)) -> Result<(), AadError> {
        with(self.directory_mut().user_mut(upn)?);
        self.changed(format!("user {upn}: {change}"));
        Ok(())
    }

    fn set_device(&self, device: DeviceId, enabled: bool) -> Result<(), AadError> {
        self.directory_mut().device_mut(device)?.enabled = enabled;
        self.changed(format!("device {device} switched {}", on_or_off(enabled)));
        Ok(())
    }

    pub(crate) fn changed(&self, change: String) {
        self.deps().events.emit(AadEvent::DirectoryChanged { change });
    }
}

fn on_or_off(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}
