//! The vocabulary: one enum for each part of the house.

mod aad;
mod client;
mod cmg;
mod connection_point;
mod lab;
mod management_point;
mod net;

pub use aad::AadEvent;
pub use client::{
    AadAccount, AadIdentity, ClientEvent, ClientLog, CrlCheckBy, HttpCaller, StsServer, WinHttpFailure,
};
pub use cmg::{BearerKind, CmgEvent, InstanceStatus, TokenRefusal};
pub use connection_point::{
    CertificateDrop, CertificateFilter, ConnectionPointEvent, EndpointTraffic, ForwardFailure,
};
pub use lab::LabEvent;
pub use management_point::{CertificateFault, ManagementPointEvent, TokenFault, TokenService};
pub use net::{CertificateVerdict, CrlOutcome, NetEvent, Served, TlsFailure};
