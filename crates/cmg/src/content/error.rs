use cmglab_proto::content_link::storage::StorageError;
use cmglab_proto::content_link::{MAX_FILES, NameError};
use jiff::SignedDuration;

/// Why content cannot be published, or storage not be set up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ContentError {
    /// A file has a name that cannot be published.
    #[error("content: {0}")]
    Name(#[from] NameError),
    /// Two files have one name, as Windows compares names.
    #[error("content: file {name:?} is given twice")]
    Twice {
        /// The second one's name.
        name: String,
    },
    /// A content of no or of too many files.
    #[error("content: {count} files; publish 1 to {MAX_FILES}")]
    FileCount {
        /// How many there are.
        count: usize,
    },
    /// Too many contents.
    #[error("content: {limit} contents are published already; publish fewer")]
    TooMany {
        /// The most there may be.
        limit: usize,
    },
    /// A setting cannot be used.
    #[error("storage: link_lifetime of {asked:#}; choose a minute to 24 hours")]
    LinkLifetime {
        /// What was asked for.
        asked: SignedDuration,
    },
    /// The provider of cryptography has no random bytes.
    #[error("storage: no key could be made; the machine's source of random bytes failed")]
    Key,
    /// A link cannot be written.
    #[error(transparent)]
    Link(#[from] StorageError),
}
