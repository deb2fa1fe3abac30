//! The validation lines of CMGService.log.
//!
//! Fidelity: observed for the line of a token without a validator and for the three frames of its stack trace,
//! whose parameter types are inferred where no capture shows them; inferred for lifetimes, whose exceptions are
//! those of the same library at the management point (configmgr §1.4, §5.7, §5.9); lab for the rest.

use jiff::Timestamp;

use crate::kinds::TokenRefusal;

/// Why the gate refused a token, as the product's exception.
pub(super) fn text(
    url: &str,
    issuer: Option<&str>,
    audience: Option<&str>,
    refusal: TokenRefusal,
    cause: &str,
) -> String {
    let (class, message) = match refusal {
        TokenRefusal::NoValidator => (
            "SecurityTokenValidationException",
            format!(
                "There is no appropriate token validator to validate the token with issuer {} and audience {}",
                issuer.unwrap_or_default(),
                audience.unwrap_or_default()
            ),
        ),
        TokenRefusal::Expired { valid_to, now } => {
            ("SecurityTokenExpiredException", lifetime("IDX10223", "expired", ("ValidTo", valid_to), now))
        }
        TokenRefusal::NotYetValid { valid_from, now } => (
            "SecurityTokenNotYetValidException",
            lifetime("IDX10222", "not yet valid", ("ValidFrom", valid_from), now),
        ),
        TokenRefusal::Invalid => ("SecurityTokenInvalidSignatureException", cause.to_owned()),
        TokenRefusal::Blocked | TokenRefusal::WrongPurpose => {
            ("SecurityTokenValidationException", cause.to_owned())
        }
        // No token, so no validator was at work.
        TokenRefusal::Missing => {
            return format!("{START} {url}. System.UnauthorizedAccessException: {cause}");
        }
    };
    format!("{START} {url}. System.IdentityModel.Tokens.{class}: {message}{STACK}")
}

fn lifetime(number: &str, state: &str, (bound, at): (&str, Timestamp), now: Timestamp) -> String {
    format!(
        "{number}: Lifetime validation failed. The token is {state}.~~{bound}: '{}'~~Current time: '{}'.",
        stamp(at),
        stamp(now)
    )
}

fn stamp(at: Timestamp) -> String {
    at.strftime("%m/%d/%Y %H:%M:%S").to_string()
}

const START: &str = "ERROR: Security token validation exception with requesting URL";
const STACK: &str = "~~   at Microsoft.ConfigurationManager.CloudBase.AuthorizationToken.TokenValidator.\
                     ValidateJsonToken(String token)\
                     ~~   at Microsoft.ConfigurationManager.CloudBase.AuthorizationToken.TokenValidator.\
                     ValidateTokenEx(String token, String tokenHint)\
                     ~~   at Microsoft.ConfigurationManager.BgbServerChannel.BgbServerReverseProxy.\
                     ValidateAuthorizationToken(String authorizationToken, String clientAuthScheme, \
                     String requestUri, String& validatedToken, String& validatedScheme)";

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://CMG.LAB.TEST/CCM_Proxy_ServerAuth/9/CCM_STS";

    fn told(refusal: TokenRefusal) -> String {
        text(URL, Some("https://sts.windows.net/x/"), Some("api://y"), refusal, "the cause")
    }

    #[test]
    fn a_token_without_validator_is_told_in_the_documented_words() {
        assert_eq!(
            told(TokenRefusal::NoValidator),
            "ERROR: Security token validation exception with requesting URL \
             https://CMG.LAB.TEST/CCM_Proxy_ServerAuth/9/CCM_STS. \
             System.IdentityModel.Tokens.SecurityTokenValidationException: There is no appropriate token validator \
             to validate the token with issuer https://sts.windows.net/x/ and audience api://y\
             ~~   at Microsoft.ConfigurationManager.CloudBase.AuthorizationToken.TokenValidator.\
             ValidateJsonToken(String token)\
             ~~   at Microsoft.ConfigurationManager.CloudBase.AuthorizationToken.TokenValidator.\
             ValidateTokenEx(String token, String tokenHint)\
             ~~   at Microsoft.ConfigurationManager.BgbServerChannel.BgbServerReverseProxy.\
             ValidateAuthorizationToken(String authorizationToken, String clientAuthScheme, String requestUri, \
             String& validatedToken, String& validatedScheme)"
        );
    }

    #[test]
    fn lifetimes_carry_the_librarys_numbers_and_both_times() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let (early, late) = (at("2020-10-01T22:03:24Z"), at("2020-10-28T13:05:05Z"));
        assert!(told(TokenRefusal::Expired { valid_to: early, now: late }).contains(
            "SecurityTokenExpiredException: IDX10223: Lifetime validation failed. The token is expired.\
             ~~ValidTo: '10/01/2020 22:03:24'~~Current time: '10/28/2020 13:05:05'.~~   at "
        ));
        assert!(told(TokenRefusal::NotYetValid { valid_from: late, now: early }).contains(
            "SecurityTokenNotYetValidException: IDX10222: Lifetime validation failed. The token is not yet valid.\
             ~~ValidFrom: '10/28/2020 13:05:05'~~Current time: '10/01/2020 22:03:24'.~~   at "
        ));
    }

    #[test]
    fn a_missing_token_has_no_trace_and_every_other_refusal_has_one() {
        assert!(!told(TokenRefusal::Missing).contains("~~   at "));
        for refusal in [TokenRefusal::Blocked, TokenRefusal::Invalid, TokenRefusal::WrongPurpose] {
            let line = told(refusal);
            assert!(line.contains("Exception: the cause~~   at "), "{line}");
        }
    }
}
