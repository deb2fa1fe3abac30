//! Why the site database could not do what it was asked.

use cmglab_proto::ids::SiteCode;
use cmglab_proto::settings::SettingsError;

/// Why the site database could not do what it was asked.
///
/// Every message says where, what, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SiteError {
    /// The database cannot be opened, read or written: no folder, no permission, disk full.
    #[error(
        "site database {path}: {cause}; check that the folder exists and is writable and that the disk is \
         not full"
    )]
    Unavailable {
        /// The file, or `memory`.
        path: String,
        /// What the engine said.
        cause: String,
    },
    /// Another program kept the database locked for longer than the busy timeout.
    #[error("site database {path}: locked by another program; close it and try again")]
    Busy {
        /// The file.
        path: String,
    },
    /// The file is no database, or one of another program.
    #[error("site database {path}: not a site database; choose another path")]
    NotASite {
        /// The file.
        path: String,
    },
    /// The file was written by a later build.
    #[error(
        "site database {path}: schema {found} is newer than {known}, the latest this build knows; use a \
         newer build or another path"
    )]
    NewerSchema {
        /// The file.
        path: String,
        /// The schema of the file.
        found: u32,
        /// The latest schema that this build knows.
        known: u32,
    },
    /// The file holds another site.
    #[error(
        "site database {path}: holds site {found}, but the configuration names {wanted}; change the site \
         code or choose another path"
    )]
    OtherSite {
        /// The file.
        path: String,
        /// The site in the file.
        found: SiteCode,
        /// The site in the configuration.
        wanted: SiteCode,
    },
    /// The file is damaged or holds a value that no build writes.
    #[error(
        "site database {path}: damaged ({cause}); restore a copy, or delete the file to start a new site"
    )]
    Corrupt {
        /// The file, or `memory`.
        path: String,
        /// What is wrong with it.
        cause: String,
    },
    /// A different thing of that name exists already.
    #[error("{what} {key:?} exists already and differs; remove or retire it first, or choose another name")]
    Conflict {
        /// The kind of thing.
        what: &'static str,
        /// Its name.
        key: String,
    },
    /// There is no such thing.
    #[error("there is no {what} {key:?} at this site; add it first, or check the spelling")]
    NotFound {
        /// The kind of thing.
        what: &'static str,
        /// The name that was asked for.
        key: String,
    },
    /// A value is longer, or there are more of it, than the site takes.
    #[error("{what}: {size} is over the limit of {limit}; shorten it")]
    TooLarge {
        /// The value.
        what: &'static str,
        /// Its length in bytes, or the count.
        size: usize,
        /// The most the site takes.
        limit: usize,
    },
    /// A JWK without `kid`.
    #[error("CCM signing key: the JWK has no kid; give it one, tokens name their key by it")]
    NoKeyId,
    /// The change would lead to settings that the gateway refuses.
    #[error("change refused, since the gateway would not take it: {cause}")]
    Settings {
        /// What the gateway would say.
        cause: SettingsError,
    },
    /// The handle was closed, or the thread behind it is gone.
    #[error("the site database was closed; open it again")]
    Closed,
}
