use serde::{Deserialize, Serialize};

use super::{ClaimsError, NumericDate, from_payload};
use crate::ids::{AppId, DeviceId, ObjectId, TenantId};

/// The claims of an Azure AD access token that the chain looks at (entra §3.3, §4.4). Others are passed
/// over. Observed; version 1 tokens are what the product expects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AadClaims {
    /// Who issued the token, `https://sts.windows.net/<tenant>/`.
    pub iss: String,
    /// Whom it is for: the server app's App ID URI as the client asked for it.
    pub aud: String,
    /// The tenant.
    pub tid: TenantId,
    /// The subject: the device id of a device token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub: Option<String>,
    /// The object id of the user, or of the device's object in a device token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oid: Option<ObjectId>,
    /// The device the token was issued on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deviceid: Option<DeviceId>,
    /// `device`, `user` or `app`; often missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idtyp: Option<String>,
    /// The user's principal name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upn: Option<String>,
    /// The user's name in version 1 tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unique_name: Option<String>,
    /// The delegated permissions, `user_impersonation`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scp: Option<String>,
    /// The application that asked, in version 1 tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub appid: Option<AppId>,
    /// The user's SID in the local domain, for synchronised users.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub onprem_sid: Option<String>,
    /// The device's SID in the local domain. Lab: the product logs one, its claim's name is not public.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub onprem_device_sid: Option<String>,
    /// The token's version, `1.0` or `2.0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ver: Option<String>,
    /// Not valid before.
    pub nbf: NumericDate,
    /// Not valid from then on.
    pub exp: NumericDate,
    /// Issued at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iat: Option<NumericDate>,
}

/// What an Azure AD token proves, as `TokenType:` in CCM_STS.log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum AadTokenKind {
    /// A device and no user.
    Device,
    /// A user on a device ("UDA").
    #[serde(rename = "UDA")]
    Uda,
    /// A user, on no known device.
    User,
}

impl AadTokenKind {
    /// The word in the log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Device => "Device",
            Self::Uda => "UDA",
            Self::User => "User",
        }
    }
}

impl AadClaims {
    /// Reads a token's decoded payload.
    ///
    /// # Errors
    /// [`ClaimsError::TooLarge`] or [`ClaimsError::Malformed`].
    pub fn parse(payload: &[u8]) -> Result<Self, ClaimsError> {
        from_payload(payload)
    }

    /// What the token proves, by the claims of a user and of a device rather than by `idtyp`, which is
    /// often missing. `None` for an application's own token.
    #[must_use]
    pub fn kind(&self) -> Option<AadTokenKind> {
        match (self.has_user(), self.deviceid) {
            (true, Some(_)) => Some(AadTokenKind::Uda),
            (true, None) => Some(AadTokenKind::User),
            (false, Some(_)) if self.idtyp.as_deref() != Some("app") => Some(AadTokenKind::Device),
            (false, _) => None,
        }
    }

    /// The user's object id; zeros without a user, as CCM_STS.log prints it.
    #[must_use]
    pub fn user_object_id(&self) -> ObjectId {
        self.oid.filter(|_| self.has_user()).unwrap_or(ObjectId::zero())
    }

    fn has_user(&self) -> bool {
        self.upn.is_some()
            || self.unique_name.is_some()
            || self.scp.is_some()
            || self.onprem_sid.is_some()
            || self.idtyp.as_deref() == Some("user")
    }
}
