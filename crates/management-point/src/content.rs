//! The client's files as the management point publishes them.
//!
//! Fidelity: documented that clients fetch `CCM_Client/ccmsetup.cab` and that it is a cabinet with a
//! manifest of hashes; what is inside is the lab's own data, no program.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use cmglab_proto::cab::{self, File};
use cmglab_proto::manifest::{MANIFEST_NAME, Manifest};
use cmglab_site::Sha256;

use crate::ManagementPointError;

/// The published files, by their path below `/CCM_Client`. Cheap to clone.
#[derive(Clone)]
pub struct Content {
    package: Arc<Published>,
    /// By the name in lower case; paths are taken in any case.
    files: BTreeMap<String, Arc<Published>>,
}

/// One file.
#[derive(Clone)]
pub(crate) struct Published {
    pub(crate) bytes: Bytes,
    pub(crate) sha256: Sha256,
}

impl Content {
    /// The client of `version`: `ccmsetup.cab` with a manifest and a few small files. Equal versions give
    /// equal bytes.
    ///
    /// # Errors
    /// [`ManagementPointError::Cabinet`] when the cabinet cannot be written.
    pub fn client(version: &str) -> Result<Self, ManagementPointError> {
        let files = client_files(version);
        let manifest = Manifest::of(version, &files).to_xml();
        let packed: Vec<File> = std::iter::once(File::new(MANIFEST_NAME, manifest)).chain(files).collect();
        Ok(Self::of(cab::write(&packed)?))
    }

    /// Content whose `ccmsetup.cab` is `package`, whatever is in it.
    #[must_use]
    pub fn of(package: impl Into<Bytes>) -> Self {
        let package = Arc::new(Published::new(package.into()));
        let files = BTreeMap::from([(CLIENT_PACKAGE.to_owned(), Arc::clone(&package))]);
        Self { package, files }
    }

    /// The same with one more file at `/CCM_Client/<name>`.
    ///
    /// # Errors
    /// [`ManagementPointError::FileName`] for a name that is taken, or that a URL would have to escape.
    pub fn with_file(mut self, name: &str, bytes: impl Into<Bytes>) -> Result<Self, ManagementPointError> {
        let key = name.to_ascii_lowercase();
        if !is_plain(name) || self.files.contains_key(&key) {
            return Err(ManagementPointError::FileName { name: name.chars().take(128).collect() });
        }
        self.files.insert(key, Arc::new(Published::new(bytes.into())));
        Ok(self)
    }

    /// SHA-256 of `ccmsetup.cab`, which location services tell to clients.
    #[must_use]
    pub fn package_sha256(&self) -> Sha256 {
        self.package.sha256
    }

    /// The bytes of `ccmsetup.cab`.
    #[must_use]
    pub fn package_bytes(&self) -> &[u8] {
        &self.package.bytes
    }

    /// The file of that name, in any case.
    pub(crate) fn file(&self, name: &str) -> Option<Arc<Published>> {
        self.files.get(&name.to_ascii_lowercase()).cloned()
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Content")
            .field("files", &self.files.keys().collect::<Vec<_>>())
            .field("package_sha256", &hex(&self.package.sha256))
            .finish()
    }
}

impl Published {
    fn new(bytes: Bytes) -> Self {
        let mut sha256 = [0; 32];
        sha256.copy_from_slice(digest(&SHA256, &bytes).as_ref());
        Self { bytes, sha256 }
    }

    /// A strong validator (RFC 9110 section 8.8.3).
    pub(crate) fn etag(&self) -> String {
        format!("\"{}\"", hex(&self.sha256[..16]))
    }
}

/// Capital hex, as hashes are written in replies and logs.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

fn client_files(version: &str) -> Vec<File> {
    let file = |name: &str, about: &str| {
        File::new(name, format!("{NOTICE}\r\n{about}, version {version}\r\n").into_bytes())
    };
    let mut msi = file("client.msi", "Stands in for the installation package");
    // Enough for several blocks of a cabinet and for ranges that cut it.
    msi.data.extend((0..FILLER).map(|index: u32| index.wrapping_mul(2_654_435_761).to_be_bytes()[0]));
    vec![
        msi,
        file("ccmsetup.exe", "Stands in for the bootstrapper"),
        file("i386/vcredist_x86.txt", "Stands in for a prerequisite"),
    ]
}

fn is_plain(name: &str) -> bool {
    let part = |part: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        !part.is_empty() && !part.starts_with('.') && part.bytes().all(plain)
    };
    name.len() <= 255 && name.split('/').all(part)
}

/// The name of the package that ccmsetup fetches.
pub const CLIENT_PACKAGE: &str = "ccmsetup.cab";
const NOTICE: &str = "This file is not a program. It is data that a protocol lab generated.";
const FILLER: u32 = 150_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_package_is_a_cabinet_whose_manifest_holds() {
        let content = Content::client("5.00.9128.1000").unwrap();
        let mut files = cab::read(content.package_bytes(), &cab::Limits::default()).unwrap();
        let manifest = files.remove(0);
        assert_eq!(manifest.name, MANIFEST_NAME);
        let manifest = Manifest::parse(&manifest.data).unwrap();
        assert_eq!(manifest.version, "5.00.9128.1000");
        assert_eq!(manifest.verify(&files), Ok(()));
        assert!(files.iter().all(|file| file.data.starts_with(NOTICE.as_bytes())));
    }

    #[test]
    fn equal_versions_give_equal_bytes() {
        let hash = |version| Content::client(version).unwrap().package_sha256();
        assert_eq!(hash("5.00.9128.1000"), hash("5.00.9128.1000"));
        assert_ne!(hash("5.00.9128.1000"), hash("5.00.9132.1000"));
    }

    #[test]
    fn names_are_plain_and_taken_once() {
        let content = Content::of("x").with_file("i386/A.txt", "y").unwrap();
        assert!(content.file("I386/a.TXT").is_some() && content.file("CCMSETUP.CAB").is_some());
        for name in ["", "CcmSetup.cab", "../a", "a//b", "/a", "a b", "a%2e", ".hidden"] {
            assert!(content.clone().with_file(name, "z").is_err(), "{name}");
        }
    }
}
