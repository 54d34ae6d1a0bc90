//! A digest that user space took is the digest of the event that it is for: in runs, changes and filters, once.

use crate::support::duckdb;
use crate::support::rows::{self, ID};
use crate::support::scenario::ask;
use crate::support::{integer, text};
use hashtrail::archive::Archive;
use hashtrail::event::Event;
use hashtrail::execs::Execs;
use hashtrail::ledger::LedgerEntry;
use hashtrail::manifest::Manifest;
use hashtrail::seal::{SegmentName, seal};
use hashtrail::versions::VersionContext;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;

const TOOL: &str = "/usr/bin/tool";

fn digest(letter: char) -> String {
    letter.to_string().repeat(64)
}

/// A row about the tool; its number and its second are one.
fn row(second: i64, hook: &str, exec_id: i64) -> Event {
    let exec = Event { seq: second, exec_id: Some(exec_id), ..rows::act(second * 1_000_000_000, hook) };
    let failed = Event { digest_status: "unavailable".into(), digest_reason: Some("ima_failed".into()), ..exec };
    rows::on_file(TOOL, 12, failed)
}

fn with_digest(letter: char, source: &str, event: Event) -> Event {
    Event { digest_source: Some(source.into()), ..rows::with_digest(&digest(letter), event) }
}

/// What user space found for the row of another second.
fn taken(second: i64, of: i64, exec_id: i64, letter: char) -> Event {
    let about = Event { cpu: -1, ref_cpu: Some(0), ref_seq: Some(of), ..row(second, "user_digest", exec_id) };
    with_digest(letter, "user", about)
}

fn archive(directory: &Path, segments: &[Vec<Event>]) {
    let archive = Archive::create(directory).expect("an archive");
    let mut manifest = Manifest::open(&archive, None).expect("a manifest");
    let start = json!({"recording_id": ID, "host": "web", "time": "2026-01-02T00:00:00Z"});
    manifest.append(&[("start", start)]).expect("a start");
    let mut earlier = Execs::default();
    for (segment, events) in (0..).zip(segments) {
        let name = SegmentName { recording_id: ID.into(), host: "web".into(), segment };
        let context = VersionContext {
            host_root_dev: "8:1".into(),
            host_root_ino: 2,
            commits_recorded: true,
            commits_in_part: false,
            is_imported: false,
            earlier: earlier.clone(),
        };
        let noted = LedgerEntry {
            recording_id: ID.into(),
            host: "web".into(),
            kind: "heartbeat".into(),
            time: events[0].time,
            boot_ns: events[0].boot_ns,
            ..LedgerEntry::default()
        };
        seal(&archive, &mut manifest, &name, &context, events.clone(), vec![noted]).expect("a sealed segment");
        earlier = earlier.with(events).waiting();
    }
    manifest.append(&[("stop", json!({"recording_id": ID, "state": "SEALED"}))]).expect("a stop");
}

/// Execs whose digest is known from the kernel, from user space or from both, sealed as it may come.
fn segments() -> Vec<Vec<Event>> {
    let old = Event { digest_doubt: vec!["old".into()], ..with_digest('f', "ima", row(20, "bprm_check_security", 2)) };
    let moved = Event {
        digest: None,
        digest_status: "unavailable".into(),
        digest_reason: Some("file_moved".into()),
        ..taken(72, 70, 7, 'a')
    };
    vec![
        vec![
            row(10, "bprm_check_security", 1),
            row(11, "bprm_committed_creds", 1),
            row(12, "mmap_file", 1),
            taken(13, 10, 1, 'a'),
            taken(14, 11, 1, 'a'),
            taken(15, 12, 1, 'a'),
            old,
            row(21, "bprm_committed_creds", 2),
            taken(22, 20, 2, 'a'),
            // An attempt, of which is known at once that it failed.
            Event { action: "deny".into(), enforced: true, ..row(30, "bprm_check_security", 3) },
            taken(31, 30, 3, 'a'),
            // User space answers both when the segment is closed.
            row(40, "bprm_check_security", 4),
            row(41, "bprm_committed_creds", 4),
        ],
        vec![
            taken(42, 40, 4, 'a'),
            taken(43, 41, 4, 'a'),
            row(50, "bprm_check_security", 5),
            row(51, "bprm_committed_creds", 5),
            taken(52, 50, 5, 'b'),
            with_digest('b', "ima", row(60, "bprm_check_security", 6)),
            row(61, "bprm_committed_creds", 6),
            row(70, "bprm_check_security", 7),
            row(71, "bprm_committed_creds", 7),
            moved,
        ],
    ]
}

/// For each exec row the digest that it has, by another engine.
const DIGESTS: &str = "SELECT event.*, coalesce(taken.digest, event.digest) AS own FROM events event \
    LEFT JOIN events taken ON taken.hook = 'user_digest' AND taken.digest IS NOT NULL \
    AND taken.ref_cpu = event.cpu AND taken.ref_seq = event.seq WHERE event.hook <> 'user_digest'";

#[test]
fn each_exec_runs_one_digest() {
    let directory = tempfile::tempdir().expect("a directory");
    archive(directory.path(), &segments());
    let expected = duckdb::rows(
        directory.path(),
        &format!(
            "WITH execs AS (SELECT own, exec_id, exec_id IN (SELECT exec_id FROM events WHERE hook = \
             'bprm_committed_creds') AS ran FROM ({DIGESTS}) WHERE hook LIKE 'bprm_%' AND own IS NOT NULL) \
             SELECT own, count(DISTINCT exec_id) FILTER (ran) AS runs, count(DISTINCT exec_id) FILTER (NOT ran) \
             AS attempts FROM execs GROUP BY own ORDER BY own"
        ),
    );
    assert_eq!(expected.len(), 2, "{expected:#?}");
    for counts in expected {
        let history = ask(directory.path(), &["history", "--digest", text(&counts, "own")]);
        let (versions, _) = history.split_at(history.len() - 1);
        for name in ["runs", "attempts"] {
            let told: i64 = versions.iter().map(|version| integer(version, name)).sum();
            assert_eq!(told, integer(&counts, name), "{name} of {counts} in {versions:#?}");
        }
    }
    // By hand: 1, 2 and 4 ran the one content, 5 and 6 the other.
    let changes = ask(directory.path(), &["changes", TOOL]);
    assert_eq!((&changes[0]["from"]["runs"], &changes[0]["to"]["runs"]), (&json!(3), &json!(2)), "{changes:#?}");
}

#[test]
fn runs_stay_right_where_segments_interleave() {
    let directory = tempfile::tempdir().expect("a directory");
    let first = vec![
        row(10, "bprm_check_security", 1),
        row(11, "bprm_committed_creds", 1),
        taken(12, 10, 1, 'a'),
        row(35, "bprm_check_security", 2),
        row(36, "bprm_committed_creds", 2),
        with_digest('a', "ima", row(40, "mmap_file", 2)),
    ];
    let second = vec![with_digest('b', "ima", row(30, "mmap_file", 1)), taken(50, 35, 2, 'a')];
    archive(directory.path(), &[first, second]);
    let changes = ask(directory.path(), &["changes", TOOL]);
    let told: Vec<(Value, Value)> =
        changes[..2].iter().map(|change| (change["from"]["runs"].clone(), change["to"]["runs"].clone())).collect();
    assert_eq!(told, [(json!(1), json!(0)), (json!(0), json!(1))], "{changes:#?}");
}

#[test]
fn a_filter_on_the_digest_finds_each_event_once() {
    let directory = tempfile::tempdir().expect("a directory");
    archive(directory.path(), &segments());
    let found = |arguments: &[&str]| {
        let mut lines = ask(directory.path(), &[&["events"], arguments].concat());
        assert_eq!(lines.pop().expect("a summary")["type"], "summary");
        lines
    };
    for letter in ['a', 'b'] {
        let digest = digest(letter);
        let expected = duckdb::rows(directory.path(), &format!("SELECT seq FROM ({DIGESTS}) WHERE own = '{digest}'"));
        let expected: BTreeSet<i64> = expected.iter().map(|row| integer(row, "seq")).collect();
        let events = found(&["--digest", &digest]);
        let seqs: BTreeSet<i64> = events.iter().map(|event| integer(event, "seq")).collect();
        assert_eq!((seqs, events.len()), (expected.clone(), expected.len()), "{letter}");
        for event in &events {
            assert_eq!((text(event, "digest"), text(event, "digest_status")), (digest.as_str(), "ok"), "{event}");
            assert!(event["hook"] != "user_digest" && event["digest_reason"].is_null(), "{event}");
            assert!(event["content_read_ns"].is_i64(), "{event}");
        }
    }
    let execs = found(&["--digest", &digest('b'), "--hook", "bprm_check_security", "--columns", "digest_source,seq"]);
    assert_eq!(execs, [json!({"digest_source": "user", "seq": 50}), json!({"digest_source": "ima", "seq": 60})]);
    let own = found(&["--digest", &digest('b'), "--hook", "user_digest", "--columns", "seq"]);
    assert_eq!(own, [json!({"seq": 52})], "asked for by its name");
    let late = found(&["--digest", &digest('a'), "--since", "2026-01-02T00:00:42Z", "--columns", "seq"]);
    assert_eq!(late, [json!({"seq": 42}), json!({"seq": 43})], "what they are for is before this time");
}
