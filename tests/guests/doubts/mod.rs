//! Where the kernel's own digest can be wrong: never an old digest that is not marked, and another algorithm is not
//! another content.

use crate::support::guest::{Guest, on_guests};
use crate::support::{lists, text};

on_guests!(an_old_digest_is_always_marked);
fn an_old_digest_is_always_marked(guest: Guest) {
    let stale = guest.scenario("stale");
    let acts = stale.acts();
    let seen: Vec<_> = acts.iter().filter(|act| act.label != "truncate").collect();
    for act in seen {
        let rows = stale.events_in(act, &format!("path = '{}' AND digest_status <> 'not_requested'", act.path));
        assert!(!rows.is_empty(), "the act is recorded: {act:?}");
        for row in &rows {
            assert_eq!(text(row, "digest_status"), "ok", "{row}");
            assert!(
                row["digest"] == act.digest || lists(row, "digest_doubt", "old"),
                "an old digest without a mark in {act:?}: {row}"
            );
        }
    }
}

on_guests!(another_time_of_a_file_is_no_change);
fn another_time_of_a_file_is_no_change(guest: Guest) {
    let stale = guest.scenario("stale");
    let act = stale.act("run-touched");
    let rows = stale.events_in(&act, &format!("path = '{}' AND digest IS NOT NULL", act.path));
    assert!(!rows.is_empty(), "the act is recorded: {act:?}");
    for row in rows {
        assert_eq!(row["digest"], act.digest, "{row}");
    }
    assert_eq!(stale.changes(&act.path).len(), 0, "only its mtime changed");
}

on_guests!(without_a_policy_every_digest_is_right: linux_6_1, linux_6_12, linux_7);
fn without_a_policy_every_digest_is_right(guest: Guest) {
    let stale = guest.scenario("stale");
    for act in stale.acts().iter().filter(|act| act.label != "truncate") {
        for row in stale.events_in(act, &format!("path = '{}' AND digest IS NOT NULL", act.path)) {
            assert_eq!(row["digest"], act.digest, "{act:?}: {row}");
            assert!(!lists(&row, "digest_doubt", "old"), "{row}");
        }
    }
}

on_guests!(a_library_with_an_open_writer_says_so);
fn a_library_with_an_open_writer_says_so(guest: Guest) {
    let stale = guest.scenario("stale");
    let act = stale.act("map-while-written");
    let rows = stale.events_in(&act, &format!("path = '{}' AND hook = 'mmap_file'", act.path));
    assert_eq!(rows.len(), 1, "{rows:#?}");
    assert!(lists(&rows[0], "digest_doubt", "writer_open"), "{}", rows[0]);
}

on_guests!(an_answer_behind_which_a_change_may_hide_is_not_complete);
fn an_answer_behind_which_a_change_may_hide_is_not_complete(guest: Guest) {
    let stale = guest.scenario("stale");
    let answer = stale.ask(&["changes", &stale.act("map-while-written").path]);
    let summary = answer.last().expect("a summary");
    assert_eq!(summary["complete"], false, "{summary}");
    assert_ne!(summary["doubtful"], 0, "{summary}");
}

on_guests!(another_algorithm_is_not_another_content: linux_6_1_tcb, linux_6_12_tcb, linux_7_tcb);
fn another_algorithm_is_not_another_content(guest: Guest) {
    let switch = guest.scenario("algorithm_switch");
    let changes = switch.changes("/data/work/algorithm_switch/tool");
    assert_eq!(changes.len(), 1, "{changes:#?}");
    assert_eq!(text(&changes[0], "kind"), "algorithm_changed", "{}", changes[0]);
    for (side, algorithm) in [("from", "sha256"), ("to", "md5")] {
        assert_eq!(text(&changes[0][side], "algorithm"), algorithm, "{}", changes[0]);
        assert_eq!(text(&changes[0][side], "digest"), switch.fact(algorithm), "{}", changes[0]);
    }
}
