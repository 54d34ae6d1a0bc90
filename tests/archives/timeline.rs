//! Timelines for other tools, read back by `DuckDB`, which shares no code with hashtrail.

use crate::support::duckdb::rows;
use crate::support::{hashtrail, integer, json_lines, repository, stdout_of};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

mod bodyfile;
mod hayabusa;
pub(crate) mod made;
mod ocsf;

const ARCHIVE: &str = "samples/incident/archive";

/// What `DuckDB` makes of a timeline of the sample, and of the sample itself.
fn asked(target: &str, reads: &str, sql: &str) -> serde_json::Value {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let file = directory.path().join(format!("timeline.{target}"));
    let archive = repository(ARCHIVE);
    let lines = stdout_of(hashtrail().args(["timeline", "--to", target, "--archive"]).arg(&archive));
    std::fs::write(&file, lines).expect("the timeline can be written");
    let sql = sql.replace("TIMELINE", &format!("{reads}('{}')", file.display()));
    rows(&archive, &sql).remove(0)
}

#[test]
fn every_event_is_a_line_of_timesketch_in_the_order_of_time() {
    let found = asked(
        "timesketch",
        "read_json",
        "SELECT count(*) AS lines, (SELECT count(*) FROM events) AS events, \
         count(*) FILTER (data_type = 'hashtrail:change') AS changes, \
         count(*) FILTER (epoch_us(CAST(datetime AS TIMESTAMPTZ)) = timestamp AND message != '') AS timed, \
         count(*) FILTER (data_type = 'hashtrail:event' AND sha256_hash IS NOT NULL) AS hashed, \
         (SELECT count(digest) FROM events WHERE len(digest_doubt) = 0) AS digests, \
         (SELECT count(*) FROM (SELECT timestamp < lag(timestamp) OVER () AS is_back FROM TIMELINE) WHERE is_back) AS back \
         FROM TIMELINE",
    );
    let number = |name: &str| integer(&found, name);
    assert_eq!((number("lines"), number("changes"), number("back")), (number("events") + 2, 2, 0), "{found}");
    assert_eq!((number("timed"), number("hashed")), (number("lines"), number("digests")), "{found}");
}

#[test]
fn a_spreadsheet_gets_the_same() {
    let found = asked(
        "csv",
        "read_csv",
        "SELECT count(*) FILTER (type = 'event') AS lines, (SELECT count(*) FROM events) AS events, \
         (SELECT count(*) FROM TIMELINE AS line ANTI JOIN events ON line.pid = events.pid AND line.path IS NOT DISTINCT FROM \
         events.path AND CAST(line.datetime AS TIMESTAMPTZ) = events.time WHERE line.type = 'event') AS others FROM TIMELINE",
    );
    assert_eq!((integer(&found, "lines"), integer(&found, "others")), (integer(&found, "events"), 0), "{found}");
}

/// Types that a category of the Elastic Common Schema may have, of those that are used: from its `schemas/event.yml`.
const TYPES: [(&str, &[&str]); 5] = [
    ("driver", &["change", "end", "info", "start"]),
    ("file", &["access", "change", "creation", "deletion", "info"]),
    ("host", &["access", "change", "end", "info", "start"]),
    ("library", &["start"]),
    ("process", &["access", "change", "end", "info", "start"]),
];

#[test]
fn each_field_is_one_of_the_elastic_common_schema_and_of_its_type() {
    let table = std::fs::read_to_string(repository("tests/fixtures/ecs/fields.tsv")).expect("the table of fields");
    let fields: BTreeMap<&str, &str> = table.lines().filter_map(|line| line.split_once('\t')).collect();
    let mut used = BTreeSet::new();
    let mut command = hashtrail();
    command.args(["timeline", "--to", "ecs", "--first-seen", "--archive"]).arg(repository(ARCHIVE));
    for line in json_lines(&stdout_of(&mut command)) {
        for (name, value) in leaves("", &line) {
            let kind = fields.get(name.as_str()).unwrap_or_else(|| panic!("no field `{name}`: {line}"));
            assert!(is_of(kind, value), "`{name}` is a {kind}: {value}");
            used.insert(name);
        }
        let (category, kind) = (&line["event"]["category"][0], &line["event"]["type"][0]);
        assert!(TYPES.iter().any(|(name, types)| category == name && types.iter().any(|of| kind == of)), "{line}");
    }
    for name in
        ["process.hash.sha256", "dll.hash.sha256", "file.hash.sha256", "related.hash", "process.parent.entity_id"]
    {
        assert!(used.contains(name), "`{name}` is nowhere: {used:?}");
    }
}

/// Each value of an object that is none itself, by its whole name.
fn leaves<'a>(prefix: &str, value: &'a Value) -> Vec<(String, &'a Value)> {
    let Some(members) = value.as_object() else { return vec![(prefix.to_owned(), value)] };
    let inner = |(name, value): (&String, &'a Value)| match prefix {
        "" => leaves(name, value),
        _ => leaves(&format!("{prefix}.{name}"), value),
    };
    members.iter().flat_map(inner).collect()
}

/// A field may have one value of its type, or several.
fn is_of(kind: &str, value: &Value) -> bool {
    let one = |value: &Value| match kind {
        "long" => value.is_i64(),
        "date" => value.as_str().is_some_and(|text| text.len() == 27 && text.ends_with('Z')),
        _ => value.is_string(),
    };
    value.as_array().map_or_else(|| one(value), |values| !values.is_empty() && values.iter().all(one))
}
