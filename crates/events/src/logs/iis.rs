//! IIS.log (configmgr §8). Fidelity: documented fields; which of them the product's own file carries is
//! inferred from its one public line, to which date, time and c-ip are added.

use cmglab_cmlog::w3c::{Field, Header, Record};
use jiff::Timestamp;

use super::{Body, LogFile, Page};
use crate::kinds::{NetEvent, Served};

pub(super) const FIELDS: [Field; 21] = [
    Field::Date,
    Field::Time,
    Field::ComputerName,
    Field::ServerIp,
    Field::Method,
    Field::UriStem,
    Field::UriQuery,
    Field::ServerPort,
    Field::UserName,
    Field::ClientIp,
    Field::Version,
    Field::UserAgent,
    Field::Cookie,
    Field::Referer,
    Field::Host,
    Field::Status,
    Field::Substatus,
    Field::Win32Status,
    Field::BytesSent,
    Field::BytesReceived,
    Field::TimeTaken,
];

pub(super) fn header(at: Timestamp) -> Vec<String> {
    Header { fields: FIELDS.to_vec(), ..Header::iis(at) }.lines().into()
}

pub(super) fn write(event: &NetEvent, page: &mut Page<'_>) {
    use crate::Role::{Cmg, ManagementPoint};
    if let (NetEvent::Served(served), Cmg | ManagementPoint) = (event, page.event.role) {
        let record = record(page.event.at, &page.event.machine, served);
        page.push(LogFile::Iis, Body::Record(Box::new(record)));
    }
}

fn record(at: Timestamp, machine: &str, served: &Served) -> Record {
    let absent = String::new();
    // ERROR_FILE_NOT_FOUND where no mapping or file matched, as the seed's line shows.
    let win32 = if served.status == 404 { 2 } else { 0 };
    Record::new(at)
        .with(Field::ComputerName, machine)
        .with(Field::ServerIp, &served.server)
        .with(Field::Method, &served.method)
        .with(Field::UriStem, &served.stem)
        .with(Field::UriQuery, served.query.as_ref().unwrap_or(&absent))
        .with(Field::ServerPort, served.port)
        .with(Field::ClientIp, &served.client)
        .with(Field::Version, &served.version)
        .with(Field::UserAgent, served.user_agent.as_ref().unwrap_or(&absent))
        .with(Field::Host, served.host.as_ref().unwrap_or(&absent))
        .with(Field::Status, served.status)
        .with(Field::Substatus, served.substatus)
        .with(Field::Win32Status, win32)
        .with(Field::BytesSent, served.response_bytes)
        .with(Field::BytesReceived, served.request_bytes)
        .with(Field::TimeTaken, served.taken_ms)
}
