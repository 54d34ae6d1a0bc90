//! `DuckDB`, Spark, pyarrow and Polars each read the archive as it is, and count the rows that `hashtrail info` counts.

use crate::guest::{Guest, on_guests};
use crate::scenario::ask;
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
