//! A connection point between a gateway and a management point of the tests, over real TLS.

mod certificates;
mod ends;
mod lab;
mod limits;
mod messages;
mod reports;
