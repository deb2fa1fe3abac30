//! Real sockets on loopback: the edge as raw bytes, calls between roles over TLS, ports and their end.

mod calls;
mod crls;
mod edge;
mod lab;
mod openid;
mod ports;
mod sizes;
mod upgrades;
