//! Random histories of many machines as one fleet: other engines answer about it as `changes` does, row for row.

use super::history::History;
use super::story::Story;
use super::{FIRST, number};
use crate::cli::Cli;
use crate::output::problems::Problems;
use crate::tests::{NEW, OLD, archive_with, entry, event, ledger, tied};
use anyhow::{Context, Result, ensure};
use clap::Parser;
use hashtrail::event::Event;
use hashtrail::ledger::LedgerEntry;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What hashtrail writes to stdout when it is asked about all archives of some stories.
fn answer(stories: &Path, words: &[&str]) -> Result<Vec<u8>> {
    let (problems, mut written) = (Problems::default(), Vec::new());
    let archives = stories.join("*/*").display().to_string();
    let words = ["hashtrail"].iter().chain(words).copied().chain(["--archive", &archives]);
    Cli::try_parse_from(words)?.run(&problems, &mut written)?;
    Ok(written)
}

/// Compares, and gives how many there are of what.
fn agrees(engine: &str, stories: &Path, files: &Path) -> Result<Value> {
    let [script, changes] = ["script", "changes"].map(|name| files.join(name));
    fs::write(&script, answer(stories, &["sql", "--engine", engine])?)?;
    fs::write(&changes, answer(stories, &["changes", "--format", "json"])?)?;
    let repository = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let python = std::env::var_os("HASHTRAIL_PYTHON");
    let python = python.map_or_else(|| repository.join("target/venv/bin/python"), PathBuf::from);
    let mut command = Command::new(&python);
    command.arg(repository.join("tests/engines/sql_agrees.py")).arg(engine).arg(&script).arg(&changes);
    let output = command.output().with_context(|| format!("there is no `{}`: run `make venv`", python.display()))?;
    let (told, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), "{engine} answers otherwise: {told}{errors}");
    Ok(serde_json::from_str(&told)?)
}

/// Stories that together tell nearly all that the stages have to tell apart: each of their tests fails with one of them.
const TELLING: [u64; 5] = [1_018, 1_252, 1_408, 1_501, 1_893];

/// Writes stories, each machine with a name of its own, and what no story tells.
fn write(stories: &Path, seeds: impl Iterator<Item = u64>) -> Result<()> {
    for seed in TELLING.into_iter().chain(seeds) {
        let mut history = History::of(&Story::random(seed));
        history.set_apart(seed);
        history.write(&stories.join(seed.to_string()))?;
    }
    let crafted = stories.join("crafted/web");
    fs::create_dir_all(&crafted)?;
    archive_with(&crafted, &[crafted_events(), tied()].concat(), 2, crafted_ledger())
}

/// Rows of segments that interleave, a folder that is renamed, a file mounted over the path, and a container.
fn crafted_events() -> Vec<Event> {
    let at = |second, digest| event(second, "mmap_file", Some(digest));
    let of_file = |ino, event: Event| Event { ino: Some(ino), ..event };
    let mounted = |event: Event| Event { path_flags: vec!["mount_point".into()], ..event };
    let contained = |event: Event| Event { root_ino: 99, ..event };
    let renamed = |second, path: &str, target: &str| Event {
        path: Some(path.into()),
        target_path: Some(target.into()),
        ..of_file(70, event(second, "inode_rename", None))
    };
    let relative = |event: Event| Event { path_flags: vec!["fs_relative".into()], ..event };
    let write = |second, ino| of_file(ino, event(second, "file_post_open", None));
    vec![
        at(10, OLD),
        at(30, OLD),
        at(20, NEW),
        at(40, NEW),
        renamed(45, "/srv/new", "/usr/bin"),
        relative(renamed(46, "/srv/new", "/bin/tool\u{1b}[2J")),
        relative(renamed(47, "/srv/new", "/bin/tool")),
        of_file(13, at(50, OLD)),
        mounted(of_file(80, at(52, OLD))),
        mounted(of_file(81, at(53, NEW))),
        mounted(of_file(80, at(54, NEW))),
        of_file(13, at(56, OLD)),
        contained(of_file(90, at(60, OLD))),
        contained(write(62, 91)),
        write(63, 92),
        contained(of_file(90, at(64, NEW))),
    ]
}

/// A loss that went on: two entries of one gap.
fn crafted_ledger() -> Vec<LedgerEntry> {
    let more = LedgerEntry {
        cause: Some("ring_full".into()),
        count: Some(1),
        from_ns: Some(23_000_000_000),
        to_ns: Some(24_000_000_000),
        ..entry(25, "loss", None)
    };
    [ledger(), vec![more]].concat()
}

/// Of 20 stories beside those, in Spark of none, because each of its stages takes a second; with `HASHTRAIL_TEST_FULL` of 500, which
/// are a thousand hosts.
#[test]
fn other_engines_answer_about_a_fleet_as_changes_does() -> Result<()> {
    let is_full = std::env::var_os("HASHTRAIL_TEST_FULL").is_some();
    let count = number("HASHTRAIL_MODEL_COUNT").unwrap_or(if is_full { 500 } else { 20 });
    let first = number("HASHTRAIL_MODEL_SEED").unwrap_or(FIRST);
    let directory = tempfile::tempdir()?;
    let (many, few) = (directory.path().join("many"), directory.path().join("few"));
    write(&many, first..first + count)?;
    write(&few, first..first + if is_full { count } else { 0 })?;
    for (engine, stories) in [("duckdb", &many), ("polars", &many), ("spark", &few)] {
        let told = agrees(engine, stories, directory.path())?;
        eprintln!("{engine}: {told}");
        for what in ["changes", "gaps", "suspects", "doubts", "folded"] {
            ensure!(told[what].as_u64() > Some(0), "there are no {what}: {told}");
        }
        ensure!(told["unsettled"] == 0, "{told}");
    }
    Ok(())
}
