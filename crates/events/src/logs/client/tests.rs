//! Golden texts of every line that the client writes.

use cmglab_clock::Clock;
use cmglab_proto::editions::Edition;
use cmglab_proto::url::CcmHostName;
use jiff::Timestamp;

use crate::kinds::{
    AadAccount, AadIdentity, ClientEvent as E, ClientLog as Log, CrlCheckBy, HttpCaller, StsServer,
    TlsFailure, WinHttpFailure,
};
use crate::logs::{LogFile, lines};
use crate::{Events, Role};

const CLIENT: &str = "GUID:5DD100CD-DF1D-45F5-BA17-A327F43465F8";
const GUID: &str = "22ed38d9-0000-4036-0000-a98452fda4fc";
const SERVER: &str = "CMG.LAB.TEST/CCM_PROXY_MUTUALAUTH/72057594037938216";
const STS: &str = "https://CMG.LAB.TEST/CCM_PROXY_SERVERAUTH/72057594037938216/CCM_STS";

fn written(event: E, edition: Edition) -> Vec<(LogFile, String)> {
    let (events, clock) = (Events::new(), Clock::running_from(time(), 0.0));
    events.source("PC1", Role::Client, &clock).emit(event);
    let event = events.snapshot().pop().unwrap();
    lines(&event, edition).iter().map(|line| (line.file, line.text())).collect()
}

#[track_caller]
fn assert_lines(event: E, file: LogFile, texts: &[&str]) {
    assert_edition(event, Edition::Y2019, file, texts);
}

#[track_caller]
fn assert_edition(event: E, edition: Edition, file: LogFile, texts: &[&str]) {
    let expected: Vec<_> = texts.iter().map(|text| (file, (*text).to_owned())).collect();
    assert_eq!(written(event, edition), expected);
}

fn time() -> Timestamp {
    "2026-06-25T08:29:35Z".parse().unwrap()
}

fn server() -> CcmHostName {
    SERVER.parse().unwrap()
}

fn sid() -> String {
    "S-1-5-18".to_owned()
}

#[test]
fn tokens_of_azure_ad() {
    let (client_app, resource) = (GUID.parse().unwrap(), "https://ConfigMgrService".to_owned());
    let endpoint = "https://login.microsoftonline.com/common/oauth2/token".to_owned();
    assert_lines(
        E::AadInfoRequested { cmg: "CMG.LAB.TEST".into() },
        LogFile::CcmSetup,
        &["Getting AAD info from CMG 'CMG.LAB.TEST'"],
    );
    let account = AadAccount::Device { endpoint };
    assert_lines(
        E::AadTokenRequested { log: Log::CcmSetup, client_app, resource: resource.clone(), account },
        LogFile::CcmSetup,
        &["Getting AAD (device) token with: ClientId = 22ed38d9-0000-4036-0000-a98452fda4fc, ResourceUrl = \
           https://ConfigMgrService, AccountId = https://login.microsoftonline.com/common/oauth2/token"],
    );
    let account = AadAccount::User { account: GUID.parse().unwrap() };
    assert_lines(
        E::AadTokenRequested { log: Log::AdalOperationProvider, client_app, resource, account },
        LogFile::AdalOperationProvider,
        &["Getting AAD (user) token with: ClientId = 22ed38d9-0000-4036-0000-a98452fda4fc, ResourceUrl = \
           https://ConfigMgrService, AccountId = 22ed38d9-0000-4036-0000-a98452fda4fc"],
    );
    let identity = AadIdentity::Device { device: GUID.parse().unwrap() };
    assert_lines(
        E::AadTokenRetrieved { log: Log::CcmSetup, identity },
        LogFile::CcmSetup,
        &["Retrieved AAD token for AAD device '22ed38d9-0000-4036-0000-a98452fda4fc'"],
    );
    let identity = AadIdentity::User { user: GUID.parse().unwrap() };
    assert_lines(
        E::AadTokenRetrieved { log: Log::AdalOperationProvider, identity },
        LogFile::AdalOperationProvider,
        &["Retrieved AAD token for AAD user '22ed38d9-0000-4036-0000-a98452fda4fc'"],
    );
}

#[test]
fn the_fall_from_device_to_user() {
    let details = "AAD WAM extension error".to_owned();
    assert_lines(
        E::AadTokenFailed { log: Log::CcmSetup, sid: sid(), details, hresult: 0xd009_0016 },
        LogFile::CcmSetup,
        &[
            "WAM token request failed. Status 5, Details 'AAD WAM extension error'",
            "Failed to get AAD token..",
            "Unknown error (Error: D0090016; Source: Unknown)",
            "Failed to get AAD token for 'S-1-5-18' from WAM API. Error 0xd0090016",
        ],
    );
    assert_lines(
        E::FallingBackToUser { log: Log::CcmSetup, sid: "S-1-5-21-1-2-3-1604".into() },
        LogFile::CcmSetup,
        &["Falling back to get user 'S-1-5-21-1-2-3-1604' token for system..."],
    );
    assert_lines(
        E::NoAccessToken { log: Log::CcmSetup },
        LogFile::CcmSetup,
        &["Failed to get CCM access token and client doesn't have PKI issued cert to use SSL. Error \
           0x80070002"],
    );
}

#[test]
fn each_edition_asks_the_sts_in_its_own_words() {
    let asked = |log, server| E::CcmTokenRequested { log, server, url: STS.to_owned() };
    let by_command_line = || asked(Log::CcmSetup, StsServer::CommandLine { name: server() });
    assert_lines(
        by_command_line(),
        LogFile::CcmSetup,
        &[
            "Getting CCM Token from STS server 'CMG.LAB.TEST/CCM_PROXY_MUTUALAUTH/72057594037938216'",
            "Getting CCM Token from https://CMG.LAB.TEST/CCM_PROXY_MUTUALAUTH/72057594037938216/CCM_STS",
        ],
    );
    let wire = "Getting CCM Token from https://CMG.LAB.TEST/CCM_PROXY_SERVERAUTH/72057594037938216/CCM_STS";
    assert_edition(by_command_line(), Edition::Draft2018, LogFile::CcmSetup, &[wire]);
    assert_lines(asked(Log::CcmMessaging, StsServer::Url), LogFile::CcmMessaging, &[wire]);
    let assigned = StsServer::ManagementPoint { host: "MP.LAB.TEST".into() };
    assert_lines(
        asked(Log::ClientIdManagerStartup, assigned),
        LogFile::ClientIdManagerStartup,
        &[
            "Getting CCM Token from STS server 'MP.LAB.TEST'",
            "Getting CCM Token from https://MP.LAB.TEST/CCM_STS",
        ],
    );
}

#[test]
fn the_life_of_a_ccm_token() {
    let cached = E::CcmTokenCached {
        log: Log::ClientIdManagerStartup,
        sid: sid(),
        expires: time(),
        client: CLIENT.parse().ok(),
    };
    assert_lines(
        cached,
        LogFile::ClientIdManagerStartup,
        &["Cached encrypted token for 'S-1-5-18'. Will expire at '06/25/2026 08:29:35'"],
    );
    assert_lines(
        E::CcmTokenAppended { log: Log::CcmSetup },
        LogFile::CcmSetup,
        &["Appending CCM Token to the header."],
    );
    assert_lines(
        E::CcmTokenExpiring { log: Log::CcmMessaging, sid: sid(), expires: time() },
        LogFile::CcmMessaging,
        &["CCM Token for 'S-1-5-18' (06/25/2026 08:29:35) is already expired or close to expire"],
    );
    assert_lines(
        E::CcmTokenFailed { log: Log::CcmMessaging, hresult: 0x87d0_027e },
        LogFile::CcmMessaging,
        &["RetrieveTokenFromStsServerImpl failed with error 0x87d0027e"],
    );
}

#[test]
fn a_request_names_its_options() {
    let connecting = |caller, log, checks_crl, ccm_token| E::Connecting {
        log,
        caller,
        host: "CMG.LAB.TEST".into(),
        path: "/p?q".into(),
        ccm_token,
        checks_crl,
    };
    assert_lines(
        connecting(HttpCaller::SmsCcm, Log::CcmSetup, true, false),
        LogFile::CcmSetup,
        &[
            "SMS CCM 5.0: Host=CMG.LAB.TEST, Path=/p?q, Port=443, Protocol=https, CcmTokenAuth=0, \
             Flags=0x1304, Options=0xe0",
            "Created connection on port 443",
            "Enabled SSL revocation check.",
        ],
    );
    assert_lines(
        connecting(HttpCaller::CcmSetup, Log::CcmSetup, false, true),
        LogFile::CcmSetup,
        &[
            "ccmsetup: Host=CMG.LAB.TEST, Path=/p?q, Port=443, Protocol=https, CcmTokenAuth=1, \
             Flags=0x4100, Options=0xc0",
            "Created connection on port 443",
        ],
    );
    assert_lines(
        connecting(HttpCaller::CcmHttp, Log::CcmMessaging, true, true),
        LogFile::CcmMessaging,
        &[
            "ccmhttp: Host=CMG.LAB.TEST, Path=/p?q, Port=443, Protocol=https, CcmTokenAuth=1, Flags=0x4200, \
             Options=0x1e0",
            "Target URL scheme is HTTPS: https://CMG.LAB.TEST/p?q",
        ],
    );
}

#[test]
fn failures_of_requests() {
    let (log, caller, url) = (Log::CcmSetup, HttpCaller::CcmSetup, STS.to_owned());
    let reason = "CMGService_Invalid_Token".to_owned();
    assert_lines(
        E::HttpRefused { log, caller, url: url.clone(), checks_crl: true, status: 401, reason },
        LogFile::CcmSetup,
        &[
            "[CCMHTTP] ERROR: URL=https://CMG.LAB.TEST/CCM_PROXY_SERVERAUTH/72057594037938216/CCM_STS, \
             Port=443, Options=224, Code=0, Text=CCM_E_BAD_HTTP_STATUS_CODE",
            "[CCMHTTP] ERROR INFO: StatusCode=401 StatusText=CMGService_Invalid_Token",
        ],
    );
    let (failure, cause) = (WinHttpFailure::CannotConnect, "refused".to_owned());
    assert_lines(
        E::HttpUnanswered { log, caller, url, checks_crl: false, failure, cause },
        LogFile::CcmSetup,
        &["[CCMHTTP] ERROR: URL=https://CMG.LAB.TEST/CCM_PROXY_SERVERAUTH/72057594037938216/CCM_STS, \
           Port=443, Options=192, Code=12029, Text=ERROR_WINHTTP_CANNOT_CONNECT"],
    );
}

#[test]
fn each_tls_failure_sets_its_own_flag() {
    let cases = [
        (TlsFailure::RevocationOffline, "0x1", "CERT_REV_FAILED"),
        (TlsFailure::Revoked, "0x4", "CERT_REVOKED"),
        (TlsFailure::UnknownIssuer, "0x8", "INVALID_CA"),
        (TlsFailure::WrongName, "0x10", "CERT_CN_INVALID"),
        (TlsFailure::Date, "0x20", "CERT_DATE_INVALID"),
        (TlsFailure::WrongUsage, "0x40", "CERT_WRONG_USAGE"),
        (TlsFailure::Other, "0x80000000", "SECURITY_CHANNEL_ERROR"),
    ];
    for (failure, bits, flag) in cases {
        let refused = E::TlsRefused {
            log: Log::CcmMessaging,
            caller: HttpCaller::CcmHttp,
            url: "https://CMG.LAB.TEST/x".into(),
            checks_crl: true,
            failure,
            cause: String::new(),
        };
        assert_lines(
            refused,
            LogFile::CcmMessaging,
            &[
                "[CCMHTTP] ERROR: URL=https://CMG.LAB.TEST/x, Port=443, Options=480, Code=12175, \
                 Text=ERROR_WINHTTP_SECURE_FAILURE",
                "[CCMHTTP] AsyncCallback(): WINHTTP_CALLBACK_STATUS_SECURE_FAILURE Encountered",
                "[CCMHTTP] : dwStatusInformationLength is 4",
                &format!("[CCMHTTP] : lpvStatusInformation is {bits}"),
                &format!("[CCMHTTP] : WINHTTP_CALLBACK_STATUS_FLAG_{flag} is set"),
            ],
        );
    }
}

#[test]
fn locations_and_messages() {
    let payload = "<SiteInformationRequest/>".to_owned();
    assert_lines(
        E::LocationRequested { log: Log::CcmSetup, server: server(), payload },
        LogFile::CcmSetup,
        &["Sending location request to 'CMG.LAB.TEST/CCM_PROXY_MUTUALAUTH/72057594037938216' with payload \
           '<SiteInformationRequest/>'"],
    );
    assert_lines(
        E::MessageReceived { log: Log::LocationServices, body: "<SiteInfoReply/>".into() },
        LogFile::LocationServices,
        &["Received message '<SiteInfoReply/>'"],
    );
    let (message, reply) = (GUID.parse().unwrap(), GUID.parse().ok());
    let endpoint = "MP_PolicyManager".to_owned();
    assert_lines(
        E::MessageSending { message, server: server(), endpoint, sid: sid() },
        LogFile::CcmMessaging,
        &["Sending remote sync message '{22ED38D9-0000-4036-0000-A98452FDA4FC}' to host \
           'CMG.LAB.TEST/CCM_PROXY_MUTUALAUTH/72057594037938216' endpoint 'MP_PolicyManager'. Flags 0x280, \
           sender account S-1-5-18"],
    );
    assert_lines(
        E::MessageAnswered { message, reply },
        LogFile::CcmMessaging,
        &["Message '{22ED38D9-0000-4036-0000-A98452FDA4FC}' got reply message \
           '{22ED38D9-0000-4036-0000-A98452FDA4FC}' to endpoint 'dummy'"],
    );
    assert_lines(E::MessageAnswered { message, reply: None }, LogFile::CcmMessaging, &[]);
    assert_lines(
        E::MessageFailed { url: "https://CMG.LAB.TEST/x".into(), hresult: 0x87d0_0231 },
        LogFile::CcmMessaging,
        &["Post to https://CMG.LAB.TEST/x failed with 0x87d00231."],
    );
    assert_lines(
        E::LocationRefreshFailed { server: server(), hresult: 0x87d0_0231 },
        LogFile::LocationServices,
        &["LSUpdateInternetManagementPoints: Failed to retrieve internet MPs from MP \
           <CMG.LAB.TEST/CCM_PROXY_MUTUALAUTH/72057594037938216> with error 0x87d00231, retaining previous \
           list."],
    );
    assert_lines(
        E::CrlCheckSet { on: true, by: CrlCheckBy::Site },
        LogFile::LocationServices,
        &["HTTPS is enforced for Client. The current state is 63."],
    );
    assert_lines(
        E::CrlCheckSet { on: false, by: CrlCheckBy::Site },
        LogFile::LocationServices,
        &["HTTPS is enforced for Client. The current state is 31."],
    );
    assert_lines(E::CrlCheckSet { on: false, by: CrlCheckBy::CommandLine }, LogFile::CcmSetup, &[]);
}

#[test]
fn the_end_of_an_installation() {
    const LOG: LogFile = LogFile::CcmSetup;
    assert_lines(
        E::InstallStarted { command_line: "ccmsetup.exe SMSSITECODE=LAB".into() },
        LOG,
        &["Ccmsetup command line: ccmsetup.exe SMSSITECODE=LAB"],
    );
    assert_lines(E::CommandLineRefused { cause: "x".into() }, LOG, &["Invalid command line: x"]);
    assert_lines(
        E::ContentLocationRequested { body: "<ContentLocationRequest/>".into() },
        LOG,
        &[
            "Searching for DP locations from MP(s)...",
            "CCMSETUP bootstrap from Internet: 1",
            "Sending message body '<ContentLocationRequest/>'",
        ],
    );
    assert_lines(E::ContentLocated { url: "https://x/y".into() }, LOG, &["The location 'https://x/y'"]);
    assert_lines(
        E::ContentHashMismatch { file: "client.msi".into(), expected: "AA".into(), actual: "BB".into() },
        LOG,
        &["Setup manifest hash validation failure: file 'client.msi', expected SHA256:AA, got SHA256:BB"],
    );
    let product_code = "{66653948-0000-4000-8000-000000000000}".to_owned();
    assert_lines(
        E::Installing { version: "5.00.9128.1000".into(), product_code },
        LOG,
        &["Installing version 5.00.9128.1000 of the client with product code \
           {66653948-0000-4000-8000-000000000000}"],
    );
    for code in [0, 6, 10] {
        assert_lines(
            E::InstallEnded { return_code: code },
            LOG,
            &[&format!("CcmSetup is exiting with return code {code}")],
        );
    }
}

#[test]
fn registration() {
    const LOG: LogFile = LogFile::ClientIdManagerStartup;
    let client = CLIENT.parse().unwrap();
    assert_lines(
        E::RegistrationSending { client },
        LOG,
        &["[RegTask] - Client is not registered. Sending registration request for \
           GUID:5DD100CD-DF1D-45F5-BA17-A327F43465F8 ..."],
    );
    assert_lines(E::RegistrationUsesAad, LOG, &["Registering client using AAD auth."]);
    assert_lines(
        E::Registered { client, approval: 3 },
        LOG,
        &["[RegTask] - Client is registered. Server assigned ClientID is \
           GUID:5DD100CD-DF1D-45F5-BA17-A327F43465F8. Approval status 3"],
    );
    assert_lines(
        E::RegistrationPending { client },
        LOG,
        &["[RegTask] - Client registration is pending. Server assigned ClientID is \
           GUID:5DD100CD-DF1D-45F5-BA17-A327F43465F8"],
    );
    assert_lines(E::RegistrationRejected { status: 3 }, LOG, &["[RegTask] - Server rejected registration 3"]);
    assert_lines(
        E::RegistrationRetry { status: 2 },
        LOG,
        &["[RegTask] - Server could not process registration 2"],
    );
    assert_lines(
        E::AlreadyRegistered { client },
        LOG,
        &["[RegTask] - Client is already registered. Exiting."],
    );
}
