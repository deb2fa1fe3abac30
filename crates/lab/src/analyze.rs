//! The console's connection analyzer for a cloud management gateway, against a lab that runs.
//!
//! Fidelity: documented for signing in as an Azure AD user or with a client certificate, for what is tested
//! and in which order (the service's state, then the channel through a connection point to each management
//! point that allows CMG traffic), for the step `Testing the CMG channel for management point` and its
//! failing text (configmgr §6, §7 row 22). The other names and texts, and the last step, are the lab's.
//!
//! Nothing is read from inside the lab: every verdict is of requests over TLS, as any machine could send them.

mod advice;
mod channel;
mod configuration;
mod management_point;
mod probe;
mod report;
mod service;
mod sign_in;

use cmglab_net::Deps;
use cmglab_proto::ids::{RoleId, SiteCode};
use serde::Serialize;

use crate::Topology;
use probe::Probe;
use report::Report;
use sign_in::Proof;

pub use sign_in::{SignIn, UserSignIn};

/// What to analyze, and as whom.
#[derive(Debug, Clone)]
pub struct AnalyzeRequest {
    /// Service name of the gateway.
    pub service: String,
    /// The management points that allow CMG traffic.
    pub management_points: Vec<AnalyzedManagementPoint>,
    /// The site that they belong to.
    pub site_code: SiteCode,
    /// Who asks.
    pub sign_in: SignIn,
}

/// A management point that allows CMG traffic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnalyzedManagementPoint {
    /// Host name.
    pub host: String,
    /// MP role id.
    pub role: RoleId,
}

/// What an analysis found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Analysis {
    /// The steps, in their order.
    pub steps: Vec<AnalyzedStep>,
}

/// One step of an analysis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AnalyzedStep {
    /// What was tested.
    pub name: String,
    /// How it ended.
    pub verdict: StepVerdict,
    /// What was found, or why the step was skipped.
    pub description: String,
    /// What an administrator can do about a failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepVerdict {
    /// All is well.
    Passed,
    /// Something is wrong.
    Failed,
    /// Not tested, since a step that it needs has not passed.
    Skipped,
}

impl AnalyzeRequest {
    /// The gateway and the management point of `topology`, analyzed as whoever `sign_in` says.
    #[must_use]
    pub fn of(topology: &Topology, sign_in: SignIn) -> Self {
        let (host, role) = (topology.management_point.host.clone(), topology.management_point.role_id);
        Self {
            service: topology.cmg.host.clone(),
            management_points: vec![AnalyzedManagementPoint { host, role }],
            site_code: topology.site.code,
            sign_in,
        }
    }
}

impl Analysis {
    /// Whether every step passed.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.steps.iter().all(|step| step.verdict == StepVerdict::Passed)
    }
}

/// Carries out an analysis from the machine of `deps`. Its store decides which servers are trusted, and
/// presents the client certificate of the request from now on, or none.
pub async fn analyze(request: &AnalyzeRequest, deps: &Deps) -> Analysis {
    deps.store.present(request.sign_in.certificate());
    let probe = Probe::new(request, deps);
    let mut report = Report::default();
    let proof = match &request.sign_in {
        SignIn::Certificate(_) => Some(Proof::Certificate),
        SignIn::User(user) => report.tested(user.step(), sign_in::test(&probe, user).await),
    };
    let state = format!("Testing the state of the CMG service '{}'", request.service);
    let answers = report.tested(state, service::test(&probe).await).is_some();
    let configuration = format!("Testing the configuration of the CMG service '{}'", request.service);
    if answers {
        report.tested(configuration, configuration::test(&probe).await);
    } else {
        report.skipped::<()>(configuration, NO_SERVICE);
    }
    for point in &request.management_points {
        let channel = format!("Testing the CMG channel for management point '{}'", point.host);
        let access = match (&proof, answers) {
            (Some(proof), true) => report.tested(channel, channel::test(&probe, point, proof).await),
            (_, true) => report.skipped(channel, NO_SIGN_IN),
            (_, false) => report.skipped(channel, NO_SERVICE),
        };
        let whole = format!("Testing the answers of management point '{}'", point.host);
        match access {
            Some(access) => report.tested(whole, management_point::test(&probe, point, &access).await),
            None => report.skipped(whole, NO_CHANNEL),
        };
    }
    report.into()
}

const NO_SERVICE: &str = "The CMG service has not passed its test.";
const NO_SIGN_IN: &str = "There is no Azure AD token to test it with.";
const NO_CHANNEL: &str = "The CMG channel has not passed its test.";
