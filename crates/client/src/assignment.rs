//! What an installed client remembers: its site, its gateway, its apps and its registration.

use cmglab_proto::ids::{AppId, ClientGuid, SiteCode, TenantId};
use cmglab_proto::url::CcmHostName;
use serde::{Deserialize, Serialize};

use crate::ClientError;
use crate::aad::AadApp;
use crate::folder::Folder;

/// The state of an installed client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assignment {
    /// The internet management point.
    pub ccm_host_name: CcmHostName,
    /// The site.
    pub site_code: SiteCode,
    /// The assigned management point's own host name.
    pub management_point: String,
    /// The tenant.
    pub tenant: TenantId,
    /// The native app.
    pub client_app: AppId,
    /// App ID URI of the server app.
    pub resource: String,
    /// The client's version.
    pub version: String,
    /// Its product code, in braces.
    pub product_code: String,
    /// The id that the client proposes when it registers: the one its CCM token was issued to.
    pub proposed: Option<ClientGuid>,
    /// How far the registration is.
    pub registration: RegistrationState,
}

/// How far the registration is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum RegistrationState {
    /// Never asked, or turned away.
    None,
    /// The site has not decided; the next request asks how it stands.
    Pending {
        /// The id that the site assigned.
        client: ClientGuid,
    },
    /// Registered.
    Registered {
        /// The id that the site assigned.
        client: ClientGuid,
        /// Approval status: 3 approved by Azure AD.
        approval: i8,
    },
}

impl Assignment {
    pub(crate) fn load(folder: &Folder) -> Result<Option<Self>, ClientError> {
        let Some(bytes) = folder.read(FILE, LARGEST)? else { return Ok(None) };
        serde_json::from_slice(&bytes).map(Some).map_err(|error| storage(&error))
    }

    pub(crate) fn save(&self, folder: &Folder) -> Result<(), ClientError> {
        folder.write(FILE, &serde_json::to_vec_pretty(self).map_err(|error| storage(&error))?)
    }

    pub(crate) fn app(&self) -> AadApp {
        AadApp { tenant: self.tenant, client_app: self.client_app, resource: self.resource.clone() }
    }

    /// The client's id, once it is registered.
    #[must_use]
    pub fn client(&self) -> Option<ClientGuid> {
        match self.registration {
            RegistrationState::Registered { client, .. } => Some(client),
            RegistrationState::None | RegistrationState::Pending { .. } => None,
        }
    }
}

fn storage(error: &serde_json::Error) -> ClientError {
    ClientError::Storage { file: FILE.to_owned(), reason: error.to_string() }
}

const FILE: &str = "client.json";
const LARGEST: u64 = 64 * 1024;
