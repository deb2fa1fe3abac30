//! A machine's cache of revocation lists, keyed by distribution point.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer};
use x509_parser::extensions::{DistributionPointName, GeneralName, ParsedExtension};
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::revocation_list::CertificateRevocationList;

/// CRLs by the URL they came from. Cheap to clone; clones share the cache.
#[derive(Debug, Clone, Default)]
pub struct CrlCache {
    lists: Arc<RwLock<HashMap<String, Cached>>>,
    changes: Arc<AtomicU64>,
}

#[derive(Debug, Clone)]
struct Cached {
    der: Vec<u8>,
    next_update: Timestamp,
}

impl CrlCache {
    /// Takes a fetched list; its signature is judged when it is used. Returns whether it is a CRL that
    /// names its next update (RFC 5280 §5.1.2.5) at all.
    #[must_use]
    pub fn insert(&self, url: &str, der: Vec<u8>) -> bool {
        let Some(next_update) = next_update(&der) else { return false };
        let mut lists = self.lists.write().unwrap_or_else(PoisonError::into_inner);
        if lists.len() >= MOST_LISTS && !lists.contains_key(url) {
            return false;
        }
        let fresh = Cached { der, next_update };
        // A first list overturns no earlier decision: without it there was none.
        let replaced = lists.insert(url.to_owned(), fresh.clone());
        if replaced.is_some_and(|replaced| replaced.der != fresh.der) {
            self.changed();
        }
        true
    }

    /// Forgets every list, as `certutil -urlcache CRL delete` does.
    pub fn clear(&self) {
        self.lists.write().unwrap_or_else(PoisonError::into_inner).clear();
        self.changed();
    }

    /// How often a list was replaced or forgotten.
    pub(crate) fn changes(&self) -> u64 {
        self.changes.load(Ordering::SeqCst)
    }

    fn changed(&self) {
        self.changes.fetch_add(1, Ordering::SeqCst);
    }

    /// The lists that judge `leaf` and `intermediates` at `now`, never none of them, or the URLs of those
    /// that are missing or stale.
    pub(crate) fn lists_for(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: Timestamp,
    ) -> Result<Vec<CertificateRevocationListDer<'static>>, Vec<String>> {
        let lists = self.lists.read().unwrap_or_else(PoisonError::into_inner);
        let (mut found, mut missing) = (Vec::new(), Vec::new());
        // A root that is sent along has no list of its own. The leaf never is one: a leaf that bears its
        // issuer's name would else be judged by no list at all, and webpki checks nothing then.
        let above = intermediates.iter().map(|der| Points::of(der)).filter(|points| !points.self_issued);
        for points in std::iter::once(Points::of(leaf)).chain(above) {
            let fresh =
                points.urls.iter().filter_map(|url| lists.get(url)).find(|list| list.next_update > now);
            match fresh {
                Some(list) => found.push(CertificateRevocationListDer::from(list.der.clone())),
                None if points.urls.is_empty() => missing.push(NO_DISTRIBUTION_POINT.to_owned()),
                None => missing.extend(points.urls),
            }
        }
        if missing.is_empty() { Ok(found) } else { Err(missing) }
    }
}

/// What stands for the URL when a certificate names none: nothing to fetch, so the check fails closed.
pub(crate) const NO_DISTRIBUTION_POINT: &str = "";

struct Points {
    urls: Vec<String>,
    self_issued: bool,
}

impl Points {
    fn of(der: &[u8]) -> Self {
        let Ok((_, certificate)) = X509Certificate::from_der(der) else {
            return Self { urls: Vec::new(), self_issued: false };
        };
        let self_issued = certificate.subject() == certificate.issuer();
        let urls = certificate.extensions().iter().flat_map(|extension| match extension.parsed_extension() {
            ParsedExtension::CRLDistributionPoints(points) => points.points.as_slice(),
            _ => &[],
        });
        let urls = urls
            .filter_map(|point| match &point.distribution_point {
                Some(DistributionPointName::FullName(names)) => Some(names),
                _ => None,
            })
            .flatten()
            .filter_map(|name| match name {
                GeneralName::URI(url) if url.starts_with("http://") && url.len() <= LONGEST_URL => {
                    Some((*url).to_owned())
                }
                _ => None,
            })
            .take(MOST_POINTS)
            .collect();
        Self { urls, self_issued }
    }
}

fn next_update(der: &[u8]) -> Option<Timestamp> {
    let (rest, list) = CertificateRevocationList::from_der(der).ok()?;
    if !rest.is_empty() {
        return None;
    }
    Timestamp::from_second(list.next_update()?.timestamp()).ok()
}

const LONGEST_URL: usize = 1024;
const MOST_LISTS: usize = 256;
const MOST_POINTS: usize = 8;
