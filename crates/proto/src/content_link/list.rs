//! What the CMG answers a content link with.
//!
//! Fidelity: lab. The product's answer is public by the name of its method alone: XML that lists a content.

use std::collections::HashSet;

use super::storage::BlobLink;
use super::{ContentId, FileName, PackageId};
use crate::ccm::xml::{Element, parse};
use crate::ccm::{CcmError, Limits};

/// The files of a content, and where each is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentList {
    /// The package.
    pub package: PackageId,
    /// The content.
    pub content: ContentId,
    /// Its files in the order of their names.
    pub files: Vec<ContentFile>,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentFile {
    /// Its path within the content.
    pub name: FileName,
    /// Its length in bytes.
    pub size: u64,
    /// SHA-256 of it.
    pub sha256: [u8; 32],
    /// Where it is in storage.
    pub link: BlobLink,
}

impl ContentList {
    /// Writes the list as XML.
    #[must_use]
    pub fn to_xml(&self) -> String {
        let files = self.files.iter().map(|file| {
            Element::new(FILE)
                .with_attribute(NAME, &file.name)
                .with_attribute(SIZE, file.size)
                .with_attribute(SHA_256, hex(&file.sha256))
                .with_attribute(URL, file.link.expose())
        });
        Element::new(ROOT)
            .with_attribute(PACKAGE, &self.package)
            .with_attribute(CONTENT, &self.content)
            .with_children(files)
            .to_xml()
    }

    /// Reads a list of at most [`MAX_LIST`] bytes and [`MAX_FILES`] files. Names differ in more than case.
    ///
    /// # Errors
    /// [`ContentListError`] names the first thing that is wrong.
    pub fn parse(xml: &[u8]) -> Result<Self, ContentListError> {
        if xml.len() > MAX_LIST {
            return Err(ContentListError::TooLarge { bytes: xml.len() });
        }
        let text = str::from_utf8(xml).map_err(|_| ContentListError::NotUtf8)?;
        let limits = Limits { xml_elements: MAX_FILES + 1, ..Limits::default() };
        let root = parse(text, &limits)?.expect_root(ROOT)?;
        let files = root.children_named(FILE).map(ContentFile::read).collect::<Result<Vec<_>, _>>()?;
        let mut names = HashSet::new();
        if let Some(twice) = files.iter().find(|file| !names.insert(file.name.as_str().to_ascii_lowercase()))
        {
            return Err(ContentListError::Twice { name: twice.name.to_string() });
        }
        Ok(Self { package: value(&root, PACKAGE)?, content: value(&root, CONTENT)?, files })
    }
}

impl ContentFile {
    fn read(element: &Element) -> Result<Self, ContentListError> {
        let sha256 = unhex(element.required_attribute(SHA_256)?);
        Ok(Self {
            name: value(element, NAME)?,
            size: value(element, SIZE)?,
            sha256: sha256.ok_or(ContentListError::BadValue { attribute: SHA_256 })?,
            link: value(element, URL)?,
        })
    }
}

/// Why a list is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ContentListError {
    /// More than [`MAX_LIST`] bytes.
    #[error("content list of {bytes} bytes; at most {MAX_LIST} are read")]
    TooLarge {
        /// The length in bytes.
        bytes: usize,
    },
    /// Not UTF-8.
    #[error("the content list is not UTF-8 text")]
    NotUtf8,
    /// Not the expected XML.
    #[error("content list: {0}")]
    Xml(#[from] CcmError),
    /// An attribute cannot be read.
    #[error("content list: {attribute} cannot be read")]
    BadValue {
        /// The attribute.
        attribute: &'static str,
    },
    /// Two files have one name, as Windows compares names.
    #[error("content list: file {name:?} is listed twice")]
    Twice {
        /// The second one's name.
        name: String,
    },
}

fn value<T: std::str::FromStr>(element: &Element, attribute: &'static str) -> Result<T, ContentListError> {
    let value = element.required_attribute(attribute)?;
    value.parse().map_err(|_| ContentListError::BadValue { attribute })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, odd) = text.as_bytes().as_chunks::<2>();
    let bytes: Option<Vec<u8>> =
        pairs.iter().map(|[high, low]| Some((digit(*high)? << 4) | digit(*low)?)).collect();
    bytes.filter(|_| odd.is_empty())?.try_into().ok()
}

/// The longest list that is read, in bytes.
pub const MAX_LIST: usize = 4 * 1024 * 1024;
/// The most files of one content.
pub const MAX_FILES: usize = 4096;
const ROOT: &str = "ContentList";
const PACKAGE: &str = "PackageID";
const CONTENT: &str = "ContentID";
const FILE: &str = "File";
const NAME: &str = "Name";
const SIZE: &str = "Size";
const SHA_256: &str = "SHA256";
const URL: &str = "URL";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn list() -> ContentList {
        let file = |name: &str| ContentFile {
            name: name.parse().unwrap(),
            size: 7,
            sha256: [0xab; 32],
            link: format!("https://lab.blob.core.windows.net/content-lab00003/LAB00003/{name}?sv=1&sig=a%2B")
                .parse()
                .unwrap(),
        };
        let (package, content) = ("LAB00003".parse().unwrap(), "LAB00003".parse().unwrap());
        ContentList { package, content, files: vec![file("a.msi"), file("x64/b.dll")] }
    }

    #[test]
    fn a_list_round_trips_and_hides_its_links() {
        let list = list();
        let xml = list.to_xml();
        assert!(
            xml.starts_with(
                "<ContentList PackageID=\"LAB00003\" ContentID=\"LAB00003\"><File Name=\"a.msi\""
            )
        );
        assert!(xml.contains("?sv=1&amp;sig=a%2B\""), "{xml}");
        assert!(!format!("{list:?}").contains("a%2B"));
        assert_eq!(ContentList::parse(xml.as_bytes()), Ok(list));
    }

    #[test]
    fn bad_lists_are_told_apart() {
        use ContentListError as E;
        let good = list().to_xml();
        let parse = |from: &str, to: &str| ContentList::parse(good.replacen(from, to, 1).as_bytes());
        assert!(parse("x", "x").is_ok());
        assert_eq!(parse("x64/b.dll\"", "A.MSI\""), Err(E::Twice { name: "A.MSI".into() }));
        assert_eq!(parse("Size=\"7\"", "Size=\"-7\""), Err(E::BadValue { attribute: SIZE }));
        assert_eq!(parse("ABAB", "AB"), Err(E::BadValue { attribute: SHA_256 }));
        assert_eq!(parse("ABAB", "ABA"), Err(E::BadValue { attribute: SHA_256 }));
        assert_eq!(parse("https://", "http://"), Err(E::BadValue { attribute: URL }));
        assert_eq!(parse("\"a.msi", "\"../a.msi"), Err(E::BadValue { attribute: NAME }));
        assert_eq!(parse("LAB00003", "L"), Err(E::BadValue { attribute: PACKAGE }));
        assert!(matches!(parse("ContentList", "Other"), Err(E::Xml(_))));
        assert_eq!(ContentList::parse(&[0xff]), Err(E::NotUtf8));
        assert_eq!(ContentList::parse(&vec![b' '; MAX_LIST + 1]), Err(E::TooLarge { bytes: MAX_LIST + 1 }));
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "(<ContentList PackageID=\"LAB00003\" ContentID=\"a\">)?(<File Name=\"[a/.]{0,3}\" Size=\"[0-9é]{0,3}\" SHA256=\"[0-9aé]{0,64}\" URL=\"https://a/b.*\"/>)?.*") {
            let _ = ContentList::parse(text.as_bytes());
        }
    }
}
