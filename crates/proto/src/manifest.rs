//! The manifest of the client's files, which ccmsetup checks before it installs anything.
//!
//! Fidelity: lab. The product's manifest is not public beyond what it does: it lists files with their
//! hashes, and a mismatch ends ccmsetup with return code 10 (configmgr §2).

use std::collections::HashMap;

use aws_lc_rs::digest::{SHA256, digest};

use crate::cab::File;
use crate::ccm::xml::{Element, parse};
use crate::ccm::{CcmError, Limits};

/// The files of one version of the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The client's version, `5.00.9128.1000`.
    pub version: String,
    /// The files, in the order of the manifest.
    pub files: Vec<ManifestFile>,
}

/// One file that the manifest lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestFile {
    /// The name, with `/` between folders.
    pub name: String,
    /// The length in bytes.
    pub size: u64,
    /// The SHA-256 of the content.
    pub sha256: [u8; 32],
}

impl Manifest {
    /// The manifest of `files`.
    #[must_use]
    pub fn of(version: impl Into<String>, files: &[File]) -> Self {
        Self { version: version.into(), files: files.iter().map(ManifestFile::of).collect() }
    }

    /// Writes the manifest as XML.
    #[must_use]
    pub fn to_xml(&self) -> String {
        let files = self.files.iter().map(|file| {
            Element::new(FILE)
                .with_attribute(NAME, &file.name)
                .with_attribute(SIZE, file.size)
                .with_attribute(SHA_256, hex(&file.sha256))
        });
        Element::new(ROOT).with_attribute(VERSION, &self.version).with_children(files).to_xml()
    }

    /// Reads a manifest of at most [`MAX_MANIFEST`] bytes.
    ///
    /// # Errors
    /// [`ManifestError`] names the first thing that is wrong.
    pub fn parse(xml: &[u8]) -> Result<Self, ManifestError> {
        if xml.len() > MAX_MANIFEST {
            return Err(ManifestError::TooLarge { bytes: xml.len() });
        }
        let text = str::from_utf8(xml).map_err(|_| ManifestError::NotUtf8)?;
        let limits = Limits { xml_elements: MAX_ELEMENTS, ..Limits::default() };
        let root = parse(text, &limits)?.expect_root(ROOT)?;
        let version = root.required_attribute(VERSION)?.to_owned();
        let files = root.children_named(FILE).map(ManifestFile::read).collect::<Result<Vec<_>, _>>()?;
        let mut names = HashMap::new();
        match files.iter().find(|file| names.insert(file.name.to_lowercase(), ()).is_some()) {
            Some(twice) => Err(ManifestError::Twice { name: twice.name.clone() }),
            None => Ok(Self { version, files }),
        }
    }

    /// Checks that `files` are exactly those of the manifest. Names are compared in any case, as Windows
    /// does.
    ///
    /// # Errors
    /// The first of [`ManifestError::Missing`], [`ManifestError::Changed`] and
    /// [`ManifestError::Unlisted`].
    pub fn verify(&self, files: &[File]) -> Result<(), ManifestError> {
        let mut found: HashMap<String, &File> =
            files.iter().map(|file| (file.name.to_lowercase(), file)).collect();
        for listed in &self.files {
            let file = found
                .remove(&listed.name.to_lowercase())
                .ok_or_else(|| ManifestError::Missing { name: listed.name.clone() })?;
            let actual = ManifestFile::of(file);
            if (actual.size, actual.sha256) != (listed.size, listed.sha256) {
                return Err(ManifestError::Changed { name: listed.name.clone() });
            }
        }
        match files.iter().find(|file| found.contains_key(&file.name.to_lowercase())) {
            Some(file) => Err(ManifestError::Unlisted { name: file.name.clone() }),
            None => Ok(()),
        }
    }
}

impl ManifestFile {
    fn of(file: &File) -> Self {
        let mut sha256 = [0; 32];
        sha256.copy_from_slice(digest(&SHA256, &file.data).as_ref());
        Self { name: file.name.clone(), size: file.data.len() as u64, sha256 }
    }

    fn read(element: &Element) -> Result<Self, ManifestError> {
        let name = element.required_attribute(NAME)?.to_owned();
        let size = element.required_attribute(SIZE)?.parse();
        let sha256 = unhex(element.required_attribute(SHA_256)?);
        match (size, sha256) {
            (Ok(size), Some(sha256)) => Ok(Self { name, size, sha256 }),
            (Err(_), _) => Err(ManifestError::BadValue { name, attribute: SIZE }),
            (_, None) => Err(ManifestError::BadValue { name, attribute: SHA_256 }),
        }
    }
}

/// Why a manifest cannot be read, or why files are not those it lists.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// More than [`MAX_MANIFEST`] bytes.
    #[error("manifest of {bytes} bytes; at most {MAX_MANIFEST} are read")]
    TooLarge {
        /// The length in bytes.
        bytes: usize,
    },
    /// Not UTF-8.
    #[error("the manifest is not UTF-8 text")]
    NotUtf8,
    /// Not the expected XML.
    #[error("manifest: {0}")]
    Xml(#[from] CcmError),
    /// A size or a hash cannot be read.
    #[error("manifest: {attribute} of file {name:?} cannot be read")]
    BadValue {
        /// The file.
        name: String,
        /// The attribute.
        attribute: &'static str,
    },
    /// A file is listed twice.
    #[error("manifest: file {name:?} is listed twice")]
    Twice {
        /// The file.
        name: String,
    },
    /// A listed file is not there.
    #[error("file {name:?} is missing; fetch the cabinet again")]
    Missing {
        /// The file.
        name: String,
    },
    /// A file's size or hash is another.
    #[error("file {name:?} is not the one the manifest lists: its size or its hash differs")]
    Changed {
        /// The file.
        name: String,
    },
    /// A file is there that is not listed.
    #[error("file {name:?} is not listed in the manifest")]
    Unlisted {
        /// The file.
        name: String,
    },
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let nibble = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let bytes = text
        .as_bytes()
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => Some((nibble(*high)? << 4) | nibble(*low)?),
            _ => None,
        })
        .collect::<Option<Vec<u8>>>()?;
    bytes.try_into().ok()
}

/// The name of the manifest in a cabinet.
pub const MANIFEST_NAME: &str = "ccmsetup.xml";
/// The largest manifest that is read, in bytes.
pub const MAX_MANIFEST: usize = 1024 * 1024;
const MAX_ELEMENTS: usize = 4096;
const ROOT: &str = "ClientManifest";
const FILE: &str = "File";
const VERSION: &str = "Version";
const NAME: &str = "Name";
const SIZE: &str = "Size";
const SHA_256: &str = "SHA256";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn files() -> Vec<File> {
        vec![File::new("client.msi", "abc"), File::new("x64/a & b.dll", "")]
    }

    #[test]
    fn a_manifest_round_trips() {
        let manifest = Manifest::of("5.00.9128.1000", &files());
        let xml = manifest.to_xml();
        assert!(xml.starts_with(
            "<ClientManifest Version=\"5.00.9128.1000\"><File Name=\"client.msi\" Size=\"3\" \
             SHA256=\"BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD\"/>"
        ));
        assert_eq!(Manifest::parse(xml.as_bytes()), Ok(manifest));
    }

    #[test]
    fn each_difference_is_named() {
        let manifest = Manifest::of("1", &files());
        assert_eq!(manifest.verify(&files()), Ok(()));
        let mut other = files();
        other[0].name = "CLIENT.MSI".into();
        assert_eq!(manifest.verify(&other), Ok(()));
        other[0].data[0] ^= 1;
        assert_eq!(manifest.verify(&other), Err(ManifestError::Changed { name: "client.msi".into() }));
        assert_eq!(
            manifest.verify(&files()[..1]),
            Err(ManifestError::Missing { name: "x64/a & b.dll".into() })
        );
        let more = [files(), vec![File::new("evil.exe", "")]].concat();
        assert_eq!(manifest.verify(&more), Err(ManifestError::Unlisted { name: "evil.exe".into() }));
    }

    #[test]
    fn bad_manifests_are_told_apart() {
        let parse = |xml: &str| Manifest::parse(xml.as_bytes()).unwrap_err();
        let good = Manifest::of("1", &files()).to_xml();
        assert!(matches!(parse("<Other Version=\"1\"/>"), ManifestError::Xml(_)));
        assert!(matches!(parse("<ClientManifest/>"), ManifestError::Xml(_)));
        assert!(matches!(parse(&format!("<!DOCTYPE x>{good}")), ManifestError::Xml(_)));
        assert_eq!(
            parse(&good.replace("Size=\"3\"", "Size=\"x\"")),
            ManifestError::BadValue { name: "client.msi".into(), attribute: "Size" }
        );
        assert_eq!(
            parse(&good.replace("BA78", "BA7")),
            ManifestError::BadValue { name: "client.msi".into(), attribute: "SHA256" }
        );
        assert_eq!(
            parse(&good.replace("x64/a &amp; b.dll", "Client.msi")),
            ManifestError::Twice { name: "Client.msi".into() }
        );
        assert_eq!(Manifest::parse(&[0xff]), Err(ManifestError::NotUtf8));
        let giant = vec![b' '; MAX_MANIFEST + 1];
        assert_eq!(Manifest::parse(&giant), Err(ManifestError::TooLarge { bytes: MAX_MANIFEST + 1 }));
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(xml in "(<ClientManifest Version=\"1\">)?(<File Name=\"a\" Size=\"[0-9é]{0,3}\" SHA256=\"[0-9aé]{0,64}\"/>)?.*") {
            let _ = Manifest::parse(xml.as_bytes());
        }

        #[test]
        fn what_is_written_is_read(files in proptest::collection::btree_map("[a-z]{1,8}", any::<Vec<u8>>(), 0..4)) {
            let files: Vec<File> = files.into_iter().map(|(name, data)| File::new(name, data)).collect();
            let manifest = Manifest::of("5.00", &files);
            prop_assert_eq!(manifest.verify(&files), Ok(()));
            prop_assert_eq!(Manifest::parse(manifest.to_xml().as_bytes()), Ok(manifest));
        }
    }
}
