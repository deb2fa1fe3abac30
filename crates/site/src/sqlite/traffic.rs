//! SQL for [`Traffic`].

use rusqlite::{Row, params};

use super::{Sqlite, column};
use crate::error::SiteError;
use crate::limits;
use crate::traffic::{ProxyTraffic, Traffic};

impl Traffic for Sqlite {
    fn record_traffic(&mut self, report: &ProxyTraffic) -> Result<(), SiteError> {
        self.write(|tx| {
            tx.prepare_cached(RECORD)?.execute(params![
                report.server,
                report.start.as_microsecond(),
                report.end.as_microsecond(),
                report.max_concurrent,
                column::to_json(&report.endpoints)?,
            ])?;
            tx.prepare_cached(FORGET)?.execute(params![limits::TRAFFIC_REPORTS])?;
            Ok(())
        })
    }

    fn traffic(&mut self, limit: u32) -> Result<Vec<ProxyTraffic>, SiteError> {
        self.read(|tx| {
            let mut statement = tx.prepare_cached(LATEST)?;
            let rows = statement.query_map(params![limit], report)?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }
}

fn report(row: &Row<'_>) -> rusqlite::Result<ProxyTraffic> {
    Ok(ProxyTraffic {
        server: row.get("server")?,
        start: column::time(row, "started_at")?,
        end: column::time(row, "ended_at")?,
        max_concurrent: row.get("max_concurrent")?,
        endpoints: column::json(row, "endpoints")?,
    })
}

const RECORD: &str = "INSERT INTO proxy_traffic (server, started_at, ended_at, max_concurrent, endpoints)
    VALUES (?1, ?2, ?3, ?4, ?5)";

// Rows are numbered in the order of recording and leave from the front alone, so the numbers have no gaps.
const FORGET: &str = "DELETE FROM proxy_traffic WHERE report <= (SELECT max(report) FROM proxy_traffic) - ?1";

const LATEST: &str = "SELECT * FROM proxy_traffic ORDER BY report DESC LIMIT ?1";
