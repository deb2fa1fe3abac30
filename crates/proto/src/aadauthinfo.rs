//! The onboarding facts of a tenant, which a client without `AAD…` properties asks the CMG for.
//!
//! Fidelity: lab for the answer's body (mp-wire §8.5 and OPEN-5); documented for the request:
//! `GET /CCM_Proxy_ServerAuth/AADAuthInfo?TenantID=<guid>`, without a token.

use serde::{Deserialize, Serialize};

use crate::ids::{AppId, TenantId};

/// The answer for an onboarded tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct AadAuthInfo {
    /// The native app, the client's `AADCLIENTAPPID`.
    pub client_app_id: AppId,
    /// The App ID URI of the server app, the client's `AADRESOURCEURI`.
    pub resource_uri: String,
    /// The tenant that was asked for.
    pub tenant_id: TenantId,
}

impl AadAuthInfo {
    /// Writes the body: one JSON object.
    #[must_use]
    pub fn to_body(&self) -> String {
        // Three strings always have a JSON form, so the default is never taken.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads a body of at most [`MAX_BODY`] bytes.
    ///
    /// # Errors
    /// [`AadAuthInfoError::Empty`] for the answer that knows nothing of the tenant, otherwise what is
    /// wrong with the body.
    pub fn parse(body: &[u8]) -> Result<Self, AadAuthInfoError> {
        if body.len() > MAX_BODY {
            return Err(AadAuthInfoError::TooLarge { bytes: body.len() });
        }
        if body.iter().all(u8::is_ascii_whitespace) {
            return Err(AadAuthInfoError::Empty);
        }
        let info: Self = serde_json::from_slice(body)
            .map_err(|error| AadAuthInfoError::Malformed { detail: error.to_string() })?;
        if info.resource_uri.is_empty() || info.resource_uri.len() > MAX_RESOURCE_URI {
            return Err(AadAuthInfoError::BadResourceUri { bytes: info.resource_uri.len() });
        }
        Ok(info)
    }
}

/// The query that asks for `tenant`: `TenantID=<guid>`.
#[must_use]
pub fn query(tenant: &TenantId) -> String {
    format!("{TENANT_ID}={tenant}")
}

/// Reads the tenant from a raw query; the parameter's name is taken in any case, others are passed over.
///
/// # Errors
/// [`AadAuthInfoError`] when the parameter is missing, given twice or not a GUID.
pub fn parse_query(query: Option<&str>) -> Result<TenantId, AadAuthInfoError> {
    let mut values = query.unwrap_or_default().split('&').filter_map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        name.eq_ignore_ascii_case(TENANT_ID).then_some(value)
    });
    let value = values.next().ok_or(AadAuthInfoError::NoTenant)?;
    if values.next().is_some() {
        return Err(AadAuthInfoError::TenantTwice);
    }
    value.parse().map_err(|_| AadAuthInfoError::BadTenant { got: value.chars().take(64).collect() })
}

/// Why a request for onboarding facts or its answer is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AadAuthInfoError {
    /// The query names no tenant.
    #[error("the query has no {TENANT_ID}; ask with ?{TENANT_ID}=<guid>")]
    NoTenant,
    /// The query names more than one tenant.
    #[error("the query gives {TENANT_ID} more than once")]
    TenantTwice,
    /// The tenant is not a GUID.
    #[error("{TENANT_ID} is not a GUID: {got:?}")]
    BadTenant {
        /// The value, cut to 64 characters.
        got: String,
    },
    /// The answer is empty: the tenant is not onboarded.
    #[error(
        "the CMG knows no onboarded tenant of this id; onboard it or give AADCLIENTAPPID and AADRESOURCEURI"
    )]
    Empty,
    /// The answer has more than [`MAX_BODY`] bytes.
    #[error("AADAuthInfo answer of {bytes} bytes; at most {MAX_BODY} are read")]
    TooLarge {
        /// The length in bytes.
        bytes: usize,
    },
    /// The answer is not the expected JSON object.
    #[error("AADAuthInfo answer: {detail}")]
    Malformed {
        /// What the JSON reader says.
        detail: String,
    },
    /// The resource URI is empty or too long.
    #[error("AADAuthInfo answer: a ResourceUri of {bytes} bytes; expected 1 to {MAX_RESOURCE_URI}")]
    BadResourceUri {
        /// The length in bytes.
        bytes: usize,
    },
}

/// The query parameter that names the tenant.
pub const TENANT_ID: &str = "TenantID";
/// The answer's media type.
pub const CONTENT_TYPE: &str = "application/json; charset=utf-8";
/// The longest answer that is read, in bytes.
pub const MAX_BODY: usize = 16 * 1024;
const MAX_RESOURCE_URI: usize = 1024;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TENANT: &str = "0fdd4c0a-6d7e-4c93-9b2b-1f0f0d1c2b3a";
    const BODY: &str = r#"{"ClientAppId":"f3c1a6ab-0c06-49fb-a5ed-7d3a1f6b7a11","ResourceUri":"https://ConfigMgrService","TenantId":"0fdd4c0a-6d7e-4c93-9b2b-1f0f0d1c2b3a"}"#;

    #[test]
    fn the_answer_round_trips() {
        let info = AadAuthInfo::parse(BODY.as_bytes()).unwrap();
        assert_eq!(info.tenant_id, TENANT.parse().unwrap());
        assert_eq!(info.resource_uri, "https://ConfigMgrService");
        assert_eq!(info.to_body(), BODY);
    }

    #[test]
    fn bad_answers_are_told_apart() {
        use AadAuthInfoError as E;
        assert_eq!(AadAuthInfo::parse(b" \r\n"), Err(E::Empty));
        assert!(matches!(AadAuthInfo::parse(b"<html>"), Err(E::Malformed { .. })));
        let bare = BODY.replace("https://ConfigMgrService", "");
        assert_eq!(AadAuthInfo::parse(bare.as_bytes()), Err(E::BadResourceUri { bytes: 0 }));
        assert!(matches!(AadAuthInfo::parse(&[b' '; MAX_BODY + 1]), Err(E::TooLarge { .. })));
    }

    #[test]
    fn the_query_is_read_in_any_case_and_once() {
        use AadAuthInfoError as E;
        let tenant: TenantId = TENANT.parse().unwrap();
        assert_eq!(parse_query(Some(&query(&tenant))), Ok(tenant));
        assert_eq!(parse_query(Some(&format!("a=b&tenantid={}", TENANT.to_uppercase()))), Ok(tenant));
        assert_eq!(parse_query(None), Err(E::NoTenant));
        assert_eq!(parse_query(Some("Tenant=x")), Err(E::NoTenant));
        assert_eq!(parse_query(Some("TenantID")), Err(E::BadTenant { got: String::new() }));
        assert_eq!(
            parse_query(Some("TenantID=contoso.com")),
            Err(E::BadTenant { got: "contoso.com".into() })
        );
        assert_eq!(parse_query(Some(&format!("TenantID={TENANT}&TENANTID={TENANT}"))), Err(E::TenantTwice));
    }

    proptest! {
        #[test]
        fn anything_is_read_without_panic(body: Vec<u8>, query in ".*") {
            let _ = (AadAuthInfo::parse(&body), parse_query(Some(&query)));
        }
    }
}
