//! CCM_STS.log (configmgr §5.9) and MP_RegistrationManager.log (§5.10). Fidelity: documented for the lines
//! of a good exchange, for an expired token, for an assembly of another version (§7 row 22, whose end is the
//! framework's own text) and for a failed registration; the texts of other refusals are lab, in the form of
//! the documented ones. mpcontrol.log (Fidelity: lab) says what is wrong with the binding (§7 row 20).

use cmglab_proto::claims::AadTokenKind;
use cmglab_proto::ids::{ClientGuid, DeviceId};
use jiff::Timestamp;

use super::{LogFile, Page};
use crate::kinds::{CertificateFault, ManagementPointEvent, TokenFault, TokenService};

pub(super) fn write(event: &ManagementPointEvent, page: &mut Page<'_>) {
    use ManagementPointEvent as E;
    match event {
        E::StsRequested { .. }
        | E::AadTokenValidated { .. }
        | E::CcmTokenIssued { .. }
        | E::StsAssemblyMismatch { .. }
        | E::AadKeysUnavailable { .. } => sts(event, page),
        E::WrongBinding { port, subject, issuer, wanted, .. } => page.error(
            LogFile::MpControl,
            format!(
                "Request on port {port} failed with status code 403, text: Forbidden. The certificate bound is \
                 '{subject}' issued by '{issuer}', not the SMS Role SSL Certificate issued by '{wanted}'."
            ),
        ),
        E::TokenRefused { service, status, issuer, audience, fault, .. } => {
            let parties = (issuer.as_deref(), audience.as_deref());
            token_refused(*service, *status, parties, fault, page);
        }
        E::RegistrationRequested { .. }
        | E::RegistrationCertificate { .. }
        | E::RegistrationInvalid { .. }
        | E::RegistrationRejected { .. }
        | E::Registered { .. } => registration(event, page),
        E::MessageDropped { endpoint, cause } => {
            let endpoint = endpoint.as_deref().unwrap_or_default();
            page.error(REGISTRATION, format!("Message for endpoint '{endpoint}' was dropped: {cause}"));
        }
        E::AadKeysFetched { .. }
        | E::BulkTokenMade { .. }
        | E::CcmKeyAdded { .. }
        | E::CcmKeyRetired { .. }
        | E::CertificateRefused { .. }
        | E::ClientTokenMade { .. }
        | E::ContentLinkMade { .. }
        | E::ContentPublished { .. }
        | E::ContentServed { .. }
        | E::ContentLocated { .. }
        | E::Redirected { .. }
        | E::Refused { .. }
        | E::SiteInfoAnswered { .. } => {}
    }
}

fn sts(event: &ManagementPointEvent, page: &mut Page<'_>) {
    use ManagementPointEvent as E;
    match event {
        E::StsRequested { url } => {
            page.info(STS, "ProcessRequest - Start");
            page.info(STS, format!("Incoming request URL: {url}"));
        }
        E::AadTokenValidated { kind, tenant, user, device, on_prem_user_sid, on_prem_device_sid } => {
            let device = device.unwrap_or(DeviceId::zero());
            let user_sid = on_prem_user_sid.as_deref().unwrap_or_default();
            let device_sid = on_prem_device_sid.as_deref().unwrap_or_default();
            // Without SIDs the two names stand as in the transcript: two spaces between, none behind.
            let line = format!(
                "Validated AAD token. TokenType: {} TenantId: {tenant} UserId: {user} DeviceId: {device} \
                 OnPrem_UserSid: {user_sid} OnPrem_DeviceSid: {device_sid}",
                AadTokenKind::as_str(*kind)
            );
            page.info(STS, line.trim_end());
        }
        E::CcmTokenIssued { token_type, hierarchy, user, client, .. } => {
            page.info(
                STS,
                format!(
                    "Return token to client, token type: {}, hierarchyId: {hierarchy}, userId: {user}, \
                     deviceId: {}",
                    token_type.as_str(),
                    client.map(lower).unwrap_or_default()
                ),
            );
        }
        E::StsAssemblyMismatch { assembly } => page.error(
            STS,
            format!(
                "ProcessRequest - Exception: System.IO.FileLoadException: Could not load file or assembly \
                 '{assembly}.dll' or one of its dependencies. The located assembly's manifest definition does \
                 not match the assembly reference. (Exception from HRESULT: 0x80131040)"
            ),
        ),
        E::AadKeysUnavailable { tenant, url, cause, .. } => {
            page.error(
                STS,
                format!("Failed to get the signing keys of AAD tenant '{tenant}' from {url}: {cause}"),
            );
        }
        _ => {}
    }
}

fn registration(event: &ManagementPointEvent, page: &mut Page<'_>) {
    use ManagementPointEvent as E;
    const COMPLETED: &str = "MP Reg: Processing completed. Completion state = 0";
    const FAILED: &str = "MP Reg: Registration failed.";
    match event {
        E::RegistrationRequested { client, tenant, device } => {
            if let Some(tenant) = tenant {
                let device = device.unwrap_or(DeviceId::zero());
                // The space before the quote is the documentation's.
                page.info(
                    REGISTRATION,
                    format!("Registering device using AAD auth: DeviceId='{device} ', TenantId='{tenant}'"),
                );
            }
            let client = client.map(|client| client.to_string()).unwrap_or_default();
            page.info(REGISTRATION, format!("Processing Registration request from Client '{client}'"));
        }
        E::RegistrationCertificate { thumbprint, issued_to, fault } => {
            let certificate = format!("Certificate [Thumbprint {thumbprint}] issued to '{issued_to}'");
            page.info(REGISTRATION, format!("Begin validation of {certificate}"));
            match fault {
                Some(CertificateFault::Untrusted) => page.error(REGISTRATION, UNTRUSTED),
                Some(fault) => page.error(REGISTRATION, format!("{certificate} {}", flaw(*fault))),
                None => {}
            }
            page.info(REGISTRATION, format!("Completed validation of {certificate}"));
        }
        E::RegistrationInvalid { cause } => {
            page.error(REGISTRATION, "MP Reg: Registration request body is invalid.");
            page.error(REGISTRATION, format!("MP Reg: {cause}"));
            page.error(REGISTRATION, FAILED);
            page.info(REGISTRATION, COMPLETED);
        }
        E::RegistrationRejected { client, cause } => {
            let client = client.map(|client| client.to_string()).unwrap_or_default();
            page.error(REGISTRATION, format!("MP Reg: Rejected client '{client}': {cause}"));
            page.error(REGISTRATION, FAILED);
            page.info(REGISTRATION, COMPLETED);
        }
        E::Registered { .. } => page.info(REGISTRATION, COMPLETED),
        _ => {}
    }
}

fn token_refused(
    service: TokenService,
    status: u16,
    (issuer, audience): (Option<&str>, Option<&str>),
    fault: &TokenFault,
    page: &mut Page<'_>,
) {
    let (log, subject) = match (service, fault) {
        (TokenService::Registration, _) => (REGISTRATION, "MP Reg: "),
        (
            TokenService::CcmSts,
            TokenFault::Expired { pre_auth: true, .. } | TokenFault::BulkTokenRefused { .. },
        ) => (STS, "PreAuth token validation failed, "),
        (TokenService::CcmSts, _) => (STS, "AAD token validation failed, "),
        // The web server's log is all that these two have.
        (TokenService::Content | TokenService::Messaging, _) => return,
    };
    let text = exception(fault, issuer.unwrap_or_default(), audience.unwrap_or_default());
    page.error(log, format!("Return code: {status}, Description: {subject}{text}"));
    if let Some(line) = site_line(fault) {
        page.error(log, line);
    }
}

/// The exceptions of the product's token library, named and numbered as it does.
fn exception(fault: &TokenFault, issuer: &str, audience: &str) -> String {
    const TOKENS: &str = "System.IdentityModel.Tokens.";
    match fault {
        TokenFault::Expired { valid_to, now, .. } => format!(
            "{TOKENS}SecurityTokenExpiredException: IDX10223: Lifetime validation failed. The token is \
             expired.\nValidTo: '{}'\nCurrent time: '{}'.",
            stamp(*valid_to),
            stamp(*now)
        ),
        TokenFault::NotYetValid { valid_from, now } => format!(
            "{TOKENS}SecurityTokenNotYetValidException: IDX10222: Lifetime validation failed. The token is \
             not yet valid.\nValidFrom: '{}'\nCurrent time: '{}'.",
            stamp(*valid_from),
            stamp(*now)
        ),
        TokenFault::NoValidator | TokenFault::TenantUnknown { .. } => format!(
            "{TOKENS}SecurityTokenValidationException: There is no appropriate token validator to validate \
             the token with issuer {issuer} and audience {audience}"
        ),
        TokenFault::Signature { cause } => {
            format!("{TOKENS}SecurityTokenInvalidSignatureException: {cause}")
        }
        TokenFault::Malformed { cause } | TokenFault::Missing { cause } => {
            format!("System.ArgumentException: {cause}")
        }
        TokenFault::KeysUnavailable { cause } => {
            format!("System.InvalidOperationException: the signing keys are unavailable: {cause}")
        }
        TokenFault::WrongPurpose { got, due } => {
            format!("{TOKENS}SecurityTokenValidationException: {got} was presented where {due} is due")
        }
        TokenFault::NobodyNamed => "the token names neither a user nor a device".to_owned(),
        TokenFault::ApplicationUnknown { .. }
        | TokenFault::BulkTokenRefused { .. }
        | TokenFault::TenantDisabled { .. }
        | TokenFault::UserUnknown { .. } => "the site database does not vouch for the token".to_owned(),
    }
}

/// What the site database says, on a line of its own.
fn site_line(fault: &TokenFault) -> Option<String> {
    match fault {
        TokenFault::ApplicationUnknown { app } => {
            Some(format!("AAD application '{app}' is not registered in the site database."))
        }
        TokenFault::BulkTokenRefused { blocked: true } => {
            Some("The bulk registration token is blocked in the site database.".to_owned())
        }
        TokenFault::BulkTokenRefused { blocked: false } => {
            Some("The bulk registration token was not found in the site database.".to_owned())
        }
        TokenFault::TenantDisabled { tenant } => {
            Some(format!("AAD authentication is disabled for tenant '{tenant}' in the site database."))
        }
        TokenFault::TenantUnknown { tenant } => {
            Some(format!("AAD tenant '{tenant}' is not registered in the site database."))
        }
        TokenFault::UserUnknown { tenant, user } => {
            Some(format!("AAD user '{user}' of tenant '{tenant}' was not found in the site database."))
        }
        _ => None,
    }
}

fn flaw(fault: CertificateFault) -> &'static str {
    match fault {
        CertificateFault::Expired => "has expired.",
        CertificateFault::Malformed => "cannot be read, or its own signature does not hold.",
        CertificateFault::NotYetValid => "is not yet valid.",
        CertificateFault::Untrusted => "is not trusted.",
        CertificateFault::WeakKey => "has no RSA key of at least 2048 bits.",
    }
}

/// The transcript has the GUID in lower case here, unlike every other log.
fn lower(client: ClientGuid) -> String {
    format!("GUID:{}", client.guid())
}

fn stamp(at: Timestamp) -> String {
    at.strftime("%m/%d/%Y %H:%M:%S").to_string()
}

const STS: LogFile = LogFile::CcmSts;
const REGISTRATION: LogFile = LogFile::MpRegistrationManager;
const UNTRUSTED: &str = "The certificate chain processed correctly but terminated in a root certificate not trusted per ConfigMgr \
     CTL.";

#[cfg(test)]
mod tests {
    use cmglab_clock::Clock;
    use cmglab_proto::claims::CcmTokenType;
    use cmglab_proto::editions::Edition;
    use cmglab_proto::ids::{ObjectId, UserId};

    use super::*;
    use crate::{Events, Role};

    const GUID: &str = "5dd100cd-df1d-45f5-ba17-a327f43465f8";

    fn texts(event: ManagementPointEvent) -> Vec<String> {
        let events = Events::new();
        let clock = Clock::running_from("2020-10-28T13:05:05Z".parse().unwrap(), 0.0);
        events.source("MP", Role::ManagementPoint, &clock).emit(event);
        let lines = crate::logs::lines(&events.snapshot()[0], Edition::Y2019);
        lines.iter().map(|line| line.text()).collect()
    }

    #[test]
    fn a_device_token_is_told_as_in_the_transcript() {
        let validated = ManagementPointEvent::AadTokenValidated {
            kind: AadTokenKind::Device,
            tenant: GUID.parse().unwrap(),
            user: ObjectId::zero(),
            device: Some(GUID.parse().unwrap()),
            on_prem_user_sid: None,
            on_prem_device_sid: None,
        };
        let zero = "00000000-0000-0000-0000-000000000000";
        let expected = format!(
            "Validated AAD token. TokenType: Device TenantId: {GUID} UserId: {zero} DeviceId: {GUID} \
             OnPrem_UserSid:  OnPrem_DeviceSid:"
        );
        assert_eq!(texts(validated), [expected]);
        let issued = ManagementPointEvent::CcmTokenIssued {
            token_type: CcmTokenType::Uda,
            hierarchy: GUID.parse().unwrap(),
            user: UserId::zero(),
            client: Some(format!("GUID:{GUID}").parse().unwrap()),
            kid: String::new(),
            expires: Timestamp::UNIX_EPOCH,
        };
        let expected = format!(
            "Return token to client, token type: UDA, hierarchyId: {GUID}, userId: {zero}, deviceId: \
             GUID:{GUID}"
        );
        assert_eq!(texts(issued), [expected]);
    }

    #[test]
    fn a_request_opens_with_two_lines() {
        let url = "https://MP.LAB.TEST/CCM_STS".to_owned();
        assert_eq!(
            texts(ManagementPointEvent::StsRequested { url }),
            ["ProcessRequest - Start", "Incoming request URL: https://MP.LAB.TEST/CCM_STS"]
        );
    }

    #[test]
    fn an_assembly_of_another_version_is_told_as_documented() {
        let assembly = "System.IdentityModel.Tokens.JWT".to_owned();
        let lines = texts(ManagementPointEvent::StsAssemblyMismatch { assembly });
        let start = "ProcessRequest - Exception: System.IO.FileLoadException: Could not load file or assembly \
                     'System.IdentityModel.Tokens.JWT.";
        assert!(lines[0].starts_with(start) && lines[0].ends_with("HRESULT: 0x80131040)"), "{lines:?}");
    }

    fn refused(service: TokenService, fault: TokenFault) -> Vec<String> {
        texts(ManagementPointEvent::TokenRefused {
            service,
            url: String::new(),
            status: 401,
            issuer: Some("i".to_owned()),
            audience: Some("a".to_owned()),
            fault,
        })
    }

    #[test]
    fn an_expired_token_is_told_as_documented() {
        let fault = TokenFault::Expired {
            valid_to: "2020-10-01T22:03:24Z".parse().unwrap(),
            now: "2020-10-28T13:05:05Z".parse().unwrap(),
            pre_auth: true,
        };
        let expected = "Return code: 401, Description: PreAuth token validation failed, \
            System.IdentityModel.Tokens.SecurityTokenExpiredException: IDX10223: Lifetime validation failed. \
            The token is expired.\nValidTo: '10/01/2020 22:03:24'\nCurrent time: '10/28/2020 13:05:05'.";
        assert_eq!(refused(TokenService::CcmSts, fault.clone()), [expected]);
        assert!(refused(TokenService::Messaging, fault).is_empty());
    }

    #[test]
    fn the_site_database_speaks_on_a_line_of_its_own() {
        let tenant = GUID.parse().unwrap();
        let lines = refused(TokenService::CcmSts, TokenFault::TenantUnknown { tenant });
        assert!(lines[0].ends_with("token with issuer i and audience a"), "{}", lines[0]);
        assert_eq!(lines[1], format!("AAD tenant '{GUID}' is not registered in the site database."));
        assert_eq!(refused(TokenService::CcmSts, TokenFault::NoValidator), lines[..1]);
        let user = GUID.parse().unwrap();
        let lines = refused(TokenService::Registration, TokenFault::UserUnknown { tenant, user });
        assert!(lines[1].contains("was not found"), "{}", lines[1]);
    }

    #[test]
    fn a_registration_is_told_as_documented() {
        let client: ClientGuid = format!("GUID:{GUID}").parse().unwrap();
        let requested = ManagementPointEvent::RegistrationRequested {
            client: Some(client),
            tenant: Some(GUID.parse().unwrap()),
            device: Some(GUID.parse().unwrap()),
        };
        assert_eq!(
            texts(requested),
            [
                format!("Registering device using AAD auth: DeviceId='{GUID} ', TenantId='{GUID}'"),
                format!("Processing Registration request from Client '{client}'"),
            ]
        );
        let judged = |fault| ManagementPointEvent::RegistrationCertificate {
            thumbprint: "AB".to_owned(),
            issued_to: "CL2".to_owned(),
            fault,
        };
        let of = "Certificate [Thumbprint AB] issued to 'CL2'";
        assert_eq!(
            texts(judged(Some(CertificateFault::Expired))),
            [
                format!("Begin validation of {of}"),
                format!("{of} has expired."),
                format!("Completed validation of {of}")
            ]
        );
        assert_eq!(texts(judged(None)).len(), 2);
        assert_eq!(texts(judged(Some(CertificateFault::Untrusted)))[1], UNTRUSTED);
    }

    #[test]
    fn a_bad_registration_fails_and_completes() {
        let lines = texts(ManagementPointEvent::RegistrationInvalid { cause: "why".to_owned() });
        assert_eq!(lines[0], "MP Reg: Registration request body is invalid.");
        assert_eq!(
            lines[2..],
            ["MP Reg: Registration failed.", "MP Reg: Processing completed. Completion state = 0"]
        );
    }
}
