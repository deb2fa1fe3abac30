//! What a scenario is: a lab with a cause in it, steps, and what is seen because of them.
//!
//! No scenario sets an outcome. It sets a cause (a CRL that is not published, a tenant that nobody
//! onboarded) and states what must and what must not be seen.

mod azure_ad;
mod expect;
mod request;
mod step;

use cmglab_lab::Topology;

pub use azure_ad::AzureAdChange;
pub use expect::{ClientState, Expect, InstallExpectation, LineExpectation, RequestExpectation, Station};
pub use request::{PresentedCertificate, RawRequest, TokenKind};
pub use step::{SiteOptions, Step, StepSpan, UserAccount};

/// One scenario.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// Its name: the path below `scenarios/` without extension.
    pub name: String,
    /// What happens, and why.
    pub about: String,
    /// The lab it runs in.
    pub lab: Topology,
    /// What is done, in order.
    pub steps: Vec<Step>,
    /// What is seen.
    pub expect: Expect,
}
