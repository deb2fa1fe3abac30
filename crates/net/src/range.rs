//! Which bytes of a file a request wants (RFC 9110 section 14).

use std::ops::Range;

use http::HeaderMap;
use http::header::{IF_RANGE, RANGE};

/// What is to be sent of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// The file. Also for several ranges at once and for a header that is not one, as the RFC allows.
    Whole,
    /// These bytes of it.
    Part(Range<usize>),
    /// A range that the file does not reach into.
    Nothing,
}

impl Wanted {
    /// Reads the headers of a request for a file of `length` bytes; `etag` is its strong validator.
    #[must_use]
    pub fn of(headers: &HeaderMap, length: usize, etag: &str) -> Self {
        let changed = headers.get(IF_RANGE).is_some_and(|value| value.as_bytes() != etag.as_bytes());
        match headers.get(RANGE).and_then(|value| value.to_str().ok()) {
            Some(range) if !changed && headers.get_all(RANGE).iter().count() == 1 => {
                Self::read(range, length).unwrap_or(Self::Whole)
            }
            _ => Self::Whole,
        }
    }

    fn read(range: &str, length: usize) -> Option<Self> {
        let (unit, spec) = range.split_once('=')?;
        if !unit.trim().eq_ignore_ascii_case("bytes") {
            return None;
        }
        let (first, last) = spec.trim().split_once('-')?;
        match (first, last) {
            ("", suffix) => {
                let from = length.saturating_sub(number(suffix)?);
                Some(Self::part(from, length, length))
            }
            (first, "") => Some(Self::part(number(first)?, length, length)),
            (first, last) => {
                let (first, last) = (number(first)?, number(last)?);
                (first <= last).then(|| Self::part(first, last.saturating_add(1), length))
            }
        }
    }

    fn part(from: usize, to: usize, length: usize) -> Self {
        if from < length && from < to { Self::Part(from..to.min(length)) } else { Self::Nothing }
    }
}

/// Digits only: `parse` alone would take a sign. A number beyond all files counts as the largest.
fn number(digits: &str) -> Option<usize> {
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.parse().unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn wanted(range: &str) -> Wanted {
        Wanted::of(&HeaderMap::from_iter([(RANGE, range.parse().unwrap())]), 10, "\"e\"")
    }

    #[test]
    fn one_range_is_cut_out() {
        assert_eq!(wanted("bytes=0-3"), Wanted::Part(0..4));
        assert_eq!(wanted("Bytes=4-"), Wanted::Part(4..10));
        assert_eq!(wanted("bytes=-3"), Wanted::Part(7..10));
        assert_eq!(wanted("bytes=-30"), Wanted::Part(0..10));
        assert_eq!(wanted("bytes=9-99999999999999999999999"), Wanted::Part(9..10));
    }

    #[test]
    fn a_range_beyond_the_file_is_not_satisfiable() {
        for range in ["bytes=10-", "bytes=10-12", "bytes=-0", "bytes=99999999999999999999999-"] {
            assert_eq!(wanted(range), Wanted::Nothing, "{range}");
        }
    }

    #[test]
    fn what_is_not_one_range_means_the_whole_file() {
        for range in
            ["bytes", "lines=1-2", "bytes=3-1", "bytes=a-b", "bytes=+1-2", "bytes=0-1,3-4", "bytes=-"]
        {
            assert_eq!(wanted(range), Wanted::Whole, "{range}");
        }
        assert_eq!(Wanted::of(&HeaderMap::new(), 10, "\"e\""), Wanted::Whole);
    }

    #[test]
    fn a_part_of_an_older_file_is_not_sent() {
        let headers = |etag: &'static str| {
            HeaderMap::from_iter([(RANGE, "bytes=0-0".parse().unwrap()), (IF_RANGE, etag.parse().unwrap())])
        };
        assert_eq!(Wanted::of(&headers("\"e\""), 10, "\"e\""), Wanted::Part(0..1));
        assert_eq!(Wanted::of(&headers("\"old\""), 10, "\"e\""), Wanted::Whole);
    }

    proptest! {
        #[test]
        fn any_range_stays_inside_the_file(range in "[ -~]{0,24}", length in 0..100_usize) {
            let headers = HeaderMap::from_iter([(RANGE, format!("bytes={range}").parse().unwrap())]);
            if let Wanted::Part(part) = Wanted::of(&headers, length, "") {
                prop_assert!(part.start < part.end && part.end <= length);
            }
        }
    }
}
