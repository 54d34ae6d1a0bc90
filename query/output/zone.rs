//! Times in the zone that is asked for. Those in texts and notes stay in UTC, as their `Z` says.

use super::Row;
use chrono::{DateTime, FixedOffset, Local, SecondsFormat, TimeZone, Utc};
use chrono_tz::Tz;
use serde_json::Value;

/// A zone of time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Zone {
    #[default]
    Utc,
    /// That of the machine that answers.
    Local,
    Offset(FixedOffset),
    Named(Tz),
}

/// Columns with a time, in rows of all commands and in the objects in them.
pub(crate) const COLUMNS: [&str; 14] = [
    "changed_after",
    "changed_before",
    "ctime",
    "datetime",
    "first",
    "first_seen",
    "from",
    "last",
    "last_seen",
    "mtime",
    "start",
    "stop",
    "time",
    "to",
];

/// Reads a zone for clap.
pub(crate) fn parse(text: &str) -> Result<Zone, String> {
    match text.to_ascii_lowercase().as_str() {
        "utc" | "z" => return Ok(Zone::Utc),
        "local" => return Ok(Zone::Local),
        _ => {}
    }
    let offset = text.parse().map(Zone::Offset);
    offset.or_else(|_| text.parse().map(Zone::Named)).map_err(|_| {
        format!("`{text}` is no zone: write utc, local, an offset such as +02:00, or a name such as Europe/Berlin")
    })
}

impl Zone {
    /// Puts the times of a row into the zone.
    pub(super) fn apply(self, row: &mut Row) {
        for (name, value) in row {
            match value {
                Value::String(text) if COLUMNS.contains(&name.as_str()) => {
                    if let Some(time) = self.of(text) {
                        *text = time;
                    }
                }
                Value::Object(members) => self.apply(members),
                Value::Array(items) => {
                    items.iter_mut().filter_map(Value::as_object_mut).for_each(|item| self.apply(item))
                }
                _ => {}
            }
        }
    }

    /// A time of ours, if the text is one.
    fn of(self, text: &str) -> Option<String> {
        let time = DateTime::parse_from_rfc3339(text).ok().filter(|_| text.ends_with('Z'))?.to_utc();
        Some(match self {
            Self::Utc => shown(time, Utc),
            Self::Local => shown(time, Local),
            Self::Offset(offset) => shown(time, offset),
            Self::Named(zone) => shown(time, zone),
        })
    }
}

fn shown<Z: TimeZone>(time: DateTime<Utc>, zone: Z) -> String
where
    Z::Offset: std::fmt::Display,
{
    time.with_timezone(&zone).to_rfc3339_opts(SecondsFormat::Micros, true)
}
