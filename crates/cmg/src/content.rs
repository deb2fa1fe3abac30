//! A content-enabled gateway: whoever holds a link that a management point signed is told where the files are,
//! and fetches them from Azure storage.
//!
//! Fidelity: documented for the path and for storage being asked directly (configmgr §1.1, §1.5), and for the
//! failure of row 27 (configmgr §7); lab for the other statuses and lines of CMGContentService.log.

mod error;
mod keys;
mod pieces;
mod rate;
mod storage;
mod store;

use std::fmt::Display;

use axum::body::Body;
use cmglab_events::Source;
use cmglab_events::kinds::CmgEvent;
use cmglab_proto::content_link::{self, ContentFile, ContentLink, ContentList, PresentedLink};
use cmglab_proto::refusal::{CmgRefusal, Refusal as _};
use cmglab_proto::settings::SettingsDocument;
use cmglab_token::{Expect, Keys};
use http::{Method, Response, StatusCode};
use jiff::{SignedDuration, Timestamp};

use crate::answer;

pub use error::ContentError;
pub use storage::{Storage, StorageConfig};
pub use store::ContentStore;

/// The content service of a gateway, on every instance of it. Cheap to clone; clones are the same service.
#[derive(Debug, Clone)]
pub struct CmgContent {
    storage: Storage,
    reaches_storage: bool,
}

/// One request, and what the site has told of itself.
#[derive(Debug, Clone, Copy)]
pub struct ContentAsk<'a> {
    /// The settings in force: management points and blocked clients.
    pub document: &'a SettingsDocument,
    /// The keys of the site's token signers, from those settings.
    pub keys: &'a Keys,
    /// The instance's voice in the request's exchange.
    pub voice: &'a Source,
    /// Protocol time of the instance.
    pub now: Timestamp,
    /// The URL as events show it.
    pub url: &'a str,
    /// The request target as it was received.
    pub target: &'a str,
    /// The method.
    pub method: &'a Method,
}

impl CmgContent {
    /// The service over the files that `storage` has. It signs links to them, as the product does with the
    /// account's key.
    #[must_use]
    pub fn new(storage: Storage) -> Self {
        Self { storage, reaches_storage: true }
    }

    /// The same in a build of 1906 or of the early ring of 1910, with "Enforce TLS 1.2" on: it speaks an older
    /// version to storage, and every good link is answered 400 (configmgr §7, row 27).
    #[must_use]
    pub fn without_tls12(self) -> Self {
        Self { reaches_storage: false, ..self }
    }

    /// The answer, and the event of it; nothing when the target is not this service's.
    #[must_use]
    pub fn answer(&self, ask: ContentAsk<'_>) -> Option<Response<Body>> {
        let (path, query) = match ask.target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (ask.target, None),
        };
        if !content_link::is_at(path) {
            return None;
        }
        Some(self.list(&ask, query.unwrap_or_default()).unwrap_or_else(|refused| refused.answer(&ask)))
    }

    fn list(&self, ask: &ContentAsk<'_>, query: &str) -> Result<Response<Body>, Refused> {
        if !matches!(*ask.method, Method::GET | Method::HEAD) {
            return Err(Refused::new(
                CmgRefusal::MethodNotAllowed,
                format!("this path answers {READS} only"),
            ));
        }
        let presented = PresentedLink::parse(query).map_err(|error| {
            let proof = error.is_of_proof();
            Refused::new(if proof { CmgRefusal::InvalidToken } else { CmgRefusal::BadRequest }, error)
        })?;
        believed(ask, &presented)?;
        if !self.reaches_storage {
            return Ok(unreachable_storage(ask));
        }
        let ContentLink { package, content, client, .. } = presented.link;
        let unknown =
            || Refused::new(CmgRefusal::NotFound, format!("content {content} of {package} is not here"));
        let blobs = self.storage.content().find(&package, &content).ok_or_else(unknown)?;
        let expires = self.storage.expiry(ask.now);
        let file = |blob: &std::sync::Arc<store::Blob>| {
            let link = self.storage.link(blob, ask.now, expires)?;
            Ok(ContentFile {
                name: blob.name.clone(),
                size: blob.bytes.len() as u64,
                sha256: blob.sha256,
                link,
            })
        };
        let files: Result<Vec<_>, ContentError> = blobs.iter().map(file).collect();
        let files = files.map_err(|error| Refused::new(CmgRefusal::InternalServerError, error))?;
        ask.voice.emit(CmgEvent::ContentListed {
            url: ask.url.to_owned(),
            package: package.to_string(),
            content: content.to_string(),
            client,
            files: files.len(),
            expires,
        });
        let xml = ContentList { package, content, files }.to_xml();
        let mut response = answer::typed(StatusCode::OK, "text/xml; charset=utf-8", xml);
        let no_store = http::HeaderValue::from_static("no-store");
        response.headers_mut().insert(http::header::CACHE_CONTROL, no_store);
        Ok(response)
    }
}

/// The reason phrase is the documented one, not one of the gateway's own.
fn unreachable_storage(ask: &ContentAsk<'_>) -> Response<Body> {
    let status = StatusCode::BAD_REQUEST;
    ask.voice.emit(CmgEvent::ContentStorageUnreachable { url: ask.url.to_owned(), status: status.as_u16() });
    answer::text(status, "the content service cannot reach its storage\n".to_owned())
}

/// Everything that makes a link more than words, cheapest first.
fn believed(ask: &ContentAsk<'_>, presented: &PresentedLink) -> Result<(), Refused> {
    let invalid = |cause: &dyn Display| Refused::new(CmgRefusal::InvalidToken, cause);
    let PresentedLink { link, signed, signature } = presented;
    if !is_published(ask.document, &link.issuer) {
        return Err(invalid(&format_args!("no management point {} is published", link.issuer)));
    }
    if ask.keys.verify_bytes(signed.as_bytes(), signature).is_err() {
        return Err(invalid(&"no key of the site has signed the link as it stands"));
    }
    if ask.document.blocked_clients.contains(&link.client) {
        return Err(invalid(&format_args!("client {} is blocked at the site", link.client)));
    }
    let times = Expect { issuers: &[], audiences: &[], now: ask.now, leeway: LEEWAY };
    times.check_times(link.starts, link.ends).map_err(|error| invalid(&error))
}

fn is_published(document: &SettingsDocument, issuer: &str) -> bool {
    let host = |authority: &str| authority.split(':').next().unwrap_or_default().to_owned();
    document.mappings.iter().any(|mapping| host(mapping.mp_base.authority()).eq_ignore_ascii_case(issuer))
}

/// Why a link is not answered.
struct Refused {
    refusal: CmgRefusal,
    cause: String,
}

impl Refused {
    fn new(refusal: CmgRefusal, cause: impl Display) -> Self {
        Self { refusal, cause: cause.to_string() }
    }

    fn answer(self, ask: &ContentAsk<'_>) -> Response<Body> {
        let Self { refusal, cause } = self;
        let response = answer::refusal(refusal, &cause);
        let (status, reason) = (refusal.status().as_u16(), refusal.reason().into_owned());
        ask.voice.emit(CmgEvent::ContentRefused { url: ask.url.to_owned(), status, reason, cause });
        match refusal {
            CmgRefusal::MethodNotAllowed => answer::with_allow(response, READS),
            _ => response,
        }
    }
}

/// How far the clocks of management point and gateway may differ: as for tokens.
const LEEWAY: SignedDuration = SignedDuration::from_mins(5);
const READS: &str = "GET, HEAD";

#[cfg(test)]
mod tests;
