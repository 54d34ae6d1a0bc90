//! Random histories of many machines as one fleet: other engines answer about it as `changes` does, row for row.

use super::history::History;
use super::story::Story;
use super::{FIRST, fleet, number};
use crate::cli::Cli;
use crate::output::problems::Problems;
use crate::tests::{NEW, OLD, archive_with, entry, event, ledger, tied};
use anyhow::{Result, ensure};
use clap::Parser;
use hashtrail::event::Event;
use hashtrail::ledger::LedgerEntry;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// What hashtrail writes to stdout when it is asked about all archives of some stories.
pub(super) fn answer(stories: &Path, words: &[&str]) -> Result<Vec<u8>> {
    let archives = stories.join("*/*").display().to_string();
    printed(&[words, &["--archive", &archives]].concat())
}

pub(super) fn printed(words: &[&str]) -> Result<Vec<u8>> {
    let (problems, mut written) = (Problems::default(), Vec::new());
    Cli::try_parse_from([&["hashtrail"], words].concat())?.run(&problems, &mut written)?;
    Ok(written)
}

/// A script in `tests/engines/`, to be run by the Python that has the engines.
pub(super) fn python(script: &str) -> Result<Command> {
    let repository = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let python = std::env::var_os("HASHTRAIL_PYTHON");
    let python = python.map_or_else(|| repository.join("target/venv/bin/python"), PathBuf::from);
    ensure!(python.exists(), "there is no `{}`: run `make venv`", python.display());
    let mut command = Command::new(python);
    command.env("PYTHONDONTWRITEBYTECODE", "1").arg(repository.join("tests/engines").join(script));
    Ok(command)
}

/// Compares, and gives how many there are of what.
fn agrees(engine: &str, stories: &Path, files: &Path) -> Result<Value> {
    let [script, changes] = ["script", "changes"].map(|name| files.join(name));
    fs::write(&script, answer(stories, &["sql", "--engine", engine])?)?;
    fs::write(&changes, answer(stories, &["changes", "--format", "json"])?)?;
    let output = python("sql_agrees.py")?.arg(engine).arg(&script).arg(&changes).output()?;
    let (told, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), "{engine} answers otherwise: {told}{errors}");
    Ok(serde_json::from_str(&told)?)
}

/// Stories that together tell nearly all that the stages have to tell apart: each of their tests fails with one of them.
const TELLING: [u64; 5] = [1_018, 1_252, 1_408, 1_501, 1_893];

/// Writes stories, each machine with a name of its own, and what no story tells; gives how many machines they have.
fn write(stories: &Path, seeds: impl Iterator<Item = u64>) -> Result<usize> {
    let mut machines = 1;
    for seed in TELLING.into_iter().chain(seeds) {
        let mut history = History::of(&Story::random(seed));
        history.set_apart(seed);
        history.write(&stories.join(seed.to_string()))?;
        machines += history.machines.len();
    }
    let crafted = stories.join("crafted/web");
    fs::create_dir_all(&crafted)?;
    archive_with(&crafted, &[crafted_events(), tied()].concat(), 2, crafted_ledger())?;
    Ok(machines)
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

/// Of 20 stories beside those, in Spark of none, because each of its stages takes a second; with `HASHTRAIL_TEST_FULL` of so many that they
/// have a thousand machines.
#[test]
fn other_engines_answer_about_a_fleet_as_changes_does() -> Result<()> {
    let is_full = std::env::var_os("HASHTRAIL_TEST_FULL").is_some();
    let count = number("HASHTRAIL_MODEL_COUNT").unwrap_or(if is_full { 620 } else { 20 });
    let first = number("HASHTRAIL_MODEL_SEED").unwrap_or(FIRST);
    let directory = tempfile::tempdir()?;
    let (many, few) = (directory.path().join("many"), directory.path().join("few"));
    let machines = write(&many, first..first + count)?;
    eprintln!("{machines} machines");
    ensure!(!is_full || count < 620 || machines >= 1_000, "there are {machines} machines");
    let few = if is_full { &many } else { write(&few, 0..0).map(|_| &few)? };
    let has_all = |told: &Value, each: &[&str]| {
        each.iter().try_for_each(|what| {
            ensure!(told[what].as_u64() > Some(0), "there are no {what}: {told}");
            Ok(())
        })
    };
    // What `sql` prints for Spark, the job runs too.
    let engines: &[_] = if is_full { &["duckdb", "polars", "spark"] } else { &["duckdb", "polars"] };
    for engine in engines {
        let told = timed(engine, || agrees(engine, &many, directory.path()))?;
        has_all(&told, &["changes", "gaps", "suspects", "doubts", "folded"])?;
        ensure!(told["unsettled"] == 0, "{told}");
    }
    let told = timed("fleet.py", || fleet::agrees(few, directory.path()))?;
    has_all(&told, &["changes", "rare", "hits", "diff"])
}

/// Says what was compared, and how long that took.
fn timed(engine: &str, agrees: impl FnOnce() -> Result<Value>) -> Result<Value> {
    let begin = Instant::now();
    let told = agrees()?;
    eprintln!("{engine}: {told} in {:.1} s", begin.elapsed().as_secs_f64());
    Ok(told)
}
