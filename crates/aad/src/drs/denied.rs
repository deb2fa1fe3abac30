//! The refusals of device registration.

use cmglab_proto::ids::TenantId;
use serde_json::{Value, json};
use uuid::Uuid;

/// A refusal, in the shape of device registration. Windows turns the kind into an HRESULT:
/// DirectoryError 0x801c03f2, AuthenticationError 0x801c0002; the status of these kinds is 400 (entra §1.6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Denied {
    pub(crate) status: u16,
    pub(crate) kind: &'static str,
    pub(crate) message: String,
    pub(crate) tenant: Option<TenantId>,
    subcode: &'static str,
    operation: &'static str,
}

impl Denied {
    /// The caller has not proved who it is.
    pub(crate) fn authentication(subcode: &'static str, message: impl Into<String>) -> Self {
        Self::new(400, "AuthenticationError", subcode, message)
    }

    /// The caller is known and may not.
    pub(crate) fn authorization(subcode: &'static str, message: impl Into<String>) -> Self {
        Self::new(400, "AuthorizationError", subcode, message)
    }

    /// The request cannot be understood. Lab: the real kind is not public.
    pub(crate) fn request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", "InvalidParameter", message)
    }

    /// The directory does not have it, or does not take it.
    pub(crate) fn directory(subcode: &'static str, message: impl Into<String>) -> Self {
        Self::new(400, "DirectoryError", subcode, message)
    }

    /// The service has no time for it (Windows: 0x801c0025).
    pub(crate) fn busy(subcode: &'static str, message: impl Into<String>) -> Self {
        Self::new(503, "ServiceError", subcode, message)
    }

    /// The same, in another operation than a join.
    pub(crate) fn during(self, operation: &'static str) -> Self {
        Self { operation, ..self }
    }

    /// The same, once the tenant is known.
    pub(crate) fn within(self, tenant: TenantId) -> Self {
        Self { tenant: Some(tenant), ..self }
    }

    pub(crate) fn body(&self, request: Uuid, time: &str) -> Value {
        json!({
            "ErrorType": self.kind,
            "Code": self.kind,
            "Subcode": self.subcode,
            "Message": self.message,
            "Operation": self.operation,
            "RequestId": request,
            "Time": time,
        })
    }

    fn new(status: u16, kind: &'static str, subcode: &'static str, message: impl Into<String>) -> Self {
        Self { status, kind, message: message.into(), tenant: None, subcode, operation: "DeviceJoin" }
    }
}
