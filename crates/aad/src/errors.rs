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
    DEVICE_CERTIFICATE_SUPERSEDED = 50155, 400, "invalid_grant", None,
        "Device authentication failed: the certificate is not the one issued to device '{0}'.";
    DEVICE_DISABLED = 135_011, 400, "invalid_grant", Some("device_authentication_failed"),
        "Device used during the authentication is disabled.";
    DEVICE_NOT_PROVIDED = 50187, 400, "invalid_grant", None,
        "Device information is not provided.";
    DEVICE_PROOF_FOREIGN = 50155, 400, "invalid_grant", None,
        "Device authentication failed: the proof of the device was made for another request ({0}).";
    DEVICE_SIGNATURE = 50155, 400, "invalid_grant", None,
        "Device authentication failed: the signature does not verify with the key of the certificate.";
    DEVICE_TENANT = 50155, 400, "invalid_grant", None,
        "Device authentication failed: the device belongs to tenant '{0}', and the request is for tenant '{1}'.";
    DEVICE_UNKNOWN = 700_003, 400, "invalid_grant", None,
        "Device object was not found in the tenant '{0}' directory.";
    DEVICE_ONLY_NOT_ALLOWED = 50097, 400, "interaction_required", None,
        "Device authentication is required: resource '{0}' does not take tokens of a device alone.";
    MALFORMED = 9_002_313, 400, "invalid_request", None,
        "Invalid request. Request is malformed or invalid. ({0})";
    MISSING_PARAMETER = 900_144, 400, "invalid_request", None,
        "The request body must contain the following parameter: '{0}'.";
    NONCE = 140_000, 400, "invalid_grant", None,
        "Request nonce is {0}.";
    NO_TENANT = 50059, 400, "invalid_request", None,
        "No tenant-identifying information found in either the request or implied by any provided credentials.";
    QUERY_TOO_LONG = 90015, 400, "invalid_request", None,
        "The query string is too long.";
    REDIRECT_URI = 50011, 400, "invalid_request", None,
        "The redirect URI '{0}' specified in the request does not match the redirect URIs configured for the application '{1}'.";
    RESOURCE_DISABLED = 500_014, 400, "invalid_resource", None,
        "The service principal for resource '{0}' is disabled.";
    TOO_LARGE = 90013, 413, "invalid_request", None,
        "Invalid input received from the user: {0}";
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
            assert!((400..500).contains(&row.status), "{row:?}");
            assert!(row.status != 401 || row.error == "invalid_client", "{row:?}");
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
