//! What Azure AD did.

use cmglab_proto::claims::AadTokenKind;
use cmglab_proto::ids::{AppId, DeviceId, ObjectId, TenantId};
use cmglab_proto::wpj::JoinType;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

/// An event of Azure AD. It writes no log of the product, so these are its only trace.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum AadEvent {
    /// A request was answered: the journal.
    Answered {
        /// The method.
        method: String,
        /// The path asked, in lower case.
        endpoint: String,
        /// What was asked, decoded; secrets are left out.
        asked: Value,
        /// HTTP status of the answer.
        status: u16,
        /// What was answered, or why not.
        answer: String,
    },
    /// A user approved a device code, or it was declined.
    DeviceCodeSettled {
        /// What the device showed.
        user_code: String,
        /// Whether the device is signed in.
        approved: bool,
        /// The user who approved it.
        #[serde(skip_serializing_if = "Option::is_none")]
        user: Option<ObjectId>,
    },
    /// A device left the directory.
    DeviceDeleted {
        /// Its tenant.
        tenant: TenantId,
        /// Its device id.
        device: DeviceId,
    },
    /// A device was joined or registered.
    DeviceJoined {
        /// The tenant.
        tenant: TenantId,
        /// The device id, which is also the subject of its certificate.
        device: DeviceId,
        /// The object id of the device.
        object: ObjectId,
        /// How it is tied to the tenant.
        join_type: JoinType,
        /// The user who did it.
        upn: String,
    },
    /// Device registration turned a request away.
    DeviceRefused {
        /// The tenant, once it is known.
        #[serde(skip_serializing_if = "Option::is_none")]
        tenant: Option<TenantId>,
        /// HTTP status.
        status: u16,
        /// The error's kind as on the wire, such as `DirectoryError`.
        error: String,
        /// The cause in words.
        cause: String,
    },
    /// The directory was changed from outside the protocol.
    DirectoryChanged {
        /// The change in words.
        change: String,
    },
    /// A nonce was handed out.
    NonceIssued {
        /// It is refused from then on.
        expires: Timestamp,
    },
    /// Something was asked for that real Azure AD has and the lab has not.
    NotBuilt {
        /// The thing that is missing.
        gap: String,
    },
    /// A device was certified to the other devices of its tenant.
    PeerCertificateIssued {
        /// The tenant.
        tenant: TenantId,
        /// The device.
        device: DeviceId,
        /// Not valid from then on.
        expires: Timestamp,
    },
    /// A primary refresh token was issued.
    PrimaryTokenIssued {
        /// How the user proved himself: the grant inside the request.
        grant: String,
        /// The tenant.
        tenant: TenantId,
        /// The device it is bound to.
        device: DeviceId,
        /// The user.
        user: ObjectId,
        /// The broker that asked.
        client_id: AppId,
        /// Not valid from then on.
        expires: Timestamp,
    },
    /// A request was refused.
    Refused {
        /// The path asked, in lower case.
        endpoint: String,
        /// The number after `AADSTS`.
        code: u32,
        /// The OAuth error.
        error: String,
        /// The text after the number, without ids and time.
        text: String,
    },
    /// A token was minted outside the protocol.
    TokenForged {
        /// What is wrong with it, if anything.
        flaws: Vec<String>,
    },
    /// An access token was issued.
    TokenIssued {
        /// The grant that it answers.
        grant: String,
        /// What it proves; nothing for a token of an application itself.
        #[serde(skip_serializing_if = "Option::is_none")]
        kind: Option<AadTokenKind>,
        /// The tenant.
        tenant: TenantId,
        /// The device it proves, if any.
        #[serde(skip_serializing_if = "Option::is_none")]
        device: Option<DeviceId>,
        /// The user it proves, if any.
        #[serde(skip_serializing_if = "Option::is_none")]
        user: Option<ObjectId>,
        /// The application that asked.
        client_id: AppId,
        /// The audience.
        resource: String,
        /// Not valid from then on.
        expires: Timestamp,
    },
}
