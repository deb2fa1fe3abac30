//! Refusals of Azure AD, and how Windows reports that there is no token.

use cmglab_net::CallFailure;

use crate::ClientError;

/// What Azure AD answered in place of a token (entra §5.1).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Azure AD answered {status} {error}: {description}")]
pub struct AadRefusal {
    /// HTTP status.
    pub status: u16,
    /// The OAuth error, such as `invalid_grant`.
    pub error: String,
    /// The number after `AADSTS`, where there is one.
    pub code: Option<u32>,
    /// The text, `AADSTS…` in front.
    pub description: String,
}

/// Details and code of the failure as the token broker of Windows has them (entra §5.3). That a device may
/// not have a token of its own is reported without Azure AD's words; the texts and codes of that case
/// and of a lost connection are documented. For other refusals the code of the family stands in for all.
pub(super) fn as_windows_says(error: &ClientError) -> (String, u32) {
    match error {
        ClientError::Aad(refusal) if refusal.code != Some(DEVICE_ALONE_NOT_ALLOWED) => {
            (refusal.description.clone(), 0xcaa2_0003)
        }
        ClientError::Aad(_) => (EXTENSION_ERROR.to_owned(), 0xd009_0016),
        ClientError::Unanswered { call, .. } => {
            let code = match call.failure {
                CallFailure::Timeout => 0xcaa8_2ee2,
                CallFailure::Connect | CallFailure::UnknownName => 0xcaa8_2efd,
                CallFailure::Tls(_) => 0xcaa8_2f8f,
                _ => 0xcaa8_2efe,
            };
            (EXTENSION_ERROR.to_owned(), code)
        }
        _ => (EXTENSION_ERROR.to_owned(), 0xcaa9_0006),
    }
}

const DEVICE_ALONE_NOT_ALLOWED: u32 = 50097;
const EXTENSION_ERROR: &str = "AAD WAM extension error";

#[cfg(test)]
mod tests {
    use cmglab_events::Role;
    use cmglab_events::kinds::TlsFailure;
    use cmglab_net::CallError;

    use super::*;

    #[test]
    fn each_failure_has_its_code() {
        let refused = |code| {
            let (error, description) = ("x".to_owned(), format!("AADSTS{code}: y"));
            as_windows_says(&AadRefusal { status: 400, error, code: Some(code), description }.into())
        };
        assert_eq!(refused(50097), ("AAD WAM extension error".to_owned(), 0xd009_0016));
        assert_eq!(refused(500_011), ("AADSTS500011: y".to_owned(), 0xcaa2_0003));
        let lost = |failure| {
            let call = CallError::new(failure, "z");
            as_windows_says(&ClientError::Unanswered { hop: Role::Aad, url: String::new(), call }).1
        };
        assert_eq!(lost(CallFailure::Timeout), 0xcaa8_2ee2);
        assert_eq!(lost(CallFailure::Connect), 0xcaa8_2efd);
        assert_eq!(lost(CallFailure::Tls(TlsFailure::Date)), 0xcaa8_2f8f);
    }
}
