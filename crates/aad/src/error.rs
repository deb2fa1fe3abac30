//! Why a directory cannot be used or changed as asked.

use cmglab_proto::ids::{AppId, DeviceId, TenantId};
use cmglab_token::TokenError;

/// Every failure of setting Azure AD up or changing it. What its callers over the wire do wrong is a row of
/// [`TABLE`](crate::TABLE).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AadError {
    /// Two entries share what must be unique.
    #[error("directory: {what} {value:?} is there twice; remove one")]
    Duplicate {
        /// What must be unique.
        what: &'static str,
        /// The value that is not.
        value: String,
    },
    /// A value cannot be what it is meant to be.
    #[error("directory: {what} {value:?}: {reason}")]
    Invalid {
        /// The setting.
        what: &'static str,
        /// Its value.
        value: String,
        /// What is wrong, and what would be right.
        reason: &'static str,
    },
    /// A signing key cannot be published.
    #[error("signing keys: {0}")]
    Key(#[from] TokenError),
    /// The device has no certificate.
    #[error("directory: device {0} has no certificate yet; it must join first")]
    NoCertificate(DeviceId),
    /// Current and next signing key are one and the same.
    #[error("signing keys: current and next have the same id; make two keys")]
    SameKey,
    /// No such application.
    #[error("directory: there is no application {0}")]
    UnknownApp(AppId),
    /// No sign-in waits under this user code.
    #[error("device codes: none is pending under {0:?}; Aad::device_codes lists those that are")]
    UnknownDeviceCode(String),
    /// No such device.
    #[error("directory: there is no device {0}; Aad::devices lists those that have joined")]
    UnknownDevice(DeviceId),
    /// No such tenant.
    #[error("directory: there is no tenant {0}; add it first")]
    UnknownTenant(TenantId),
    /// No such user.
    #[error("directory: there is no user {0:?}; add it first")]
    UnknownUser(String),
}
