//! Times as users write them.

use anyhow::{Context, Result, bail};
use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use hashtrail::cell::Micros;

const MICROS_PER_SECOND: i64 = 1_000_000;

/// Reads a time for clap: relative ones count from now.
pub(crate) fn parse(text: &str) -> Result<Micros> {
    parse_at(text, Micros(Utc::now().timestamp_micros()))
}

/// Reads RFC 3339, `YYYY-MM-DD` (midnight UTC), `YYYY-MM-DD HH:MM:SS` (UTC), `@epoch`, `now`, `today` and `yesterday`
/// (midnight UTC), `HH:MM` (UTC, of today or of a day that is named before it), or how long ago, such as `1h30m`.
fn parse_at(text: &str, now: Micros) -> Result<Micros> {
    let text = text.trim();
    if text == "now" {
        return Ok(now);
    }
    if let Some(time) = of_day(text, now) {
        return Ok(time);
    }
    if let Some(seconds) = text.strip_prefix('@') {
        return epoch(seconds).with_context(|| format!("`@{seconds}` is not a number of seconds since 1970"));
    }
    if let Some(time) = calendar(text) {
        return Ok(time);
    }
    let duration = text.strip_suffix("ago");
    if duration.is_some()
        || text.ends_with(|last: char| last.is_ascii_alphabetic())
            && text.starts_with(|first: char| first.is_ascii_digit())
    {
        let micros = duration_micros(duration.unwrap_or(text).trim())?;
        return now.0.checked_sub(micros).map(Micros).with_context(|| format!("`{text}` is too long ago"));
    }
    bail!("`{text}` is no time; write 2026-01-31, 2026-01-31T12:00:00Z, yesterday, 16:20, @1700000000 or 30m (ago)")
}

/// A day by its name, a time of the day, or both.
fn of_day(text: &str, now: Micros) -> Option<Micros> {
    let (day, time) = text.split_once(' ').unwrap_or_else(|| match text.contains(':') {
        true => ("today", text),
        false => (text, "00:00"),
    });
    let days_ago = match day {
        "today" => 0,
        "yesterday" => 1,
        _ => return None,
    };
    let date = DateTime::from_timestamp_micros(now.0)?.date_naive().checked_sub_days(Days::new(days_ago))?;
    let time =
        ["%H:%M", "%H:%M:%S%.f"].iter().find_map(|format| NaiveTime::parse_from_str(time.trim(), format).ok())?;
    Some(Micros(date.and_time(time).and_utc().timestamp_micros()))
}

fn calendar(text: &str) -> Option<Micros> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(Micros(time.timestamp_micros()));
    }
    let at = |time: NaiveDateTime| Micros(time.and_utc().timestamp_micros());
    if let Ok(date) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return Some(at(date.and_time(NaiveTime::MIN)));
    }
    let formats = ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"];
    formats.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok()).map(at)
}

/// Seconds since the epoch, with at most six digits of a fraction.
fn epoch(text: &str) -> Option<Micros> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (negative, whole) = whole.strip_prefix('-').map_or((false, whole), |whole| (true, whole));
    if whole.is_empty() || !digits(whole) || !digits(fraction) || fraction.len() > 6 {
        return None;
    }
    let seconds: i64 = whole.parse().ok()?;
    let fraction: i64 = format!("{fraction:0<6}").parse().ok()?;
    let micros = seconds.checked_mul(MICROS_PER_SECOND)?.checked_add(fraction)?;
    Some(Micros(if negative { -micros } else { micros }))
}

/// The length of `1h30m` or `2 days`.
fn duration_micros(text: &str) -> Result<i64> {
    let mut rest = text;
    let mut total: i64 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        let after = after.trim_start();
        let letters = after.find(|character: char| !character.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let seconds = seconds_of(unit).with_context(|| format!("`{unit}` in `{text}` is no unit of time"))?;
        let part = number.parse::<i64>().ok().and_then(|number| number.checked_mul(seconds * MICROS_PER_SECOND));
        let sum = part.and_then(|part| total.checked_add(part));
        total = sum.with_context(|| format!("`{number}` in `{text}` is no number that fits"))?;
        rest = after.trim_start();
    }
    if text.is_empty() {
        bail!("`ago` needs a duration before it, as in `1h ago`");
    }
    Ok(total)
}

fn seconds_of(unit: &str) -> Option<i64> {
    Some(match unit {
        "s" | "sec" | "second" | "seconds" => 1,
        "m" | "min" | "minute" | "minutes" => 60,
        "h" | "hour" | "hours" => 3600,
        "d" | "day" | "days" => 86_400,
        "w" | "week" | "weeks" => 604_800,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2023-11-14T22:13:20Z
    const NOW: Micros = Micros(1_700_000_000_000_000);

    #[track_caller]
    fn assert_time(text: &str, expected: &str) {
        assert_eq!(parse_at(text, NOW).expect(text).rfc3339(), expected, "{text}");
    }

    #[test]
    fn every_form_is_read() {
        assert_time("2026-01-31", "2026-01-31T00:00:00.000000Z");
        assert_time("2026-01-31T12:00:00.5+01:00", "2026-01-31T11:00:00.500000Z");
        assert_time("2026-01-31 12:00", "2026-01-31T12:00:00.000000Z");
        assert_time("@1700000000.25", "2023-11-14T22:13:20.250000Z");
        assert_time("@-1", "1969-12-31T23:59:59.000000Z");
        assert_time("now", "2023-11-14T22:13:20.000000Z");
        assert_time("1h ago", "2023-11-14T21:13:20.000000Z");
        assert_time("1h30m ago", "2023-11-14T20:43:20.000000Z");
        assert_time("2 days ago", "2023-11-12T22:13:20.000000Z");
        assert_time("30m", "2023-11-14T21:43:20.000000Z");
        assert_time("today", "2023-11-14T00:00:00.000000Z");
        assert_time("yesterday", "2023-11-13T00:00:00.000000Z");
        assert_time("16:20", "2023-11-14T16:20:00.000000Z");
        assert_time("yesterday 16:20:30", "2023-11-13T16:20:30.000000Z");
    }

    #[test]
    fn other_text_is_refused() {
        for text in [
            "",
            "ago",
            "h ago",
            "1x ago",
            "@",
            "@1e3",
            "2026-13-01",
            "9999999999999999999s ago",
            "30",
            "1x",
            "24:00",
            "tomorrow",
            "@-",
        ] {
            assert!(parse_at(text, NOW).is_err(), "{text}");
        }
    }
}
