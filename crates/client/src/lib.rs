//! A client of the lab: ccmsetup on a device of Azure AD, and the agent that it installs.
//!
//! ```text
//! join      enterpriseregistration.windows.net   workplace join certificate
//! install   CMG: AADAuthInfo → Azure AD: token of device or user → CMG: CCM_STS, location, ccmsetup.cab
//! register  Azure AD: token → CMG: MP_ClientRegistration, CCM_STS
//! live      CMG: location refresh, messages, a new CCM token every eight hours
//! ```
//!
//! Every step is really done: requests are signed with the device's key, servers are judged by the
//! machine's certificate store, hashes are compared, tokens are sealed at rest. What happens is told as
//! [`ClientEvent`](cmglab_events::kinds::ClientEvent)s, from which ccmsetup.log and the agent's logs are
//! drawn. Nothing that is downloaded is executed.
//!
//! Not built: certificates of a PKI, bulk registration tokens, installation from a folder or from the
//! intranet, retries. A command line that asks for one of them is refused by name.

mod aad;
mod agent;
mod assignment;
mod client;
mod cmg;
mod command_line;
mod config;
mod error;
mod folder;
mod install;
mod join;
mod location;
mod machine;
mod messaging;
mod package;
mod sid;
mod sts;
mod token_cache;
mod transport;

pub use aad::AadRefusal;
pub use agent::{Message, Registration};
pub use assignment::{Assignment, RegistrationState};
pub use client::Client;
pub use command_line::{CommandLine, CommandLineError};
pub use config::{AutomaticRoots, ClientConfig};
pub use error::ClientError;
pub use install::{InstallOutcome, ReturnCode, Step};
pub use machine::{Machine, UserSession, Wpj};
pub use sid::Sid;
pub use token_cache::{CacheFault, CcmToken, TokenCache};

#[cfg(test)]
mod tests;
