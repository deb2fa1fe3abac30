//! Client registration, the conversation with `MP_ClientRegistration` (mp-wire §3).
//!
//! Fidelity: documented, with the additions of current builds observed in public clients.

mod request;
mod response;

pub use request::{AgentInformation, Certificates, ClientRegistrationRequest, RegistrationData, RequestType};
pub use response::{Approval, ClientRegistrationResponse, RegistrationStatus};
