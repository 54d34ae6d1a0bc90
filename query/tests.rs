//! Whole commands on a small archive that the library's own writer sealed.

mod attacks;
mod attribution;
mod change_verdicts;
mod clock;
mod compacted;
mod contract;
mod copies;
mod differences;
mod digests;
mod filters;
mod hosts;
mod imports;
mod mapped;
mod model;
mod narrowed;
mod nothing;
mod packages;
mod prevalence;
mod redacted;
mod shown;
mod suppressed;
mod taken_away;
mod timeline;
mod tree;
mod undigested;
mod verdicts;
mod who;

use crate::cli::Cli;
use crate::output::problems::Problems;
use crate::rows::{self, ID, START};
use anyhow::Result;
use clap::Parser;
use hashtrail::archive::Archive;
use hashtrail::cell::Micros;
use hashtrail::columns::Row as _;
use hashtrail::event::Event;
use hashtrail::ledger::LedgerEntry;
use hashtrail::manifest::Manifest;
use hashtrail::seal::{SegmentName, seal};
use hashtrail::versions::VersionContext;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const OLD: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const NEW: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

fn event(second: i64, hook: &str, digest: Option<&str>) -> Event {
    let by_cp = Event {
        seq: second,
        exec_id: hook.starts_with("bprm").then_some(second / 10),
        pid: 7,
        comm: "cp".into(),
        exe: Some("/usr/bin/cp".into()),
        open_flags: (hook == "file_post_open").then_some(0o1001),
        ..rows::act(second * 1_000_000_000, hook)
    };
    let plain = rows::on_file("/usr/bin/tool\u{1b}[2J", 12, by_cp);
    match digest {
        Some(digest) => rows::with_digest(digest, plain),
        None => plain,
    }
}

fn entry(second: i64, kind: &str, detail: Option<&str>) -> LedgerEntry {
    LedgerEntry {
        recording_id: ID.into(),
        host: "web".into(),
        time: Micros((START + second) * 1_000_000),
        boot_ns: second * 1_000_000_000,
        kind: kind.into(),
        detail: detail.map(str::to_owned),
        ..LedgerEntry::default()
    }
}

/// Old content runs, is overwritten, the new one runs, is restored, the old one runs.
fn incident() -> Vec<Event> {
    vec![
        event(10, "bprm_check_security", Some(OLD)),
        event(11, "bprm_committed_creds", None),
        event(15, "file_post_open", None),
        event(20, "bprm_check_security", Some(NEW)),
        event(25, "file_post_open", None),
        event(30, "bprm_check_security", Some(OLD)),
    ]
}

/// Old and new content in turn, in segments of two rows, of which those of second 73 have their order by their numbers.
fn tied() -> Vec<Event> {
    let rows = [(71, 71, OLD), (73, 73, OLD), (72, 72, NEW), (73, 74, NEW), (73, 75, OLD), (76, 76, OLD)];
    let row = |(second, seq, digest)| Event {
        seq,
        path: Some("/usr/bin/tied".into()),
        ..event(second, "mmap_file", Some(digest))
    };
    rows.map(row).into()
}

fn ledger() -> Vec<LedgerEntry> {
    let loss = LedgerEntry {
        cause: Some("ring_full".into()),
        count: Some(3),
        from_ns: Some(22_000_000_000),
        to_ns: Some(23_000_000_000),
        ..entry(24, "loss", None)
    };
    let counts = "{\"cpus\":[{\"cpu\":0,\"produced\":5,\"stored\":4,\"dropped\":1},{\"cpu\":1,\"produced\":4,\"stored\":2,\"dropped\":2}]}";
    vec![
        entry(0, "start", None),
        entry(0, "policy", Some("{\"hooks\":[\"bprm_check_security\",\"file_post_open\"]}")),
        loss,
        entry(40, "stop", Some(counts)),
    ]
}

/// Seals these events in segments of this size.
fn archive(directory: &Path, events: &[Event], segment_rows: usize) -> Result<()> {
    archive_with(directory, events, segment_rows, ledger())
}

fn archive_with(directory: &Path, events: &[Event], segment_rows: usize, mut ledger: Vec<LedgerEntry>) -> Result<()> {
    let archive = Archive::create(directory)?;
    let mut manifest = Manifest::open(&archive, None)?;
    let start = json!({"recording_id": ID, "host": "web", "time": "2026-01-02T00:00:00Z", "kernel": "6.12"});
    manifest.append(&[("start", start)])?;
    let mut context = VersionContext {
        host_root_dev: "8:1".into(),
        host_root_ino: 2,
        commits_recorded: true,
        ..VersionContext::default()
    };
    for (segment, events) in events.chunks(segment_rows).enumerate() {
        let segment = u32::try_from(segment)?;
        let name = SegmentName { recording_id: ID.into(), host: "web".into(), segment };
        let ledger = std::mem::take(&mut ledger);
        seal(&archive, &mut manifest, &name, &context, events.to_vec(), ledger)?;
        context.earlier = context.earlier.with(events).waiting();
    }
    manifest.append(&[("stop", json!({"recording_id": ID, "state": "SEALED", "counts": counts(events)}))])
}

/// What a recorder that lost nothing states of these events at its stop.
fn counts(events: &[Event]) -> Value {
    let cpus: BTreeSet<i32> = events.iter().map(|event| event.cpu).collect();
    let count = |cpu| {
        let stored = events.iter().filter(|event| event.cpu == cpu).count();
        json!({"cpu": cpu, "produced": stored, "stored": stored, "dropped": 0, "suppressed": 0})
    };
    json!({"cpus": cpus.into_iter().map(count).collect::<Vec<_>>()})
}

/// Runs a command line; whether something was found, whether there was a problem, and the output.
fn query(directory: &Path, line: &[&str]) -> Result<(bool, bool, String)> {
    let directory = directory.to_str().expect("path");
    let cli = Cli::try_parse_from([&["hashtrail", "--archive", directory], line].concat())?;
    let problems = Problems::default();
    let mut written = Vec::new();
    let found = cli.run(&problems, &mut written)?;
    let output = String::from_utf8(written)?;
    contract::check(line, &output);
    Ok((found, problems.any(), output))
}

fn json_lines(output: &str) -> Vec<Value> {
    output.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

#[test]
fn an_incident_is_two_changes_however_it_was_sealed() -> Result<()> {
    for segment_rows in [1, 2, 100] {
        let directory = tempfile::tempdir()?;
        archive(directory.path(), &incident(), segment_rows)?;
        let (found, problem, output) = query(directory.path(), &["changes", "--format", "json"])?;
        let lines = json_lines(&output);
        assert_eq!((found, problem, lines.len()), (true, false, 3), "{output}");
        assert_eq!((&lines[0]["from"]["digest"], &lines[0]["to"]["digest"]), (&json!(OLD), &json!(NEW)));
        assert_eq!((&lines[1]["from"]["digest"], &lines[1]["to"]["digest"]), (&json!(NEW), &json!(OLD)));
        assert_eq!(lines[0]["kind"], "rewritten");
        assert_eq!(lines[0]["changed_after"], "2026-01-02T00:00:10.000000Z");
        assert_eq!(lines[0]["changed_before"], "2026-01-02T00:00:20.001000Z");
        assert_eq!(lines[0]["changed_before_ns"], json!(20_001_000_000_i64));
        assert_eq!(lines[0]["suspects"].as_array().map(Vec::len), Some(1));
        assert_eq!(lines[0]["suspects"][0]["exe"], "/usr/bin/cp");
        assert_eq!(lines[0]["attribution"], "suspects");
        assert_eq!((&lines[0]["complete"], &lines[1]["complete"]), (&json!(true), &json!(false)));
        assert_eq!((&lines[1]["gaps"][0]["cause"], &lines[1]["gaps"][0]["lost"]), (&json!("ring_full"), &json!(3)));
        assert_eq!(lines[0]["coverage"], json!(["bprm_check_security", "file_post_open"]));
        assert_eq!(
            (&lines[2]["type"], &lines[2]["changes"], &lines[2]["complete"]),
            (&json!("summary"), &json!(2), &json!(false))
        );
    }
    Ok(())
}

#[test]
fn a_kept_sight_ends_no_interval_and_its_writers_are_suspects() -> Result<()> {
    let kept = Event { content_read_ns: Some(10_000_000_000), ..event(18, "mmap_file", Some(OLD)) };
    let mut events = incident();
    events.insert(3, kept);
    for segment_rows in [1, 100] {
        let directory = tempfile::tempdir()?;
        archive(directory.path(), &events, segment_rows)?;
        let (_, _, output) = query(directory.path(), &["changes", "--format", "json"])?;
        let change = &json_lines(&output)[0];
        assert_eq!(change["changed_after_ns"], json!(10_000_000_000_i64), "{output}");
        assert_eq!(change["changed_after"], "2026-01-02T00:00:10.000000Z");
        assert_eq!(change["from"]["last_seen"], "2026-01-02T00:00:18.000000Z");
        assert_eq!(change["suspects"].as_array().map(Vec::len), Some(1), "the write at 15");
    }
    Ok(())
}

#[test]
fn changes_can_be_narrowed_to_nothing() -> Result<()> {
    let directory = tempfile::tempdir()?;
    archive(directory.path(), &incident(), 100)?;
    let found = |line: &[&str]| query(directory.path(), line).map(|(found, _, _)| found);
    assert!(found(&["changes", "/usr/bin/*"])?);
    assert!(!found(&["changes", "/usr/sbin/*"])?);
    assert!(!found(&["changes", "--host", "db"])?);
    assert!(found(&["changes", "--since", "2026-01-02T00:00:20.5Z"])?);
    assert!(!found(&["changes", "--since", "2026-01-02T00:00:31Z"])?);
    let (_, _, output) = query(directory.path(), &["changes", "--first-seen", "--format", "json", "--limit", "1"])?;
    let lines = json_lines(&output);
    assert_eq!((lines.len(), &lines[0]["kind"], &lines[0]["from"]), (2, &json!("first_seen"), &Value::Null));
    Ok(())
}

#[test]
fn history_and_lookup_show_versions() -> Result<()> {
    let directory = tempfile::tempdir()?;
    archive(directory.path(), &incident(), 2)?;
    let (_, _, output) = query(directory.path(), &["history", "/usr/bin/tool*", "--format", "json"])?;
    let lines = json_lines(&output);
    let digests: Vec<&Value> = lines[..3].iter().map(|line| &line["digest"]).collect();
    assert_eq!(digests, [OLD, NEW, OLD]);
    let execs = |lines: &[Value]| json!([lines[0]["runs"], lines[1]["runs"], lines[1]["attempts"]]);
    assert_eq!(execs(&lines), json!([1, null, null]), "the next segment may say that it succeeded");
    let whole = tempfile::tempdir()?;
    archive(whole.path(), &incident(), 100)?;
    let (_, _, output) = query(whole.path(), &["history", "/usr/bin/tool*", "--format", "json"])?;
    assert_eq!(execs(&json_lines(&output)), json!([1, 0, 1]));
    let (found, _, output) = query(directory.path(), &["history", "--inode", "8:1:12", "--format", "json"])?;
    assert!(found && json_lines(&output).len() == 4);
    let (found, _, output) = query(directory.path(), &["lookup", NEW, &"c".repeat(64), "--format", "json"])?;
    let lines = json_lines(&output);
    assert!(found && lines.len() == 2);
    assert_eq!((&lines[1]["digests"], &lines[1]["seen"]), (&json!(2), &json!(1)));
    assert!(!query(directory.path(), &["lookup", &"c".repeat(64)])?.0);
    Ok(())
}

#[test]
fn events_are_filtered_and_escaped() -> Result<()> {
    let directory = tempfile::tempdir()?;
    archive(directory.path(), &incident(), 2)?;
    let (_, _, output) = query(directory.path(), &["events", "--format", "json"])?;
    let lines = json_lines(&output);
    assert_eq!((lines.len(), &lines[6]["type"], &lines[6]["complete"]), (7, &json!("summary"), &json!(false)));
    let line = ["events", "--hook", "file_post_open", "--pid", "7", "--until", "2026-01-02T00:00:20Z"];
    let (_, _, output) = query(directory.path(), &[&line[..], &["--format", "csv", "--columns", "seq,path"]].concat())?;
    assert_eq!(output, "seq,path\n15,\"/usr/bin/tool\\x1b[2J\"\n");
    let (_, _, output) = query(directory.path(), &["events", "--sort", "-seq", "--limit", "1", "--columns", "hook"])?;
    assert!(output.contains("bprm_check_security") && output.lines().count() == 2, "{output}");
    assert!(!query(directory.path(), &["events", "--digest", &"c".repeat(64)])?.0);
    assert!(query(directory.path(), &["events", "--columns", "nothing"]).is_err());
    Ok(())
}

#[test]
fn info_counts_rows_and_events() -> Result<()> {
    let directory = tempfile::tempdir()?;
    archive(directory.path(), &incident(), 2)?;
    let (_, _, output) = query(directory.path(), &["info", "--format", "json"])?;
    let lines = json_lines(&output);
    let recording = &lines[0];
    let counts = ["kernel", "produced", "stored", "dropped", "suppressed", "start"].map(|name| recording[name].clone());
    assert_eq!(counts, [json!("6.12"), json!(9), json!(6), json!(3), Value::Null, json!("2026-01-02T00:00:00Z")]);
    let rows: Vec<&Value> = lines[1..].iter().map(|line| &line["rows"]).collect();
    assert_eq!(rows, [6, 3, 4]);
    assert_eq!((&lines[1]["table"], &lines[1]["files"]), (&json!("events"), &json!(3)));
    Ok(())
}

#[test]
fn what_the_kernel_skipped_is_told_and_leaves_answers_complete() -> Result<()> {
    let skipped = |second, count| LedgerEntry {
        cause: Some("fork".into()),
        count: Some(count),
        from_ns: Some((second - 1) * 1_000_000_000),
        to_ns: Some(second * 1_000_000_000),
        ..entry(second, "skipped", None)
    };
    let ledger = vec![entry(0, "start", None), skipped(21, 2), skipped(22, 3), entry(40, "stop", Some("{}"))];
    let directory = tempfile::tempdir()?;
    archive_with(directory.path(), &incident(), 100, ledger)?;
    let ask = |line: &[&str]| query(directory.path(), line).map(|(_, _, output)| json_lines(&output));
    let gaps = ask(&["gaps", "--format", "json"])?;
    assert_eq!(gaps.len(), 2, "{gaps:#?}");
    assert_eq!((&gaps[0]["type"], &gaps[0]["cause"], &gaps[0]["lost"]), (&json!("skipped"), &json!("fork"), &json!(5)));
    assert_eq!(gaps[1]["complete"], true);
    assert!(ask(&["changes", "--format", "json"])?.iter().all(|line| line["complete"] == true));
    assert_eq!(ask(&["info", "--format", "json"])?[0]["skipped"], json!({ "fork": 5 }));
    Ok(())
}

#[test]
fn a_damaged_file_is_named_and_the_rest_is_shown() -> Result<()> {
    let directory = tempfile::tempdir()?;
    archive(directory.path(), &incident(), 2)?;
    let damaged = directory.path().join("files/host=web/date=2026-01-02/11111111-000001.parquet");
    std::fs::write(&damaged, b"PAR1 no more")?;
    let (found, problem, output) = query(directory.path(), &["history", "/usr/bin/*", "--format", "json"])?;
    let lines = json_lines(&output);
    assert!(found && problem);
    assert_eq!((lines.len(), &lines[1]["complete"]), (2, &json!(false)), "{output}");
    Ok(())
}

#[test]
fn columns_that_a_file_of_version_1_lacks_are_shown_as_null() -> Result<()> {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/incident/archive");
    let (_, problem, output) = query(&sample, &["events", "--format", "json", "--limit", "1"])?;
    let row = &json_lines(&output)[0];
    assert!(!problem && Event::columns().iter().all(|column| row.get(column.name).is_some()), "{row}");
    let (_, _, output) = query(&sample, &["events", "--columns", "seq,undecided", "--format", "json", "--limit", "1"])?;
    assert_eq!(json_lines(&output)[0]["undecided"], Value::Null);
    let (found, problem, output) = query(&sample, &["changes", "--format", "json"])?;
    assert!(found && !problem && output.contains("\"complete\":true"), "{output}");
    Ok(())
}

#[test]
fn schema_lists_every_column() -> Result<()> {
    let (_, _, output) = query(Path::new("."), &["schema", "--format", "json"])?;
    let lines = json_lines(&output);
    assert!(lines.contains(&json!({
        "table": "events", "name": "tags", "type": "LIST of STRING", "nullable": false,
        "meaning": "Tags of the policy's hook entry",
    })));
    assert!(lines.iter().any(|line| line["type"] == "TIMESTAMP(MICROS, UTC)"));
    Ok(())
}
