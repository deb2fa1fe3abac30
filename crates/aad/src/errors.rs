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
    ACCESS_BLOCKED = 53003, 400, "access_denied", None,
        "Access has been blocked by Conditional Access policies of '{0}'.";
    ASSERTION_CLAIMS = 50027, 400, "invalid_grant", None,
        "JWT token is invalid or malformed: {0}.";
    ASSERTION_DATES = 500_133, 400, "invalid_grant", None,
        "Assertion is not within its valid time range. Current time: {0}, {1}.";
    ASSERTION_INVALID = 50013, 400, "invalid_grant", None,
        "Assertion failed validation: {0}.";
    BAD_BEARER = 50132, 401, "invalid_token", None,
        "The bearer token is not valid: {0}.";
    BAD_PASSWORD = 50126, 400, "invalid_grant", None,
        "Error validating credentials due to invalid username or password.";
    BAD_SCOPE = 70011, 400, "invalid_scope", None,
        "The provided value for the input parameter 'scope' is not valid. {0}";
    BAD_SECRET = 7_000_215, 401, "invalid_client", None,
        "Invalid client secret provided for app '{0}'. Send the secret value, not the secret id.";
    CHALLENGE_MISSING = 50147, 400, "invalid_request", None,
        "The code challenge parameter is missing: 'code_challenge_method' comes without 'code_challenge'.";
    CHALLENGE_SIZE = 501_491, 400, "invalid_request", None,
        "Invalid size of Code_Challenge parameter: 43 to 128 letters, digits and -._~ are expected.";
    CLIENT_ASSERTION_AUDIENCE = 700_023, 401, "invalid_client", None,
        "Client assertion audience claim '{0}' does not match the token endpoint or the issuer of tenant '{1}'.";
    CLIENT_ASSERTION_MALFORMED = 50027, 401, "invalid_client", None,
        "JWT token is invalid or malformed: {0}.";
    CLIENT_ASSERTION_SIGNATURE = 700_027, 401, "invalid_client", None,
        "Client assertion of application '{0}' failed signature validation: {1}.";
    CLIENT_ASSERTION_SUBJECT = 700_021, 401, "invalid_client", None,
        "Client assertion application identifier does not match the 'client_id' parameter: '{0}' is not '{1}'.";
    CLIENT_ASSERTION_TIMES = 700_024, 401, "invalid_client", None,
        "Client assertion is not within its valid time range. Current time: {0}, {1}.";
    CLIENT_DISABLED = 7_000_112, 400, "unauthorized_client", None,
        "Application '{0}' is disabled.";
    CLIENT_IS_PUBLIC = 700_025, 401, "invalid_client", None,
        "Client '{0}' is public so neither 'client_assertion' nor 'client_secret' should be presented.";
    CLIENT_NEEDS_SECRET = 7_000_218, 401, "invalid_client", None,
        "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.";
    CODE_EXPIRED = 70008, 400, "invalid_grant", None,
        "The provided authorization code has expired: it was issued on {0} and is good for {1} seconds. Sign in again.";
    CODE_REDEEMED = 54005, 400, "invalid_grant", None,
        "The code was already redeemed. Ask for a new one, or use the refresh token that came with it.";
    CODE_REDIRECT_URI = 500_112, 400, "invalid_grant", None,
        "The reply address '{0}' does not match the reply address '{1}' of the authorization request.";
    CONSENT_MISSING = 65001, 400, "invalid_grant", Some("consent_required"),
        "The user or administrator has not consented to use the application with ID '{0}' named '{1}'. Send an interactive authorization request for this user and resource.";
    DEVICE_CERTIFICATE_DATES = 50155, 400, "invalid_grant", None,
        "Device authentication failed: the certificate is valid from {0} to {1} only.";
    DEVICE_CERTIFICATE_FOREIGN = 50155, 400, "invalid_grant", None,
        "Device authentication failed: the certificate was not issued by this service.";
    DEVICE_CERTIFICATE_REVOKED = 50155, 400, "invalid_grant", None,
        "Device authentication failed: the certificate with serial number {0} is revoked.";
    DEVICE_CERTIFICATE_SUPERSEDED = 50155, 400, "invalid_grant", None,
        "Device authentication failed: the certificate is not the one issued to device '{0}'.";
    DEVICE_CODE_DECLINED = 70017, 400, "authorization_declined", None,
        "The user declined the sign-in that the device asked for.";
    DEVICE_CODE_EXPIRED = 70020, 400, "expired_token", None,
        "The provided device code has expired. Start again with a new one.";
    DEVICE_CODE_PENDING = 70016, 400, "authorization_pending", None,
        "OAuth 2.0 device flow error: authorization is pending. Continue polling.";
    DEVICE_CODE_UNKNOWN = 70018, 400, "bad_verification_code", None,
        "Invalid verification code: it is not one of this service, or was used before.";
    DEVICE_DISABLED = 135_011, 400, "invalid_grant", Some("device_authentication_failed"),
        "Device used during the authentication is disabled.";
    DEVICE_NEEDED = 50097, 400, "interaction_required", None,
        "Device authentication is required by '{0}'.";
    DEVICE_NOT_COMPLIANT = 53000, 400, "interaction_required", None,
        "Device is not in required device state: compliant, as '{0}' requires.";
    DEVICE_NOT_DOMAIN_JOINED = 53001, 400, "interaction_required", None,
        "Device is not in required device state: domain_joined, as '{0}' requires.";
    DEVICE_NOT_JOINED = 50129, 400, "interaction_required", None,
        "Device is not workplace joined: '{0}' requires a device that is joined, and this one is only registered.";
    DEVICE_NOT_PROVIDED = 50187, 400, "invalid_grant", None,
        "Device information is not provided.";
    DEVICE_ONLY_NOT_ALLOWED = 50097, 400, "interaction_required", None,
        "Device authentication is required: resource '{0}' does not take tokens of a device alone.";
    DEVICE_SIGNATURE = 50155, 400, "invalid_grant", None,
        "Device authentication failed: the signature does not verify with the key of the certificate.";
    DEVICE_TENANT = 50155, 400, "invalid_grant", None,
        "Device authentication failed: the device belongs to tenant '{0}', and the request is for tenant '{1}'.";
    DEVICE_UNKNOWN = 700_003, 400, "invalid_grant", None,
        "Device object was not found in the tenant '{0}' directory.";
    DUPLICATE_PARAMETER = 9_000_411, 400, "invalid_request", None,
        "The request is not properly formatted. The parameter '{0}' is duplicated.";
    FLOW_EXPIRED = 50089, 400, "invalid_request", None,
        "Authentication failed as the flow token has expired. Start the sign-in again.";
    FLOW_OF_OTHER_BROWSER = 165_000, 400, "invalid_request", None,
        "The request tokens do not match the user context: this sign-in was begun in another browser, or its cookies are gone. Start the sign-in again.";
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
    KEY_UNKNOWN = 135_010, 400, "invalid_grant", None,
        "The user principal '{0}' does not have the key '{1}'.";
    LOOP = 50196, 400, "invalid_grant", None,
        "The server terminated an operation because it encountered a client request loop: the same request came too often.";
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
    OUTAGE = 90033, 503, "temporarily_unavailable", None,
        "A transient error has occurred. Please try again.";
    PASSWORD_EXPIRED = 50055, 400, "invalid_grant", Some("user_password_expired"),
        "The password is expired.";
    PROMPT = 90023, 400, "invalid_request", None,
        "Unsupported 'prompt' value '{0}'.";
    QUERY_TOO_LONG = 90015, 400, "invalid_request", None,
        "The query string is too long.";
    REDIRECT_URI = 50011, 400, "invalid_request", None,
        "The redirect URI '{0}' specified in the request does not match the redirect URIs configured for the application '{1}'.";
    REFRESH_EXPIRED = 700_082, 400, "invalid_grant", None,
        "The refresh token has expired due to inactivity. The token was issued on {0} and was inactive for {1} seconds.";
    RESOURCE_DISABLED = 500_014, 400, "invalid_resource", None,
        "The service principal for resource '{0}' is disabled.";
    RESPONSE_MODE = 70007, 400, "invalid_request", None,
        "'{0}' is not a supported value of 'response_mode' when requesting {1}.";
    RESPONSE_TYPE = 70005, 400, "unsupported_response_type", None,
        "'{0}' is not a supported value of 'response_type'; use code, id_token or both.";
    SCOPE_OF_APPLICATION = 1_002_012, 400, "invalid_scope", None,
        "The provided value for scope '{0}' is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier.";
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
    SIGN_IN_NEEDED = 50058, 400, "login_required", None,
        "A silent sign-in request was sent but no user is signed in.";
    SIGN_IN_TOO_OLD = 70043, 400, "invalid_grant", None,
        "The refresh token has expired or is invalid due to sign-in frequency checks by conditional access. The user signed in on {0} and the maximum allowed lifetime is {1} seconds.";
    THROTTLED = 90055, 429, "temporarily_unavailable", None,
        "The request was throttled because too many were made. Please try again later.";
    TOO_LARGE = 90013, 413, "invalid_request", None,
        "Invalid input received from the user: {0}";
    TRANSPORT_KEY = 50155, 400, "invalid_grant", None,
        "Device authentication failed: nothing can be encrypted to the transport key of device '{0}'.";
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
    USER_CODE_EXPIRED = 70019, 400, "expired_token", None,
        "Verification code expired. Have the device show a new one.";
    USER_DISABLED = 50057, 400, "invalid_grant", None,
        "The user account is disabled.";
    USER_LOCKED = 50053, 400, "invalid_grant", None,
        "The account is locked: sign-in was tried too many times with a wrong password.";
    VERIFIER_MISSING = 50148, 400, "invalid_grant", None,
        "The authorization request came with a code challenge, and the code_verifier for it is missing.";
    VERIFIER_WRONG = 501_481, 400, "invalid_grant", None,
        "The Code_Verifier does not match the code_challenge supplied in the authorization request.";
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
