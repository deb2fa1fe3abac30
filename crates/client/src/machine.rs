//! The device that the client runs on.

use std::fmt;
use std::path::PathBuf;

use cmglab_pki::{Identity, PrivateKey};
use cmglab_proto::ids::{DeviceId, ObjectId, TenantId};
use secrecy::SecretString;

use crate::folder::Folder;
use crate::{ClientError, Sid};

/// A Windows device: its name, its ties to Azure AD and who is logged on. Its certificate store is that
/// of the client's [`Deps`](cmglab_net::Deps).
#[derive(Debug, Clone)]
pub struct Machine {
    /// The NetBIOS name.
    pub host_name: String,
    /// The tenant that the device belongs or would belong to.
    pub tenant: TenantId,
    /// The tenant's domain.
    pub domain: String,
    /// How the device is tied to the tenant.
    pub wpj: Wpj,
    /// Who is logged on; `None` when nobody is.
    pub session: Option<UserSession>,
    /// The folder that holds everything the client keeps.
    pub folder: PathBuf,
}

/// Workplace join: how a device is tied to a tenant (entra §2).
#[derive(Debug, Clone)]
pub enum Wpj {
    /// Not at all.
    None,
    /// Registered, not joined: it has no certificate that would get a device token.
    Registered {
        /// Its id.
        device_id: DeviceId,
    },
    /// Joined.
    Joined {
        /// Its id.
        device_id: DeviceId,
        /// Its workplace join certificate and key.
        identity: Identity,
    },
}

/// A user of Azure AD who is logged on.
#[derive(Clone)]
pub struct UserSession {
    /// The principal name.
    pub upn: String,
    /// The password, which stands in for the session's own secret.
    pub password: SecretString,
    /// The SID.
    pub sid: Sid,
    /// The account, as Windows names it to whoever asks for tokens.
    pub account: ObjectId,
}

impl Machine {
    /// The fully qualified name.
    #[must_use]
    pub fn fq_name(&self) -> String {
        format!("{}.{}", self.host_name, self.domain).to_ascii_lowercase()
    }

    /// The workplace join certificate, where there is one to get tokens with.
    pub(crate) fn wpj_identity(&self) -> Option<&Identity> {
        match &self.wpj {
            Wpj::Joined { identity, .. } => Some(identity),
            Wpj::None | Wpj::Registered { .. } => None,
        }
    }

    /// Takes up the certificate that an earlier run left in the folder.
    pub(crate) fn recall(&mut self, folder: &Folder) -> Result<(), ClientError> {
        if !matches!(self.wpj, Wpj::None) {
            return Ok(());
        }
        let files = (folder.read(CERTIFICATE, LARGEST)?, folder.read(KEY, LARGEST)?);
        if let (Some(certificate), Some(key)) = files {
            let identity = Identity::new(vec![certificate], PrivateKey::from_pkcs8_der(&key)?);
            self.wpj = Wpj::Joined { device_id: device_id(&identity)?, identity };
        }
        Ok(())
    }

    /// Keeps the certificate in the folder.
    pub(crate) fn keep(&mut self, identity: Identity, folder: &Folder) -> Result<(), ClientError> {
        let device_id = device_id(&identity)?;
        folder.write(CERTIFICATE, identity.leaf())?;
        folder.write(KEY, identity.key().pkcs8_der())?;
        self.wpj = Wpj::Joined { device_id, identity };
        Ok(())
    }

    /// Forgets the certificate: the device left the tenant, or only registered anew.
    pub(crate) fn forget(&mut self, now: Wpj, folder: &Folder) -> Result<(), ClientError> {
        folder.remove(CERTIFICATE)?;
        folder.remove(KEY)?;
        self.wpj = now;
        Ok(())
    }
}

/// The device's id stands in the subject of its certificate.
pub(crate) fn device_id(identity: &Identity) -> Result<DeviceId, ClientError> {
    let subject = identity.certificate()?.subject_common_name.unwrap_or_default();
    subject
        .parse()
        .map_err(|error| ClientError::answer(cmglab_events::Role::Aad, "a workplace join certificate", error))
}

impl fmt::Debug for UserSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserSession")
            .field("upn", &self.upn)
            .field("sid", &self.sid)
            .field("account", &self.account)
            .finish_non_exhaustive()
    }
}

const CERTIFICATE: &str = "wpj.cer";
const KEY: &str = "wpj.key";
const LARGEST: u64 = 64 * 1024;
