//! Arguments, data and walks through the kernel's structures: each filter on one selects the acts that it is about.

use crate::support::guest::{Guest, on_guests};
use crate::support::text;
use serde_json::{Value, json};

const ACTOR: &str = "/data/work/policies/actor";

/// What each entry of the policy must record: its message, and how many acts are certain and how many undecided.
const EXPECTED: [(&str, usize, usize); 21] = [
    ("a mode with setuid or setgid", 2, 0),
    ("a mode of a kept file", 2, 0),
    // A limit compares what is listed, also what no filter is about.
    ("each mode once an hour", 2, 0),
    ("a process is traced", 1, 0),
    ("a program is loaded", 1, 0),
    ("a map is made or read", 2, 0),
    ("a directory of this name", 1, 0),
    ("a program by this name", 1, 0),
    ("an open by a user", 2, 0),
    ("a name through pointers", 1, 0),
    ("a bit", 1, 0),
    ("a negative number", 1, 0),
    ("less than", 1, 0),
    ("nothing on the way", 0, 1),
    // An address that is too short for a port has none that is known.
    ("to a port of IPv4", 1, 1),
    ("by a socket of IPv6", 3, 0),
    ("a server at a port", 1, 0),
    ("into a network", 3, 1),
    ("not on this machine", 2, 1),
    ("a port that is closed", 1, 1),
    ("a member of the address", 1, 0),
];

on_guests!(each_value_selects_the_acts_that_it_is_about: linux_6_1, linux_6_12, linux_7);
fn each_value_selects_the_acts_that_it_is_about(guest: Guest) {
    let policies = guest.scenario("policies");
    let rows =
        policies.rows("SELECT message, exe, path, undecided FROM events WHERE policy = 'values' ORDER BY boot_ns");
    for (message, certain, undecided) in EXPECTED {
        let found: Vec<&Value> = rows.iter().filter(|row| row["message"] == message).collect();
        let count = |is_undecided: bool| found.iter().filter(|row| row["undecided"] == is_undecided).count();
        assert_eq!((count(false), count(true)), (certain, undecided), "`{message}`: {found:#?}");
    }
    let all: usize = EXPECTED.iter().map(|(_, certain, undecided)| certain + undecided).sum();
    assert_eq!(rows.len(), all, "rows of no known entry: {rows:#?}");
    assert!(rows.iter().all(|row| text(row, "exe") == ACTOR), "{rows:#?}");
}

on_guests!(rows_name_the_file_that_the_policy_lists: linux_6_1, linux_6_12, linux_7);
fn rows_name_the_file_that_the_policy_lists(guest: Guest) {
    let policies = guest.scenario("policies");
    for (message, files) in [
        ("a mode with setuid or setgid", &["free", "kept/file"][..]),
        ("a mode of a kept file", &["kept/file", "kept/file"]),
        ("a directory of this name", &["asked"]),
        ("a program by this name", &["tool"]),
        ("an open by a user", &["user", "user"]),
        ("a name through pointers", &["named"]),
        ("a bit", &["bit"]),
        ("a negative number", &["low"]),
        ("less than", &["low"]),
        ("nothing on the way", &["gone"]),
    ] {
        let rows = policies.rows(&format!("SELECT path FROM events WHERE message = '{message}' ORDER BY boot_ns"));
        let found: Vec<&str> = rows.iter().map(|row| text(row, "path")).collect();
        let expected: Vec<String> = files.iter().map(|file| format!("/data/work/policies/{file}")).collect();
        assert_eq!(found, expected, "`{message}`");
    }
    // A directory that is about to be made was not deleted.
    let made = policies.rows("SELECT path_flags FROM events WHERE message = 'a directory of this name'");
    assert_eq!(made, [json!({"path_flags": []})]);
    // What the acts were, by the kernel's own word.
    assert_eq!(policies.fact("mode-4755"), "0 4755");
    assert_eq!(policies.fact("mode-2750"), "0 2750");
}

on_guests!(a_denial_by_a_value_holds_and_one_that_is_not_known_fails_open: linux_6_1, linux_6_12, linux_7);
fn a_denial_by_a_value_holds_and_one_that_is_not_known_fails_open(guest: Guest) {
    let policies = guest.scenario("policies");
    let acts = |message: &str| {
        let columns = "action, enforced, undecided";
        policies.rows(&format!("SELECT {columns} FROM events WHERE message = '{message}' ORDER BY boot_ns"))
    };
    assert_eq!(policies.fact("connect-127.0.0.1-4243-0"), "111", "the errno of the policy");
    assert_eq!(policies.fact("connect-127.0.0.1-4244-0"), "0");
    let closed = acts("a port that is closed");
    assert_eq!(closed[0], json!({"action": "deny", "enforced": true, "undecided": false}));
    assert_eq!(closed[1], json!({"action": "deny", "enforced": false, "undecided": true}));
    assert_eq!(policies.fact("unlinked"), "", "nothing was denied");
    assert_eq!(acts("nothing on the way"), [json!({"action": "deny", "enforced": false, "undecided": true})]);
}

on_guests!(what_contradicts_the_kernel_is_refused_by_file_line_and_name: linux_6_1, linux_6_12, linux_7);
fn what_contradicts_the_kernel_is_refused_by_file_line_and_name(guest: Guest) {
    let policies = guest.scenario("policies");
    for (name, parts) in [
        ("mistyped", ["mistyped.yaml:8:", "type `file` contradicts", "`struct inode *`"]),
        ("misresolved", ["misresolved.yaml:8:", "`cred.nobody`", "has no member `nobody`"]),
    ] {
        let said = std::fs::read_to_string(policies.file(&format!("{name}.log"))).expect("what the recorder said");
        assert_eq!(policies.number(&format!("{name}-status")), 2, "{said}");
        for part in parts {
            assert!(said.contains(part), "`{part}` in:\n{said}");
        }
    }
}
