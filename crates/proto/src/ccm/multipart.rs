//! The frame of a message: two parts between boundaries (mp-wire §1.2, §2; RFC 2046 §5.1).

use super::CcmError;
use super::error::cut;
use super::{BOUNDARY, CONTENT_TYPE};

/// One part: its header lines and its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part<'a> {
    /// Names and values in their order. Names are as received; compare them without regard to case.
    pub headers: Vec<(&'a str, &'a str)>,
    /// The bytes between the empty line and the line end before the next boundary.
    pub body: &'a [u8],
}

impl<'a> Part<'a> {
    /// The first header of that name, in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }
}

/// The boundary that a `Content-Type` names, in quotes or without.
///
/// # Errors
///
/// [`CcmError::NotMultipart`] for another media type, [`CcmError::NoBoundary`].
pub fn boundary(content_type: &str) -> Result<&str, CcmError> {
    let (kind, mut rest) = content_type.split_once(';').unwrap_or((content_type, ""));
    let top = kind.trim().split_once('/').map(|(top, _)| top);
    if !top.is_some_and(|top| top.eq_ignore_ascii_case("multipart")) {
        return Err(CcmError::NotMultipart { got: cut(content_type) });
    }
    while !rest.trim().is_empty() {
        let (name, after) = rest.split_once('=').ok_or(CcmError::NoBoundary)?;
        let (value, after) = parameter(after.trim_start())?;
        if name.trim().eq_ignore_ascii_case("boundary") {
            return usable(value).then_some(value).ok_or(CcmError::NoBoundary);
        }
        rest = after;
    }
    Err(CcmError::NoBoundary)
}

/// Splits `body` into its two parts.
///
/// # Errors
///
/// [`CcmError::Framing`], [`CcmError::PartCount`], [`CcmError::PartHeader`].
pub fn split<'a>(body: &'a [u8], boundary: &str) -> Result<[Part<'a>; 2], CcmError> {
    let delimiter = [b"\r\n--", boundary.as_bytes()].concat();
    // Nothing may stand before the first delimiter but the line end it begins with.
    let mut rest = body
        .strip_prefix(delimiter.as_slice())
        .or_else(|| body.strip_prefix(&delimiter[2..]))
        .ok_or(CcmError::Framing { missing: "opening boundary" })?;
    let mut parts = Vec::with_capacity(2);
    loop {
        let content = match after_delimiter(rest) {
            Some(Delimiter::Next(content)) => content,
            Some(Delimiter::Last) => break,
            None => return Err(CcmError::Framing { missing: "line end after a boundary" }),
        };
        let end =
            find_delimiter(content, &delimiter).ok_or(CcmError::Framing { missing: "closing boundary" })?;
        if parts.len() == 2 {
            return Err(CcmError::PartCount { found: 3 });
        }
        parts.push(part(parts.len(), content, end)?);
        rest = &content[end + delimiter.len()..];
    }
    let found = parts.len();
    parts.try_into().map_err(|_| CcmError::PartCount { found })
}

/// Joins a header and a payload in the one form that every public client accepts: one header line to a
/// part, no line end behind the last boundary. Returns the `Content-Type` and the body.
pub(crate) fn join(spelling: Spelling, header: &[u8], payload: &[u8]) -> (String, Vec<u8>) {
    let name = match spelling {
        Spelling::Request => "content-type",
        Spelling::Reply => "Content-Type",
    };
    let open = format!("--{BOUNDARY}\r\n{name}: {HEADER_TYPE}\r\n\r\n");
    let next = format!("\r\n--{BOUNDARY}\r\n{name}: {PAYLOAD_TYPE}\r\n\r\n");
    let close = format!("\r\n--{BOUNDARY}--");
    let body = [open.as_bytes(), header, next.as_bytes(), payload, close.as_bytes()].concat();
    (CONTENT_TYPE.to_owned(), body)
}

/// How the two directions spell the header name of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spelling {
    Request,
    Reply,
}

enum Delimiter<'a> {
    Next(&'a [u8]),
    Last,
}

// What follows `--boundary`: a part, the end, or text of which the boundary is only the beginning.
fn after_delimiter(rest: &[u8]) -> Option<Delimiter<'_>> {
    if rest.starts_with(b"--") {
        return Some(Delimiter::Last);
    }
    let padding = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    rest[padding..].strip_prefix(b"\r\n").map(Delimiter::Next)
}

fn find_delimiter(content: &[u8], delimiter: &[u8]) -> Option<usize> {
    content
        .windows(delimiter.len())
        .enumerate()
        .filter(|(_, window)| *window == delimiter)
        .map(|(at, _)| at)
        .find(|at| after_delimiter(&content[at + delimiter.len()..]).is_some())
}

fn part(index: usize, content: &[u8], end: usize) -> Result<Part<'_>, CcmError> {
    let content = &content[..end];
    if let Some(body) = content.strip_prefix(b"\r\n") {
        return Ok(Part { headers: Vec::new(), body });
    }
    let bad = CcmError::PartHeader { part: index };
    let head = &content[..content.len().min(MAX_HEADER)];
    let lines = head.windows(4).position(|window| window == b"\r\n\r\n").ok_or_else(|| bad.clone())?;
    let text = str::from_utf8(&content[..lines]).map_err(|_| bad.clone())?;
    let headers = text
        .split("\r\n")
        .map(|line| line.split_once(':').map(|(name, value)| (name.trim(), value.trim())))
        .collect::<Option<_>>()
        .ok_or(bad)?;
    Ok(Part { headers, body: &content[lines + 4..] })
}

// One parameter value and what follows its semicolon.
fn parameter(text: &str) -> Result<(&str, &str), CcmError> {
    if let Some(quoted) = text.strip_prefix('"') {
        let (value, after) = quoted.split_once('"').ok_or(CcmError::NoBoundary)?;
        return Ok((value, after.trim_start().trim_start_matches(';')));
    }
    let (value, after) = text.split_once(';').unwrap_or((text, ""));
    Ok((value.trim(), after))
}

fn usable(boundary: &str) -> bool {
    (1..=MAX_BOUNDARY).contains(&boundary.len())
        && boundary.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
        && !boundary.ends_with(' ')
}

const HEADER_TYPE: &str = "text/plain; charset=UTF-16";
// Compared for equality by public clients: no parameters (mp-wire §2, rule 4).
const PAYLOAD_TYPE: &str = "application/octet-stream";
const MAX_BOUNDARY: usize = 70;
const MAX_HEADER: usize = 4096;
