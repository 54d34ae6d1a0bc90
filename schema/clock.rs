//! Times: nanoseconds since boot order events, wall-clock time is shown.

use crate::cell::Micros;
use chrono::{DateTime, SecondsFormat, Utc};

/// A moment on both clocks: what turns `boot_ns` into UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct ClockAnchor {
    /// CLOCK_BOOTTIME in nanoseconds.
    pub boot_ns: i64,
    /// CLOCK_REALTIME in nanoseconds since the epoch, at the same moment.
    pub utc_ns: i64,
}

impl ClockAnchor {
    /// What to add to a time since boot.
    #[must_use]
    pub fn offset_ns(&self) -> i64 {
        self.utc_ns.saturating_sub(self.boot_ns)
    }

    /// The UTC time of a moment since boot, as this anchor has it.
    #[must_use]
    pub fn time(&self, boot_ns: i64) -> Micros {
        let utc_ns = i128::from(self.utc_ns) - i128::from(self.boot_ns) + i128::from(boot_ns);
        Micros(i64::try_from(utc_ns.div_euclid(1000)).unwrap_or(i64::MAX))
    }
}

impl Micros {
    /// RFC 3339 with microseconds, UTC; the number itself when it is outside the calendar.
    #[must_use]
    pub fn rfc3339(self) -> String {
        DateTime::<Utc>::from_timestamp_micros(self.0)
            .map_or_else(|| format!("@{}us", self.0), |time| time.to_rfc3339_opts(SecondsFormat::Micros, true))
    }

    /// The time that `rfc3339` gave this text.
    #[must_use]
    pub fn of_text(text: &str) -> Option<Self> {
        match text.strip_prefix('@').and_then(|rest| rest.strip_suffix("us")) {
            Some(micros) => micros.parse().ok().map(Self),
            None => text.parse::<DateTime<Utc>>().ok().map(|time| Self(time.timestamp_micros())),
        }
    }

    /// The UTC date, which names the partition.
    #[must_use]
    pub fn date(self) -> String {
        DateTime::<Utc>::from_timestamp_micros(self.0)
            .map_or_else(|| "0000-00-00".to_owned(), |time| time.format("%Y-%m-%d").to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_time_can_be_read_from_its_text() {
        let year_10000 = 253_402_300_800_000_000;
        for micros in [i64::MIN, i64::MAX, 0, -1, 1, 1_795_537_249_235_370, year_10000, -62_198_755_200_000_000] {
            assert_eq!(
                Micros::of_text(&Micros(micros).rfc3339()),
                Some(Micros(micros)),
                "{}",
                Micros(micros).rfc3339()
            );
        }
        assert_eq!(Micros::of_text("yesterday"), None);
    }

    #[test]
    fn an_anchor_turns_boot_time_into_utc() {
        let anchor = ClockAnchor { boot_ns: 5_000_000_000, utc_ns: 1_700_000_000_000_000_000 };
        assert_eq!(anchor.time(4_999_999_000), Micros(1_699_999_999_999_999));
        assert_eq!(anchor.time(5_000_000_000).rfc3339(), "2023-11-14T22:13:20.000000Z");
        assert_eq!(Micros(0).date(), "1970-01-01");
    }
}
