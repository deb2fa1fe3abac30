//! The service at its router, without sockets.

mod device_token;
mod discovery;
mod envelope;
mod lab;
mod password;
mod registration;
mod set_up;
