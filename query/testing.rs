//! What the tests of several modules build on.

use crate::archives::Scope;
use crate::recordings::{Recording, Recordings};
use crate::versions::change::{Change, changes_of};
use crate::versions::series::{AllSeries, Series, SeriesKey, sorter};
use anyhow::{Context, Result};
use arrow::array::RecordBatch;
use hashtrail::cell::Micros;
use hashtrail::columns::Row;
use hashtrail::reader::{Prune, SealedTable};
use hashtrail::versions::FileVersion;
use hashtrail::writer;
use std::collections::BTreeMap;

/// Rows as they come from a sealed file.
pub(crate) fn batch<R: Row>(rows: &[R]) -> Result<RecordBatch> {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("rows.parquet");
    writer::write(&path, rows, "", Vec::new())?;
    let mut batches = SealedTable::<R>::open(&path)?.batches(&Prune::default(), &[], &[])?;
    batches.next().context("one batch")?
}

/// A run of `/usr/bin/tool` on the host's root in recording `r1`; times in microseconds and nanoseconds alike.
pub(crate) fn version(digest: &str, first: i64, last: i64) -> FileVersion {
    FileVersion {
        recording_id: "r1".into(),
        host: "web".into(),
        boot_id: "boot1".into(),
        root_dev: "8:1".into(),
        root_ino: 2,
        root_is_host: true,
        path: Some("/usr/bin/tool".into()),
        dev: "8:1".into(),
        parent_ino: Some(50),
        ino: 12,
        ino_generation: 1,
        digest_algorithm: "sha256".into(),
        digest: digest.into(),
        first_time: Micros(first),
        first_boot_ns: first * 1000,
        first_seq: first,
        last_time: Micros(last),
        last_boot_ns: last * 1000,
        last_seq: last,
        observations: 1,
        ..FileVersion::default()
    }
}

/// `/usr/bin/tool` is replaced between 20 and 30 µs: inode 12 by inode 13.
pub(crate) fn replaced() -> Change {
    let new = FileVersion { ino: 13, ..version("bb", 30, 40) };
    change_to(new, &recordings(&["r1"]))
}

/// `/usr/bin/tool`, inode 12, is rewritten between 20 and 30 µs.
pub(crate) fn rewritten() -> Change {
    change_to(version("bb", 30, 40), &recordings(&["r1"]))
}

/// The change from the version that was seen from 10 to 20 µs.
pub(crate) fn change_to(new: FileVersion, recordings: &Recordings) -> Change {
    let old = FileVersion { root_is_host: new.root_is_host, ..version("aa", 10, 20) };
    change_between(old, new, recordings)
}

/// The change from one version to the next.
pub(crate) fn change_between(old: FileVersion, new: FileVersion, recordings: &Recordings) -> Change {
    let (key, series) = group(vec![old, new], recordings).into_iter().next().expect("a series");
    changes_of(&key, &series).remove(1)
}

/// The series of rows.
pub(crate) fn group(rows: Vec<FileVersion>, recordings: &Recordings) -> BTreeMap<SeriesKey, Series> {
    let mut sorter = sorter();
    rows.into_iter().try_for_each(|row| sorter.push(row)).expect("rows");
    AllSeries::new(sorter, recordings).expect("series").map(|series| series.expect("a series")).collect()
}

/// A question about this time, in microseconds.
pub(crate) fn asked(since: Option<i64>, until: Option<i64>) -> Scope {
    Scope { since: since.map(Micros), until: until.map(Micros), ..Scope::default() }
}

/// Recordings of the host `web` in this order.
pub(crate) fn recordings(ids: &[&str]) -> Recordings {
    let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
    let recording =
        |id: &String| Recording { id: id.clone(), host: "web".into(), has_ledger: true, ..Recording::default() };
    let known = ids.iter().map(|id| (id.clone(), recording(id))).collect();
    Recordings::in_order(known, vec![ids])
}
