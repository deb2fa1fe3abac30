//! `/CCM_Client/…`: the client's files, whole or in part.
//!
//! Fidelity: documented for the path and for Range being in use (configmgr §1.8); lab for the token in
//! the header. RFC 9110 for ranges and validators.

use axum::body::Body;
use cmglab_events::Source;
use cmglab_events::kinds::{CertificateVerdict, LabEvent, ManagementPointEvent, TokenService};
use cmglab_fault::{Point, Verdict};
use cmglab_net::Wanted;
use cmglab_proto::refusal::MpRefusal;
use http::header::{ACCEPT_RANGES, AUTHORIZATION, CONTENT_LENGTH, CONTENT_RANGE, ETAG};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};

use crate::bearer::Presented;
use crate::refused::Refused;
use crate::service::Shared;
use crate::{Mode, answer};

pub(crate) async fn answer(
    shared: &Shared,
    voice: &Source,
    name: &str,
    head: &Parts,
    certificate: CertificateVerdict,
) -> Result<Response<Body>, Refused> {
    if !matches!(head.method, Method::GET | Method::HEAD) {
        return Err(Refused::Method { allowed: "GET, HEAD" });
    }
    authorize(shared, &head.headers, certificate).await?;
    let file = shared.content.load().file(name);
    let unknown = || Refused::Other(MpRefusal::NotFound, "no such file is published".to_owned());
    let file = file.ok_or_else(unknown)?;
    let (length, etag) = (file.bytes.len(), file.etag());
    let (status, part) = match Wanted::of(&head.headers, length, &etag) {
        Wanted::Whole => (StatusCode::OK, 0..length),
        Wanted::Part(part) => (StatusCode::PARTIAL_CONTENT, part),
        Wanted::Nothing => return Err(Refused::Range { length }),
    };
    let path = head.uri.path();
    let body = match head.method {
        Method::HEAD => bytes::Bytes::new(),
        _ => spoilt(shared, voice, path, file.bytes.slice(part.clone())),
    };
    let sent = body.len();
    let mut response = answer::whole(status, "application/octet-stream", body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_LENGTH, HeaderValue::from(part.len()));
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    insert(headers, ETAG, &etag);
    if status == StatusCode::PARTIAL_CONTENT {
        let last = part.end.saturating_sub(1);
        insert(headers, CONTENT_RANGE, &format!("bytes {}-{last}/{length}", part.start));
    }
    voice.emit(ManagementPointEvent::ContentServed {
        path: path.to_owned(),
        status: status.as_u16(),
        from: part.start as u64,
        bytes: sent as u64,
        of: length as u64,
    });
    Ok(response)
}

/// A CCM token, or a client certificate. A token that came along must be good, whatever the certificate
/// says: through the gateway that is the connection point's own.
async fn authorize(
    shared: &Shared,
    headers: &HeaderMap,
    certificate: CertificateVerdict,
) -> Result<(), Refused> {
    if !headers.contains_key(AUTHORIZATION) && shared.config.mode == Mode::Https {
        return match certificate {
            CertificateVerdict::Valid => Ok(()),
            _ => {
                let cause = "content is for clients with a token or a certificate".to_owned();
                Err(Refused::Other(MpRefusal::ClientCertificateRequired, cause))
            }
        };
    }
    let presented = Presented::of(headers, TokenService::Content)?;
    presented.ccm(&shared.site, &shared.deps).await.map(drop)
}

/// The bytes as they leave, after the faults in force.
fn spoilt(shared: &Shared, voice: &Source, path: &str, bytes: bytes::Bytes) -> bytes::Bytes {
    if shared.deps.faults.at(Point::Content, path) != Some(Verdict::FlipByte) {
        return bytes;
    }
    let mut spoilt = bytes.to_vec();
    let middle = spoilt.len() / 2;
    let Some(byte) = spoilt.get_mut(middle) else { return bytes };
    *byte = !*byte;
    voice.emit(LabEvent::FaultApplied { point: "content".to_owned(), verdict: "flip-byte".to_owned() });
    spoilt.into()
}

fn insert(headers: &mut HeaderMap, name: http::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
