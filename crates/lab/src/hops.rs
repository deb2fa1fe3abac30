//! The hops of a run, read from its events: who asked whom for what, and how it was answered.

use std::collections::BTreeMap;

use cmglab_events::kinds::{CmgEvent, ConnectionPointEvent, CrlOutcome, NetEvent};
use cmglab_events::{Event, Kind, Role};
use cmglab_proto::ids::{ExchangeId, MessageId};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::Topology;

/// One request and its answer, between two roles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hop {
    /// Protocol time of the request.
    pub at: Timestamp,
    /// Who asked.
    pub from: Role,
    /// Who was asked.
    pub to: Role,
    /// Verb.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// HTTP status; `None` when there was no answer.
    pub status: Option<u16>,
    /// Reason phrase, or the cause of the failure.
    pub reason: String,
    /// Milliseconds of transport time.
    pub taken_ms: u64,
    /// Which event tells of it.
    pub event: u64,
}

impl Hop {
    /// Whether the answer was one that lets the flow go on.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.status.is_some_and(|status| status < 400)
    }
}

/// Which role answers for which host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostRoles {
    roles: BTreeMap<String, Role>,
}

impl HostRoles {
    /// Notes that `host` belongs to `role`.
    pub fn add(&mut self, host: &str, role: Role) {
        self.roles.insert(host.to_ascii_lowercase(), role);
    }

    /// The hosts of a topology.
    #[must_use]
    pub fn documented(topology: &Topology) -> Self {
        let mut hosts = Self::default();
        let aad = cmglab_aad::Hosts::documented();
        hosts.add(&topology.cmg.host, Role::Cmg);
        hosts.add(&topology.management_point.host, Role::ManagementPoint);
        hosts.add(&topology.revocation.host, Role::Revocation);
        for host in aad.aliases.iter().chain([&aad.login, &aad.registration]) {
            hosts.add(host, Role::Aad);
        }
        hosts
    }

    fn role(&self, host: &str) -> Role {
        self.roles.get(&host.to_ascii_lowercase()).copied().unwrap_or(Role::Lab)
    }
}

/// The hops that `events` tell of. Those of one client exchange stand together, outer before inner;
/// exchanges stand in the order in which they were begun.
#[must_use]
pub fn hops(events: &[Event], hosts: &HostRoles) -> Vec<Hop> {
    let exchanges = exchanges(events);
    let mut found: Vec<(Group, Hop)> =
        events.iter().filter_map(|event| Some((group(event, &exchanges), hop(event, hosts)?))).collect();
    let mut begun: BTreeMap<Group, Timestamp> = BTreeMap::new();
    for (group, hop) in &found {
        let first = begun.entry(*group).or_insert(hop.at);
        *first = hop.at.min(*first);
    }
    found.sort_by_key(|(group, hop)| (begun.get(group).copied(), *group, depth(hop), hop.at));
    found.into_iter().map(|(_group, hop)| hop).collect()
}

/// What keeps hops together: the client's exchange; a call outside of any stands alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    Exchange(ExchangeId),
    Alone(u64),
}

fn group(event: &Event, exchanges: &BTreeMap<MessageId, ExchangeId>) -> Group {
    let of_message = event.message.and_then(|message| exchanges.get(&message).copied());
    of_message.or(event.exchange).map_or(Group::Alone(event.seq), Group::Exchange)
}

/// The exchange of each message. The gateway, which knows the client's, speaks first.
fn exchanges(events: &[Event]) -> BTreeMap<MessageId, ExchangeId> {
    let mut first = BTreeMap::new();
    for (message, exchange) in events.iter().filter_map(|event| event.message.zip(event.exchange)) {
        first.entry(message).or_insert(exchange);
    }
    first
}

/// How deep in an exchange a hop stands; the gateway asks for keys before it relays, the management point
/// after it was asked.
fn depth(hop: &Hop) -> u8 {
    match (hop.from, hop.to) {
        (Role::Client, _) => 0,
        (Role::Cmg, Role::ConnectionPoint) => 2,
        (Role::Cmg, _) => 1,
        (Role::ConnectionPoint, _) => 3,
        _ => 4,
    }
}

fn hop(event: &Event, hosts: &HostRoles) -> Option<Hop> {
    let made = |to: Role, method: &str, target: &str, answer: (Option<u16>, &str), taken_ms: u64| Hop {
        at: begun(event.at, taken_ms),
        from: event.role,
        to,
        method: method.to_owned(),
        target: target.to_owned(),
        status: answer.0,
        reason: answer.1.to_owned(),
        taken_ms,
        event: event.seq,
    };
    match &event.kind {
        Kind::Net(NetEvent::Called { host, method, target, status, reason, taken_ms }) => {
            Some(made(hosts.role(host), method, target, (Some(*status), reason), *taken_ms))
        }
        Kind::Net(NetEvent::CallFailed { host, method, target, cause, taken_ms, .. }) => {
            Some(made(hosts.role(host), method, target, (None, cause), *taken_ms))
        }
        Kind::Net(NetEvent::CrlFetched { url, outcome, taken_ms }) => {
            let answer = match outcome {
                CrlOutcome::Fetched { .. } => (Some(200), "OK"),
                CrlOutcome::Unavailable { status: None | Some(200), cause } => (None, cause.as_str()),
                CrlOutcome::Unavailable { status: Some(status), .. } => {
                    (Some(*status), standard_reason(*status))
                }
                _ => (None, ""),
            };
            Some(made(Role::Revocation, "GET", path_of(url), answer, *taken_ms))
        }
        Kind::Cmg(CmgEvent::Relayed { method, url, status, reason, taken_ms, .. }) => {
            Some(made(Role::ConnectionPoint, method, path_of(url), (Some(*status), reason), *taken_ms))
        }
        Kind::ConnectionPoint(ConnectionPointEvent::Forwarded {
            method,
            url,
            status,
            reason,
            taken_ms,
            ..
        }) => Some(made(Role::ManagementPoint, method, path_of(url), (Some(*status), reason), *taken_ms)),
        Kind::ConnectionPoint(ConnectionPointEvent::ForwardFailed {
            method, url, cause, taken_ms, ..
        }) => Some(made(Role::ManagementPoint, method, path_of(url), (None, cause), *taken_ms)),
        _ => None,
    }
}

/// The distribution point's own phrase is not kept; CRL hosts use the standard ones.
fn standard_reason(status: u16) -> &'static str {
    match status {
        404 => "Not Found",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "",
    }
}

fn begun(ended: Timestamp, taken_ms: u64) -> Timestamp {
    let taken = SignedDuration::from_millis(i64::try_from(taken_ms).unwrap_or(0));
    ended.saturating_sub(taken).unwrap_or(ended)
}

fn path_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_scheme, rest)| rest);
    rest.find('/').map_or("/", |slash| &rest[slash..])
}
