//! The looks of each recording at the database: snapshots that rest, and until when nothing changed after each.

use crate::archives::{Archives, Scan};
use crate::recordings::Recordings;
use anyhow::{Context, Result};
use arrow::array::{AsArray, RecordBatch};
use hashtrail::cell::Micros;
use hashtrail::clock::ClockAnchor;
use hashtrail::ledger::LedgerEntry;
use hashtrail::packages::{LEDGER_KIND, Snapshot};
use hashtrail::reader::{Need, Predicate};
use serde_json::Value;
use std::collections::BTreeMap;

/// A snapshot, as the ledger tells of it.
#[derive(Debug, Default)]
pub(crate) struct Look {
    pub(crate) told: Snapshot,
    pub(crate) from_ns: i64,
    /// The last moment at which the database was known to be as it was then.
    until_ns: i64,
    clock: ClockAnchor,
    /// Rows that it has, as the ledger says, and as they are here.
    stated_rows: i64,
    pub(super) rows: i64,
}

/// Those of one recording.
#[derive(Debug, Default)]
pub(super) struct Looks {
    by_number: BTreeMap<i32, Look>,
    /// Why there is none, as the ledger says; the last word counts.
    reason: Option<String>,
}

impl Look {
    pub(crate) fn began(&self) -> Micros {
        self.clock.time(self.from_ns)
    }

    /// When it began.
    pub(crate) fn from(&self) -> String {
        self.began().rfc3339()
    }

    /// Until when nothing changed.
    pub(crate) fn until(&self) -> String {
        self.clock.time(self.until_ns).rfc3339()
    }

    /// Why it may not know of every file.
    pub(super) fn lacks(&self) -> Option<String> {
        let Snapshot { problem_count, problems, not_covered, .. } = &self.told;
        if !not_covered.is_empty() {
            return Some(format!("another package manager's database is not covered: {}", not_covered.join(", ")));
        }
        let first = problems.first().map_or("", String::as_str);
        (*problem_count > 0).then(|| format!("{problem_count} part(s) of the database could not be read: {first}"))
    }

    fn is_whole(&self) -> bool {
        self.rows == self.stated_rows
    }
}

impl Looks {
    /// Reads them, by the rank of the recording.
    ///
    /// # Errors
    /// When a scan cannot be made.
    pub(super) fn read(archives: &Archives<'_>, recordings: &Recordings) -> Result<Vec<Self>> {
        let mut looks: Vec<Self> = recordings.list.iter().map(|_| Self::default()).collect();
        let scan = Scan { predicates: vec![about_packages()], ..Scan::default() };
        archives.each_row(&scan, |entry: LedgerEntry| {
            let of_recording = recordings.rank(&entry.recording_id).and_then(|rank| looks.get_mut(rank));
            if let Some(looks) = of_recording {
                looks.take(&entry);
            }
        })?;
        Ok(looks)
    }

    pub(super) fn get_mut(&mut self, number: i32) -> Option<&mut Look> {
        self.by_number.get_mut(&number)
    }

    /// Takes what the ledger says, in any order.
    fn take(&mut self, entry: &LedgerEntry) {
        let detail: Value =
            entry.detail.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        let clock = ClockAnchor { boot_ns: entry.boot_ns, utc_ns: entry.time.0.saturating_mul(1000) };
        let number = detail.get("snapshot").and_then(Value::as_i64).and_then(|number| i32::try_from(number).ok());
        match (entry.cause.as_deref(), number) {
            (Some("snapshot"), Some(number)) => {
                let look = self.by_number.entry(number).or_default();
                look.told = serde_json::from_value(detail).unwrap_or_default();
                (look.from_ns, look.clock) = (entry.from_ns.unwrap_or(entry.boot_ns), clock);
                look.until_ns = look.until_ns.max(entry.to_ns.unwrap_or(look.from_ns));
                look.stated_rows = entry.count.unwrap_or(-1);
            }
            (Some("unchanged"), Some(number)) => {
                let look = self.by_number.entry(number).or_default();
                look.until_ns = look.until_ns.max(entry.to_ns.unwrap_or_default());
            }
            (Some("off"), _) => self.reason = Some("the recording was made with --no-packages".into()),
            (Some("none"), _) => {
                let others = detail.get("not_covered").and_then(Value::as_array).filter(|others| !others.is_empty());
                self.reason = Some(match others {
                    Some(others) => format!("the host's package manager is not covered: {}", texts(others)),
                    None => "the host had no database of a package manager that is read".into(),
                });
            }
            (Some(_), _) => {
                let error = detail.get("error").and_then(Value::as_str).unwrap_or("for no reason that is told");
                self.reason = Some(format!("the package baseline failed: {error}"));
            }
            (None, _) => {}
        }
    }

    fn settled(&self) -> impl DoubleEndedIterator<Item = &Look> {
        self.by_number.values().filter(|look| look.told.settled)
    }

    /// Why no look says anything.
    fn says_nothing(&self) -> Option<String> {
        let reason = || match &self.reason {
            Some(reason) => reason.clone(),
            None if self.by_number.is_empty() => "the recording has no package baseline".into(),
            None => "the package manager was at work at each look at its database".into(),
        };
        self.settled().next().is_none().then(reason)
    }

    /// Why packages may own files that no look has.
    pub(super) fn lacks(&self) -> Option<String> {
        self.says_nothing().or_else(|| self.settled().find_map(Look::lacks))
    }

    /// The settled looks before and after what was seen from one moment to another.
    ///
    /// # Errors
    /// Why one of them is missing.
    pub(super) fn around(&self, from_ns: i64, to_ns: i64) -> Result<(&Look, &Look), String> {
        if let Some(reason) = self.says_nothing() {
            return Err(reason);
        }
        let settled = || self.settled();
        let before = settled().rfind(|look| look.from_ns <= from_ns);
        let before = before.ok_or("the database was not looked at before")?;
        let is_behind =
            |look: &&Look| look.until_ns >= to_ns && (look.from_ns >= from_ns || std::ptr::eq(*look, before));
        let after = settled().find(is_behind).ok_or("the database was not looked at any more after that")?;
        Ok((before, after))
    }

    /// The numbers of the looks that together say what was so at one of them: the last that has all, and those that have what
    /// changed since.
    ///
    /// # Errors
    /// When one of them is not whole.
    pub(super) fn chain(&self, at: &Look) -> Result<Vec<i32>, String> {
        let number = at.told.snapshot;
        let settled = || self.by_number.range(..=number).filter(|(_, look)| look.told.settled);
        let full = settled().rfind(|(_, look)| look.told.full).map(|(number, _)| *number);
        let full = full.ok_or("the first look at the database is missing")?;
        let chain = || settled().filter(|(number, _)| **number >= full);
        match chain().find(|(_, look)| !look.is_whole()) {
            Some((number, look)) => {
                let Look { stated_rows, rows, .. } = look;
                Err(format!("snapshot {number} of the database has {stated_rows} row(s), and {rows} are here"))
            }
            None => Ok(chain().map(|(number, _)| *number).collect()),
        }
    }
}

fn about_packages() -> Predicate {
    let keep = |batch: &RecordBatch| {
        let kinds = batch.column_by_name("kind").and_then(|column| column.as_string_opt::<i32>());
        let kinds = kinds.context("`kind` is no text")?;
        Ok(kinds.iter().map(|kind| Some(kind == Some(LEDGER_KIND))).collect())
    };
    Predicate::new(vec!["kind"], keep).needing([Need::text("kind", |kind| kind == LEDGER_KIND)])
}

fn texts(values: &[Value]) -> String {
    values.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
}
