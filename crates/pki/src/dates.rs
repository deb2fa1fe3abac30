//! Dates in certificates, and the only place that knows the `time` crate.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};
use time::OffsetDateTime;

use crate::PkiError;

/// When a certificate is valid: from `not_before` up to and including `not_after`, in whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// The first moment.
    pub not_before: Timestamp,
    /// The last moment.
    pub not_after: Timestamp,
}

impl Validity {
    /// A year of validity that ended `ago` before `now`: an expired certificate.
    ///
    /// # Errors
    /// [`PkiError::Date`] when a date leaves the range that certificates can carry.
    pub fn ended(now: Timestamp, ago: SignedDuration) -> Result<Self, PkiError> {
        let not_after = now.checked_sub(ago).map_err(|_| out_of_range(now))?;
        Ok(Self { not_before: shifted(not_after, -YEAR)?, not_after })
    }

    /// A year of validity that starts `ahead` after `now`: a certificate that is not yet valid.
    ///
    /// # Errors
    /// [`PkiError::Date`] when a date leaves the range that certificates can carry.
    pub fn starting(now: Timestamp, ahead: SignedDuration) -> Result<Self, PkiError> {
        let not_before = shifted(now, ahead)?;
        Ok(Self { not_before, not_after: shifted(not_before, YEAR)? })
    }

    /// Whether `now` lies inside.
    #[must_use]
    pub fn contains(&self, now: Timestamp) -> bool {
        let now = now.as_second();
        self.not_before.as_second() <= now && now <= self.not_after.as_second()
    }

    pub(crate) fn around(now: Timestamp, backdate: &Span, lifetime: &Span) -> Result<Self, PkiError> {
        let not_before = calendar(now, &backdate.negate())?;
        Ok(Self { not_before, not_after: calendar(now, lifetime)? })
    }

    pub(crate) fn ordered(self) -> Result<Self, PkiError> {
        if self.not_before <= self.not_after {
            Ok(self)
        } else {
            Err(PkiError::Date { at: self.not_after, reason: "the certificate would end before it starts" })
        }
    }
}

/// `now` moved by `span` on the UTC calendar.
pub(crate) fn calendar(now: Timestamp, span: &Span) -> Result<Timestamp, PkiError> {
    let moved = now.to_zoned(TimeZone::UTC).checked_add(*span).map_err(|_| out_of_range(now))?;
    Ok(moved.timestamp())
}

/// As the certificate library wants it: whole seconds, within the years that X.509 can write.
pub(crate) fn to_x509(at: Timestamp) -> Result<OffsetDateTime, PkiError> {
    let date = OffsetDateTime::from_unix_timestamp(at.as_second()).map_err(|_| out_of_range(at))?;
    if (1950..=9999).contains(&date.year()) { Ok(date) } else { Err(out_of_range(at)) }
}

/// From seconds since the epoch, as the parser gives them.
pub(crate) fn from_x509(what: &'static str, seconds: i64) -> Result<Timestamp, PkiError> {
    Timestamp::from_second(seconds).map_err(|error| PkiError::malformed(what, error))
}

fn shifted(at: Timestamp, by: SignedDuration) -> Result<Timestamp, PkiError> {
    at.checked_add(by).map_err(|_| out_of_range(at))
}

fn out_of_range(at: Timestamp) -> PkiError {
    PkiError::Date { at, reason: "outside the years that certificates can carry" }
}

const YEAR: SignedDuration = SignedDuration::from_hours(365 * 24);

#[cfg(test)]
mod tests {
    use jiff::ToSpan;

    use super::*;

    #[test]
    fn lifetimes_follow_the_calendar() {
        let now: Timestamp = "2019-01-11T21:32:50Z".parse().unwrap();
        let validity = Validity::around(now, &30.minutes(), &10.years()).unwrap();
        assert_eq!(validity.not_before.to_string(), "2019-01-11T21:02:50Z");
        assert_eq!(validity.not_after.to_string(), "2029-01-11T21:32:50Z");
    }

    #[test]
    fn both_ends_are_inside() {
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let validity = Validity::starting(now, SignedDuration::from_secs(10)).unwrap();
        assert!(!validity.contains(now + SignedDuration::from_secs(9)));
        assert!(validity.contains(now + SignedDuration::from_secs(10)));
        assert!(validity.contains(validity.not_after));
        assert!(!validity.contains(validity.not_after + SignedDuration::from_secs(1)));
    }

    #[test]
    fn years_past_9999_or_before_1950_are_refused() {
        assert!(to_x509("1950-01-01T00:00:00Z".parse().unwrap()).is_ok());
        assert!(to_x509("1949-12-31T23:59:59Z".parse().unwrap()).is_err());
        assert!(calendar(Timestamp::MAX, &1.year()).is_err());
    }
}
