//! `DuckDB`, Spark, pyarrow and Polars each read the archive as it is, and count the rows that `hashtrail info` counts.

use crate::support::guest::{Guest, on_guests};
use crate::support::scenario::ask;
use crate::support::{engine_script, integer, json_lines, stdout_of};
use std::path::Path;

fn assert_reads(engine: &str, archive: &Path) {
    let counts = json_lines(&stdout_of(engine_script("counts.py").arg(engine).arg(archive))).remove(0);
    let info = ask(archive, &["info"]);
    for table in ["events", "files", "ledger"] {
        let told: i64 = info.iter().filter(|line| line["table"] == table).map(|line| integer(line, "rows")).sum();
        assert!(told > 0, "`hashtrail info` tells of rows in {table}: {info:#?}");
        assert_eq!(integer(&counts, table), told, "rows of {table} by {engine} and by `hashtrail info`");
    }
}

fn assert_reads_sealed_and_live(engine: &str, guest: Guest) {
    let live = guest.scenario("live");
    let running = live.file("archive-while-recording");
    assert!(running.join(".journal").is_dir(), "the copy was taken while the recorder wrote its journal");
    assert_reads(engine, &running);
    assert_reads(engine, &live.archive());
}

on_guests!(duckdb: linux_6_1, linux_6_12);
fn duckdb(guest: Guest) {
    assert_reads_sealed_and_live("duckdb", guest);
}

on_guests!(spark: linux_6_12);
fn spark(guest: Guest) {
    assert_reads_sealed_and_live("spark", guest);
}

on_guests!(pyarrow: linux_6_1, linux_6_12);
fn pyarrow(guest: Guest) {
    assert_reads_sealed_and_live("pyarrow", guest);
}

on_guests!(polars: linux_6_1, linux_6_12);
fn polars(guest: Guest) {
    assert_reads_sealed_and_live("polars", guest);
}

/// A recording that goes on, on this machine's own kernel: synthetic events, sealed each second.
#[cfg(feature = "recorder")]
struct Recording(std::process::Child);

#[cfg(feature = "recorder")]
impl Recording {
    /// Starts it and waits until every table has a sealed file.
    fn start(archive: &Path) -> Self {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_hashtrail-recorder"));
        command
            .args(["loadtest", "--rate", "1000", "--duration", "1h", "--seal-interval", "1s", "--archive"])
            .arg(archive);
        let child = command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn();
        let recording = Self(child.expect("the recorder starts"));
        let began = std::time::Instant::now();
        while !["events", "files", "ledger"].iter().all(|table| archive.join(table).is_dir()) {
            assert!(began.elapsed().as_secs() < 60, "nothing was sealed within a minute");
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        recording
    }
}

#[cfg(feature = "recorder")]
impl Drop for Recording {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Files are sealed all the time, so what an engine counts lies between what was there before and after.
#[cfg(feature = "recorder")]
#[test]
fn every_engine_reads_while_the_recorder_writes() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let archive = directory.path();
    let recording = Recording::start(archive);
    let told = |table: &str| -> i64 {
        let info = ask(archive, &["info"]);
        info.iter().filter(|line| line["table"] == table).map(|line| integer(line, "rows")).sum()
    };
    for engine in ["duckdb", "pyarrow", "polars", "spark"] {
        let before = ["events", "files", "ledger"].map(told);
        let counts = json_lines(&stdout_of(engine_script("counts.py").arg(engine).arg(archive))).remove(0);
        for (table, before) in ["events", "files", "ledger"].into_iter().zip(before) {
            let counted = integer(&counts, table);
            assert!((before..=told(table)).contains(&counted), "{engine} counts {counted} rows in {table}");
            assert!(counted > 0, "{engine} reads rows of {table}");
        }
    }
    assert!(archive.join(".journal").read_dir().is_ok_and(|mut entries| entries.next().is_some()), "it still records");
    drop(recording);
}
