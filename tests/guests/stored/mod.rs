//! Scenario `stored`: content that changes without a trace in the counters of its inode.

use crate::support::guest::{Guest, on_guests};
use crate::support::text;
use serde_json::Value;

on_guests!(a_memfd_that_can_be_stored_to_is_always_doubtful: linux_6_1, linux_6_12);
fn a_memfd_that_can_be_stored_to_is_always_doubtful(guest: Guest) {
    let stored = guest.scenario("stored");
    let rows = stored.events_in(&stored.act("memfd"), "list_contains(path_flags, 'memfd') AND digest IS NOT NULL");
    assert!(rows.len() >= 6, "three runs, two hooks each: {rows:#?}");
    for row in &rows {
        let doubts = row["digest_doubt"].as_array().expect("a list");
        assert!(doubts.contains(&"writer_open".into()), "{row}");
    }
    let last = rows.last().expect("a row");
    assert_eq!(text(last, "digest"), stored.fact("second"), "what ran last is hashed then: {last}");
}

on_guests!(a_write_of_mapped_code_is_marked: linux_6_1, linux_6_12);
fn a_write_of_mapped_code_is_marked(guest: Guest) {
    let stored = guest.scenario("stored");
    assert_eq!(stored.fact("returned"), "43 44 43", "the code that ran was changed and changed back");
    for (label, is_mapped) in [("change", true), ("change-back", true), ("write-unmapped", false)] {
        let act = stored.act(label);
        let rows = stored.events_in(&act, &format!("hook = 'file_open' AND path = '{}'", act.path));
        assert_eq!(rows.len(), 1, "opens for writing in the act `{label}`: {rows:#?}");
        assert_eq!(rows[0]["mapped_executable"], Value::from(is_mapped), "in the act `{label}`: {}", rows[0]);
    }
}
