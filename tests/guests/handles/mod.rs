//! Scenario `handles`: names that the kernel has forgotten, that a mount or a root does not show, and mounts that are moved,
//! replaced and detached. Each path is right or flagged, and no filter takes what is flagged for certain.

use crate::support::guest::{Guest, on_guests};
use crate::support::scenario::Scenario;
use crate::support::{lists, text};
use serde_json::{Value, json};

/// Acts whose file no path leads to from where the task is, with the hooks that see one.
const UNREACHED: [(&str, &[&str]); 5] = [
    ("write-by-handle", &["file_open", "inode_setattr"]),
    ("run-by-handle", &["bprm_check_security", "bprm_committed_creds", "mmap_file"]),
    ("write-through-another", &["file_open"]),
    ("write-from-chroot", &["file_open"]),
    ("write-detached", &["file_open", "inode_setattr"]),
];

/// The rows of one act by one policy, without those of the programs that the scenario itself is made with.
fn rows_of(handles: &Scenario, label: &str, policy: &str, hook: &str) -> Vec<Value> {
    let own = "coalesce(path, '') NOT IN ('/bin/busybox', '/data/bin/actor', '/actor')";
    handles.events_in(&handles.act(label), &format!("policy = '{policy}' AND hook = '{hook}' AND {own}"))
}

/// Whether the row says that its path is not one that leads to the file.
fn is_flagged(row: &Value) -> bool {
    lists(row, "path_flags", "unreachable") || lists(row, "path_flags", "fs_relative")
}

on_guests!(a_file_that_no_path_leads_to_is_flagged: linux_6_1, linux_6_12, linux_7);
fn a_file_that_no_path_leads_to_is_flagged(guest: Guest) {
    let handles = guest.scenario("handles");
    for (label, hooks) in UNREACHED {
        for hook in hooks {
            let rows = rows_of(&handles, label, "default", hook);
            assert_eq!(rows.len(), 1, "rows of {hook} in the act `{label}`: {rows:#?}");
            assert!(is_flagged(&rows[0]), "in the act `{label}`: {}", rows[0]);
        }
    }
}

on_guests!(a_filter_on_a_path_that_is_none_is_undecided: linux_6_1, linux_6_12, linux_7);
fn a_filter_on_a_path_that_is_none_is_undecided(guest: Guest) {
    let handles = guest.scenario("handles");
    let expected = [
        ("write-by-handle", "file_open", vec!["a mount point", "below a directory"]),
        ("write-by-handle", "inode_setattr", vec!["a mount point"]),
        ("run-by-handle", "bprm_check_security", vec!["a program below a directory"]),
        ("run-by-handle", "mmap_file", vec!["by a program at the root"]),
        ("write-through-another", "file_open", vec!["a mount point", "below a directory"]),
        ("write-from-chroot", "file_open", vec!["a mount point", "below a directory"]),
        ("detached", "inode_rename", vec!["below a directory"]),
        ("write-detached", "file_open", vec!["a mount point", "below a directory"]),
        ("write-detached", "inode_setattr", vec!["a mount point"]),
    ];
    for (label, hook, messages) in expected {
        let rows = rows_of(&handles, label, "handles", hook);
        let found: Vec<&str> = rows.iter().map(|row| text(row, "message")).collect();
        assert_eq!(found, messages, "in the act `{label}`: {rows:#?}");
        assert!(rows.iter().all(|row| row["undecided"] == true), "in the act `{label}`: {rows:#?}");
    }
    let certain = handles.rows(
        "SELECT * FROM events WHERE policy = 'handles' AND NOT undecided AND (len(path_flags) > 0 OR path IS NULL)",
    );
    assert!(certain.is_empty(), "matched for certain: {certain:#?}");
}

on_guests!(a_path_that_could_be_two_or_has_no_room_is_flagged: linux_6_1, linux_6_12, linux_7);
fn a_path_that_could_be_two_or_has_no_room_is_flagged(guest: Guest) {
    let handles = guest.scenario("handles");
    let rows = rows_of(&handles, "twice-mounted", "default", "inode_rename");
    assert_eq!(rows.len(), 1, "{rows:#?}");
    assert_eq!((text(&rows[0], "path"), &rows[0]["path_flags"]), ("/a", &json!(["fs_relative"])), "{}", rows[0]);
    let rows = rows_of(&handles, "too-long", "default", "inode_rename");
    assert_eq!(rows.len(), 1, "{rows:#?}");
    assert!(lists(&rows[0], "path_flags", "too_long"), "{}", rows[0]);
}

on_guests!(a_program_that_no_path_leads_to_has_no_name_as_a_binary: linux_6_1, linux_6_12, linux_7);
fn a_program_that_no_path_leads_to_has_no_name_as_a_binary(guest: Guest) {
    let handles = guest.scenario("handles");
    for hook in ["bprm_committed_creds", "mmap_file"] {
        let rows = rows_of(&handles, "run-by-handle", "default", hook);
        assert_eq!((&rows[0]["exe"], &rows[0]["digest"]), (&Value::Null, &json!(handles.act("run-by-handle").digest)));
    }
}

on_guests!(a_path_under_a_mount_is_that_of_the_moment: linux_6_1, linux_6_12, linux_7);
fn a_path_under_a_mount_is_that_of_the_moment(guest: Guest) {
    let handles = guest.scenario("handles");
    let mut devices = Vec::new();
    for label in ["before-move", "after-move", "reused-device"] {
        let rows = rows_of(&handles, label, "default", "inode_rename");
        assert_eq!(rows.len(), 1, "in the act `{label}`: {rows:#?}");
        let target = text(&rows[0], "target_path");
        assert_eq!((target, &rows[0]["path_flags"]), (handles.act(label).path.as_str(), &json!([])), "{}", rows[0]);
        devices.push(text(&rows[0], "dev").to_owned());
        let matched = rows_of(&handles, label, "handles", "inode_rename");
        assert_eq!(matched.len(), usize::from(label == "before-move"), "in the act `{label}`: {matched:#?}");
        assert!(matched.iter().all(|row| row["undecided"] == false), "{matched:#?}");
    }
    assert_eq!(devices[0], devices[2], "the device number is used again");
}

on_guests!(a_file_that_is_opened_by_its_name_has_its_path_again: linux_6_1, linux_6_12, linux_7);
fn a_file_that_is_opened_by_its_name_has_its_path_again(guest: Guest) {
    let handles = guest.scenario("handles");
    for label in ["by-name", "write-after-move"] {
        for hook in ["file_open", "inode_setattr"] {
            let rows = rows_of(&handles, label, "default", hook);
            assert_eq!(rows.len(), 1, "rows of {hook} in the act `{label}`: {rows:#?}");
            let found = (text(&rows[0], "path"), &rows[0]["path_flags"]);
            assert_eq!(found, (handles.act(label).path.as_str(), &json!([])), "{}", rows[0]);
        }
    }
    let matched = rows_of(&handles, "by-name", "handles", "file_open");
    assert_eq!(matched.len(), 1, "{matched:#?}");
    assert_eq!((text(&matched[0], "message"), &matched[0]["undecided"]), ("below a directory", &json!(false)));
}
