//! What a gateway is told.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The settings of one gateway instance that are not the site's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CmgConfig {
    /// The service name that clients use, as logs print it.
    pub host: String,
    /// Which instance of the service this is, counted from 1.
    #[serde(default = "one")]
    pub instance: u8,
    /// How many instances the service has: 1 to 16 (configmgr §1.3).
    #[serde(default = "one")]
    pub instances: u8,
    /// How much it takes on.
    #[serde(default)]
    pub limits: Limits,
}

impl CmgConfig {
    /// The only instance of the service `host`, with the limits of the usual size.
    #[must_use]
    pub fn new(host: impl Into<String>) -> Self {
        Self { host: host.into(), instance: one(), instances: one(), limits: Limits::default() }
    }
}

/// How much one instance takes on, and how long it waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Requests under way at one time; one more is answered 503 with `Retry-After`. The number is documented as
    /// the supported one of a size, above which the product gets slower (configmgr §1.3); that the lab
    /// refuses is its own choice.
    pub most_requests: usize,
    /// How long a request may stand still, with no byte of it or of its answer moving.
    pub patience: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { most_requests: VmSize::default().most_requests(), patience: Duration::from_secs(60) }
    }
}

/// The documented sizes of an instance's virtual machine (configmgr §1.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VmSize {
    /// Lab (B2s).
    LabB2s,
    /// Standard (A2_v2).
    #[default]
    StandardA2V2,
    /// Large (A4_v2).
    LargeA4V2,
}

impl VmSize {
    /// The documented number of simultaneous clients of one instance.
    #[must_use]
    pub fn most_requests(self) -> usize {
        match self {
            Self::LabB2s => 10,
            Self::StandardA2V2 => 6_000,
            Self::LargeA4V2 => 10_000,
        }
    }
}

fn one() -> u8 {
    1
}
