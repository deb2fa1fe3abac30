//! The refusals of the token service, as data (entra §5.2).
//!
//! Codes are documented. Which HTTP status and OAuth error goes with a code is documented or observed for
//! most and inferred from the OAuth class for the rest; a correction is a change of one row.

/// One refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Aadsts {
    /// The number after `AADSTS`.
    pub code: u32,
    /// HTTP status.
    pub status: u16,
    /// The OAuth error.
    pub error: &'static str,
    /// The finer error that some clients act on.
    pub suberror: Option<&'static str>,
    /// The text after the number; `{0}` and `{1}` stand for what it is about.
    pub text: &'static str,
}

/// A refusal with its text filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) row: &'static Aadsts,
    pub(crate) text: String,
}

impl Aadsts {
    /// Refuses, about `args`.
    pub(crate) fn about(&'static self, args: &[&str]) -> Refusal {
        let filled = args.iter().take(PLACES.len()).zip(PLACES);
        let text = filled.fold(self.text.to_owned(), |text, (arg, place)| {
            let arg: String = arg.chars().filter(|char| !char.is_control()).take(MAX_ARGUMENT).collect();
            text.replace(place, &arg)
        });
        Refusal { row: self, text }
    }

    /// Refuses, when there is nothing to fill in.
    pub(crate) fn plain(&'static self) -> Refusal {
        self.about(&[])
    }
}

macro_rules! rows {
    ($($name:ident = $code:literal, $status:literal, $error:literal, $suberror:expr, $text:literal;)*) => {
        $(pub(crate) static $name: Aadsts =
            Aadsts { code: $code, status: $status, error: $error, suberror: $suberror, text: $text };)*

        /// Every refusal of the token service that the lab can give. Some share a code and differ in text.
        pub static TABLE: &[&Aadsts] = &[$(&$name),*];
    };
}

rows! {
    BAD_BEARER = 50132, 401, "invalid_token", None,
        "The bearer token is not valid: {0}.";
    ASSERTION_CLAIMS = 50027, 400, "invalid_grant", None,
        "JWT token is invalid or malformed: {0}.";
    ASSERTION_DATES = 500_133, 400, "invalid_grant", None,
        "Assertion is not within its valid time range. Current time: {0}, and the assertion is valid {1}.";
    ASSERTION_INVALID = 50013, 400, "invalid_grant", None,
        "Assertion failed validation: {0}.";
    BAD_PASSWORD = 50126, 400, "invalid_grant", None,
        "Error validating credentials due to invalid username or password.";
    BAD_SCOPE = 70011, 400, "invalid_scope", None,
        "The provided value for the input parameter 'scope' is not valid. {0}";
    CLIENT_DISABLED = 7_000_112, 400, "unauthorized_client", None,
        "Application '{0}' is disabled.";
    CLIENT_NEEDS_SECRET = 7_000_218, 401, "invalid_client", None,
        "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.";
    DEVICE_CERTIFICATE_FOREIGN = 50155, 400, "invalid_grant", None,
        "Device authentication failed: the certificate was not issued by this service.";
    DEVICE_CERTIFICATE_DATES = 50155, 400, "invalid_grant", None,
        "Device authentication failed: the certificate is valid from {0} to {1} only.";
    DEVICE_CERTIFICATE_REVOKED = 50155, 400, "invalid_grant", None,
        "Device authentication failed: the certificate with serial number {0} is revoked.";
    DEVICE_CERTIFICATE_SUPERSEDED = 50155, 400, "invalid_grant", None,
        "Device authentication failed: the certificate is not the one issued to device '{0}'.";
    DEVICE_DISABLED = 135_011, 400, "invalid_grant", Some("device_authentication_failed"),
        "Device used during the authentication is disabled.";
    DEVICE_NOT_PROVIDED = 50187, 400, "invalid_grant", None,
        "Device information is not provided.";
    DEVICE_SIGNATURE = 50155, 400, "invalid_grant", None,
        "Device authentication failed: the signature does not verify with the key of the certificate.";
    DEVICE_TENANT = 50155, 400, "invalid_grant", None,
        "Device authentication failed: the device belongs to tenant '{0}', and the request is for tenant '{1}'.";
    DEVICE_UNKNOWN = 700_003, 400, "invalid_grant", None,
        "Device object was not found in the tenant '{0}' directory.";
    DEVICE_ONLY_NOT_ALLOWED = 50097, 400, "interaction_required", None,
        "Device authentication is required: resource '{0}' does not take tokens of a device alone.";
    LOOP = 50196, 400, "invalid_grant", None,
        "The server terminated an operation because it encountered a client request loop: the same request came too often.";
    KEY_UNKNOWN = 135_010, 400, "invalid_grant", None,
        "The user principal '{0}' does not have the key '{1}'.";
    MALFORMED = 9_002_313, 400, "invalid_request", None,
        "Invalid request. Request is malformed or invalid. ({0})";
    MISSING_PARAMETER = 900_144, 400, "invalid_request", None,
        "The request body must contain the following parameter: '{0}'.";
    NONCE = 140_000, 400, "invalid_grant", None,
        "Request nonce is {0}.";
    NOT_A_BROKER = 70001, 400, "unauthorized_client", None,
        "Application '{0}' may not ask for a primary refresh token; the authentication broker and Windows sign-in may.";
    NO_TENANT = 50059, 400, "invalid_request", None,
        "No tenant-identifying information found in either the request or implied by any provided credentials.";
    QUERY_TOO_LONG = 90015, 400, "invalid_request", None,
        "The query string is too long.";
    REDIRECT_URI = 50011, 400, "invalid_request", None,
        "The redirect URI '{0}' specified in the request does not match the redirect URIs configured for the application '{1}'.";
    RESOURCE_DISABLED = 500_014, 400, "invalid_resource", None,
        "The service principal for resource '{0}' is disabled.";
    TRANSPORT_KEY = 50155, 400, "invalid_grant", None,
        "Device authentication failed: nothing can be encrypted to the transport key of device '{0}'.";
    TOO_LARGE = 90013, 413, "invalid_request", None,
        "Invalid input received from the user: {0}";
    THROTTLED = 90055, 429, "temporarily_unavailable", None,
        "The request was throttled because too many were made. Please try again later.";
    UNKNOWN_AUTHORITY = 50049, 400, "invalid_instance", None,
        "Unknown or invalid instance.";
    UNKNOWN_CLIENT = 700_016, 400, "unauthorized_client", None,
        "Application with identifier '{0}' was not found in the directory '{1}'.";
    UNKNOWN_RESOURCE = 500_011, 400, "invalid_resource", None,
        "The resource principal named {0} was not found in the tenant named {1}.";
    UNKNOWN_TENANT = 90002, 400, "invalid_request", None,
        "Tenant '{0}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.";
    UNKNOWN_TENANT_IN_METADATA = 90002, 400, "invalid_tenant", None,
        "Tenant '{0}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.";
    UNKNOWN_USER = 50034, 400, "invalid_grant", None,
        "The user account {0} does not exist in the {1} directory.";
    UNSUPPORTED_GRANT = 70003, 400, "unsupported_grant_type", None,
        "The app requested an unsupported grant type '{0}'.";
    ACCESS_BLOCKED = 53003, 400, "access_denied", None,
        "Access has been blocked by Conditional Access policies of '{0}'.";
    BAD_SECRET = 7_000_215, 401, "invalid_client", None,
        "Invalid client secret provided for app '{0}'. Send the secret value, not the secret id.";
    CLIENT_IS_PUBLIC = 700_025, 401, "invalid_client", None,
        "Client '{0}' is public so neither 'client_assertion' nor 'client_secret' should be presented.";
    CONSENT_MISSING = 65001, 400, "invalid_grant", Some("consent_required"),
        "The user or administrator has not consented to use the application with ID '{0}' named '{1}'. Send an interactive authorization request for this user and resource.";
    DEVICE_NEEDED = 50097, 400, "interaction_required", None,
        "Device authentication is required by '{0}'.";
    DEVICE_NOT_COMPLIANT = 53000, 400, "interaction_required", None,
        "Device is not in required device state: compliant, as '{0}' requires.";
    DEVICE_NOT_DOMAIN_JOINED = 53001, 400, "interaction_required", None,
        "Device is not in required device state: domain_joined, as '{0}' requires.";
    GRANT_MALFORMED = 70000, 400, "invalid_grant", None,
        "The provided value for the grant is invalid or malformed: {0}.";
    GRANT_OF_OTHER_CLIENT = 70000, 400, "invalid_grant", None,
        "The provided grant was issued to another client than '{0}'.";
    GRANT_OF_OTHER_DEVICE = 70000, 400, "invalid_grant", None,
        "The provided grant is tied to another device than '{0}'.";
    GRANT_OF_OTHER_TENANT = 700_005, 400, "invalid_grant", None,
        "The provided grant is intended to be used against tenant '{0}', and the request is for tenant '{1}'.";
    GRANT_REVOKED = 50173, 400, "invalid_grant", None,
        "The provided grant has expired due to it being revoked; sessions of the user are valid from {0} on. Sign in again.";
    OUTAGE = 90033, 503, "temporarily_unavailable", None,
        "A transient error has occurred. Please try again.";
    PASSWORD_EXPIRED = 50055, 400, "invalid_grant", Some("user_password_expired"),
        "The password is expired.";
    REFRESH_EXPIRED = 700_082, 400, "invalid_grant", None,
        "The refresh token has expired due to inactivity. The token was issued on {0} and was inactive for {1} seconds.";
    SECOND_FACTOR_NEEDED = 50076, 400, "invalid_grant", Some("basic_action"),
        "You must use multi-factor authentication to access this resource.";
    SECOND_FACTOR_NEEDED_V1 = 50076, 400, "interaction_required", Some("basic_action"),
        "You must use multi-factor authentication to access this resource.";
    SECOND_FACTOR_TO_ENROL = 50079, 400, "invalid_grant", Some("basic_action"),
        "You must enroll in multi-factor authentication to access this resource.";
    SECOND_FACTOR_TO_ENROL_V1 = 50079, 400, "interaction_required", Some("basic_action"),
        "You must enroll in multi-factor authentication to access this resource.";
    SECRET_EXPIRED = 7_000_222, 401, "invalid_client", None,
        "The provided client secret keys for app '{0}' are expired.";
    SELF_TOKEN = 90009, 400, "invalid_request", None,
        "Application '{0}' is requesting a token for itself. This scenario is supported only if resource is specified using the GUID based App Identifier.";
    USER_LOCKED = 50053, 400, "invalid_grant", None,
        "The account is locked: sign-in was tried too many times with a wrong password.";
    USER_DISABLED = 50057, 400, "invalid_grant", None,
        "The user account is disabled.";
}

const PLACES: [&str; 2] = ["{0}", "{1}"];
const MAX_ARGUMENT: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_sound() {
        for row in TABLE {
            assert!((400..=504).contains(&row.status), "{row:?}");
            assert!(row.status != 401 || ["invalid_client", "invalid_token"].contains(&row.error), "{row:?}");
            assert!(row.text.contains("{0}") || !row.text.contains("{1}"), "{row:?}");
        }
        let mut texts: Vec<_> = TABLE.iter().map(|row| (row.code, row.error, row.text)).collect();
        texts.sort_unstable();
        texts.dedup();
        assert_eq!(texts.len(), TABLE.len());
    }

    #[test]
    fn texts_are_filled_and_cut() {
        let refusal = UNKNOWN_RESOURCE.about(&["https://x\r\n", "lab"]);
        assert_eq!(
            refusal.text,
            "The resource principal named https://x was not found in the tenant named lab."
        );
        assert!(MISSING_PARAMETER.about(&[&"x".repeat(9000)]).text.len() < 300);
    }
}
