use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;

use super::{ALGORITHM, ContentLink, ContentLinkError, MAX_QUERY, PresentedLink, SIGNATURE, TIME, cut, time};
use crate::ids::ClientGuid;

pub(super) fn parse(query: &str) -> Result<PresentedLink, ContentLinkError> {
    if query.len() > MAX_QUERY {
        return Err(ContentLinkError::TooLong { bytes: query.len() });
    }
    let fields = Fields::of(query)?;
    let (package, content) = (fields.named("pid")?, fields.named("cid")?);
    let link = ContentLink {
        package: package.parse().map_err(|_| bad("pid", package, "a package id such as LAB00003"))?,
        content: content.parse().map_err(|_| bad("cid", content, "letters, digits, '.', '_' and '-'"))?,
        client: client(fields.named("tid")?)?,
        issuer: check_issuer(fields.named("iss")?)?.to_owned(),
        starts: when("st", fields.named("st")?)?,
        ends: when("et", fields.named("et")?)?,
    };
    let algorithm = fields.named("alg")?;
    if algorithm != ALGORITHM {
        return Err(bad("alg", algorithm, ALGORITHM));
    }
    let signature = fields.named(SIGNATURE)?;
    let unreadable = || bad(SIGNATURE, "…", "base64url of at most 1024 bytes, without padding");
    let signature = URL_SAFE_NO_PAD.decode(signature).ok().filter(|bytes| bytes.len() <= MAX_SIGNATURE);
    let signature = signature.ok_or_else(unreadable)?;
    link.check_lifetime()?;
    // The signature was found to be the last parameter, so there is a separator before it.
    let signed = query.rsplit_once('&').map_or("", |(signed, _signature)| signed).to_owned();
    Ok(PresentedLink { link, signed, signature })
}

pub(super) fn encode(signature: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(signature)
}

/// The name of a management point, as logs spell it.
pub(super) fn check_issuer(issuer: &str) -> Result<&str, ContentLinkError> {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    let good = issuer.len() <= 253 && issuer.split('.').all(label);
    if good { Ok(issuer) } else { Err(bad("iss", issuer, "the host name of a management point")) }
}

struct Fields<'a>([Option<&'a str>; NAMES.len()]);

impl<'a> Fields<'a> {
    fn of(query: &'a str) -> Result<Self, ContentLinkError> {
        let mut values = [None; NAMES.len()];
        let mut ended = false;
        for pair in query.split('&') {
            if ended {
                return Err(ContentLinkError::AfterSignature);
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let slot = NAMES.iter().zip(&mut values).find(|(known, _)| known.eq_ignore_ascii_case(name));
            let Some((known, slot)) = slot else {
                return Err(match name {
                    "" => ContentLinkError::Missing { name: "pid" },
                    name => ContentLinkError::Unknown { got: cut(name) },
                });
            };
            if slot.replace(value).is_some() {
                return Err(ContentLinkError::Twice { name: known });
            }
            ended = *known == SIGNATURE;
        }
        Ok(Self(values))
    }

    fn named(&self, name: &'static str) -> Result<&'a str, ContentLinkError> {
        let mut found = NAMES.iter().zip(self.0).filter(|(known, _)| **known == name);
        found.find_map(|(_, value)| value).ok_or(ContentLinkError::Missing { name })
    }
}

fn client(text: &str) -> Result<ClientGuid, ContentLinkError> {
    // Braces are what every other reader of the lab takes; a URL has none.
    let known = text.parse().ok().filter(|_| !text.contains('{'));
    known.ok_or_else(|| bad("tid", text, "GUID:<guid>"))
}

fn when(name: &'static str, text: &str) -> Result<Timestamp, ContentLinkError> {
    time(text, TIME).ok_or_else(|| bad(name, text, "a UTC time such as 2027-03-01T12:00:00"))
}

fn bad(name: &'static str, got: &str, expected: &'static str) -> ContentLinkError {
    ContentLinkError::Bad { name, got: cut(got), expected }
}

const NAMES: [&str; 8] = ["pid", "cid", "tid", "iss", "alg", "st", "et", SIGNATURE];
/// Of an RSA key of 8192 bits.
const MAX_SIGNATURE: usize = 1024;
