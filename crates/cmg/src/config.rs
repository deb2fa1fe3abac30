//! Who this instance is.

use serde::{Deserialize, Serialize};

/// The settings of one gateway instance that are not the site's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CmgConfig {
    /// The service name that clients use, as logs print it.
    pub host: String,
}
