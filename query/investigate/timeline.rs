//! Events, changes and gaps, in the order of time.

use super::changes::{self, ChangesQuestion, FoundChanges, Investigated};
use super::events::{self, EventsQuestion, FoundEvents};
use crate::archives::Archives;
use crate::output::{Row, object};
use crate::recordings::gaps::Gap;
use crate::sorter::{Sortable, Sorted, Sorter};
use anyhow::{Context, Result};
use hashtrail::cell::Micros;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::ops::ControlFlow;

/// What stands at a moment. Of one time, a gap comes first: what follows it may have had something before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum What {
    /// From the moment on something may be missing.
    Gap,
    /// At the moment the new content had been seen first, which is after the hook of the event that shows it was entered.
    Change,
    Event,
}

/// One entry of a timeline.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Moment {
    pub(crate) time: Micros,
    pub(crate) what: What,
    /// As `events` and `changes` give it in JSON.
    pub(crate) row: Row,
}

impl Sortable for Moment {
    fn bytes(&self) -> usize {
        self.row.bytes() + size_of::<Self>()
    }
}

impl Moment {
    /// # Errors
    /// When the row has no time.
    fn of_event(row: Row) -> Result<Self> {
        let time = row.get("time").and_then(Value::as_str).and_then(Micros::of_text);
        Ok(Self { time: time.context("an event without a time")?, what: What::Event, row })
    }

    fn of_change(one: &Investigated<'_>) -> Self {
        Self { time: one.change.before_time(), what: What::Change, row: one.to_row() }
    }

    fn of_gap(gap: &Gap) -> Self {
        let mut row = object(json!({"type": "gap", "host": gap.host, "text": gap.text()}));
        row.extend(object(gap.to_json()));
        Self { time: gap.from, what: What::Gap, row }
    }

    /// A text of the row; empty where it has none.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.row.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// A number or another value of the row; null where it has none.
    pub(crate) fn value(&self, name: &str) -> &Value {
        self.row.get(name).unwrap_or(&Value::Null)
    }

    /// Its place among those of one time: only the kernel's own numbers say what came first.
    fn place(&self) -> (Micros, What, [i64; 3]) {
        let number = |name| self.value(name).as_i64().unwrap_or_default();
        (self.time, self.what, ["boot_ns", "cpu", "seq"].map(number))
    }
}

/// A timeline, and what is to be told beside it.
pub(crate) struct Timeline {
    pub(crate) moments: Sorted<Moment>,
    pub(crate) changes: FoundChanges,
    pub(crate) events: Option<FoundEvents>,
}

impl Timeline {
    /// All changes, the gaps of both answers and, where they are asked for, all events.
    ///
    /// # Errors
    /// When a scan cannot be made; files that cannot be read are problems.
    pub(crate) fn find(
        changes: &ChangesQuestion<'_>,
        events: Option<&EventsQuestion<'_>>,
        archives: &Archives<'_>,
    ) -> Result<Self> {
        let mut sorter = Sorter::new(|left: &Moment, right: &Moment| left.place().cmp(&right.place()));
        let found = changes::find(changes, archives, &mut |one| {
            sorter.push(Moment::of_change(&one)).map(ControlFlow::Continue)
        })?;
        let find_events = |question| {
            events::find(question, archives, &mut |row| sorter.push(Moment::of_event(row)?).map(ControlFlow::Continue))
        };
        let events = events.map(find_events).transpose()?;
        let completeness = events.as_ref().map_or(&found.completeness, |events| &events.completeness);
        completeness.gaps.iter().try_for_each(|gap| sorter.push(Moment::of_gap(gap)))?;
        Ok(Self { moments: sorter.finish()?, changes: found, events })
    }

    /// Whether neither answer lacks anything.
    pub(crate) fn is_complete(&self) -> bool {
        let events = self.events.as_ref();
        self.changes.completeness.is_complete()
            && self.changes.narrowed.is_whole()
            && events.is_none_or(FoundEvents::is_complete)
    }
}
