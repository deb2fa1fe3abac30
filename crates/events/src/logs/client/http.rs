//! The client's requests to the CMG and how they fail: `[CCMHTTP]` lines (configmgr §5.3, §5.6).

use super::{LogFile, Page, file};
use crate::kinds::{ClientEvent as E, HttpCaller, TlsFailure};

/// Requests and their failures.
pub(super) fn write(event: &E, page: &mut Page<'_>) {
    match event {
        E::Connecting { log, caller, host, path, ccm_token, checks_crl } => {
            let log = file(*log);
            let (name, flags) = (caller.name(), caller.flags());
            let (token, options) = (u8::from(*ccm_token), caller.options(*checks_crl));
            page.info(
                log,
                format!(
                    "{name}: Host={host}, Path={path}, Port=443, Protocol=https, CcmTokenAuth={token}, \
                     Flags={flags:#x}, Options={options:#x}"
                ),
            );
            if *caller == HttpCaller::CcmHttp {
                page.info(log, format!("Target URL scheme is HTTPS: https://{host}{path}"));
                return;
            }
            page.info(log, "Created connection on port 443");
            if *checks_crl {
                page.info(log, "Enabled SSL revocation check.");
            }
        }
        E::HttpRefused { log, caller, url, checks_crl, status, reason } => {
            let options = caller.options(*checks_crl);
            let text = format!(
                "[CCMHTTP] ERROR: URL={url}, Port=443, Options={options}, Code=0, \
                 Text=CCM_E_BAD_HTTP_STATUS_CODE"
            );
            page.error(file(*log), text);
            page.error(file(*log), format!("[CCMHTTP] ERROR INFO: StatusCode={status} StatusText={reason}"));
        }
        E::HttpUnanswered { log, caller, url, checks_crl, failure, .. } => {
            let (options, code, name) = (caller.options(*checks_crl), failure.code(), failure.name());
            let text =
                format!("[CCMHTTP] ERROR: URL={url}, Port=443, Options={options}, Code={code}, Text={name}");
            page.error(file(*log), text);
        }
        E::TlsRefused { log, caller, url, checks_crl, failure, .. } => {
            tls_refused(file(*log), url, caller.options(*checks_crl), *failure, page);
        }
        _ => {}
    }
}

fn tls_refused(log: LogFile, url: &str, options: u16, failure: TlsFailure, page: &mut Page<'_>) {
    let (bits, flag) = secure_failure(failure);
    page.error(
        log,
        format!(
            "[CCMHTTP] ERROR: URL={url}, Port=443, Options={options}, Code=12175, \
             Text=ERROR_WINHTTP_SECURE_FAILURE"
        ),
    );
    page.error(log, "[CCMHTTP] AsyncCallback(): WINHTTP_CALLBACK_STATUS_SECURE_FAILURE Encountered");
    page.error(log, "[CCMHTTP] : dwStatusInformationLength is 4");
    page.error(log, format!("[CCMHTTP] : lpvStatusInformation is {bits:#x}"));
    page.error(log, format!("[CCMHTTP] : WINHTTP_CALLBACK_STATUS_FLAG_{flag} is set"));
}

/// The bit of the failure DWORD and its name in `winhttp.h` (configmgr §4.3).
fn secure_failure(failure: TlsFailure) -> (u32, &'static str) {
    match failure {
        TlsFailure::RevocationOffline => (0x1, "CERT_REV_FAILED"),
        TlsFailure::Revoked => (0x4, "CERT_REVOKED"),
        TlsFailure::UnknownIssuer => (0x8, "INVALID_CA"),
        TlsFailure::WrongName => (0x10, "CERT_CN_INVALID"),
        TlsFailure::Date => (0x20, "CERT_DATE_INVALID"),
        TlsFailure::WrongUsage => (0x40, "CERT_WRONG_USAGE"),
        TlsFailure::Other => (0x8000_0000, "SECURITY_CHANNEL_ERROR"),
    }
}

impl HttpCaller {
    fn name(self) -> &'static str {
        match self {
            Self::CcmHttp => "ccmhttp",
            Self::CcmSetup => "ccmsetup",
            Self::SmsCcm => "SMS CCM 5.0",
        }
    }

    /// The observed constants; their bits are not public.
    fn flags(self) -> u16 {
        match self {
            Self::CcmHttp => 0x4200,
            Self::CcmSetup => 0x4100,
            Self::SmsCcm => 0x1304,
        }
    }

    /// The observed constants; bit 0x20 is the check of revocation (configmgr §4.3).
    fn options(self, checks_crl: bool) -> u16 {
        let base = if self == Self::CcmHttp { 0x1c0 } else { 0xc0 };
        if checks_crl { base | 0x20 } else { base }
    }
}
