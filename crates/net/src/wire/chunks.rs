//! The chunked transfer coding (RFC 9112 §7.1), followed to its end and not decoded.
//!
//! It takes exactly what hyper's decoder takes: were one more lenient than the other, they would disagree
//! on where the next request begins.

/// A position inside a chunked body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chunks {
    /// Before the first digit of a chunk's size.
    Start,
    /// Among its digits.
    Size(u64),
    /// In the white space behind them.
    Space(u64),
    /// In an extension.
    Extension(u64),
    /// Before the line feed that ends the line.
    SizeEnd(u64),
    /// In a chunk's data, with so many bytes to come.
    Data(u64),
    /// Behind a chunk's data.
    DataCr,
    DataLf,
    /// At the beginning of a line of the trailer section.
    Section,
    Trailer,
    TrailerLf,
    /// Before the very last byte.
    LastLf,
    /// Behind the body.
    End,
}

impl Chunks {
    /// Follows `bytes`; returns where that led and how many of them belong to the body.
    pub(super) fn follow(mut self, bytes: &[u8]) -> Result<(Self, usize), &'static str> {
        let mut used = 0;
        while let (Some(&byte), true) = (bytes.get(used), self != Self::End) {
            if let Self::Data(left) = self {
                let here = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len() - used);
                used += here;
                let left = left - here as u64;
                self = if left == 0 { Self::DataCr } else { Self::Data(left) };
            } else {
                self = self.step(byte)?;
                used += 1;
            }
        }
        Ok((self, used))
    }

    fn step(self, byte: u8) -> Result<Self, &'static str> {
        Ok(match (self, byte) {
            (Self::Start, _) => Self::Size(digit(byte).ok_or(NO_SIZE)?),
            (Self::Size(size), b' ' | b'\t') | (Self::Space(size), b' ' | b'\t') => Self::Space(size),
            (Self::Size(size) | Self::Space(size), b';') => Self::Extension(size),
            (Self::Size(size) | Self::Space(size) | Self::Extension(size), b'\r') => Self::SizeEnd(size),
            (Self::Size(size), _) => {
                let digit = digit(byte).ok_or(NO_SIZE)?;
                Self::Size(size.checked_mul(16).and_then(|size| size.checked_add(digit)).ok_or(TOO_LARGE)?)
            }
            (Self::Extension(_), b'\n') => return Err(NO_LINE_END),
            (Self::Extension(size), _) => Self::Extension(size),
            (Self::SizeEnd(0), b'\n') | (Self::TrailerLf, b'\n') => Self::Section,
            (Self::SizeEnd(size), b'\n') => Self::Data(size),
            (Self::DataCr, b'\r') => Self::DataLf,
            (Self::DataLf, b'\n') => Self::Start,
            (Self::Section, b'\r') => Self::LastLf,
            (Self::Trailer, b'\r') => Self::TrailerLf,
            (Self::Section | Self::Trailer, _) => Self::Trailer,
            (Self::LastLf, b'\n') => Self::End,
            (Self::Space(_), _) => return Err(NO_SIZE),
            _ => return Err(NO_LINE_END),
        })
    }
}

fn digit(byte: u8) -> Option<u64> {
    char::from(byte).to_digit(16).map(u64::from)
}

const NO_SIZE: &str = "a chunk without a readable size";
const TOO_LARGE: &str = "a chunk whose size overflows";
const NO_LINE_END: &str = "a chunk without its line end";
