//! Timelines for other tools, read back by `DuckDB`, which shares no code with hashtrail.

use crate::scenario::rows;
use crate::support::{hashtrail, integer, repository, stdout_of};

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
         (SELECT count(digest) FROM events) AS digests, \
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
