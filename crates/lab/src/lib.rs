//! A topology becomes a running lab: every role over real TLS, in one process.
//!
//! ```no_run
//! # async fn example() -> Result<(), cmglab_lab::LabError> {
//! let lab = cmglab_lab::Lab::start(cmglab_lab::Topology::default(), Default::default()).await?;
//! println!("{}", lab.curl_line("trust.pem"));
//! lab.shutdown().await;
//! # Ok(())
//! # }
//! ```

mod analyze;
mod attach;
mod connection_points;
mod content;
mod device;
mod directory;
mod error;
mod evidence;
mod gateway;
mod hops;
mod made_certificates;
mod ready;
mod roles;
mod running;
mod surroundings;
pub mod topology;

pub use analyze::{
    Analysis, AnalyzeRequest, AnalyzedManagementPoint, AnalyzedStep, SignIn, StepVerdict, UserSignIn, analyze,
};
pub use attach::{attach, console};
pub use connection_points::LabConnectionPoint;
pub use error::LabError;
pub use evidence::{Evidence, EvidenceError};
pub use hops::{Hop, HostRoles, hops};
pub use ready::{NamedSocket, ReadyFile};
pub use running::{Lab, LabOptions};
pub use surroundings::Binding;
pub use topology::Topology;

/// The mark on everything a lab hands out.
pub const NOT_FOR_PRODUCTION: &str =
    "cmglab: a lab on loopback with its own keys and passwords, not for production";
