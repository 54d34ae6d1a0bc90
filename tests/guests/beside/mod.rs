//! Scenario `beside`: a file is changed by another way than its path. An answer names who did it where a row has that, and
//! never says that nobody was seen where somebody could act unseen.

use crate::support::guest::{Guest, on_guests};
use crate::support::scenario::Scenario;
use crate::support::{integer, lists, text};
use serde_json::Value;

/// The change that an act made: it lies in the interval.
fn change_by(beside: &Scenario, label: &str) -> Value {
    let act = beside.act(label);
    let changes = beside.changes_with_rows(&act.path);
    let is_made_by = |change: &&Value| {
        change["type"] == "change"
            && integer(change, "changed_after_ns") <= act.before_ns
            && act.after_ns <= integer(change, "changed_before_ns")
    };
    let found: Vec<&Value> = changes.iter().filter(is_made_by).collect();
    assert_eq!(found.len(), 1, "changes by `{label}`: {changes:#?}");
    found[0].clone()
}

on_guests!(who_writes_the_upper_file_is_a_suspect: linux_6_1, linux_6_12, linux_7);
fn who_writes_the_upper_file_is_a_suspect(guest: Guest) {
    let beside = guest.scenario("beside");
    let change = change_by(&beside, "default-write");
    assert_eq!(change["attribution"], "suspects", "{change}");
    let path = "/data/work/beside/upper/program";
    let suspects = change["suspects"].as_array().expect("a list");
    assert!(suspects.iter().any(|suspect| suspect["path"] == path), "{change}");
    let act = beside.act("default-write");
    let rows = beside.events_in(&act, &format!("hook = 'file_open' AND path = '{path}'"));
    let inode = format!("{}:{}", text(&rows[0], "dev"), integer(&rows[0], "ino"));
    let versions = beside.ask(&["history", "--inode", &inode]);
    let is_merged = |row: &&Value| row["path"] == act.path.as_str();
    assert!(versions.iter().filter(is_merged).count() >= 2, "history of the upper file: {versions:#?}");
}

on_guests!(a_write_that_the_policy_did_not_ask_for_is_not_covered: linux_6_1, linux_6_12, linux_7);
fn a_write_that_the_policy_did_not_ask_for_is_not_covered(guest: Guest) {
    let beside = guest.scenario("beside");
    for label in ["write-upper", "write-linked"] {
        let change = change_by(&beside, label);
        assert_eq!(change["attribution"], "not covered", "`{label}`: {change}");
    }
}

on_guests!(a_file_that_was_seen_through_a_detached_mount_is_not_covered: linux_6_1, linux_6_12, linux_7);
fn a_file_that_was_seen_through_a_detached_mount_is_not_covered(guest: Guest) {
    let beside = guest.scenario("beside");
    let runs = beside.events_in(&beside.act("run-detached"), "hook = 'bprm_check_security' AND path LIKE '%hung'");
    assert_eq!(runs.len(), 1, "{runs:#?}");
    assert!(lists(&runs[0], "path_flags", "unreachable"), "{}", runs[0]);
    for (label, attribution) in [("raw-hung", "not covered"), ("raw-alone", "nobody seen")] {
        let change = change_by(&beside, label);
        assert_eq!(change["attribution"], attribution, "`{label}`: {change}");
    }
}

on_guests!(who_writes_by_a_handle_or_a_detached_mount_is_a_suspect: linux_6_1, linux_6_12, linux_7);
fn who_writes_by_a_handle_or_a_detached_mount_is_a_suspect(guest: Guest) {
    let beside = guest.scenario("beside");
    for label in ["write-handled", "write-detached"] {
        let change = change_by(&beside, label);
        assert_eq!(change["attribution"], "suspects", "`{label}`: {change}");
        let suspects = change["suspects"].as_array().expect("a list");
        assert!(suspects.iter().any(|suspect| suspect["comm"] == "actor"), "`{label}`: {change}");
    }
}

on_guests!(a_file_that_is_mounted_over_a_program_is_told: linux_6_1, linux_6_12, linux_7);
fn a_file_that_is_mounted_over_a_program_is_told(guest: Guest) {
    let beside = guest.scenario("beside");
    let (mount, run) = (beside.act("mount-over"), beside.act("run-mounted"));
    let rows = beside.changes_with_rows(&mount.path);
    let over: Vec<&Value> = rows.iter().filter(|row| row["type"] == "mounted_over").collect();
    assert_eq!(over.len(), 1, "{rows:#?}");
    assert_eq!(over[0]["digests"], serde_json::json!([run.digest]), "{}", over[0]);
    assert_eq!(over[0]["mounted_by"]["comm"], "mount", "{}", over[0]);
    assert!(rows.iter().all(|row| row["type"] != "change"), "the program itself stayed what it was: {rows:#?}");
}
