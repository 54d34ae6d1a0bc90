//! Filters on binaries: whoever ran one before the policies asked for it is recorded too.

use crate::support::guest::{Guest, on_guests};
use crate::support::text;

/// Hook, binary and file, in the order of the acts. The waiting processes opened their FIFOs before.
const RECORDED: [[&str; 3]; 7] = [
    ["file_open", "before", "first"],
    ["file_lock", "later", "second"],
    ["inode_unlink", "parent", "third"],
    ["file_open", "across", "fourth"],
    ["file_lock", "before", "fifth"],
    ["inode_unlink", "grandparent", "sixth"],
    ["inode_setattr", "later", "seventh"],
];

on_guests!(binaries_are_known_that_ran_before_the_policies: linux_6_1_turns, linux_6_12_turns);
fn binaries_are_known_that_ran_before_the_policies(guest: Guest) {
    let rows = guest.scenario("seen").rows(
        "SELECT hook, parse_filename(exe) AS binary, parse_filename(path) AS file FROM events \
         WHERE message = 'binary' ORDER BY boot_ns",
    );
    let found: Vec<_> = rows.iter().map(|row| ["hook", "binary", "file"].map(|column| text(row, column))).collect();
    assert_eq!(found, RECORDED);
}
