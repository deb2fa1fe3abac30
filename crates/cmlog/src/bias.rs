//! The time zone of a log line.

use std::str::FromStr;

use jiff::tz::Offset;

use crate::error::{Error, quote};

/// A Windows time zone bias in minutes: UTC = local time + bias, so two hours east of Greenwich is
/// `-120`. Log lines print local time and this bias (configmgr.md 5.2).
///
/// The sign is the opposite of an ISO 8601 offset; [`Bias::offset`] converts.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Bias(i32);

impl Bias {
    /// No bias: local time is UTC.
    pub const UTC: Self = Self(0);

    /// A bias of `minutes`.
    ///
    /// # Errors
    /// [`Error::Bias`] past a day (1440 minutes) to either side.
    pub fn new(minutes: i32) -> Result<Self, Error> {
        if minutes.unsigned_abs() > MAX_MINUTES {
            return Err(Error::Bias { value: minutes.to_string() });
        }
        Ok(Self(minutes))
    }

    /// The minutes to add to local time to get UTC.
    #[must_use]
    pub fn minutes(self) -> i32 {
        self.0
    }

    /// The same zone as an offset from UTC (east is positive).
    #[must_use]
    pub fn offset(self) -> Offset {
        Offset::from_seconds(-self.0 * 60).unwrap_or(Offset::UTC)
    }

    /// As CMTrace lines print it: `+000` for UTC, otherwise without padding.
    pub(crate) fn cmtrace(self) -> String {
        if self.0 == 0 { "+000".to_owned() } else { format!("{:+}", self.0) }
    }

    /// As simple lines print it: at least two digits, `+00` for UTC.
    pub(crate) fn simple(self) -> String {
        format!("{:+03}", self.0)
    }
}

/// Reads a sign and one to four digits, padded or not: `+0`, `+00`, `+000`, `-60`, `-060`, `+480`.
impl FromStr for Bias {
    type Err = Error;

    fn from_str(value: &str) -> Result<Self, Error> {
        let refused = || Error::Bias { value: quote(value) };
        let digits = value.strip_prefix(['+', '-']).ok_or_else(refused)?;
        if !(1..=4).contains(&digits.len()) || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
            return Err(refused());
        }
        let minutes = value.parse().map_err(|_| refused())?;
        Self::new(minutes).map_err(|_| refused())
    }
}

const MAX_MINUTES: u32 = 1440;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_format_has_its_own_padding() {
        let forms = |minutes| {
            let bias = Bias::new(minutes).unwrap();
            (bias.cmtrace(), bias.simple())
        };
        assert_eq!(forms(0), ("+000".into(), "+00".into()));
        assert_eq!(forms(-120), ("-120".into(), "-120".into()));
        assert_eq!(forms(-60), ("-60".into(), "-60".into()));
        assert_eq!(forms(480), ("+480".into(), "+480".into()));
        assert_eq!(forms(5), ("+5".into(), "+05".into()));
    }

    #[test]
    fn every_form_is_read() {
        for (text, minutes) in
            [("+0", 0), ("-0", 0), ("+00", 0), ("+000", 0), ("-060", -60), ("-60", -60), ("+1440", 1440)]
        {
            assert_eq!(text.parse::<Bias>().map(Bias::minutes), Ok(minutes), "{text}");
        }
        for text in ["", "+", "0", "120", "+-420", "+1441", "-99999", "+ 60", "+6a", "++1"] {
            assert!(matches!(text.parse::<Bias>(), Err(Error::Bias { .. })), "{text}");
        }
    }

    #[test]
    fn east_of_greenwich_is_negative() {
        assert_eq!(Bias::new(-120).unwrap().offset(), jiff::tz::offset(2));
        assert_eq!(Bias::new(480).unwrap().offset(), jiff::tz::offset(-8));
        assert!(Bias::new(1440).is_ok());
        assert_eq!(Bias::new(1441), Err(Error::Bias { value: "1441".into() }));
        assert!(Bias::new(i32::MIN).is_err());
    }
}
