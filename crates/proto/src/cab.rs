//! Cabinet files, such as `ccmsetup.cab`: a writer and a reader.
//!
//! Fidelity: documented ([MS-CAB]). Folders are written stored and read stored or MSZIP; Quantum, LZX and
//! sets of several cabinets are refused by name. Names are kept with `/` here and with `\` in the file.

mod block;
mod name;
mod read;
mod write;

pub use read::{Limits, read};
pub use write::write;

use std::fmt;

use jiff::civil::DateTime;

/// One file of a cabinet.
#[derive(Clone, PartialEq, Eq)]
pub struct File {
    /// The name, with `/` between folders.
    pub name: String,
    /// The content.
    pub data: Vec<u8>,
    /// When the file was last written, in the local time of whoever made it. A cabinet holds even seconds
    /// of the years 1980 to 2107; other times are moved to the nearest that it can hold.
    pub modified: DateTime,
}

impl File {
    /// A file of the first of January 1980, for cabinets that must not depend on a clock.
    #[must_use]
    pub fn new(name: impl Into<String>, data: impl Into<Vec<u8>>) -> Self {
        Self { name: name.into(), data: data.into(), modified: EARLIEST }
    }
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("File")
            .field("name", &self.name)
            .field("bytes", &self.data.len())
            .field("modified", &self.modified)
            .finish()
    }
}

/// Why a cabinet cannot be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CabError {
    /// The first four bytes are not `MSCF`.
    #[error("not a cabinet: the file does not begin with MSCF")]
    NotACabinet,
    /// A version other than 1.3.
    #[error("cabinet format {major}.{minor} is not known; expected 1.3")]
    UnknownVersion {
        /// The major version.
        major: u8,
        /// The minor version.
        minor: u8,
    },
    /// The bytes end before the cabinet does.
    #[error("the cabinet ends early, at byte {at}; fetch it again")]
    Truncated {
        /// Where bytes were wanted.
        at: usize,
    },
    /// The cabinet continues in another file.
    #[error("the cabinet is one of a set; only single cabinets are read")]
    PartOfASet,
    /// A folder is compressed with Quantum, LZX or something unknown.
    #[error("compression type {kind} is not supported; expected none (0) or MSZIP (1)")]
    UnsupportedCompression {
        /// The low four bits of the folder's type.
        kind: u16,
    },
    /// A data block's checksum is wrong.
    #[error("block {block} of folder {folder} is damaged: its checksum does not match")]
    Checksum {
        /// The folder, from 0.
        folder: usize,
        /// The block, from 0.
        block: usize,
    },
    /// A data block does not decompress to the length it states.
    #[error("block {block} of folder {folder} is damaged: it does not decompress to its stated length")]
    BadBlock {
        /// The folder, from 0.
        folder: usize,
        /// The block, from 0.
        block: usize,
    },
    /// A file lies outside its folder.
    #[error("file {name:?} lies outside its folder")]
    OutsideFolder {
        /// The file's name.
        name: String,
    },
    /// A name is empty, leads out of the target folder or cannot exist on Windows.
    #[error("file name {name:?} is not a plain relative path")]
    BadName {
        /// The name.
        name: String,
    },
    /// Two files have one name, but for the case.
    #[error("file name {name:?} occurs twice")]
    DuplicateName {
        /// The name.
        name: String,
    },
    /// More files or folders than allowed.
    #[error("the cabinet lists {files} files or folders; at most {limit} are taken")]
    TooManyFiles {
        /// How many it lists.
        files: usize,
        /// How many are allowed.
        limit: usize,
    },
    /// More bytes than allowed.
    #[error("the files have more than {limit} bytes in all")]
    TooLarge {
        /// How many bytes are allowed.
        limit: usize,
    },
}

const EARLIEST: DateTime = jiff::civil::date(1980, 1, 1).at(0, 0, 0, 0);
const SIGNATURE: &[u8; 4] = b"MSCF";
const NAME_IS_UTF8: u16 = 0x80;
const ARCHIVE: u16 = 0x20;

#[cfg(test)]
mod tests;
