//! What an answer without changes means: files that were seen and stayed what they were, and names that nobody saw.

use crate::archives::filter::RowFilter;
use crate::archives::patterns::PathPatterns;
use crate::archives::{Archives, OpenArchive, Scan};
use crate::output::{Row, object};
use crate::versions::run::Run;
use crate::versions::series::{Series, SeriesKey};
use anyhow::Result;
use hashtrail::cell::Micros;
use hashtrail::event::Event;
use hashtrail::reader::Prune;
use hashtrail::versions::FileVersion;
use serde_json::json;
use std::collections::BTreeSet;

/// Files and names that are told one by one.
const TOLD_MAX: usize = 10;
/// Names that are offered for one that was not seen.
const NEAR_MAX: usize = 5;
/// How many letters a near name may differ in.
const NEAR_LETTERS: usize = 2;

/// What is read of events that are only counted.
const EVENT_COLUMNS: [&str; 2] = ["recording_id", "time"];

/// A file that was seen with one digest only.
#[derive(Debug)]
struct Unchanged {
    path: String,
    host: String,
    /// `None` where each of its digests is doubtful.
    digest: Option<(String, String)>,
    observations: i64,
    first: Micros,
    last: Micros,
}

/// A pattern that no file with a digest has.
#[derive(Debug)]
struct Unseen {
    pattern: String,
    /// How often such a path was seen in other events, and from when to when.
    without_digest: Option<(usize, Micros, Micros)>,
    /// Whether such events would be an answer, and only other conditions leave them out.
    is_left_out: bool,
    /// Whether it may have been among the paths that were taken out of an archive.
    is_perhaps_taken_out: bool,
    near: Vec<String>,
}

/// What was asked for and did not change.
#[derive(Debug, Default)]
pub(crate) struct Observed {
    /// The first ones.
    unchanged: Vec<Unchanged>,
    unchanged_count: usize,
    unseen: Vec<Unseen>,
}

impl Observed {
    /// Takes a series without a change.
    pub(crate) fn add(&mut self, key: &SeriesKey, series: &Series) {
        let runs = || series.certain.iter().chain(&series.doubtful);
        let (Some(first), Some(last)) =
            (runs().map(|run| run.row.first_time).min(), runs().map(|run| run.row.last_time).max())
        else {
            return;
        };
        self.unchanged_count += 1;
        if self.unchanged.len() == TOLD_MAX {
            return;
        }
        let digest = |Run { row, .. }: &Run| (row.digest_algorithm.clone(), row.digest.clone());
        self.unchanged.push(Unchanged {
            path: key.path.clone().unwrap_or_default(),
            host: key.host.clone(),
            digest: series.certain.first().map(digest),
            observations: runs().map(|run| run.row.observations).fold(0, i64::saturating_add),
            first,
            last,
        });
    }

    /// Looks for patterns that no row matches: among the events, which have paths without a digest too, and among the names.
    ///
    /// # Errors
    /// When a scan cannot be made.
    pub(crate) fn look_for_unseen(&mut self, archives: &Archives<'_>, unseen: &[(String, PathPatterns)]) -> Result<()> {
        for (text, pattern) in unseen {
            let prune = Prune { paths: pattern.rules(), ..Prune::default() };
            let scan =
                Scan { prune, columns: EVENT_COLUMNS.to_vec(), predicates: pattern.predicates(), ..Scan::default() };
            let without_digest = events_of(archives, &scan)?;
            let near = if without_digest.is_some() { Vec::new() } else { names_near(archives, text)? };
            let is_perhaps_taken_out = archives.list.iter().any(OpenArchive::lacks_paths);
            self.unseen.push(Unseen {
                pattern: text.clone(),
                without_digest,
                is_left_out: false,
                is_perhaps_taken_out,
                near,
            });
        }
        Ok(())
    }

    /// Says of an inode whether any event has it, where no version does.
    ///
    /// # Errors
    /// When a scan cannot be made.
    pub(crate) fn look_for_inode(&mut self, archives: &Archives<'_>, inode: &(String, i64)) -> Result<()> {
        let filter = RowFilter { inode: Some(inode.clone()), ..RowFilter::default() };
        let without_digest = events_of(
            archives,
            &Scan { columns: EVENT_COLUMNS.to_vec(), predicates: filter.predicates(), ..Scan::default() },
        )?;
        let pattern = format!("inode {} of {}", inode.1, inode.0);
        // An inode stays in a row whose path was taken out.
        let is_perhaps_taken_out = false;
        self.unseen.push(Unseen {
            pattern,
            without_digest,
            is_left_out: false,
            is_perhaps_taken_out,
            near: Vec::new(),
        });
        Ok(())
    }

    /// Says of each pattern whether there is an event of the path, where an answer that has other conditions too has none.
    ///
    /// # Errors
    /// When a scan cannot be made.
    pub(crate) fn look_for_unmatched(
        &mut self,
        archives: &Archives<'_>,
        unmatched: &[(String, PathPatterns)],
    ) -> Result<()> {
        self.look_for_unseen(archives, unmatched)?;
        self.unseen.iter_mut().for_each(|unseen| unseen.is_left_out = true);
        Ok(())
    }

    /// Fields of the summary.
    pub(crate) fn fields(&self) -> Row {
        let unchanged = self.unchanged.iter().map(|file| {
            let (algorithm, digest) = file.digest.clone().unzip();
            json!({
                "path": file.path, "host": file.host, "algorithm": algorithm, "digest": digest,
                "observations": file.observations, "first_seen": file.first.rfc3339(), "last_seen": file.last.rfc3339(),
            })
        });
        let unseen = self.unseen.iter().map(|unseen| {
            let events = unseen
                .without_digest
                .map(|(count, first, last)| json!({"events": count, "first": first.rfc3339(), "last": last.rfc3339()}));
            let events_are = if unseen.is_left_out { "left_out" } else { "without_digest" };
            let mut row = json!({"pattern": unseen.pattern, events_are: events, "near": unseen.near});
            if unseen.is_perhaps_taken_out {
                row["perhaps_taken_out"] = true.into();
            }
            row
        });
        object(json!({
            "unchanged": self.unchanged_count,
            "unchanged_files": unchanged.collect::<Vec<_>>(),
            "never_observed": unseen.collect::<Vec<_>>(),
        }))
    }

    /// The same for people.
    pub(crate) fn notes(&self) -> Vec<String> {
        let mut notes: Vec<String> = self.unchanged.iter().map(Unchanged::text).collect();
        if self.unchanged_count > TOLD_MAX {
            let more = self.unchanged_count - TOLD_MAX;
            notes.push(format!("{more} more file(s) were seen and did not change; `hashtrail history` shows them"));
        }
        notes.extend(self.unseen.iter().map(Unseen::text));
        notes
    }
}

impl Unchanged {
    fn text(&self) -> String {
        let Self { path, host, observations, first, last, .. } = self;
        let seen = format!("seen {observations} time(s) from {} to {}", first.rfc3339(), last.rfc3339());
        match &self.digest {
            Some((algorithm, digest)) => {
                format!("unchanged: {path} on {host} was {seen}, each time with {algorithm} {digest}")
            }
            None => format!("not known: {path} on {host} was {seen}, each time with a doubtful digest"),
        }
    }
}

impl Unseen {
    fn text(&self) -> String {
        let pattern = &self.pattern;
        match self.without_digest {
            Some((count, first, last)) if self.is_left_out => format!(
                "{count} event(s) have the path `{pattern}`, from {} to {}, and not what else was asked for",
                first.rfc3339(),
                last.rfc3339()
            ),
            Some((count, first, last)) => format!(
                "never seen with a digest: `{pattern}`; {count} other event(s) are of it, from {} to {}: see \
                 `hashtrail events`",
                first.rfc3339(),
                last.rfc3339()
            ),
            None => {
                let (seen, taken_out) = match self.is_perhaps_taken_out {
                    true => ("nothing that was left in", "; it may be among the paths that were taken out"),
                    false => ("never observed", ""),
                };
                let near = self.near.join(", ");
                let near = if near.is_empty() { near } else { format!("; near it: {near}") };
                format!("{seen}: `{pattern}`{taken_out}{near}")
            }
        }
    }
}

/// How many events a scan finds, and the time of the first and the last.
fn events_of(archives: &Archives<'_>, scan: &Scan) -> Result<Option<(usize, Micros, Micros)>> {
    let mut found: Option<(usize, Micros, Micros)> = None;
    archives.each_row(scan, |event: Event| {
        let (count, first, last) = found.unwrap_or((0, event.time, event.time));
        found = Some((count + 1, first.min(event.time), last.max(event.time)));
    })?;
    Ok(found)
}

/// What may have been meant: all that is below the text, where it is the name of a directory, and paths whose last name is its
/// last, or nearly so, the nearest first.
fn names_near(archives: &Archives<'_>, text: &str) -> Result<Vec<String>> {
    let directory = text.trim_end_matches('/');
    let wanted = last_name(text);
    let mut near = BTreeSet::new();
    let mut is_directory = false;
    archives.each_row(&Scan { columns: vec!["recording_id", "path"], ..Scan::default() }, |row: FileVersion| {
        let Some(path) = row.path else { return };
        is_directory |= path.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/'));
        let letters = strsim::levenshtein(last_name(&path), wanted);
        if letters <= NEAR_LETTERS && letters < wanted.chars().count() {
            near.insert((letters, path));
            if near.len() > NEAR_MAX {
                near.pop_last();
            }
        }
    })?;
    let below = is_directory.then(|| format!("{directory}/**"));
    Ok(below.into_iter().chain(near.into_iter().map(|(_, path)| path)).collect())
}

fn last_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
