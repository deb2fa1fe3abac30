//! What connection points report about the traffic they carried: requests per connection point and endpoint.
//!
//! Fidelity: documented for the figures and the report every five minutes (configmgr §1.1, §5.8, §6); lab for
//! how long they are kept.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::SiteError;
use crate::{Site, limits};

/// One report of one connection point, the lab's `ProxyTrafficStateDetails`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxyTraffic {
    /// The connection point, its `ServerName`; at most 256 bytes.
    pub server: String,
    /// From when on it counted.
    pub start: Timestamp,
    /// Until when it counted.
    pub end: Timestamp,
    /// The most requests under way at a time.
    pub max_concurrent: u32,
    /// The endpoints that had traffic, at most 1024.
    pub endpoints: Vec<EndpointTraffic>,
}

/// What went to one endpoint of one management point, from one gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndpointTraffic {
    /// The endpoint, such as `CCM_STS`; at most 256 bytes.
    pub name: String,
    /// The gateway, its `ProxyServer`; at most 256 bytes.
    pub proxy_server: String,
    /// The management point, its `TargetHost`; at most 256 bytes.
    pub target_host: String,
    /// Requests.
    pub total_requests: u64,
    /// Those among them that carried a bearer token.
    pub with_bearer_token: u64,
    /// The most requests under way at a time.
    pub max_concurrent: u32,
    /// Bytes of requests.
    pub request_bytes: u64,
    /// Bytes of responses.
    pub response_bytes: u64,
    /// Requests that failed.
    pub failed: u64,
}

pub(crate) trait Traffic {
    fn record_traffic(&mut self, report: &ProxyTraffic) -> Result<(), SiteError>;
    fn traffic(&mut self, limit: u32) -> Result<Vec<ProxyTraffic>, SiteError>;
}

impl Site {
    /// Keeps a report. Past [`Site::MOST_TRAFFIC_REPORTS`] the one that was recorded first goes.
    ///
    /// # Errors
    /// [`SiteError::TooLarge`] for a name or a list over its limit; otherwise the database's own failures.
    pub async fn record_traffic(&self, report: ProxyTraffic) -> Result<(), SiteError> {
        limits::text("connection point", &report.server, limits::NAME)?;
        limits::size("endpoints of a traffic report", report.endpoints.len(), limits::ENDPOINTS)?;
        for EndpointTraffic { name, proxy_server, target_host, .. } in &report.endpoints {
            limits::text("endpoint name", name, limits::NAME)?;
            limits::text("proxy server", proxy_server, limits::NAME)?;
            limits::text("target host", target_host, limits::NAME)?;
        }
        self.write(move |store| store.record_traffic(&report)).await
    }

    /// Up to `limit` reports (1000 at most), the latest first.
    ///
    /// # Errors
    /// The database's own failures.
    pub async fn traffic(&self, limit: u32) -> Result<Vec<ProxyTraffic>, SiteError> {
        self.read(move |store| store.traffic(limit.min(limits::PAGE))).await
    }

    /// The reports that are kept: of one connection point, three days and a half.
    pub const MOST_TRAFFIC_REPORTS: u32 = limits::TRAFFIC_REPORTS;
}
