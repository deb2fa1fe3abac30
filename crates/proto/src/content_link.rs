//! Content from a content-enabled CMG: the link that a management point signs, the list of files that the CMG
//! answers it with, and the link to each file in Azure storage.
//!
//! Fidelity: documented for the path, for `pid`, `cid`, `tid`, `iss`, `alg`, `st` and `et`, their order and
//! their spelling (configmgr §1.5), and for a lifetime of at most 24 hours, 8 in every sample (configmgr §3);
//! lab for `sig`, for what it covers, and for nothing being decoded: the signature covers the query as it
//! stands, so that what is verified is what was sent.

mod list;
mod names;
mod query;
pub mod storage;

pub use list::{ContentFile, ContentList, ContentListError, MAX_FILES, MAX_LIST};
pub use names::{ContentId, FileName, NameError, PackageId};

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::ids::ClientGuid;
use crate::mapping::MpBase;

/// What a content link grants: one client may see the files of one content for some hours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentLink {
    /// The package, `pid`.
    pub package: PackageId,
    /// The content, `cid`; for a package its own id.
    pub content: ContentId,
    /// The client that it was made for, `tid`.
    pub client: ClientGuid,
    /// Host name of the management point that signs, `iss`.
    pub issuer: String,
    /// From when on it is good, `st`; whole seconds.
    pub starts: Timestamp,
    /// Until when, `et`; whole seconds.
    pub ends: Timestamp,
}

/// A link that was read and not yet believed.
#[derive(Clone, PartialEq, Eq)]
pub struct PresentedLink {
    /// What it says. **Anyone may have written it.**
    pub link: ContentLink,
    /// The bytes that the signature must cover.
    pub signed: String,
    /// The signature, `sig`: RSASSA-PKCS1-v1_5 with SHA-256.
    pub signature: Vec<u8>,
}

impl ContentLink {
    /// The bytes to be signed: the query in its documented order, up to the signature.
    #[must_use]
    pub fn signed_part(&self) -> String {
        let Self { package, content, client, issuer, starts, ends } = self;
        let (client, st, et) = (client.guid(), stamp(*starts), stamp(*ends));
        format!("pid={package}&cid={content}&tid=GUID:{client}&iss={issuer}&alg={ALGORITHM}&st={st}&et={et}")
    }

    /// The whole link at the service `base`, `https://CMG.LAB.TEST`.
    ///
    /// # Errors
    /// [`ContentLinkError::Base`]; [`ContentLinkError::Bad`] for an issuer that is no host name;
    /// [`ContentLinkError::Lifetime`] unless it ends after it starts, and within 24 hours.
    pub fn to_url(&self, base: &str, signature: &[u8]) -> Result<String, ContentLinkError> {
        let known: Result<MpBase, _> = base.trim_end_matches('/').parse();
        let base =
            known.ok().filter(MpBase::is_https).ok_or_else(|| ContentLinkError::Base { got: cut(base) })?;
        query::check_issuer(&self.issuer)?;
        self.check_lifetime()?;
        Ok(format!("{base}{PATH}?{}&{SIGNATURE}={}", self.signed_part(), query::encode(signature)))
    }

    fn check_lifetime(&self) -> Result<(), ContentLinkError> {
        let asked = self.ends.duration_since(self.starts);
        let usable = asked >= SHORTEST_LIFETIME && asked <= LONGEST_LIFETIME;
        if usable { Ok(()) } else { Err(ContentLinkError::Lifetime { asked }) }
    }
}

impl PresentedLink {
    /// Reads what follows the `?`. The names are taken in any case and, save `sig`, which is last, in any
    /// order; each once, and no others.
    ///
    /// # Errors
    /// [`ContentLinkError`] names the first thing that is wrong.
    pub fn parse(query: &str) -> Result<Self, ContentLinkError> {
        query::parse(query)
    }
}

/// A signature grants what the link says.
impl std::fmt::Debug for PresentedLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PresentedLink").field("link", &self.link).finish_non_exhaustive()
    }
}

/// Whether a raw path is that of the service; in any case, as IIS takes it.
#[must_use]
pub fn is_at(path: &str) -> bool {
    path.eq_ignore_ascii_case(PATH)
}

/// Why a content link is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ContentLinkError {
    /// More than [`MAX_QUERY`] bytes.
    #[error("content link: a query of {bytes} bytes; at most {MAX_QUERY} are read")]
    TooLong {
        /// The length in bytes.
        bytes: usize,
    },
    /// A parameter is not there.
    #[error("content link: {name} is missing; take the link from a content location reply as it stands")]
    Missing {
        /// The parameter.
        name: &'static str,
    },
    /// A parameter is given twice.
    #[error("content link: {name} is given twice")]
    Twice {
        /// The parameter.
        name: &'static str,
    },
    /// A parameter that is none of the link's.
    #[error("content link: unknown parameter {got:?}; take the link as it stands")]
    Unknown {
        /// Its name, cut to 64 characters.
        got: String,
    },
    /// A value that cannot be read.
    #[error("content link: {name} is {got:?}; expected {expected}")]
    Bad {
        /// The parameter.
        name: &'static str,
        /// The value, cut to 64 characters; nothing of a signature.
        got: String,
        /// What was wanted.
        expected: &'static str,
    },
    /// Something follows the signature, which would not be covered by it.
    #[error("content link: {SIGNATURE} must be the last parameter")]
    AfterSignature,
    /// Less than a second or more than 24 hours.
    #[error("content link: a lifetime of {asked:#}; at least a second and at most 24 hours are taken")]
    Lifetime {
        /// From start to end.
        asked: SignedDuration,
    },
    /// The gateway's address.
    #[error("content link: {got:?} is no gateway; expected https://<host>, without a path")]
    Base {
        /// The text, cut to 64 characters.
        got: String,
    },
}

impl ContentLinkError {
    /// Whether the fault is in what proves the link, rather than in what it asks for.
    #[must_use]
    pub fn is_of_proof(&self) -> bool {
        match self {
            Self::Missing { name } | Self::Twice { name } | Self::Bad { name, .. } => {
                !matches!(*name, "pid" | "cid")
            }
            Self::AfterSignature | Self::Lifetime { .. } => true,
            Self::TooLong { .. } | Self::Unknown { .. } | Self::Base { .. } => false,
        }
    }
}

/// UTC without a zone, as every sample has it.
fn stamp(at: Timestamp) -> String {
    at.strftime(TIME).to_string()
}

/// The time that `text` is the only spelling of.
fn time(text: &str, format: &str) -> Option<Timestamp> {
    let time = DateTime::strptime(format, text).ok()?;
    let at = time.to_zoned(TimeZone::UTC).ok()?.timestamp();
    (at.strftime(format).to_string() == text).then_some(at)
}

fn cut(text: &str) -> String {
    text.chars().take(64).collect()
}

/// The path of the service.
pub const PATH: &str = "/downloadrestservice.svc/getcontentxmlsecure";
/// sha256WithRSAEncryption, the only algorithm (RFC 8017 appendix A.2.4).
pub const ALGORITHM: &str = "1.2.840.113549.1.1.11";
/// How long a link is good unless told otherwise.
pub const DEFAULT_LIFETIME: SignedDuration = SignedDuration::from_hours(8);
/// The longest that a link may be good.
pub const LONGEST_LIFETIME: SignedDuration = SignedDuration::from_hours(24);
/// The longest query that is read, in bytes.
pub const MAX_QUERY: usize = 4096;
const SHORTEST_LIFETIME: SignedDuration = SignedDuration::from_secs(1);
const SIGNATURE: &str = "sig";
const TIME: &str = "%Y-%m-%dT%H:%M:%S";

#[cfg(test)]
mod tests;
