//! The map from event to log line: every ConfigMgr log of the lab is drawn from here.
//!
//! [`lines`] is a pure function of one event, so a test can drop an event and see its line disappear.

mod client;
mod cmg;
mod connection_point;
mod iis;
mod management_point;

use std::sync::Arc;

use cmglab_cmlog::{Bias, Severity, cmtrace, simple, w3c};
use cmglab_proto::editions::Edition;
use jiff::Timestamp;

use crate::kinds::NetEvent;
use crate::{Event, Kind, Role};

/// A log file of the product, by its real name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum LogFile {
    /// Token requests of the agent (CMTrace form).
    AdalOperationProvider,
    /// Messages of the agent (CMTrace form).
    CcmMessaging,
    /// Client installation (CMTrace form).
    CcmSetup,
    /// Security token service (CMTrace form; that form is the lab's choice).
    CcmSts,
    /// Registration of the agent (CMTrace form).
    ClientIdManagerStartup,
    /// Service connection point: the gateway's virtual machines (simple form).
    CloudMgr,
    /// Gateway: links to content (simple form; its lines are the lab's).
    CmgContentService,
    /// Gateway: which channel took which message (simple form; its lines are the lab's).
    CmgHttpHandler,
    /// Gateway (simple form).
    CmgService,
    /// Web server of a role (W3C form).
    Iis,
    /// Location and security settings of the agent (CMTrace form).
    LocationServices,
    /// Whether the management point is available (simple form).
    MpControl,
    /// Registration at the management point (CMTrace form).
    MpRegistrationManager,
    /// Connection point (simple form).
    ProxyConnector,
}

/// One line of one machine's log.
#[derive(Debug, Clone, PartialEq)]
pub struct LogLine {
    /// The machine, which is the folder.
    pub machine: Arc<str>,
    /// The file.
    pub file: LogFile,
    /// When, in the machine's protocol time.
    pub at: Timestamp,
    /// The event that caused it.
    pub event: u64,
    body: Body,
}

#[derive(Debug, Clone, PartialEq)]
enum Body {
    Text(Severity, String),
    Record(Box<w3c::Record>),
}

/// The lines that one event causes, in the spelling of `edition`.
#[must_use]
pub fn lines(event: &Event, edition: Edition) -> Vec<LogLine> {
    let mut page = Page { event, edition, lines: Vec::new() };
    match &event.kind {
        Kind::Client(client) => client::write(client, &mut page),
        Kind::Cmg(cmg) => cmg::write(cmg, &mut page),
        Kind::ConnectionPoint(connector) => connection_point::write(connector, &mut page),
        Kind::ManagementPoint(mp) => management_point::write(mp, &mut page),
        Kind::Net(NetEvent::MalformedRequest { peer, cause }) if event.role == Role::Cmg => {
            cmg::malformed(peer, cause, &mut page);
        }
        Kind::Net(net) => iis::write(net, &mut page),
        Kind::Aad(_) | Kind::Lab(_) => {}
    }
    page.lines
}

/// What a map writes on: the event at hand, and the lines so far.
struct Page<'a> {
    event: &'a Event,
    edition: Edition,
    lines: Vec<LogLine>,
}

impl Page<'_> {
    fn info(&mut self, file: LogFile, text: impl Into<String>) {
        self.push(file, Body::Text(Severity::Info, text.into()));
    }

    fn warning(&mut self, file: LogFile, text: impl Into<String>) {
        self.push(file, Body::Text(Severity::Warning, text.into()));
    }

    fn error(&mut self, file: LogFile, text: impl Into<String>) {
        self.push(file, Body::Text(Severity::Error, text.into()));
    }

    fn push(&mut self, file: LogFile, body: Body) {
        let Event { machine, at, seq, .. } = self.event;
        self.lines.push(LogLine { machine: Arc::clone(machine), file, at: *at, event: *seq, body });
    }
}

impl LogLine {
    /// The text of the line without its stamp; for IIS, the whole record.
    #[must_use]
    pub fn text(&self) -> String {
        match &self.body {
            Body::Text(_, text) => text.clone(),
            Body::Record(record) => record.line(&iis::FIELDS),
        }
    }

    /// The line as it stands in the file, without the line end.
    #[must_use]
    pub fn physical(&self) -> String {
        let (severity, text) = match &self.body {
            Body::Text(severity, text) => (*severity, text.clone()),
            Body::Record(record) => return record.line(&iis::FIELDS),
        };
        let component = self.file.component().to_owned();
        let (at, bias, thread) = (self.at, Bias::UTC, self.file.thread());
        match self.file {
            LogFile::CloudMgr
            | LogFile::CmgContentService
            | LogFile::CmgHttpHandler
            | LogFile::CmgService
            | LogFile::MpControl
            | LogFile::ProxyConnector => simple::Line { text, component, at, bias, thread }.to_string(),
            _ => {
                let source = self.file.source().to_owned();
                cmtrace::Line { text, at, bias, component, context: String::new(), severity, thread, source }
                    .to_string()
            }
        }
    }
}

impl LogFile {
    /// The name on disk.
    #[must_use]
    pub fn file_name(self) -> &'static str {
        match self {
            Self::AdalOperationProvider => "ADALOperationProvider.log",
            Self::CcmMessaging => "CcmMessaging.log",
            Self::CcmSetup => "ccmsetup.log",
            Self::CcmSts => "CCM_STS.log",
            Self::ClientIdManagerStartup => "ClientIDManagerStartup.log",
            Self::CloudMgr => "CloudMgr.log",
            Self::CmgContentService => "CMGContentService.log",
            Self::CmgHttpHandler => "CMGHttpHandler.log",
            Self::CmgService => "CMGService.log",
            Self::Iis => "IIS.log",
            Self::LocationServices => "LocationServices.log",
            Self::MpControl => "mpcontrol.log",
            Self::MpRegistrationManager => "MP_RegistrationManager.log",
            Self::ProxyConnector => "SMS_CLOUD_PROXYCONNECTOR.log",
        }
    }

    /// The file of that name on disk.
    #[must_use]
    pub fn from_file_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|file| file.file_name() == name)
    }

    /// The lines that open a new file of this kind.
    #[must_use]
    pub fn preamble(self, at: Timestamp) -> Vec<String> {
        if self == Self::Iis { iis::header(at) } else { Vec::new() }
    }

    /// Every file there is.
    pub const ALL: [Self; 14] = [
        Self::AdalOperationProvider,
        Self::CcmMessaging,
        Self::CcmSetup,
        Self::CcmSts,
        Self::ClientIdManagerStartup,
        Self::CloudMgr,
        Self::CmgContentService,
        Self::CmgHttpHandler,
        Self::CmgService,
        Self::Iis,
        Self::LocationServices,
        Self::MpControl,
        Self::MpRegistrationManager,
        Self::ProxyConnector,
    ];

    fn component(self) -> &'static str {
        if self == Self::CloudMgr {
            return "SMS_CLOUD_SERVICES_MANAGER";
        }
        if self == Self::MpControl {
            return "SMS_MP_CONTROL_MANAGER";
        }
        let name = self.file_name();
        name.strip_suffix(".log").unwrap_or(name)
    }

    /// One thread for each component; the product's numbers carry no meaning that could be kept.
    fn thread(self) -> u32 {
        match self {
            Self::CmgService => 4992,
            Self::ProxyConnector => 5184,
            other => 2048 + 4 * other as u32,
        }
    }

    /// The `file=` attribute. Only `CcmCert.cpp`, `Token.cpp` and `CcmToken.cpp` are public names, so the
    /// lab writes the component's own (Fidelity: lab).
    fn source(self) -> &'static str {
        match self {
            Self::AdalOperationProvider => "adaloperationprovider:1",
            Self::CcmMessaging => "ccmmessaging:1",
            Self::CcmSetup => "ccmsetup:1",
            Self::CcmSts => "ccm_sts:1",
            Self::ClientIdManagerStartup => "clientidmanagerstartup:1",
            Self::LocationServices => "locationservices:1",
            Self::MpRegistrationManager => "mp_registrationmanager:1",
            Self::CloudMgr
            | Self::CmgContentService
            | Self::CmgHttpHandler
            | Self::CmgService
            | Self::Iis
            | Self::MpControl
            | Self::ProxyConnector => "",
        }
    }
}
