//! ccmsetup: from a command line to an installed client, one small step after another (configmgr §2.1).

mod steps;

use cmglab_events::kinds::{ClientEvent, CrlCheckBy};
use cmglab_proto::manifest::ManifestError;

use crate::command_line::redacted;
use crate::{Client, ClientError, CommandLine};

use steps::Setup;

/// How an installation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct InstallOutcome {
    /// What ccmsetup returned.
    pub return_code: ReturnCode,
    /// The step that it ended in.
    pub reached: Step,
    /// Why it ended there; `None` after a success.
    pub failure: Option<ClientError>,
}

/// What ccmsetup returns (configmgr §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReturnCode {
    /// 0.
    Success,
    /// 6: any failure that has no code of its own.
    Failure,
    /// 10: a file's hash is not the one that was announced.
    HashMismatch,
}

/// The steps of an installation, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Reading the command line.
    CommandLine,
    /// Asking the CMG for the tenant's apps, where the command line does not name them.
    AadInfo,
    /// Asking Azure AD for a token of the device, else of the user.
    AadToken,
    /// Asking CCM_STS for a CCM token.
    CcmToken,
    /// Asking the management point about the site.
    SiteInformation,
    /// Asking the management point where the client's files are.
    ContentLocation,
    /// Fetching the cabinet.
    Download,
    /// Comparing the files with their hashes.
    Verification,
    /// Putting the files in their folder.
    Unpacking,
    /// Done.
    Installed,
}

impl ReturnCode {
    /// The number.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failure => 6,
            Self::HashMismatch => 10,
        }
    }

    fn of(error: &ClientError) -> Self {
        match error {
            ClientError::ContentHash { .. }
            | ClientError::Manifest(ManifestError::Missing { .. } | ManifestError::Unlisted { .. }) => {
                Self::HashMismatch
            }
            _ => Self::Failure,
        }
    }
}

impl Client {
    /// Runs ccmsetup with a command line as it is typed. Nothing that is downloaded is executed.
    pub async fn install(&mut self, command_line: &str) -> InstallOutcome {
        self.say(ClientEvent::InstallStarted { command_line: redacted(command_line) });
        let outcome = match CommandLine::parse(command_line) {
            Ok(line) => self.run(line).await,
            Err(error) => {
                self.say(ClientEvent::CommandLineRefused { cause: error.to_string() });
                ended(Step::CommandLine, error.into())
            }
        };
        self.say(ClientEvent::InstallEnded { return_code: outcome.return_code.code() });
        outcome
    }

    async fn run(&mut self, line: CommandLine) -> InstallOutcome {
        // Only for ccmsetup itself: the agent takes the site's setting at its next location refresh.
        let on = !line.no_crl_check;
        self.transport.deps.store.check_crl(on);
        self.say(ClientEvent::CrlCheckSet { on, by: CrlCheckBy::CommandLine });
        let mut setup = Setup::new(self, line);
        match setup.run().await {
            Ok(()) => {
                InstallOutcome { return_code: ReturnCode::Success, reached: Step::Installed, failure: None }
            }
            Err(error) => ended(setup.reached, error),
        }
    }

    pub(crate) fn say(&self, event: ClientEvent) {
        self.transport.deps.events.emit(event);
    }
}

fn ended(reached: Step, failure: ClientError) -> InstallOutcome {
    InstallOutcome { return_code: ReturnCode::of(&failure), reached, failure: Some(failure) }
}
