//! Local dates and times as CMTrace and simple lines print them, and back to the exact instant.

use jiff::civil::DateTime;
use jiff::fmt::strtime;
use jiff::{RoundMode, Timestamp, TimestampRound, Unit};

use crate::bias::Bias;
use crate::error::{Error, quote};

/// `at` as a line can carry it: whole milliseconds, in a year that has four digits.
pub(crate) fn written(at: Timestamp) -> Timestamp {
    let milliseconds = TimestampRound::new().smallest(Unit::Millisecond).mode(RoundMode::Floor);
    let at = at.max(EARLIEST);
    at.round(milliseconds).unwrap_or(at)
}

/// The date, `MM-dd-yyyy`, at `bias`.
pub(crate) fn date(at: Timestamp, bias: Bias) -> strtime::Display<'static> {
    local(at, bias).strftime("%m-%d-%Y")
}

/// The time, `HH:mm:ss.fff` without the bias, at `bias`.
pub(crate) fn time(at: Timestamp, bias: Bias) -> strtime::Display<'static> {
    local(at, bias).strftime("%H:%M:%S%.3f")
}

/// Reads `date` (`MM-dd-yyyy`) and `time` (`HH:mm:ss.fff±bias`).
pub(crate) fn parse(date: &str, time: &str) -> Result<(Timestamp, Bias), Error> {
    let refused = || Error::Time { value: quote(&format!("{date} {time}")), expected: EXPECTED };
    let sign = time.rfind(['+', '-']).ok_or_else(refused)?;
    let (clock, bias) = time.split_at(sign);
    let bias: Bias = bias.parse()?;
    let local =
        DateTime::strptime("%m-%d-%Y %H:%M:%S%.f", format!("{date} {clock}")).map_err(|_| refused())?;
    let at = bias.offset().to_timestamp(local).map_err(|_| refused())?;
    Ok((at, bias))
}

fn local(at: Timestamp, bias: Bias) -> DateTime {
    bias.offset().to_datetime(written(at))
}

const EXPECTED: &str = "MM-dd-yyyy HH:mm:ss.fff and a bias in minutes, as in 06-24-2020 15:31:46.376-120";

/// 0001-01-03T00:00:00Z: every bias leaves a positive year.
const EARLIEST: Timestamp = Timestamp::constant(-62_135_424_000, 0);
