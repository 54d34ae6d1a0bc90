//! Synthetic events through the real rings, journal and writer, on this machine's own kernel: every event is stored or
//! counted.

use crate::support::duckdb::rows;
use crate::support::{integer, json_lines, recorder, stdout_of};
use serde_json::Value;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Load tests run one at a time: each takes all CPUs.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs the load test; its one result, checked against the rows that another engine finds.
pub(crate) fn loadtest(archive: &Path, arguments: &[&str]) -> Value {
    let _alone = alone();
    let mut command = recorder();
    command.args(["loadtest", "--journal-size", "256MiB", "--archive"]).arg(archive).args(arguments);
    let result = json_lines(&stdout_of(&mut command)).remove(0);
    let events = rows(archive, "SELECT count(*) AS rows, count(DISTINCT (cpu, seq)) AS keys FROM events");
    assert_eq!(integer(&events[0], "rows"), integer(&result, "stored"), "the archive holds what was stored: {result}");
    assert_eq!(integer(&events[0], "keys"), integer(&result, "stored"), "no event twice: {result}");
    result
}

#[test]
fn more_than_fits_is_stored_or_counted_exactly() {
    let archive = tempfile::tempdir().expect("a temporary directory");
    let result = loadtest(archive.path(), &["--ring-size", "4KiB", "--duration", "2s"]);
    assert!(integer(&result, "dropped") > 0, "the ring is too small for this: {result}");
    assert!(integer(&result, "stored") > 0, "something gets through: {result}");
    assert_eq!(
        integer(&result, "produced"),
        integer(&result, "stored") + integer(&result, "dropped"),
        "by the producer's own count: {result}"
    );
}

#[test]
fn at_a_bearable_rate_nothing_is_dropped() {
    let archive = tempfile::tempdir().expect("a temporary directory");
    let result = loadtest(archive.path(), &["--rate", "10000", "--duration", "3s"]);
    assert_eq!(integer(&result, "dropped"), 0, "{result}");
    assert_eq!(integer(&result, "produced"), integer(&result, "stored"), "{result}");
    assert!(integer(&result, "produced") > 10_000, "it really produced: {result}");
}
