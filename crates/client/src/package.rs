//! The downloaded client: verified against what was announced, and put in the client's folder.
//!
//! Nothing of it is ever executed. The product code of a lab client is derived from its manifest, since
//! there is no real installer to ask (Fidelity: lab).

use aws_lc_rs::digest::{SHA256, digest};
use cmglab_proto::cab::{self, File};
use cmglab_proto::ccm::sign::to_hex;
use cmglab_proto::manifest::{MANIFEST_NAME, Manifest, ManifestError};

use crate::ClientError;
use crate::folder::Folder;

/// A client whose files are those of its manifest.
#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) version: String,
    /// In braces.
    pub(crate) product_code: String,
    files: Vec<File>,
}

impl Package {
    /// Checks a cabinet: its own hash first, then every file by the manifest.
    pub(crate) fn verify(cabinet: &[u8], sha256: &str) -> Result<Self, ClientError> {
        let actual = hash(cabinet);
        if !actual.eq_ignore_ascii_case(sha256) {
            let expected = sha256.chars().take(128).collect();
            return Err(ClientError::ContentHash { file: CABINET.to_owned(), expected, actual });
        }
        let mut files = cab::read(cabinet, &cab::Limits::default())?;
        let at = files.iter().position(|file| file.name.eq_ignore_ascii_case(MANIFEST_NAME));
        let missing = || ManifestError::Missing { name: MANIFEST_NAME.to_owned() };
        let manifest_file = files.remove(at.ok_or_else(missing)?);
        let manifest = Manifest::parse(&manifest_file.data)?;
        manifest.verify(&files).map_err(|error| changed(&manifest, &files, error))?;
        Ok(Self { version: manifest.version, product_code: product_code(&manifest_file.data), files })
    }

    /// Writes the files.
    pub(crate) fn unpack(&self, folder: &Folder) -> Result<(), ClientError> {
        self.files.iter().try_for_each(|file| folder.write(&file.name, &file.data))
    }
}

/// A changed file with both hashes; any other difference as it is.
fn changed(manifest: &Manifest, files: &[File], error: ManifestError) -> ClientError {
    let ManifestError::Changed { name } = &error else { return error.into() };
    let listed = manifest.files.iter().find(|file| file.name == *name);
    let found = files.iter().find(|file| file.name.eq_ignore_ascii_case(name));
    match (listed, found) {
        (Some(listed), Some(found)) => ClientError::ContentHash {
            file: name.clone(),
            expected: to_hex(&listed.sha256),
            actual: hash(&found.data),
        },
        _ => error.into(),
    }
}

fn hash(bytes: &[u8]) -> String {
    to_hex(digest(&SHA256, bytes).as_ref())
}

fn product_code(manifest: &[u8]) -> String {
    let mut bytes = [0; 16];
    let hash = digest(&SHA256, manifest);
    bytes.iter_mut().zip(hash.as_ref()).for_each(|(byte, from)| *byte = *from);
    let guid = uuid::Builder::from_random_bytes(bytes).into_uuid();
    format!("{{{}}}", guid.as_hyphenated().to_string().to_ascii_uppercase())
}

const CABINET: &str = "ccmsetup.cab";

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> Vec<File> {
        vec![File::new("client.msi", "msi"), File::new("x64/a.dll", "dll")]
    }

    fn cabinet(listed: &[File], packed: Vec<File>) -> Vec<u8> {
        let manifest = File::new(MANIFEST_NAME, Manifest::of("5.00.9128.1000", listed).to_xml());
        cab::write(&[vec![manifest], packed].concat()).unwrap()
    }

    #[test]
    fn a_sound_package_is_unpacked() {
        let cabinet = cabinet(&files(), files());
        let package = Package::verify(&cabinet, &hash(&cabinet).to_ascii_lowercase()).unwrap();
        assert_eq!(package.version, "5.00.9128.1000");
        assert_eq!(package.product_code.len(), 38);
        let again = Package::verify(&cabinet, &hash(&cabinet)).unwrap();
        assert_eq!(again.product_code, package.product_code);
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(place.path()).unwrap();
        package.unpack(&folder).unwrap();
        assert_eq!(folder.read("x64/a.dll", 9), Ok(Some(b"dll".to_vec())));
    }

    #[test]
    fn a_change_on_the_way_is_noticed() {
        let good = cabinet(&files(), files());
        let mut bad = good.clone();
        *bad.last_mut().unwrap() ^= 1;
        let error = Package::verify(&bad, &hash(&good)).unwrap_err();
        assert!(matches!(error, ClientError::ContentHash { file, .. } if file == CABINET));
    }

    #[test]
    fn a_cabinet_that_differs_from_its_manifest_is_refused() {
        let verify = |packed: Vec<File>| {
            let cabinet = cabinet(&files(), packed);
            Package::verify(&cabinet, &hash(&cabinet)).unwrap_err()
        };
        let mut other = files();
        other[0].data = b"evil".to_vec();
        assert!(matches!(verify(other), ClientError::ContentHash { file, .. } if file == "client.msi"));
        let missing = verify(files()[..1].to_vec());
        assert!(matches!(missing, ClientError::Manifest(ManifestError::Missing { .. })));
        let more = verify([files(), vec![File::new("b.exe", "x")]].concat());
        assert!(matches!(more, ClientError::Manifest(ManifestError::Unlisted { .. })));
        let bare = cab::write(&files()).unwrap();
        let error = Package::verify(&bare, &hash(&bare)).unwrap_err();
        assert!(matches!(error, ClientError::Manifest(ManifestError::Missing { .. })));
        let error = Package::verify(b"no cabinet", &hash(b"no cabinet")).unwrap_err();
        assert!(matches!(error, ClientError::Cabinet(_)));
    }
}
