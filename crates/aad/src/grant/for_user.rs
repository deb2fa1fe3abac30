//! What every grant that signs a user in ends with: the checks of target, consent, access rules and
//! standing, and the answer with its tokens (entra §4.4, §4.5, §5.2).

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cmglab_proto::ids::{AppId, DeviceId, ObjectId, TenantId};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::Request;
use super::refresh::RefreshToken;
use super::scope::Target;
use crate::answer::Trouble;
use crate::claims::{ClientProof, Frame, Subject, Wanted};
use crate::directory::{Directory, Resource};
use crate::errors::{
    ACCESS_BLOCKED, CONSENT_MISSING, DEVICE_DISABLED, DEVICE_NEEDED, DEVICE_NOT_COMPLIANT,
    DEVICE_NOT_DOMAIN_JOINED, DEVICE_NOT_JOINED, DEVICE_UNKNOWN, PASSWORD_EXPIRED, Refusal,
    SECOND_FACTOR_NEEDED, SECOND_FACTOR_NEEDED_V1, SECOND_FACTOR_TO_ENROL, SECOND_FACTOR_TO_ENROL_V1,
    SELF_TOKEN, SIGN_IN_TOO_OLD, USER_DISABLED, USER_LOCKED,
};
use crate::route::Version;
use crate::{App, Device, TrustType, User, UserCondition};

/// A user who has signed in at a client, perhaps on a device. It stays what it is while tokens are renewed;
/// user, client and device are looked up again each time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SignIn {
    pub(crate) tenant: TenantId,
    pub(crate) client: AppId,
    pub(crate) user: ObjectId,
    /// The device that proved itself.
    pub(crate) device: Option<DeviceId>,
    /// How the user proved himself.
    pub(crate) amr: Vec<&'static str>,
    pub(crate) signed_in: Timestamp,
}

/// What an answer for a user has beside the access token.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Extras<'a> {
    /// The `nonce` of the ID token.
    pub(crate) nonce: Option<&'a str>,
    /// Whether a refresh token is due.
    pub(crate) refresh: bool,
    /// Whether an ID token is due though `openid` was not asked for.
    pub(crate) id_token: bool,
    /// Whether the ID token is to say when the user signed in.
    pub(crate) auth_time: bool,
    /// Whether `client_info` was asked for where the form does not say it.
    pub(crate) client_info: bool,
}

/// The target of a request, found in the directory and open to the client.
pub(crate) struct Granted {
    pub(crate) resource: Resource,
    /// The delegated permissions, space-separated.
    pub(crate) scopes: String,
}

impl Request<'_> {
    /// Signs the tokens for `sign_in` at `target`, after every check that does not depend on how the user
    /// proved himself.
    pub(crate) fn for_user(
        &self,
        grant: &str,
        sign_in: &SignIn,
        proof: ClientProof,
        target: &Target,
        extras: Extras<'_>,
    ) -> Result<Map<String, Value>, Trouble> {
        let directory = self.aad.directory();
        let client = directory.client(sign_in.tenant, &sign_in.client.to_string())?;
        let granted = granted(&directory, sign_in.tenant, client, target)?;
        let user = directory.user_by_id(sign_in.tenant, sign_in.user)?.clone();
        let device = sign_in.device.map(|id| device_now(&directory, sign_in.tenant, id)).transpose()?;
        usable(&user)?;
        admitted(&granted.resource.app, sign_in, device, self.version)?;
        recent(&granted.resource.app, sign_in, self.ask.now)?;
        drop(directory);

        let Granted { resource, scopes } = &granted;
        let seconds = resource.app.claims.lifetime.unwrap_or_else(|| self.user_lifetime());
        let frame = self.frame(sign_in.tenant, sign_in.client, resource, seconds);
        let subject = Subject {
            user: &user,
            device: sign_in.device,
            amr: &sign_in.amr,
            signed_in: sign_in.signed_in,
            scopes,
            client_proof: proof,
        };
        let mut body = self.bearer(&frame, &frame.user(&subject))?;
        self.extend(&frame, &subject, target, extras, &mut body)?;
        if extras.refresh {
            let token = RefreshToken::new(sign_in.clone(), target.clone(), self.ask.now);
            body.insert("refresh_token".to_owned(), json!(self.aad.keep_refresh_token(token, self.ask.now)));
        }
        self.issued(grant, &frame, sign_in.device, Some(sign_in.user));
        Ok(body)
    }

    /// An ID token by itself, for the authorization endpoint. `code` is the code that comes with it.
    pub(crate) fn id_token(
        &self,
        sign_in: &SignIn,
        wanted: Wanted<'_>,
        code: Option<&str>,
    ) -> Result<String, Trouble> {
        let directory = self.aad.directory();
        let client = directory.client(sign_in.tenant, &sign_in.client.to_string())?.clone();
        let user = directory.user_by_id(sign_in.tenant, sign_in.user)?.clone();
        drop(directory);
        usable(&user)?;
        let resource = Resource { asked: client.app_id.to_string(), app: client.into() };
        let frame = self.frame(sign_in.tenant, sign_in.client, &resource, self.user_lifetime());
        let subject = Subject {
            user: &user,
            device: sign_in.device,
            amr: &sign_in.amr,
            signed_in: sign_in.signed_in,
            scopes: "",
            client_proof: ClientProof::None,
        };
        let version = self.version.number();
        let mut claims = frame.id_token(&subject, version, wanted);
        if let Some(code) = code {
            // The left half of the hash (OpenID Connect Core §3.3.2.11).
            let hash = digest(&SHA256, code.as_bytes());
            claims["c_hash"] = json!(URL_SAFE_NO_PAD.encode(hash.as_ref().split_at(16).0));
        }
        self.aad.sign(version, &claims)
    }

    /// Between the least and the most that the service gives.
    pub(super) fn user_lifetime(&self) -> u32 {
        let lifetimes = self.aad.lifetimes();
        let (min, max) = (lifetimes.user_token_min, lifetimes.user_token_max);
        let extra = self.aad.deps().ids.below(u64::from(max - min) + 1);
        min.saturating_add(u32::try_from(extra).unwrap_or(0))
    }

    /// What only the answers for users have.
    fn extend(
        &self,
        frame: &Frame<'_>,
        subject: &Subject<'_>,
        target: &Target,
        extras: Extras<'_>,
        body: &mut Map<String, Value>,
    ) -> Result<(), Trouble> {
        let version = self.version.number();
        let scope = match self.version {
            Version::V1 => subject.scopes.to_owned(),
            Version::V2 => target.granted(subject.scopes, extras.refresh),
        };
        body.insert("scope".to_owned(), json!(scope));
        if extras.client_info || self.form.get("client_info") == Some("1") {
            let info = client_info(subject.user.object_id, frame.tenant);
            body.insert("client_info".to_owned(), json!(info));
        }
        if extras.id_token || target.wants_id_token() {
            let nonce = extras.nonce.or_else(|| self.form.get("nonce"));
            let wanted = Wanted { nonce, email: target.wants_email(), auth_time: extras.auth_time };
            let claims = frame.id_token(subject, version, wanted);
            body.insert("id_token".to_owned(), json!(self.aad.sign(version, &claims)?));
        }
        Ok(())
    }
}

/// Who the account is, for clients that keep more than one (entra §4.4).
pub(crate) fn client_info(user: ObjectId, tenant: TenantId) -> String {
    URL_SAFE_NO_PAD.encode(json!({"uid": user, "utid": tenant}).to_string())
}

/// Whether a client may have a token for a target on behalf of a user: the resource is known, offers what
/// is asked, and the client has been granted it.
pub(crate) fn granted(
    directory: &Directory,
    tenant: TenantId,
    client: &App,
    target: &Target,
) -> Result<Granted, Refusal> {
    let resource = directory.resource(tenant, &target.resource)?;
    if resource.app.app_id == client.app_id && resource.asked.parse() != Ok(client.app_id) {
        return Err(SELF_TOKEN.about(&[&client.app_id.to_string()]));
    }
    target.check_permissions(&resource.app.scopes)?;
    let held = directory.delegated(client, &resource.app);
    let asked = target.permissions();
    let missing = asked.iter().any(|scope| !held.iter().any(|one| one == scope));
    if held.is_empty() || missing {
        let name = client.name.as_str();
        return Err(CONSENT_MISSING.about(&[&client.app_id.to_string(), name]));
    }
    // Everything that was granted, as the real service gives it, whatever part was asked for.
    Ok(Granted { scopes: held.join(" "), resource })
}

/// Whether a user may sign in at all.
pub(crate) fn usable(user: &User) -> Result<(), Refusal> {
    if user.enabled { Ok(()) } else { Err(USER_DISABLED.plain()) }
}

/// Whether a user may sign in with a password alone.
pub(crate) fn password_suffices(user: &User, version: Version) -> Result<(), Refusal> {
    match (user.condition, version) {
        (UserCondition::Good, _) => Ok(()),
        (UserCondition::Locked, _) => Err(USER_LOCKED.plain()),
        (UserCondition::PasswordExpired, _) => Err(PASSWORD_EXPIRED.plain()),
        (UserCondition::SecondFactorNeeded, Version::V1) => Err(SECOND_FACTOR_NEEDED_V1.plain()),
        (UserCondition::SecondFactorNeeded, Version::V2) => Err(SECOND_FACTOR_NEEDED.plain()),
        (UserCondition::SecondFactorToEnrol, Version::V1) => Err(SECOND_FACTOR_TO_ENROL_V1.plain()),
        (UserCondition::SecondFactorToEnrol, Version::V2) => Err(SECOND_FACTOR_TO_ENROL.plain()),
    }
}

/// A device that proved itself earlier, as it is now.
pub(crate) fn device_now(directory: &Directory, tenant: TenantId, id: DeviceId) -> Result<&Device, Refusal> {
    let device = directory.device(id).filter(|device| device.tenant == tenant);
    let device = device.ok_or_else(|| DEVICE_UNKNOWN.about(&[&tenant.to_string()]))?;
    if device.enabled { Ok(device) } else { Err(DEVICE_DISABLED.plain()) }
}

/// The access rules of a resource (conditional access).
pub(crate) fn admitted(
    resource: &App,
    sign_in: &SignIn,
    device: Option<&Device>,
    version: Version,
) -> Result<(), Refusal> {
    let rules = resource.access;
    let name = resource.name.as_str();
    if rules.blocked {
        return Err(ACCESS_BLOCKED.about(&[name]));
    }
    if rules.device && device.is_none() {
        return Err(DEVICE_NEEDED.about(&[name]));
    }
    if rules.compliant_device && !device.is_some_and(|device| device.compliant) {
        return Err(DEVICE_NOT_COMPLIANT.about(&[name]));
    }
    if rules.domain_joined_device && !device.is_some_and(|device| device.trust == TrustType::ServerAd) {
        return Err(DEVICE_NOT_DOMAIN_JOINED.about(&[name]));
    }
    if rules.joined_device && device.is_none_or(|device| device.trust == TrustType::Workplace) {
        return Err(DEVICE_NOT_JOINED.about(&[name]));
    }
    if rules.second_factor && !sign_in.amr.contains(&"mfa") {
        let row = if version == Version::V1 { &SECOND_FACTOR_NEEDED_V1 } else { &SECOND_FACTOR_NEEDED };
        return Err(row.plain());
    }
    Ok(())
}

/// Whether a user's sign-in is recent enough for a resource.
pub(crate) fn recent(resource: &App, sign_in: &SignIn, now: Timestamp) -> Result<(), Refusal> {
    let Some(seconds) = resource.access.sign_in_frequency else { return Ok(()) };
    if now.duration_since(sign_in.signed_in).as_secs() <= i64::from(seconds) {
        return Ok(());
    }
    Err(SIGN_IN_TOO_OLD.about(&[&sign_in.signed_in.to_string(), &seconds.to_string()]))
}
