//! Whether the sequence numbers in the events are those that the manifest states.

use super::MANIFEST;
use super::files::Checked;
use crate::evidence::finding::{Finding, Findings};
use anyhow::{Context, Result};
use arrow::array::AsArray;
use arrow::datatypes::{Int32Type, Int64Type};
use hashtrail::archive::Archive;
use hashtrail::event::Event;
use hashtrail::ledger::LedgerEntry;
use hashtrail::manifest::{Line, SealedFile, SequenceRange};
use hashtrail::packages::PackageFile;
use hashtrail::reader::{Prune, SealedTable};
use hashtrail::versions::FileVersion;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// The sequence numbers of one CPU, as runs: first and last of each.
#[derive(Debug, Default)]
struct Numbers {
    runs: Vec<(i64, i64)>,
    count: u64,
}

impl Numbers {
    fn add(&mut self, seq: i64) {
        self.count += 1;
        match self.runs.last_mut() {
            Some(run) if run.1.checked_add(1) == Some(seq) => run.1 = seq,
            _ => self.runs.push((seq, seq)),
        }
        // Programs can submit out of order, which makes short runs.
        if self.runs.len() > 1 << 16 {
            self.join();
        }
    }

    /// Joins what touches; numbers that stand in two runs are left in both.
    fn join(&mut self) {
        self.runs.sort_unstable();
        let mut joined: Vec<(i64, i64)> = Vec::new();
        for run in self.runs.drain(..) {
            match joined.last_mut() {
                Some(last) if last.1.checked_add(1) == Some(run.0) => last.1 = run.1,
                _ => joined.push(run),
            }
        }
        self.runs = joined;
    }

    /// The first number that stands there twice.
    fn repeated(&mut self) -> Option<i64> {
        self.join();
        self.runs.windows(2).find(|pair| pair[1].0 <= pair[0].1).map(|pair| pair[1].0)
    }
}

type Cpus = BTreeMap<i32, Numbers>;

/// Events that were found, by recording and CPU.
pub(super) type Stored = HashMap<String, BTreeMap<i32, u64>>;

/// Checks every file whose digest is right; gives the number of events, in all and by CPU.
pub(super) fn check(archive: &Archive, lines: &[Line], checked: &Checked, findings: &mut Findings) -> (u64, Stored) {
    let mut recordings: HashMap<String, Cpus> = HashMap::new();
    let mut events = 0;
    for line in lines.iter().filter(|line| matches!(line.kind(), "file" | "compact")) {
        let Some(path) = line.path().filter(|path| checked.good.contains_key(path)) else { continue };
        let name = path.to_string_lossy().into_owned();
        let Ok(stated) = line.read::<SealedFile>() else {
            findings.push(Finding::damage(
                "line_wrong",
                MANIFEST,
                format!("line {}", line.number),
                "a field is missing",
            ));
            continue;
        };
        let cpus = recordings.entry(stated.recording_id.clone()).or_default();
        match check_file(&archive.root().join(&path), &stated, cpus) {
            Ok(problem) => {
                events += if name.starts_with("events") { stated.rows } else { 0 };
                findings.extend(problem.map(|detail| Finding::damage("rows_disagree", name, "", detail)));
            }
            Err(error) => findings.push(Finding::damage("rows_unreadable", name, "", format!("{error:#}"))),
        }
    }
    for (id, cpus) in &mut recordings {
        for (cpu, numbers) in cpus.iter_mut() {
            if let Some(seq) = numbers.repeated() {
                findings.push(Finding::damage(
                    "event_twice",
                    "events",
                    format!("recording {id}, CPU {cpu}, seq {seq}"),
                    "",
                ));
            }
        }
    }
    let counts = |cpus: Cpus| cpus.into_iter().map(|(cpu, numbers)| (cpu, numbers.count)).collect();
    (events, recordings.into_iter().map(|(id, cpus)| (id, counts(cpus))).collect())
}

/// Compares one file's rows with its line; gives the first difference.
fn check_file(path: &Path, stated: &SealedFile, cpus: &mut Cpus) -> Result<Option<String>> {
    let rows = match stated.path.iter().next().and_then(|folder| folder.to_str()) {
        Some("events") => return check_events(path, stated, cpus),
        Some("files") => SealedTable::<FileVersion>::open(path)?.rows(),
        Some("packages") => SealedTable::<PackageFile>::open(path)?.rows(),
        _ => SealedTable::<LedgerEntry>::open(path)?.rows(),
    };
    Ok((rows != stated.rows).then(|| format!("{rows} rows, sealed with {}", stated.rows)))
}

fn check_events(path: &Path, stated: &SealedFile, cpus: &mut Cpus) -> Result<Option<String>> {
    let mut found: BTreeMap<i32, SequenceRange> = BTreeMap::new();
    for batch in SealedTable::<Event>::open(path)?.batches(&Prune::default(), &["cpu", "seq"], None)? {
        let batch = batch?;
        let column = |name: &str| batch.column_by_name(name).with_context(|| format!("column `{name}` is missing"));
        let numbers = column("seq")?.as_primitive_opt::<Int64Type>().context("column `seq` is no number")?;
        let of_cpus = column("cpu")?.as_primitive_opt::<Int32Type>().context("column `cpu` is no number")?;
        for (cpu, seq) in of_cpus.values().iter().zip(numbers.values()) {
            found.entry(*cpu).or_insert_with(|| SequenceRange::new(*cpu, *seq)).add(*seq);
            cpus.entry(*cpu).or_default().add(*seq);
        }
    }
    let rows: u64 = found.values().map(|range| range.count).sum();
    if rows != stated.rows {
        return Ok(Some(format!("{rows} rows, sealed with {}", stated.rows)));
    }
    let found: Vec<SequenceRange> = found.into_values().collect();
    Ok((found != stated.sequences).then(|| "the sequence numbers are not those that its line states".to_owned()))
}
