//! The names of packages, contents and files.

use std::fmt;
use std::str::FromStr;

/// Why a text is not the name it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {got:?} cannot be used; expected {expected}")]
pub struct NameError {
    what: &'static str,
    got: String,
    expected: &'static str,
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $what:literal, $expected:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The text as given.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                let check: fn(&str) -> bool = $check;
                if check(text) {
                    return Ok(Self(text.to_owned()));
                }
                Err(NameError { what: $what, got: text.chars().take(64).collect(), expected: $expected })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
    };
}

name!(
    /// The id of a package: the site's code and five more letters or digits, `LAB00003`. The spelling is kept.
    PackageId,
    "package id",
    "eight letters and digits such as LAB00003",
    |text| text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
);

name!(
    /// The id of a content: a package's own, or that of an application's or an update's content. The spelling
    /// is kept.
    ContentId,
    "content id",
    "1 to 128 letters, digits, '.', '_' and '-', not beginning with a dot",
    |text| text.len() <= 128 && is_plain(text)
);

name!(
    /// The path of a file within a content, `x64/client.msi`. The spelling is kept. A name that a URL would
    /// have to escape is the lab's limit.
    FileName,
    "file name",
    "1 to 255 letters, digits, '.', '_', '-' and '/' between folders, no part beginning with a dot",
    |text| text.len() <= 255 && text.split('/').all(is_plain)
);

fn is_plain(part: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    !part.is_empty() && !part.starts_with('.') && part.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_are_names() {
        assert_eq!("LAB00003".parse::<PackageId>().unwrap().to_string(), "LAB00003");
        for bad in ["", "LAB0003", "LAB000003", "LAB0000/", "LAB0000é"] {
            assert!(bad.parse::<PackageId>().is_err(), "{bad}");
        }
        for good in ["LAB00003", "LAB00003.2", "Content_7f3d-1"] {
            assert_eq!(good.parse::<ContentId>().unwrap().as_str(), good);
        }
        for bad in ["", ".", "..", "a/b", "a%2fb", "a b", &"a".repeat(129)] {
            assert!(bad.parse::<ContentId>().is_err(), "{bad}");
        }
        assert!("i386/vcredist_x86.exe".parse::<FileName>().is_ok());
        for bad in ["", "/a", "a/", "a//b", "../a", "a/../b", "a\\b", "a b", "a?b", &"a".repeat(256)] {
            assert!(bad.parse::<FileName>().is_err(), "{bad}");
        }
    }
}
