//! What a variable of a pattern stands for.

use std::net::IpAddr;

/// A variable. Each stands for text of one kind, so that a pattern never accepts a line by accident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Variable {
    /// `{address}`: an IP address.
    Address,
    /// `{count}`: a number of things.
    Count,
    /// `{guid}`: a GUID in any case, without braces or prefix.
    Guid,
    /// `{host}`: a host name.
    Host,
    /// `{id}`: a role id in decimal digits.
    Id,
    /// `{size}`: a number of bytes.
    Size,
    /// `{time}`: a date with a time of day, or a number of milliseconds with or without its unit.
    Time,
}

impl Variable {
    /// Every variable.
    pub const ALL: [Self; 7] =
        [Self::Address, Self::Count, Self::Guid, Self::Host, Self::Id, Self::Size, Self::Time];

    /// The name between the braces.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Count => "count",
            Self::Guid => "guid",
            Self::Host => "host",
            Self::Id => "id",
            Self::Size => "size",
            Self::Time => "time",
        }
    }

    /// The variable of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|variable| variable.name() == name)
    }

    /// Tells every length at which `text` may be cut so that the front part is of this kind.
    pub(super) fn ends(self, text: &str, mut tell: impl FnMut(usize)) {
        match self {
            Self::Address => addresses(text, tell),
            Self::Count | Self::Id | Self::Size => (1..=digits(text)).for_each(tell),
            Self::Guid => {
                if shaped(text, GUID) {
                    tell(GUID.len());
                }
            }
            Self::Host => (1..=host(text)).for_each(tell),
            Self::Time => times(text, &mut tell),
        }
    }
}

fn digits(text: &str) -> usize {
    text.bytes().take(MOST_DIGITS).take_while(u8::is_ascii_digit).count()
}

fn host(text: &str) -> usize {
    let in_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    text.bytes().take(LONGEST_HOST).take_while(in_name).count()
}

fn addresses(text: &str, mut tell: impl FnMut(usize)) {
    let in_address = |byte: &u8| byte.is_ascii_hexdigit() || matches!(byte, b'.' | b':');
    let most = text.bytes().take(LONGEST_ADDRESS).take_while(in_address).count();
    for length in 2..=most {
        if text[..length].parse::<IpAddr>().is_ok() {
            tell(length);
        }
    }
}

fn times(text: &str, tell: &mut impl FnMut(usize)) {
    for form in [US_DATE, ISO_DATE, ISO_DATE_T] {
        if shaped(text, form) {
            tell(form.len());
        }
    }
    for length in 1..=digits(text) {
        tell(length);
        if text[length..].starts_with(" ms") {
            tell(length + " ms".len());
        }
    }
}

/// Whether `text` starts with the form, in which `0` stands for a digit and `x` for a hexadecimal one.
fn shaped(text: &str, form: &str) -> bool {
    text.len() >= form.len()
        && text.bytes().zip(form.bytes()).all(|(byte, form)| match form {
            b'0' => byte.is_ascii_digit(),
            b'x' => byte.is_ascii_hexdigit(),
            form => byte == form,
        })
}

const GUID: &str = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
const US_DATE: &str = "00/00/0000 00:00:00";
const ISO_DATE: &str = "0000-00-00 00:00:00";
const ISO_DATE_T: &str = "0000-00-00T00:00:00";
const MOST_DIGITS: usize = 20;
const LONGEST_HOST: usize = 253;
const LONGEST_ADDRESS: usize = 45;
