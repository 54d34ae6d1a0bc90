//! Time as a place from left to right. Places are parts of the width, so that a drawing fits any page without a script.

use chrono::DateTime;
use hashtrail::cell::Micros;

/// Places that are told apart, in thousandths of the width.
pub(super) const PLACES: u16 = 1000;
const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// The time that drawings show.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    pub(super) from: Micros,
    pub(super) to: Micros,
}

impl Scale {
    /// From the first to the last of these times; none of no time.
    pub(super) fn of(times: impl IntoIterator<Item = Micros>) -> Option<Self> {
        let spans = times.into_iter().map(|time| (time, time));
        let (from, to) = spans.reduce(|left, right| (left.0.min(right.0), left.1.max(right.1)))?;
        Some(Self { from, to })
    }

    /// Whether a time lies in it.
    pub(super) fn holds(&self, time: Micros) -> bool {
        (self.from..=self.to).contains(&time)
    }

    /// The place of a time; one outside stands at the edge.
    pub(super) fn place(&self, time: Micros) -> u16 {
        let whole = i128::from(self.to.0) - i128::from(self.from.0);
        let part = (i128::from(time.0) - i128::from(self.from.0)).clamp(0, whole);
        let place = (part * i128::from(PLACES)).checked_div(whole).unwrap_or(0);
        u16::try_from(place).unwrap_or(PLACES)
    }

    /// A few times with their places, from edge to edge.
    pub(super) fn ticks(&self) -> Vec<(u16, String)> {
        const TICKS: i128 = 4;
        let length = self.to.0.saturating_sub(self.from.0);
        let whole = i128::from(self.to.0) - i128::from(self.from.0);
        let tick = |number: i128| {
            let time = i128::from(self.from.0) + whole * number / TICKS;
            let place = u16::try_from(number * i128::from(PLACES) / TICKS).unwrap_or(PLACES);
            (place, short(Micros(i64::try_from(time).unwrap_or(self.to.0)), length))
        };
        if length == 0 { vec![tick(0)] } else { (0..=TICKS).map(tick).collect() }
    }
}

/// A place as an attribute has it.
pub(super) fn percent(place: u16) -> String {
    format!("{}.{}%", place / 10, place % 10)
}

/// A time as exactly as a drawing of this length, in microseconds, can show it.
fn short(time: Micros, length: i64) -> String {
    let format = match length {
        0..=SECOND => "%H:%M:%S%.6f",
        ..=DAY if length < 10 * SECOND => "%H:%M:%S%.3f",
        ..=DAY => "%H:%M:%S",
        _ if length < 400 * DAY => "%m-%d %H:%M",
        _ => "%Y-%m-%d",
    };
    let known = DateTime::from_timestamp_micros(time.0);
    known.map_or_else(|| time.rfc3339(), |known| known.format(format).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_go_from_edge_to_edge_whatever_the_clock_says() {
        let scale = Scale::of([Micros(200), Micros(100), Micros(150)]).expect("times");
        assert_eq!([0, 100, 150, 200, 999].map(|time| scale.place(Micros(time))), [0, 0, 500, 1000, 1000]);
        let widest = Scale::of([Micros(i64::MIN), Micros(i64::MAX)]).expect("times");
        assert_eq!([i64::MIN, 0, i64::MAX].map(|time| widest.place(Micros(time))), [0, 500, 1000]);
        assert_eq!(widest.ticks().len(), 5);
        let point = Scale::of([Micros(7)]).expect("a time");
        assert_eq!((point.place(Micros(7)), point.ticks().len()), (0, 1));
        assert!(Scale::of([]).is_none());
        assert_eq!((percent(5), percent(1000)), ("0.5%".into(), "100.0%".into()));
    }

    #[test]
    fn ticks_are_as_exact_as_their_drawing() {
        let of = |length: i64| short(Micros(1_767_312_000_123_456), length);
        assert_eq!([1, 5 * SECOND, DAY].map(of), ["00:00:00.123456", "00:00:00.123", "00:00:00"]);
        assert_eq!([2 * DAY, 1000 * DAY].map(of), ["01-02 00:00", "2026-01-02"]);
    }
}
