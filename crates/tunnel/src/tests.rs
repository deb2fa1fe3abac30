//! Both ends of the channel over real TLS on loopback.

mod contract;
mod hello;
mod https;
mod lab;
mod life;
mod long_poll;
mod middlebox;
mod order;
mod streams;
