//! What the sample archive has before and after a moment, by `diff` and by `DuckDB` from the events alone.

use crate::support::duckdb::rows;
use crate::support::scenario::{Scenario, ask};
use crate::support::{hashtrail, integer, json_lines, output_of, text};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

/// Moments at which the archive is cut.
const MOMENTS: usize = 12;

/// Paths or digests with what each side has of them: digests or paths, and the first and last observation.
type Sides = BTreeMap<String, [Option<(Value, i64, i64)>; 2]>;

/// What stands on each side of a moment, in microseconds, by its events.
fn by_duckdb(archive: &Path, moment: i64, subject: &str, listed: &str) -> Sides {
    let unnamed = "['deleted', 'memfd', 'unreachable', 'too_long', 'no_scratch', 'mount_point']";
    let of_side = |name: &str, side: &str| {
        format!(
            "list_sort(list(DISTINCT {listed}) FILTER ({side})) AS {name}, min(epoch_us(time)) FILTER ({side}) AS {name}_first, \
             max(epoch_us(time)) FILTER ({side}) AS {name}_last"
        )
    };
    let (before, after) = (format!("epoch_us(time) < {moment}"), format!("epoch_us(time) >= {moment}"));
    let found = rows(
        archive,
        &format!(
            "SELECT {subject} AS subject, {}, {} FROM events WHERE digest IS NOT NULL AND len(digest_doubt) = 0 AND \
             NOT list_has_any(path_flags, {unnamed}) GROUP BY subject",
            of_side("before", &before),
            of_side("after", &after)
        ),
    );
    let side = |row: &Value, name: &str| {
        let (first, last) = (format!("{name}_first"), format!("{name}_last"));
        (!row[name].is_null()).then(|| (row[name].clone(), integer(row, &first), integer(row, &last)))
    };
    found.iter().map(|row| (text(row, "subject").to_owned(), ["before", "after"].map(|name| side(row, name)))).collect()
}

fn micros(time: &Value) -> i64 {
    let time = time.as_str().unwrap_or_else(|| panic!("no time: {time}"));
    chrono::DateTime::parse_from_rfc3339(time).expect("a time").timestamp_micros()
}

/// What `diff` says of it, with the kind of each.
fn by_diff(
    archive: &Path,
    moment: i64,
    by: &str,
    (subject, listed): (&str, &str),
) -> (Sides, BTreeMap<String, String>) {
    let before = format!("@{}.{:06}", moment / 1_000_000, moment % 1_000_000);
    let mut lines = ask(archive, &["diff", "--before", &before, "--by", by, "--same"]);
    let summary = lines.pop().expect("a summary");
    assert_eq!(summary["type"], "summary", "{summary}");
    let side = |row: &Value, name: &str| {
        let side = &row[name];
        (!side.is_null()).then(|| (side[listed].clone(), micros(&side["first_seen"]), micros(&side["last_seen"])))
    };
    let sides = |row: &Value| (text(row, subject).to_owned(), ["left", "right"].map(|name| side(row, name)));
    let kind = |row: &Value| (text(row, subject).to_owned(), text(row, "kind").to_owned());
    (lines.iter().map(sides).collect(), lines.iter().map(kind).collect())
}

#[test]
fn before_and_after_a_moment_duckdb_finds_the_same() {
    let sample = Scenario::sample("incident");
    let archive = sample.archive();
    let times = sample.rows("SELECT epoch_us(time) AS micros FROM events WHERE digest IS NOT NULL ORDER BY micros");
    for row in times.iter().step_by(times.len() / MOMENTS) {
        let moment = integer(row, "micros");
        for (by, subject, listed) in [("path", "path", "digests"), ("digest", "digest", "first_paths")] {
            let expected = by_duckdb(&archive, moment, subject, if by == "path" { "digest" } else { "path" });
            let (found, kinds) = by_diff(&archive, moment, by, (subject, listed));
            assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "by {by} at {moment}");
            for (name, [before, after]) in &expected {
                let [left, right] = &found[name];
                let list = |side: &Option<(Value, i64, i64)>| side.as_ref().map(|(list, ..)| list.clone());
                assert_eq!((list(left), list(right)), (list(before), list(after)), "{name} at {moment}");
                // What a run of observations joins over the moment is known by its first and last one.
                let first = |side: &Option<(Value, i64, i64)>| side.as_ref().map(|(_, first, _)| *first);
                let last = |side: &Option<(Value, i64, i64)>| side.as_ref().map(|(.., last)| *last);
                assert_eq!((first(left), last(right)), (first(before), last(after)), "{name} at {moment}");
                assert!(last(left) <= last(before) && first(right) >= first(after), "{name} at {moment}");
                let kind = match (before, after) {
                    (Some(_), None) => "only_left",
                    (None, Some(_)) => "only_right",
                    (Some((before, ..)), Some((after, ..))) if by == "path" && before != after => "different",
                    _ => "same",
                };
                assert_eq!(kinds[name], kind, "{name} at {moment}");
            }
        }
    }
}

#[test]
fn an_archive_has_what_itself_has() {
    let archive = Scenario::sample("incident").archive();
    let mut command = hashtrail();
    command.args(["diff", "--same", "--format", "json"]).arg(&archive).arg(&archive);
    let output = output_of(&mut command);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let mut lines = json_lines(&String::from_utf8_lossy(&output.stdout));
    let summary = lines.pop().expect("a summary");
    assert_eq!((&summary["complete"], &summary["same"]), (&json!(true), &json!(lines.len())), "{summary}");
    for row in &lines {
        assert_eq!((&row["kind"], &row["left"]), (&json!("same"), &row["right"]), "{row}");
    }
    let (left, right) = (&summary["left"], &summary["right"]);
    assert_eq!((left, &left["hosts"]), (right, &json!(["guest"])), "{summary}");
}

#[test]
fn in_words_no_side_is_said_to_lack_more_than_an_observation() {
    let archive = Scenario::sample("incident").archive();
    let output = output_of(hashtrail().args(["diff", "--before", "2026-11-24T16:20:52Z", "--archive"]).arg(&archive));
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    for part in ["left is what was observed before", "not observed is not absent", "left: complete", "right: complete"]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
    let output = output_of(hashtrail().arg("diff").arg(&archive).arg(&archive));
    assert_eq!(output.status.code(), Some(1), "nothing differs");
}
