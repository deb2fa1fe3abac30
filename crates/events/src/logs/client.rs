//! ccmsetup.log and the agent's logs (configmgr §5.3 to §5.6). Fidelity: documented, but for the lines
//! that say `lab` beside them, and for the quotes that close two lines which are cut short in print.

mod http;

use cmglab_proto::editions::Edition;
use cmglab_proto::sts;
use jiff::Timestamp;

use super::{LogFile, Page};
use crate::kinds::{AadAccount, AadIdentity, ClientEvent as E, ClientLog, CrlCheckBy, StsServer};

pub(super) fn write(event: &E, page: &mut Page<'_>) {
    match event {
        E::AadInfoRequested { .. }
        | E::AadTokenFailed { .. }
        | E::AadTokenRequested { .. }
        | E::AadTokenRetrieved { .. }
        | E::FallingBackToUser { .. } => aad(event, page),
        E::CcmTokenAppended { .. }
        | E::CcmTokenCached { .. }
        | E::CcmTokenExpiring { .. }
        | E::CcmTokenFailed { .. }
        | E::CcmTokenRequested { .. }
        | E::NoAccessToken { .. } => ccm_token(event, page),
        E::Connecting { .. } | E::HttpRefused { .. } | E::HttpUnanswered { .. } | E::TlsRefused { .. } => {
            http::write(event, page);
        }
        E::CommandLineRefused { .. }
        | E::ContentHashMismatch { .. }
        | E::ContentLocated { .. }
        | E::ContentLocationRequested { .. }
        | E::InstallEnded { .. }
        | E::InstallStarted { .. }
        | E::Installing { .. } => install(event, page),
        E::AlreadyRegistered { .. }
        | E::Registered { .. }
        | E::RegistrationPending { .. }
        | E::RegistrationRejected { .. }
        | E::RegistrationRetry { .. }
        | E::RegistrationSending { .. }
        | E::RegistrationUsesAad => registration(event, page),
        E::CrlCheckSet { .. }
        | E::LocationRefreshFailed { .. }
        | E::LocationRequested { .. }
        | E::MessageAnswered { .. }
        | E::MessageFailed { .. }
        | E::MessageReceived { .. }
        | E::MessageSending { .. } => messaging(event, page),
        // No log of the product speaks of these.
        E::AadInfoReceived { .. }
        | E::CachedTokenUnreadable { .. }
        | E::JoinFailed { .. }
        | E::Joined { .. }
        | E::RootTrusted { .. }
        | E::RootUnavailable { .. }
        | E::WpjCertificateMissing { .. } => {}
    }
}

/// Tokens of Azure AD.
fn aad(event: &E, page: &mut Page<'_>) {
    match event {
        E::AadInfoRequested { cmg } => {
            page.info(LogFile::CcmSetup, format!("Getting AAD info from CMG '{cmg}'"));
        }
        E::AadTokenRequested { log, client_app, resource, account } => {
            let (kind, account) = match account {
                AadAccount::Device { endpoint } => ("device", endpoint.clone()),
                AadAccount::User { account } => ("user", account.to_string()),
            };
            page.info(
                file(*log),
                format!(
                    "Getting AAD ({kind}) token with: ClientId = {client_app}, ResourceUrl = {resource}, \
                     AccountId = {account}"
                ),
            );
        }
        E::AadTokenRetrieved { log, identity } => {
            let whose = match identity {
                AadIdentity::Device { device } => format!("device '{device}'"),
                AadIdentity::User { user } => format!("user '{user}'"),
            };
            page.info(file(*log), format!("Retrieved AAD token for AAD {whose}"));
        }
        E::AadTokenFailed { log, sid, details, hresult } => {
            let log = file(*log);
            page.error(log, format!("WAM token request failed. Status 5, Details '{details}'"));
            page.error(log, "Failed to get AAD token..");
            page.error(log, format!("Unknown error (Error: {hresult:08X}; Source: Unknown)"));
            page.error(
                log,
                format!("Failed to get AAD token for '{sid}' from WAM API. Error {hresult:#010x}"),
            );
        }
        E::FallingBackToUser { log, sid } => {
            page.warning(file(*log), format!("Falling back to get user '{sid}' token for system..."));
        }
        _ => {}
    }
}

/// Tokens of the site.
fn ccm_token(event: &E, page: &mut Page<'_>) {
    match event {
        E::CcmTokenRequested { log, server, url } => token_request(file(*log), server, url, page),
        E::CcmTokenCached { log, sid, expires, .. } => {
            page.info(
                file(*log),
                format!("Cached encrypted token for '{sid}'. Will expire at '{}'", date(*expires)),
            );
        }
        E::CcmTokenAppended { log } => page.info(file(*log), "Appending CCM Token to the header."),
        E::CcmTokenExpiring { log, sid, expires } => {
            let expires = date(*expires);
            page.info(
                file(*log),
                format!("CCM Token for '{sid}' ({expires}) is already expired or close to expire"),
            );
        }
        E::CcmTokenFailed { log, hresult } => {
            page.error(
                file(*log),
                format!("RetrieveTokenFromStsServerImpl failed with error {hresult:#010x}"),
            );
        }
        E::NoAccessToken { log } => {
            page.error(
                file(*log),
                "Failed to get CCM access token and client doesn't have PKI issued cert to use SSL. Error \
                 0x80070002",
            );
        }
        _ => {}
    }
}

/// The two editions of the transcript differ here: that of 2019 prints the command line's spelling and
/// names the server first, the draft of 2018 prints what goes over the wire.
fn token_request(log: LogFile, server: &StsServer, url: &str, page: &mut Page<'_>) {
    let (named, url) = match (server, page.edition) {
        (StsServer::CommandLine { name }, Edition::Y2019) => {
            (Some(page.edition.sts_server(name)), page.edition.sts_url(name))
        }
        (StsServer::CommandLine { .. } | StsServer::Url, _) => (None, url.to_owned()),
        (StsServer::ManagementPoint { host }, _) => {
            (Some(host.clone()), format!("https://{host}{}", sts::PATH))
        }
    };
    if let Some(server) = named {
        page.info(log, format!("Getting CCM Token from STS server '{server}'"));
    }
    page.info(log, format!("Getting CCM Token from {url}"));
}

/// What ccmsetup does besides.
fn install(event: &E, page: &mut Page<'_>) {
    const LOG: LogFile = LogFile::CcmSetup;
    match event {
        E::InstallStarted { command_line } => {
            // Lab: no public transcript begins here.
            page.info(LOG, format!("Ccmsetup command line: {command_line}"));
        }
        // Lab: the product's words for a bad command line are not public.
        E::CommandLineRefused { cause } => page.error(LOG, format!("Invalid command line: {cause}")),
        E::ContentLocationRequested { body } => {
            page.info(LOG, "Searching for DP locations from MP(s)...");
            page.info(LOG, "CCMSETUP bootstrap from Internet: 1");
            page.info(LOG, format!("Sending message body '{body}'"));
        }
        E::ContentLocated { url } => page.info(LOG, format!("The location '{url}'")),
        E::ContentHashMismatch { file, expected, actual } => {
            // Return code 10 is documented by these first words; the rest is lab.
            page.error(
                LOG,
                format!(
                    "Setup manifest hash validation failure: file '{file}', expected SHA256:{expected}, got \
                     SHA256:{actual}"
                ),
            );
        }
        E::Installing { version, product_code } => {
            page.info(
                LOG,
                format!("Installing version {version} of the client with product code {product_code}"),
            );
        }
        E::InstallEnded { return_code } => {
            let text = format!("CcmSetup is exiting with return code {return_code}");
            if *return_code == 0 { page.info(LOG, text) } else { page.error(LOG, text) }
        }
        _ => {}
    }
}

fn registration(event: &E, page: &mut Page<'_>) {
    const LOG: LogFile = LogFile::ClientIdManagerStartup;
    match event {
        E::RegistrationSending { client } => {
            page.info(
                LOG,
                format!(
                    "[RegTask] - Client is not registered. Sending registration request for {client} ..."
                ),
            );
        }
        E::RegistrationUsesAad => page.info(LOG, "Registering client using AAD auth."),
        E::Registered { client, approval } => {
            page.info(
                LOG,
                format!(
                    "[RegTask] - Client is registered. Server assigned ClientID is {client}. Approval \
                     status {approval}"
                ),
            );
        }
        E::RegistrationPending { client } => {
            page.warning(
                LOG,
                format!("[RegTask] - Client registration is pending. Server assigned ClientID is {client}"),
            );
        }
        E::RegistrationRejected { status } => {
            page.error(LOG, format!("[RegTask] - Server rejected registration {status}"));
        }
        // Lab: what the product prints for status 2 is not public.
        E::RegistrationRetry { status } => {
            page.warning(LOG, format!("[RegTask] - Server could not process registration {status}"));
        }
        E::AlreadyRegistered { .. } => page.info(LOG, "[RegTask] - Client is already registered. Exiting."),
        _ => {}
    }
}

/// Location requests and the agent's messages.
fn messaging(event: &E, page: &mut Page<'_>) {
    const LOG: LogFile = LogFile::CcmMessaging;
    match event {
        E::LocationRequested { log, server, payload } => {
            page.info(file(*log), format!("Sending location request to '{server}' with payload '{payload}'"));
        }
        E::MessageReceived { log, body } => page.info(file(*log), format!("Received message '{body}'")),
        E::CrlCheckSet { on, by: CrlCheckBy::Site } => {
            // Lab: the settings' own words are not public; 31 and 63 are the observed states without
            // and with the check (configmgr §4.3).
            let state = if *on { 63 } else { 31 };
            page.info(
                LogFile::LocationServices,
                format!("HTTPS is enforced for Client. The current state is {state}."),
            );
        }
        E::LocationRefreshFailed { server, hresult } => {
            page.error(
                LogFile::LocationServices,
                format!(
                    "LSUpdateInternetManagementPoints: Failed to retrieve internet MPs from MP <{server}> \
                     with error {hresult:#010x}, retaining previous list."
                ),
            );
        }
        E::MessageSending { message, server, endpoint, sid } => {
            page.info(
                LOG,
                format!(
                    "Sending remote sync message '{}' to host '{server}' endpoint '{endpoint}'. Flags \
                     0x280, sender account {sid}",
                    message.braced()
                ),
            );
        }
        E::MessageAnswered { message, reply: Some(reply) } => {
            let (message, reply) = (message.braced(), reply.braced());
            page.info(LOG, format!("Message '{message}' got reply message '{reply}' to endpoint 'dummy'"));
        }
        E::MessageFailed { url, hresult } => {
            page.error(LOG, format!("Post to {url} failed with {hresult:#010x}."));
        }
        _ => {}
    }
}

fn file(log: ClientLog) -> LogFile {
    match log {
        ClientLog::AdalOperationProvider => LogFile::AdalOperationProvider,
        ClientLog::CcmMessaging => LogFile::CcmMessaging,
        ClientLog::CcmSetup => LogFile::CcmSetup,
        ClientLog::ClientIdManagerStartup => LogFile::ClientIdManagerStartup,
        ClientLog::LocationServices => LogFile::LocationServices,
    }
}

/// Without a zone, as the product prints it; the lab's machines live in UTC.
fn date(at: Timestamp) -> String {
    at.strftime("%m/%d/%Y %H:%M:%S").to_string()
}

#[cfg(test)]
mod tests;
