//! What is recorded of calls that a selector matches: rate limits, merged rows, filters on the digest, defaults.

use crate::support::guest::{Guest, on_guests};
use crate::support::scenario::Scenario;
use crate::support::{integer, text};
use serde_json::Value;

/// The last components of the paths that an entry recorded, in order.
fn files(limits: &Scenario, message: &str) -> Vec<String> {
    let rows = limits.rows(&format!("SELECT path FROM events WHERE message = '{message}' ORDER BY boot_ns"));
    rows.iter().map(|row| text(row, "path").rsplit('/').next().unwrap_or_default().to_owned()).collect()
}

on_guests!(a_rate_limit_records_once_in_its_scope: linux_6_1, linux_6_12, linux_7);
fn a_rate_limit_records_once_in_its_scope(guest: Guest) {
    let limits = guest.scenario("limits");
    // Two threads of one process read `first` three times each, a thread of another one twice; a third one reads `second`.
    // A fourth one reads `a` three times, with longer names in between.
    let others = ["second", "a", "longer-one", "LONGER-TWO"];
    let with = |first: &[&'static str]| [first, &others].concat();
    assert_eq!(files(&limits, "once in a thread"), with(&["first"; 3]));
    assert_eq!(files(&limits, "once in a process"), with(&["first"; 2]));
    assert_eq!(files(&limits, "once on the host"), with(&["first"]));
    // Twice for reading, twice for writing.
    assert_eq!(files(&limits, "once in each mode"), ["again"; 2]);
    // Other entries of the same calls are decided only when the digest is known; this one was then counted already.
    let beside = files(&limits, "limited beside a filter on the digest");
    assert_eq!(beside, ["known", "renamed", "unknown"]);
}

on_guests!(rows_of_one_content_are_merged_and_a_change_never_is: linux_6_1, linux_6_12, linux_7);
fn rows_of_one_content_are_merged_and_a_change_never_is(guest: Guest) {
    let limits = guest.scenario("limits");
    let digests = |message: &str| {
        let sql = format!("SELECT digest FROM events WHERE message = '{message}' ORDER BY boot_ns");
        limits.rows(&sql).iter().map(|row| text(row, "digest").to_owned()).collect::<Vec<_>>()
    };
    let (original, other) = (limits.fact("original"), limits.fact("other"));
    let content = |names: &str| -> Vec<String> {
        names.chars().map(|name| if name == 'a' { original.clone() } else { other.clone() }).collect()
    };
    assert_eq!(digests("merged by file"), content("aba"));
    assert_eq!(digests("merged by process"), content("aaba"), "four processes map the library three times each");
}

/// Opens of `repeat-opens` and of the process after it.
const REPEATED: i64 = 27 + 3;

on_guests!(an_open_like_the_last_one_is_merged_and_no_other: linux_6_1, linux_6_12, linux_7);
fn an_open_like_the_last_one_is_merged_and_no_other(guest: Guest) {
    let limits = guest.scenario("limits");
    // Another open for appending, which writes, is of another file.
    let rows = limits
        .rows("SELECT digest FROM events WHERE message = 'repeated' AND path NOT LIKE '%/modes/%' ORDER BY boot_ns");
    if !guest.has_file_post_open() {
        assert_eq!(rows.len() as i64, REPEATED, "without a digest each open is a row");
        return;
    }
    let (content, other) = (limits.fact("repeated"), limits.fact("repeated-other"));
    let (content, other) = (serde_json::json!(content), serde_json::json!(other));
    // Twice without the page cache, where no digest is taken; and once in another process.
    let expected = [&content, &other, &content, &Value::Null, &Value::Null, &content];
    assert_eq!(rows.iter().map(|row| &row["digest"]).collect::<Vec<_>>(), expected);
}

on_guests!(what_was_stopped_is_counted: linux_6_1, linux_6_12, linux_7);
fn what_was_stopped_is_counted(guest: Guest) {
    let limits = guest.scenario("limits");
    let accounting = limits.accounting();
    let count = |name: &str| integer(&accounting, name);
    // Fourteen reads under three entries, eighteen rows; four opens, two rows; twelve mappings under two entries, seven rows.
    assert_eq!(count("suppressed_rate_limit"), 14 * 3 - 18 + 2, "{accounting}");
    let repeated = if guest.has_file_post_open() { REPEATED - 6 } else { 0 };
    assert_eq!(count("suppressed_dedupe"), 12 * 2 - 7 + repeated, "{accounting}");
    assert_eq!(count("suppressed"), 26 + 17 + repeated, "{accounting}");
    assert_eq!(count("produced"), count("stored") + count("dropped") + count("suppressed"), "{accounting}");
    assert_eq!(count("dropped"), 0, "{accounting}");
    assert_eq!(count("stored"), limits.count("SELECT count(*) FROM events"), "{accounting}");
    // The unknown content under `known content`, and the known one under two names under `unknown content`.
    assert_eq!(count("dropped_by_digest"), 3, "{accounting}");
}

on_guests!(a_filter_on_the_mode_of_an_open_looks_at_its_flags: linux_6_1, linux_6_12, linux_7);
fn a_filter_on_the_mode_of_an_open_looks_at_its_flags(guest: Guest) {
    let limits = guest.scenario("limits");
    assert_eq!(files(&limits, "read"), ["rdonly", "rdwr", "creat"]);
    assert_eq!(files(&limits, "write"), ["wronly", "rdwr", "append", "trunc", "creat"]);
    assert_eq!(files(&limits, "truncate or append"), ["append", "trunc"]);
    assert_eq!(files(&limits, "create"), ["creat"]);
    assert_eq!(files(&limits, "no row"), Vec::<String>::new());
}

on_guests!(a_filter_on_the_digest_knows_content_under_any_name: linux_6_1, linux_6_12, linux_7);
fn a_filter_on_the_digest_knows_content_under_any_name(guest: Guest) {
    let limits = guest.scenario("limits");
    assert_eq!(files(&limits, "known content"), ["known", "renamed"]);
    assert_eq!(files(&limits, "unknown content"), ["unknown"]);
    let digests =
        limits.rows("SELECT DISTINCT message, digest FROM events WHERE message LIKE '%known content' ORDER BY ALL");
    let expected = [("known content", "known"), ("unknown content", "unknown")];
    let expected = expected.map(|(message, fact)| serde_json::json!({"message": message, "digest": limits.fact(fact)}));
    assert_eq!(digests, expected);
}

on_guests!(a_filter_on_the_type_of_file_works_on_programs: linux_6_1, linux_6_12, linux_7);
fn a_filter_on_the_type_of_file_works_on_programs(guest: Guest) {
    let limits = guest.scenario("limits");
    assert_eq!(files(&limits, "type of file"), ["known", "renamed", "unknown"]);
    assert_eq!(files(&limits, "not this type of file"), Vec::<String>::new());
}

on_guests!(what_no_selector_matches_is_recorded_by_default_without_a_digest: linux_6_1, linux_6_12, linux_7);
fn what_no_selector_matches_is_recorded_by_default_without_a_digest(guest: Guest) {
    let limits = guest.scenario("limits");
    let rows = limits.rows("SELECT path, selector, digest_status FROM events WHERE message = 'by default'");
    let (known, others): (Vec<Value>, Vec<Value>) =
        rows.into_iter().partition(|row| row["path"] == "/data/work/limits/contents/known");
    assert_eq!(known.len(), 1, "{known:#?}");
    assert_eq!((text(&known[0], "selector"), text(&known[0], "digest_status")), ("asked for", "ok"));
    for name in ["renamed", "unknown"] {
        let path = format!("/data/work/limits/contents/{name}");
        assert_eq!(others.iter().filter(|row| row["path"] == path).count(), 1, "`{path}` in {others:#?}");
    }
    for row in &others {
        assert_eq!((text(row, "selector"), text(row, "digest_status")), ("1", "not_requested"), "{row}");
    }
}
