//! Scenario `flood`: an ordinary user makes the kernel hash in more processes than the sensor has places to build paths in.

use crate::support::guest::{Guest, on_guests};
use crate::support::text;

/// `SCRATCH_SLOTS` of bpf/scratch.bpf.h.
const SLOTS: i64 = 128;

/// What is hashed: a large file by processes that hardly get the CPU, which Linux 7 gives them until they leave the kernel, and
/// one whose server never answers.
fn rounds(guest: Guest) -> &'static [&'static str] {
    if guest.kernel == "7" { &["hanging"] } else { &["flooded", "hanging"] }
}

/// What root does meanwhile: the label of the act, the hook that records it, and the column that holds its path.
const ACTS: [(&str, &str, &str); 7] = [
    ("run-first", "bprm_check_security", "path"),
    ("replace", "file_open", "path"),
    ("run-second", "bprm_check_security", "path"),
    ("remove", "inode_unlink", "path"),
    ("chmod", "inode_setattr", "path"),
    ("rename", "inode_rename", "target_path"),
    ("run-moved", "bprm_committed_creds", "path"),
];

on_guests!(a_flood_of_hashes_hides_no_act: linux_6_1, linux_6_12, linux_7);
fn a_flood_of_hashes_hides_no_act(guest: Guest) {
    let flood = guest.scenario("flood");
    for round in rounds(guest) {
        assert!(flood.number(&format!("{round}-hashing")) > SLOTS, "{round} was over before the last act");
        for (label, hook, column) in ACTS {
            let act = flood.act(&format!("{round}-{label}"));
            let rows = flood.events_in(&act, &format!("hook = '{hook}' AND {column} = '{}'", act.path));
            assert!(rows.iter().any(|row| row["undecided"] == false), "the act `{label}` of {act:?}: {rows:#?}");
            if hook.starts_with("bprm_") {
                assert!(rows.iter().all(|row| text(row, "digest") == act.digest), "{rows:#?}");
            }
        }
    }
    assert!(flood.number("ended-hashing") > SLOTS, "the recorder waited for those that hang");
    let lost = flood.rows("SELECT cause, count FROM ledger WHERE kind = 'loss'");
    assert!(lost.is_empty(), "nothing was lost: {lost:?}");
}

on_guests!(a_flood_of_hashes_lifts_no_denial: linux_6_1, linux_6_12, linux_7);
fn a_flood_of_hashes_lifts_no_denial(guest: Guest) {
    let flood = guest.scenario("flood");
    for round in rounds(guest) {
        assert_eq!(flood.fact(&format!("{round}-denied")), "13", "EACCES");
        assert_eq!(flood.fact(&format!("{round}-killed")), "signal 9");
    }
    for message in ["a contained service writes to a system directory", "a contained service runs a program"] {
        let rows = flood.rows(&format!("SELECT enforced, undecided, path FROM events WHERE message = '{message}'"));
        assert_eq!(rows.len(), rounds(guest).len(), "{rows:?}");
        assert!(rows.iter().all(|row| row["enforced"] == true && row["undecided"] == false), "{rows:?}");
    }
}
