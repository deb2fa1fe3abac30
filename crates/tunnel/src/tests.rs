//! Both ends of the channel over real TLS on loopback.

mod hello;
mod lab;
mod life;
mod streams;
