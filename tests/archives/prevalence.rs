//! Which digests of the sample archive ran or were loaded, and how often, by `rare` and by `DuckDB` from the events alone.

use crate::support::scenario::Scenario;
use crate::support::{hashtrail, output_of, text};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Of what user space hashed, the event that it is for says whether anything ran.
const LOADS: &str = "\
    WITH used AS (
        SELECT seen.*, coalesce(subject.hook, seen.hook) AS used_by FROM events AS seen LEFT JOIN events AS subject
        ON seen.hook = 'user_digest' AND subject.recording_id = seen.recording_id AND subject.cpu = seen.ref_cpu
            AND subject.seq = seen.ref_seq
        WHERE seen.digest IS NOT NULL AND len(seen.digest_doubt) = 0
    ), committed AS (SELECT DISTINCT recording_id, exec_id FROM events WHERE hook = 'bprm_committed_creds')
    SELECT digest, count(*) AS observations, count(DISTINCT path) AS paths, list_sort(list(DISTINCT path)) AS first_paths,
        count(DISTINCT committed.exec_id) FILTER (used_by LIKE 'bprm_%') AS runs,
        strftime(min(time), '%Y-%m-%dT%H:%M:%S.%fZ') AS first_seen, strftime(max(time), '%Y-%m-%dT%H:%M:%S.%fZ') AS last_seen
    FROM used LEFT JOIN committed USING (recording_id, exec_id)
    WHERE used_by LIKE 'bprm_%' OR used_by IN ('mmap_file', 'file_mprotect', 'kernel_read_file', 'running_process')
    GROUP BY digest";

#[test]
fn duckdb_counts_the_same() {
    let sample = Scenario::sample("incident");
    let by_digest = |rows: Vec<Value>| -> BTreeMap<String, Value> {
        rows.into_iter().map(|row| (text(&row, "digest").to_owned(), row)).collect()
    };
    let expected = by_digest(sample.rows(LOADS));
    assert!(expected.len() > 3, "{expected:#?}");
    let mut lines = sample.ask(&["rare"]);
    let summary = lines.pop().expect("a summary");
    assert_eq!((&summary["type"], &summary["complete"]), (&json!("summary"), &json!(true)), "{summary}");
    assert_eq!((&summary["hosts"], &summary["rare"]), (&json!(1), &json!(expected.len())), "{summary}");
    let found = by_digest(lines);
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    for (digest, expected) in &expected {
        for field in ["observations", "paths", "first_paths", "runs", "first_seen", "last_seen"] {
            assert_eq!(found[digest][field], expected[field], "{field} of {digest}: {}", found[digest]);
        }
    }
}

#[test]
fn where_one_host_recorded_the_answer_says_how_little_it_is() {
    let archive = Scenario::sample("incident").archive();
    let output = output_of(hashtrail().args(["rare", "--archive"]).arg(&archive));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("which says nothing of it"), "{said}");
}
