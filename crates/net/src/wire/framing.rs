//! Where one request ends and the next begins, and which framing headers each one has.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::chunks::Chunks;

/// One request's head as it came over the wire.
#[derive(Debug)]
pub(crate) struct Head {
    /// Its framing headers.
    pub(crate) form: Form,
    /// Bytes of the head.
    pub(crate) bytes: u64,
    /// Bytes of the whole request received so far, chunk framing included.
    pub(crate) received: Arc<AtomicU64>,
}

/// The framing headers of one head, before anyone has tidied them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Form {
    /// How many Content-Length headers.
    pub(crate) lengths: u32,
    /// How many Transfer-Encoding headers.
    pub(crate) encodings: u32,
    /// Whether one of those is something other than `chunked`.
    pub(crate) exotic: bool,
}

/// Follows the bytes of a connection from its beginning.
#[derive(Debug, Default)]
pub(super) struct Framing {
    at: At,
    line: Vec<u8>,
    form: Form,
    length: Option<u64>,
    head_bytes: u64,
    received: Arc<AtomicU64>,
    heads: VecDeque<Head>,
    broken: Option<&'static str>,
}

#[derive(Debug, Default)]
enum At {
    /// Before a request line; empty lines are skipped (RFC 9112 §2.2).
    #[default]
    Start,
    Headers,
    Body(u64),
    Chunks(Chunks),
    /// Behind something of which two readers could think differently: no further request is recognised.
    Lost,
}

impl Framing {
    pub(super) fn next_head(&mut self) -> Option<Head> {
        self.heads.pop_front()
    }

    pub(super) fn broken(&self) -> Option<&'static str> {
        self.broken
    }

    /// Recognises nothing from here on.
    pub(super) fn stop(&mut self) {
        self.at = At::Lost;
        self.line = Vec::new();
    }

    pub(super) fn feed(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let used = match self.at {
                At::Start | At::Headers => self.head(bytes),
                At::Body(left) => {
                    let here = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                    self.body(left - here as u64);
                    here
                }
                At::Chunks(chunks) => self.chunks(chunks, bytes),
                At::Lost => return,
            };
            bytes = bytes.get(used..).unwrap_or_default();
        }
    }

    fn head(&mut self, bytes: &[u8]) -> usize {
        let (used, whole) = match bytes.iter().position(|byte| *byte == b'\n') {
            Some(end) => (end + 1, true),
            None => (bytes.len(), false),
        };
        self.head_bytes += used as u64;
        self.received.fetch_add(used as u64, Ordering::Relaxed);
        if self.head_bytes > LARGEST_HEAD {
            self.at = At::Lost;
            return used;
        }
        self.line.extend(bytes.iter().take(used));
        if whole {
            let line = std::mem::take(&mut self.line);
            self.line_ended(line.trim_ascii_end());
            self.line = line;
            self.line.clear();
        }
        used
    }

    fn line_ended(&mut self, line: &[u8]) {
        match (&self.at, line.is_empty()) {
            (At::Start, true) => {}
            (At::Start, false) => self.at = At::Headers,
            (_, true) => self.head_ended(),
            (_, false) => self.header(line),
        }
    }

    fn header(&mut self, line: &[u8]) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { return };
        let (name, value) = line.split_at(colon);
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        if name.eq_ignore_ascii_case(b"content-length") {
            self.form.lengths += 1;
            self.length = decimal(value);
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            self.form.encodings += 1;
            self.form.exotic |= !value.eq_ignore_ascii_case(b"chunked");
        }
    }

    fn head_ended(&mut self) {
        let form = std::mem::take(&mut self.form);
        let length = self.length.take();
        let bytes = std::mem::take(&mut self.head_bytes);
        self.heads.push_back(Head { form, bytes, received: Arc::clone(&self.received) });
        match (form, length) {
            (Form { lengths: 0, encodings: 0, .. }, _) => self.body(0),
            (Form { lengths: 1, encodings: 0, .. }, Some(length)) => self.body(length),
            (Form { lengths: 0, encodings: 1, exotic: false }, _) => self.at = At::Chunks(Chunks::Start),
            _ => self.at = At::Lost,
        }
    }

    /// So many bytes of the body are still to come.
    fn body(&mut self, left: u64) {
        if let At::Body(before) = self.at {
            self.received.fetch_add(before - left, Ordering::Relaxed);
        }
        if left == 0 {
            self.ended();
        } else {
            self.at = At::Body(left);
        }
    }

    fn chunks(&mut self, chunks: Chunks, bytes: &[u8]) -> usize {
        match chunks.follow(bytes) {
            Ok((chunks, used)) => {
                self.received.fetch_add(used as u64, Ordering::Relaxed);
                self.at = At::Chunks(chunks);
                if chunks == Chunks::End {
                    self.ended();
                }
                used
            }
            Err(cause) => {
                self.broken = Some(cause);
                self.at = At::Lost;
                bytes.len()
            }
        }
    }

    fn ended(&mut self) {
        self.at = At::Start;
        self.received = Arc::default();
    }
}

fn decimal(value: &[u8]) -> Option<u64> {
    let digits = value.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(value).ok().filter(|_| digits).and_then(|text| text.parse().ok())
}

/// hyper refuses heads before they are that large.
const LARGEST_HEAD: u64 = 128 * 1024;
