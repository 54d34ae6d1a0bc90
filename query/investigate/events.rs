//! Recorded events, filtered.

use crate::archives::act_filter::ActFilter;
use crate::archives::filter::RowFilter;
use crate::archives::patterns::PathPatterns;
use crate::archives::user_digests::{EventKey, KEY_COLUMNS, UserDigests, keys, references};
use crate::archives::{Archives, Scan, Scope, user_digests_among};
use crate::caveats::asked_digest::AskedDigest;
use crate::caveats::asked_hooks::AskedHooks;
use crate::caveats::observed::Observed;
use crate::output::{Row, batch};
use crate::recordings::completeness::Completeness;
use crate::recordings::suppressed::Answer;
use crate::recordings::{Recordings, Spans};
use anyhow::{Context, Result};
use arrow::array::{Array, AsArray, RecordBatch};
use hashtrail::event::Event;
use hashtrail::hooks;
use hashtrail::reader::{Predicate, Prune, Span};
use serde_json::Value;
use std::collections::HashSet;
use std::ops::ControlFlow;
use std::sync::Arc;

/// A question about events. What is empty asks for nothing.
pub(crate) struct EventsQuestion<'a> {
    pub(crate) scope: &'a Scope,
    pub(crate) paths: PathPatterns,
    pub(crate) acts: ActFilter,
    pub(crate) digests: &'a [String],
    /// What each row has.
    pub(crate) columns: Vec<&'static str>,
}

/// What is to be told beside the events.
pub(crate) struct FoundEvents {
    pub(crate) count: usize,
    pub(crate) completeness: Completeness,
    pub(crate) asked_hooks: AskedHooks,
    pub(crate) asked_digest: AskedDigest,
    /// Where a program was asked for: events of which it is not known, and that meet all else.
    pub(crate) without_exe: Option<usize>,
    /// Where no event was found.
    pub(crate) observed: Observed,
}

impl FoundEvents {
    /// Whether nothing is missing.
    pub(crate) fn is_complete(&self) -> bool {
        self.completeness.is_complete() && self.asked_hooks.are_recorded() && !self.may_lack_acts()
    }

    /// What is to be told where acts may be among those asked for.
    pub(crate) fn unknown_acts(&self) -> Option<String> {
        let count = self.without_exe.filter(|_| self.may_lack_acts())?;
        Some(format!(
            "not complete: of {count} more event(s) it is not known which program acted, or a kernel thread did"
        ))
    }

    fn may_lack_acts(&self) -> bool {
        self.without_exe.is_some_and(|count| count > 0)
    }
}

/// Hands each event to `each`, in the order in which they were sealed, until that wants no more.
///
/// # Errors
/// When a scan cannot be made, or those of `each`; files that cannot be read are problems.
pub(crate) fn find(
    question: &EventsQuestion<'_>,
    archives: &Archives<'_>,
    each: &mut dyn FnMut(Row) -> Result<ControlFlow<()>>,
) -> Result<FoundEvents> {
    let scope = question.scope;
    let recordings = Recordings::load(archives, &Spans::default())?;
    let asked_hooks = AskedHooks::check(&question.acts.hooks, &recordings, scope)?;
    let user_digests = user_digests_among(archives, question.digests)?;
    let asked_digest = AskedDigest::check(question.digests, archives, scope)?;
    let asked: HashSet<&'static str> = question.columns.iter().copied().collect();
    let mut scan = question.scan(&user_digests);
    if !archives.hosts().are_clear() && !asked.contains("recording_id") {
        scan.columns.push("recording_id");
    }
    if !user_digests.is_empty() {
        scan.columns.extend(KEY_COLUMNS.iter().filter(|name| !asked.contains(**name)));
    }
    let mut count = 0_usize;
    let mut once = Once { user_digests: &user_digests, shown: HashSet::new() };
    archives.scan::<Event>(&scan, |batch| {
        for mut row in once.rows(batch)? {
            let name = row.get("recording_id").and_then(Value::as_str).and_then(|id| archives.hosts().name_of(id));
            if let (Some(name), Some(host)) = (name.map(Value::from), row.get_mut("host")) {
                *host = name;
            }
            row.retain(|name, _| asked.contains(name.as_str()));
            // Files of version 1 lack columns.
            for name in &question.columns {
                row.entry(*name).or_insert(Value::Null);
            }
            count += 1;
            if each(row)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    })?;
    let completeness = Completeness {
        unsealed: archives.unsealed(),
        without_digests: asked_digest.is_without(),
        doubtful_contents: asked_digest.doubtful(),
        undigested: asked_digest.undigested(),
        ..Completeness::of(&recordings, Answer::Everything, scope, archives.problems())
    };
    let mut observed = Observed::default();
    if count == 0 {
        let unmatched = question.paths.each().map(|(text, pattern)| (text.to_owned(), pattern));
        observed.look_for_unmatched(archives, &unmatched.collect::<Vec<_>>())?;
    }
    let without_exe = question.count_without_exe(archives, &user_digests)?;
    Ok(FoundEvents { count, completeness, asked_hooks, asked_digest, without_exe, observed })
}

/// Shows an event whose digest another row holds with that digest, and then that other row no more.
struct Once<'a> {
    user_digests: &'a UserDigests,
    shown: HashSet<EventKey>,
}

impl Once<'_> {
    fn rows(&mut self, batch: &RecordBatch) -> Result<Vec<Row>> {
        let row_at = |row| batch::row(batch, row);
        if self.user_digests.is_empty() {
            return (0..batch.num_rows()).map(row_at).collect();
        }
        let mut rows = Vec::new();
        for (place, (key, reference)) in keys(batch)?.into_iter().zip(references(batch)?).enumerate() {
            if reference.is_some_and(|event| self.shown.contains(&event)) {
                continue;
            }
            let mut row = row_at(place)?;
            if self.user_digests.has(&key) {
                self.user_digests.fill(&key, &mut row);
                self.shown.insert(key);
            }
            rows.push(row);
        }
        Ok(rows)
    }
}

impl EventsQuestion<'_> {
    /// Rows of what ran before the recording tell of no act, and kernel threads among them have no program.
    fn count_without_exe(&self, archives: &Archives<'_>, user_digests: &Arc<UserDigests>) -> Result<Option<usize>> {
        const EXE: &str = "exe";
        let (others, asks_program) = self.acts.clone().without(EXE);
        if !asks_program {
            return Ok(None);
        }
        let mut scan = self.scan_for(others, vec![EXE], user_digests);
        scan.predicates.push(Predicate::new(vec![EXE, "hook"], |batch| {
            let exe = batch.column_by_name(EXE).context("column `exe` is missing")?;
            let hooks = batch.column_by_name("hook").and_then(|column| column.as_string_opt::<i32>());
            let hooks = hooks.context("column `hook` is no text")?.iter();
            let is_act_of_unknown = |(row, hook)| exe.is_null(row) && hook != Some(hooks::RUNNING_PROCESS);
            Ok(hooks.enumerate().map(is_act_of_unknown).collect::<Vec<_>>().into())
        }));
        let mut count = 0;
        archives.scan::<Event>(&scan, |batch| {
            count += batch.num_rows();
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(Some(count))
    }

    fn scan(&self, user_digests: &Arc<UserDigests>) -> Scan {
        self.scan_for(self.acts.clone(), self.columns.clone(), user_digests)
    }

    fn scan_for(&self, acts: ActFilter, columns: Vec<&'static str>, user_digests: &Arc<UserDigests>) -> Scan {
        let (low, high) = self.scope.span();
        let dates = self.scope.dates();
        let prune = Prune {
            spans: dates.iter().map(|_| Span { first: "time", last: "time", low, high }).collect(),
            paths: self.paths.rules(),
            // The rows of events whose digest another row holds have none.
            digests: if user_digests.is_empty() { self.digests.to_vec() } else { Vec::new() },
        };
        let filter = RowFilter {
            since: self.scope.since,
            until: self.scope.until,
            paths: self.paths.clone(),
            acts,
            inode: None,
            digests: self.digests.iter().cloned().collect(),
            user_digests: Arc::clone(user_digests),
        };
        Scan { prune, dates, columns, predicates: filter.predicates() }
    }
}
