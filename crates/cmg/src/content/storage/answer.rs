//! GET and HEAD of a blob, whole or in part.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use cmglab_events::Source;
use cmglab_events::kinds::CmgEvent;
use cmglab_net::{Exchange, Wanted, counted, counted_as_it_flows, response_head_bytes, shown};
use cmglab_proto::content_link::storage::{PresentedAccess, StorageError, VERSION};
use http::header::{
    ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderName, IF_MATCH, IF_NONE_MATCH,
    LAST_MODIFIED, SERVER,
};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};

use super::Shared;
use super::refused::Refused;
use crate::content::pieces;
use crate::content::store::Blob;

pub(super) async fn handle(State(shared): State<Arc<Shared>>, request: Request<Body>) -> Response<Body> {
    let voice = match request.extensions().get::<Exchange>() {
        Some(Exchange(id)) => shared.deps.events.in_exchange(*id),
        None => shared.deps.events.clone(),
    };
    let id = shared.deps.ids.guid().to_string();
    let mut response = match shared.read(&request) {
        Ok(part) => part.answer(&shared, voice, request.method() == Method::HEAD),
        Err(refused) => shared.refuse(&refused, &voice, &request, &id),
    };
    let headers = response.headers_mut();
    headers.insert(SERVER, HeaderValue::from_static("Windows-Azure-Blob/1.0 Microsoft-HTTPAPI/2.0"));
    headers.insert("x-ms-version", HeaderValue::from_static(VERSION));
    insert(headers, HeaderName::from_static("x-ms-request-id"), &id);
    shared.metered(response)
}

/// What of a blob is to be sent.
struct Part {
    blob: Arc<Blob>,
    status: StatusCode,
    range: std::ops::Range<usize>,
}

impl Shared {
    fn read(&self, request: &Request<Body>) -> Result<Part, Refused> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return Err(Refused::Verb);
        }
        let path = request.uri().path();
        self.authorize(path, request.uri().query().unwrap_or_default())?;
        let blob = self.content.blob(path).ok_or(Refused::NotFound)?;
        if !blob.rate.admits(self.running.elapsed().as_secs(), self.config.most_requests_per_second) {
            return Err(Refused::Busy);
        }
        let etag = blob.etag();
        conditions(request.headers(), &etag)?;
        let length = blob.bytes.len();
        let (status, range) = match Wanted::of(request.headers(), length, &etag) {
            Wanted::Whole => (StatusCode::OK, 0..length),
            Wanted::Part(part) => (StatusCode::PARTIAL_CONTENT, part),
            Wanted::Nothing => return Err(Refused::Range { length }),
        };
        Ok(Part { blob, status, range })
    }

    /// The signature first: what an unsigned query says means nothing.
    fn authorize(&self, path: &str, query: &str) -> Result<(), Refused> {
        let failed = |cause: String| Refused::Authentication { cause };
        let PresentedAccess { access, signature } =
            PresentedAccess::parse(query).map_err(|error| match error {
                StorageError::Unknown { .. } | StorageError::TooLong { .. } => {
                    Refused::Query { cause: error.to_string() }
                }
                error => failed(error.to_string()),
            })?;
        if !self.keys.verify(&access.string_to_sign(&self.config.account, path), &signature) {
            let cause = "the signature is not one of this account's for this blob; ask for a new link";
            return Err(failed(cause.to_owned()));
        }
        let now = self.deps.clock.now();
        if now < access.starts || now >= access.expires {
            let (starts, expires) = (access.starts, access.expires);
            return Err(failed(format!(
                "the signature is good from {starts} to {expires}, and it is {now}; ask for a new link"
            )));
        }
        Ok(())
    }

    fn refuse(&self, refused: &Refused, voice: &Source, request: &Request<Body>, id: &str) -> Response<Body> {
        let response = refused.answer(id, &self.deps.clock.now().to_string());
        voice.emit(CmgEvent::BlobRefused {
            account: self.config.account.to_string(),
            path: shown(request.uri().path()),
            status: response.status().as_u16(),
            code: refused.code().to_owned(),
            cause: refused.cause(),
        });
        response
    }

    /// What leaves storage is the service's egress too (configmgr §6): the head now, the body as it goes.
    fn metered(&self, response: Response<Body>) -> Response<Body> {
        self.egress.add(response_head_bytes(&response));
        let egress = self.egress.clone();
        response.map(|body| counted_as_it_flows(body, move |bytes| egress.add(bytes)))
    }
}

impl Part {
    fn answer(self, shared: &Shared, voice: Source, head_only: bool) -> Response<Body> {
        let Self { blob, status, range } = self;
        let (from, of) = (range.start as u64, blob.bytes.len() as u64);
        let mut response = Response::new(Body::empty());
        *response.status_mut() = status;
        describe(response.headers_mut(), &blob);
        response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(range.len()));
        if status == StatusCode::PARTIAL_CONTENT {
            let last = range.end.saturating_sub(1);
            insert(response.headers_mut(), CONTENT_RANGE, &format!("bytes {from}-{last}/{of}"));
        }
        let body = if head_only { Body::empty() } else { pieces::body(blob.bytes.slice(range)) };
        let (account, path) = (shared.config.account.to_string(), blob.path.clone());
        response.map(|_| {
            counted(body, move |bytes| {
                voice.emit(CmgEvent::BlobServed { account, path, status: status.as_u16(), from, bytes, of });
            })
        })
    }
}

fn describe(headers: &mut HeaderMap, blob: &Blob) {
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    insert(headers, ETAG, &blob.etag());
    insert(headers, LAST_MODIFIED, &blob.modified.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string());
    for (name, value) in [
        ("x-ms-blob-type", "BlockBlob"),
        ("x-ms-lease-state", "available"),
        ("x-ms-lease-status", "unlocked"),
        ("x-ms-server-encrypted", "true"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// RFC 9110 section 13: a caller that resumes wants the version that it has begun.
fn conditions(headers: &HeaderMap, etag: &str) -> Result<(), Refused> {
    if headers.contains_key(IF_MATCH) && !names(headers, &IF_MATCH, etag) {
        return Err(Refused::Precondition);
    }
    if names(headers, &IF_NONE_MATCH, etag) {
        return Err(Refused::NotModified);
    }
    Ok(())
}

/// Whether a list of validators has this one.
fn names(headers: &HeaderMap, name: &HeaderName, etag: &str) -> bool {
    let lists = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    lists.flat_map(|list| list.split(',')).map(str::trim).any(|one| one == etag || one == "*")
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
