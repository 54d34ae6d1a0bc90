//! Each operator of the policy decides in the kernel as its documentation says.

use crate::support::guest::{Guest, on_guests};
use crate::support::text;
use std::collections::BTreeSet;

const SHELL: &str = "/bin/busybox";
const ACTOR: &str = "/data/bin/actor";

/// What each entry of the policy must record: its message, and the program and the caller of each row.
const EXPECTED: [(&str, &[(&str, &str)]); 11] = [
    ("equal", &[("alpha-1", SHELL), ("alpha-1", ACTOR), ("beta-1", SHELL), ("beta-1", ACTOR)]),
    ("not equal", &[("alpha-2", SHELL), ("alpha-2", ACTOR), ("beta-1", SHELL), ("beta-1", ACTOR)]),
    ("prefix", &[("alpha-1", SHELL), ("alpha-1", ACTOR), ("alpha-2", SHELL), ("alpha-2", ACTOR)]),
    ("not prefix", &[("beta-1", SHELL), ("beta-1", ACTOR)]),
    ("postfix", &[("alpha-1", SHELL), ("alpha-1", ACTOR), ("beta-1", SHELL), ("beta-1", ACTOR)]),
    ("not postfix", &[("alpha-2", SHELL), ("alpha-2", ACTOR)]),
    ("by the actor", &[("alpha-1", ACTOR), ("alpha-2", ACTOR), ("beta-1", ACTOR)]),
    ("not by the actor", &[("alpha-1", SHELL), ("alpha-2", SHELL), ("beta-1", SHELL)]),
    ("by a binary in /data/bin", &[("alpha-1", ACTOR), ("alpha-2", ACTOR), ("beta-1", ACTOR)]),
    ("not by a busybox", &[("alpha-1", ACTOR), ("alpha-2", ACTOR), ("beta-1", ACTOR)]),
    ("the first selector decides", &[("alpha-2", SHELL), ("alpha-2", ACTOR), ("beta-1", SHELL), ("beta-1", ACTOR)]),
];

on_guests!(each_operator_selects_what_it_says: linux_6_1, linux_6_12, linux_7);
fn each_operator_selects_what_it_says(guest: Guest) {
    let operators = guest.scenario("operators");
    let rows = operators.rows("SELECT message, path, exe FROM events WHERE hook = 'bprm_check_security'");
    for (message, expected) in EXPECTED {
        let found: Vec<_> = rows.iter().filter(|row| row["message"] == message).collect();
        let pairs: BTreeSet<_> = found
            .iter()
            .map(|row| (text(row, "path").trim_start_matches("/data/work/operators/"), text(row, "exe")))
            .collect();
        assert_eq!(pairs, expected.iter().copied().collect(), "the rows of `{message}`");
        assert_eq!(found.len(), expected.len(), "each exec once in `{message}`: {found:#?}");
    }
    let all: usize = EXPECTED.iter().map(|(_, expected)| expected.len()).sum();
    assert_eq!(rows.len(), all, "rows of no known entry: {rows:#?}");
}

on_guests!(integers_are_compared_whole_or_by_bits: linux_6_1, linux_6_12, linux_7);
fn integers_are_compared_whole_or_by_bits(guest: Guest) {
    let operators = guest.scenario("operators");
    let rows = operators.rows("SELECT message, mmap_prot FROM events WHERE hook = 'mmap_file' ORDER BY message");
    let messages: Vec<&str> = rows.iter().map(|row| text(row, "message")).collect();
    assert_eq!(messages, ["mask", "read and execute"], "the mapping is PROT_READ | PROT_EXEC: {rows:#?}");
}

on_guests!(a_selector_without_a_digest_hashes_nothing: linux_6_1, linux_6_12, linux_7);
fn a_selector_without_a_digest_hashes_nothing(guest: Guest) {
    let operators = guest.scenario("operators");
    let statuses = operators.rows("SELECT DISTINCT digest_status, digest FROM events WHERE policy IS NOT NULL");
    assert_eq!(statuses, [serde_json::json!({"digest_status": "not_requested", "digest": null})]);
    assert_eq!(operators.accounting()["digests"], 0, "helper calls");
}
