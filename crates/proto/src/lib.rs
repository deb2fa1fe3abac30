//! Wire types of the chain: client, Azure AD, CMG, connection point and management point.
//!
//! Layer 0: everything here is pure. No sockets, no files, no clock, no randomness. Every decoder has
//! limits and typed errors and never panics. A format that Microsoft has not published lives in one
//! module, headed with its fidelity: `lab` (ours), `observed` (seen in public tools or logs) or
//! `documented`.

pub mod aadauthinfo;
pub mod cab;
pub mod ccm;
pub mod claims;
pub mod content_link;
pub mod editions;
pub mod ids;
pub mod manifest;
pub mod mapping;
pub mod refusal;
pub mod settings;
pub mod sts;
pub mod transport;
pub mod url;
pub mod wpj;
