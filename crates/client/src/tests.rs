//! The whole client against stand-ins for Azure AD, the CMG with what is behind it, and the CRL host.

mod agent;
mod fake;
mod install;
mod session;
mod world;
