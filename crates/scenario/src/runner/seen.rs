//! What a run showed: the requests each role saw, and the lines of every log.

use cmglab_events::kinds::{ConnectionPointEvent, NetEvent};
use cmglab_events::logs::{self, LogFile};
use cmglab_events::{Event, Kind, Role};
use cmglab_proto::editions::Edition;

use crate::model::{LineExpectation, RequestExpectation};

/// A request as the role that was asked tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SeenRequest {
    pub(super) at: Role,
    method: Option<String>,
    path: String,
    query: Option<String>,
    status: Option<u16>,
    reason: String,
}

/// A line of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SeenLine {
    machine: String,
    pub(super) file: LogFile,
    pub(super) text: String,
}

/// Every request, in the order of the answers.
pub(super) fn requests(events: &[Event]) -> Vec<SeenRequest> {
    events.iter().filter_map(request).collect()
}

/// Every line, in the order of the events.
pub(super) fn lines(events: &[Event], edition: Edition) -> Vec<SeenLine> {
    let lines = events.iter().flat_map(|event| logs::lines(event, edition));
    lines
        .map(|line| SeenLine { machine: line.machine.to_string(), file: line.file, text: line.text() })
        .collect()
}

fn request(event: &Event) -> Option<SeenRequest> {
    use ConnectionPointEvent as Cp;
    let forwarded = |method: Option<&String>, url: &str, status: Option<u16>, reason: &str| {
        let (path, query) = split(url);
        let (method, reason) = (method.cloned(), reason.to_owned());
        Some(SeenRequest { at: event.role, method, path, query, status, reason })
    };
    match &event.kind {
        Kind::Net(NetEvent::Served(served)) => Some(SeenRequest {
            at: event.role,
            method: Some(served.method.clone()),
            path: served.stem.clone(),
            query: served.query.clone(),
            status: Some(served.status),
            reason: served.reason.clone(),
        }),
        Kind::ConnectionPoint(
            Cp::Forwarded { method, url, status, reason, .. }
            | Cp::ForwardFailed { method, url, status, reason, .. },
        ) => forwarded(Some(method), url, Some(*status), reason),
        Kind::ConnectionPoint(Cp::NotMapped { external_url }) => forwarded(None, external_url, None, ""),
        _ => None,
    }
}

fn split(url: &str) -> (String, Option<String>) {
    let rest = url.split_once("://").map_or(url, |(_scheme, rest)| rest);
    let target = rest.find('/').map_or("/", |slash| &rest[slash..]);
    match target.split_once('?') {
        Some((path, query)) => (path.to_owned(), Some(query.to_owned())),
        None => (target.to_owned(), None),
    }
}

impl SeenRequest {
    pub(super) fn is(&self, expected: &RequestExpectation) -> bool {
        self.at == expected.at.role()
            && expected.method.as_ref().is_none_or(|method| self.method.as_ref() == Some(method))
            && expected
                .path
                .as_ref()
                .is_none_or(|path| path.matches(&self.compared(path.as_str()), crate::pattern::Extent::Whole))
            && expected.status.is_none_or(|status| self.status == Some(status))
            && expected.reason.as_ref().is_none_or(|reason| self.reason == *reason)
    }

    /// How near it is to what was expected; for telling what was probably meant.
    pub(super) fn nearness(&self, expected: &RequestExpectation) -> (usize, bool, bool) {
        let path = expected.path.as_ref().map_or(0, |path| path.agreement(&self.compared(path.as_str())));
        (path, self.status == expected.status, self.method == expected.method)
    }

    pub(super) fn words(&self) -> String {
        let status = self.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
        let method = self.method.as_deref().unwrap_or("a request for");
        format!("{method} {} → {status} {}", self.target(), self.reason)
    }

    fn compared(&self, pattern: &str) -> String {
        if pattern.contains('?') { self.target() } else { self.path.clone() }
    }

    fn target(&self) -> String {
        self.query.as_ref().map_or_else(|| self.path.clone(), |query| format!("{}?{query}", self.path))
    }
}

impl SeenLine {
    /// Whether it stands where the expectation looks.
    pub(super) fn is_at(&self, expected: &LineExpectation) -> bool {
        self.file == expected.file
            && expected.machine.as_ref().is_none_or(|machine| self.machine.eq_ignore_ascii_case(machine))
    }

    pub(super) fn is(&self, expected: &LineExpectation) -> bool {
        self.is_at(expected) && expected.line.matches(&self.text, expected.extent)
    }
}
