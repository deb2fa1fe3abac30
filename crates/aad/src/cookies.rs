//! Cookies, in and out (RFC 6265).

use http::HeaderName;
use http::header::{COOKIE, SET_COOKIE};

use crate::ask::Ask;

/// A cookie of a request, by its exact name. HTTP/2 clients may spread them over several lines
/// (RFC 9113 §8.2.3).
pub(crate) fn find<'a>(ask: &'a Ask, name: &str) -> Option<&'a str> {
    all(ask).find(|(known, _)| *known == name).map(|(_, value)| value)
}

/// All cookies of a request, in order.
pub(crate) fn all(ask: &Ask) -> impl Iterator<Item = (&str, &str)> {
    let lines = ask.headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='))
}

/// The header that gives a browser a cookie until it closes. It comes back from pages of other sites too,
/// as applications send their users here from there.
pub(crate) fn set(name: &str, value: &str) -> (HeaderName, String) {
    (SET_COOKIE, format!("{name}={value}; path=/; Secure; HttpOnly; SameSite=None"))
}
