//! The most that each value may hold. Checked before a value reaches any store, so that every engine
//! refuses the same ones.

use crate::error::SiteError;

/// A user principal name, bytes: 64 for the name, 255 for the domain, three times over for UTF-8.
pub(crate) const UPN: usize = 1024;
/// A SID as text, bytes ([MS-DTYP] 2.4.2.1: 15 subauthorities of ten digits).
pub(crate) const SID: usize = 184;
/// A DNS name, bytes (RFC 1035 2.3.4).
pub(crate) const DNS_NAME: usize = 255;
/// A hardware id, bytes.
pub(crate) const HARDWARE_ID: usize = 256;
/// A DER certificate, bytes.
pub(crate) const CERTIFICATE: usize = 16 * 1024;
/// A display name, bytes.
pub(crate) const NAME: usize = 256;
/// A URL or URI, bytes.
pub(crate) const URL: usize = 2048;
/// The issuers of one tenant.
pub(crate) const ISSUERS: usize = 16;
/// A public JWK as JSON, bytes: RSA-8192 with its certificate chain stays below.
pub(crate) const JWK: usize = 16 * 1024;
/// A key id, bytes.
pub(crate) const KEY_ID: usize = 128;
/// A package id, bytes; the product's have eight.
pub(crate) const PACKAGE_ID: usize = 64;
/// The endpoints of one traffic report: every endpoint of many management points.
pub(crate) const ENDPOINTS: usize = 1024;
/// Traffic reports that are kept.
pub(crate) const TRAFFIC_REPORTS: u32 = 1000;
/// Rows in one page of a listing.
pub(crate) const PAGE: u32 = 1000;

pub(crate) fn text(what: &'static str, value: &str, limit: usize) -> Result<(), SiteError> {
    size(what, value.len(), limit)
}

pub(crate) fn optional(what: &'static str, value: Option<&str>, limit: usize) -> Result<(), SiteError> {
    size(what, value.map_or(0, str::len), limit)
}

pub(crate) fn size(what: &'static str, size: usize, limit: usize) -> Result<(), SiteError> {
    if size <= limit { Ok(()) } else { Err(SiteError::TooLarge { what, size, limit }) }
}
