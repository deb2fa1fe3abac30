use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;

use super::{BlobLink, MAX_ACCESS, StorageAccount, StorageError, VERSION, cut};
use crate::content_link::time;

/// The right to read one blob for some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlobAccess {
    /// From when on, `st`; whole seconds.
    pub starts: Timestamp,
    /// Until when, `se`; whole seconds.
    pub expires: Timestamp,
}

/// A right that was read and not yet believed.
#[derive(Clone, PartialEq, Eq)]
pub struct PresentedAccess {
    /// What it says. **Anyone may have written it.**
    pub access: BlobAccess,
    /// The signature, `sig`: HMAC-SHA256 with a key of the account.
    pub signature: Vec<u8>,
}

impl BlobAccess {
    /// The string that is signed, for the blob at `path`, which begins with `/<container>/`.
    #[must_use]
    pub fn string_to_sign(&self, account: &StorageAccount, path: &str) -> String {
        let (st, se) = (stamp(self.starts), stamp(self.expires));
        // Between resource and version: identifier, address, protocol. After the kind of resource: snapshot
        // and five headers of the answer. All of them empty.
        format!("r\n{st}\n{se}\n/blob/{account}{path}\n\n\n\n{VERSION}\nb\n\n\n\n\n\n")
    }

    /// The link to the blob at `path`, with its signature.
    ///
    /// # Errors
    /// [`StorageError::Link`] when `path` does not belong in a URL.
    pub fn link(
        &self,
        account: &StorageAccount,
        path: &str,
        signature: &[u8],
    ) -> Result<BlobLink, StorageError> {
        let (st, se) = (stamp(self.starts), stamp(self.expires));
        let signature =
            STANDARD.encode(signature).replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
        let host = account.host();
        format!("https://{host}{path}?sv={VERSION}&sr=b&st={st}&se={se}&sp=r&sig={signature}").parse()
    }
}

impl PresentedAccess {
    /// Reads what follows the `?`, in any order; each parameter once, and no others.
    ///
    /// # Errors
    /// [`StorageError`] names the first thing that is wrong.
    pub fn parse(query: &str) -> Result<Self, StorageError> {
        if query.len() > MAX_ACCESS {
            return Err(StorageError::TooLong { bytes: query.len() });
        }
        let fields = Fields::of(query)?;
        fields.must_be("sv", VERSION)?;
        fields.must_be("sr", "b")?;
        fields.must_be("sp", "r")?;
        let when = |name: &'static str| {
            let expected = "a UTC time such as 2027-03-01T12:00:00Z";
            time(&fields.named(name)?, TIME).ok_or(StorageError::Bad { name, expected })
        };
        let access = BlobAccess { starts: when("st")?, expires: when("se")? };
        let signature = STANDARD.decode(fields.named("sig")?).ok().filter(|bytes| bytes.len() == SIGNATURE);
        let signature = signature
            .ok_or(StorageError::Bad { name: "sig", expected: "base64 of 32 bytes, its + as %2B" })?;
        Ok(Self { access, signature })
    }
}

/// A signature grants what the link says.
impl std::fmt::Debug for PresentedAccess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PresentedAccess").field("access", &self.access).finish_non_exhaustive()
    }
}

struct Fields<'a>([Option<&'a str>; NAMES.len()]);

impl<'a> Fields<'a> {
    fn of(query: &'a str) -> Result<Self, StorageError> {
        let mut values = [None; NAMES.len()];
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let slot = NAMES.iter().zip(&mut values).find(|(known, _)| **known == name);
            let Some((known, slot)) = slot else {
                return Err(StorageError::Unknown { got: cut(name) });
            };
            if slot.replace(value).is_some() {
                return Err(StorageError::Twice { name: known });
            }
        }
        Ok(Self(values))
    }

    fn named(&self, name: &'static str) -> Result<String, StorageError> {
        let value = NAMES.iter().zip(self.0).find(|(known, _)| **known == name).and_then(|(_, value)| value);
        let value = value.ok_or(StorageError::Missing { name })?;
        decoded(value).ok_or(StorageError::Bad { name, expected: "visible ASCII, in escapes where needed" })
    }

    fn must_be(&self, name: &'static str, expected: &'static str) -> Result<(), StorageError> {
        if self.named(name)? == expected { Ok(()) } else { Err(StorageError::Bad { name, expected }) }
    }
}

/// Resolves escapes of visible ASCII. A bare plus is refused: half of all readers take it for a space.
fn decoded(value: &str) -> Option<String> {
    let mut text = String::with_capacity(value.len());
    let mut rest = value.chars();
    while let Some(char) = rest.next() {
        let char = match char {
            '%' => {
                let (high, low) = (rest.next()?.to_digit(16)?, rest.next()?.to_digit(16)?);
                char::from_u32(high * 16 + low)?
            }
            '+' => return None,
            char => char,
        };
        text.push(char);
    }
    text.bytes().all(|byte| byte.is_ascii_graphic()).then_some(text)
}

fn stamp(at: Timestamp) -> String {
    at.strftime(TIME).to_string()
}

const NAMES: [&str; 6] = ["sv", "sr", "st", "se", "sp", "sig"];
const TIME: &str = "%Y-%m-%dT%H:%M:%SZ";
const SIGNATURE: usize = 32;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PATH: &str = "/content-lab00003/LAB00003/client.msi";

    fn access() -> BlobAccess {
        let at = |text: &str| text.parse().unwrap();
        BlobAccess { starts: at("2027-03-01T12:00:00Z"), expires: at("2027-03-01T20:00:00Z") }
    }

    fn query(link: &BlobLink) -> String {
        link.expose().split_once('?').unwrap().1.to_owned()
    }

    fn good() -> String {
        query(&access().link(&"labcontent".parse().unwrap(), PATH, &[0xfb; 32]).unwrap())
    }

    #[test]
    fn the_string_to_sign_is_the_documented_one() {
        let expected = "r\n2027-03-01T12:00:00Z\n2027-03-01T20:00:00Z\n\
            /blob/labcontent/content-lab00003/LAB00003/client.msi\n\n\n\n2018-11-09\nb\n\n\n\n\n\n";
        assert_eq!(access().string_to_sign(&"labcontent".parse().unwrap(), PATH), expected);
    }

    #[test]
    fn a_link_has_the_parameters_in_the_usual_order_and_is_read_in_any() {
        let good = good();
        let start = "sv=2018-11-09&sr=b&st=2027-03-01T12:00:00Z&se=2027-03-01T20:00:00Z&sp=r&sig=%2B";
        assert!(good.starts_with(start), "{good}");
        let read = PresentedAccess::parse(&good).unwrap();
        assert_eq!((read.access, read.signature.as_slice()), (access(), [0xfb; 32].as_slice()));
        let (first, rest) = good.split_once('&').unwrap();
        let turned = format!("{rest}&{first}").replace(':', "%3A");
        assert_eq!(PresentedAccess::parse(&turned).unwrap(), read);
        assert!(!format!("{read:?}").contains("251"));
    }

    #[test]
    fn bad_queries_are_told_apart() {
        use StorageError as E;
        let parse = |from: &str, to: &str| PresentedAccess::parse(&good().replacen(from, to, 1)).unwrap_err();
        assert_eq!(PresentedAccess::parse(""), Err(E::Missing { name: "sv" }));
        assert_eq!(parse("sr=b", "sr=b&sr=b"), E::Twice { name: "sr" });
        assert_eq!(parse("sr=b", "comp=list"), E::Unknown { got: "comp".into() });
        assert_eq!(parse("sr=b", "sr=c"), E::Bad { name: "sr", expected: "b" });
        assert_eq!(parse("sp=r", "sp=rw"), E::Bad { name: "sp", expected: "r" });
        assert_eq!(parse("2018", "2017"), E::Bad { name: "sv", expected: VERSION });
        assert!(matches!(parse("12:00:00Z", "12:00:00"), E::Bad { name: "st", .. }));
        assert!(matches!(parse("20:00:00Z", "20:00:00.5Z"), E::Bad { name: "se", .. }));
        assert!(matches!(parse("%2B", "+"), E::Bad { name: "sig", .. }));
        assert!(matches!(parse("%2B", "%2"), E::Bad { name: "sig", .. }));
        assert!(matches!(PresentedAccess::parse(&"a".repeat(MAX_ACCESS + 1)), Err(E::TooLong { .. })));
    }

    proptest! {
        #[test]
        fn anything_is_read_without_panic(query in "(s[vrtepig]{1,2}=[ -~é]{0,8}&?){0,8}.*") {
            let _ = PresentedAccess::parse(&query);
        }

        #[test]
        fn what_is_written_is_read(from in 0..200_000_000_000_i64, span in 0..100_000_i64, signature: [u8; 32]) {
            let at = |seconds| Timestamp::from_second(seconds).unwrap();
            let access = BlobAccess { starts: at(from), expires: at(from + span) };
            let link = access.link(&"labcontent".parse().unwrap(), PATH, &signature).unwrap();
            let read = PresentedAccess::parse(&query(&link)).unwrap();
            prop_assert_eq!(read, PresentedAccess { access, signature: signature.to_vec() });
        }
    }
}
