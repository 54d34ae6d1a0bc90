//! A policy decides before anything is hashed: what it does not match costs no digest and no place in the ring.

use crate::guest::{Guest, on_guests};
use crate::support::integer;

on_guests!(only_the_path_that_the_policy_names_is_recorded);
fn only_the_path_that_the_policy_names_is_recorded(guest: Guest) {
    let one_path = guest.scenario("one_path");
    let rows = one_path
        .rows("SELECT path, hook, policy, digest, boot_ns FROM events WHERE policy IS NOT NULL ORDER BY boot_ns");
    assert_eq!(rows.len(), 2, "two runs of the watched program: {rows:#?}");
    for (row, act) in rows.iter().zip([one_path.act("watched"), one_path.act("watched-again")]) {
        assert_eq!(row["path"], act.path, "{row}");
        assert_eq!(row["digest"], act.digest, "{row}");
        assert_eq!(row["policy"], "one-path", "{row}");
        assert!((act.before_ns..=act.after_ns).contains(&integer(row, "boot_ns")), "{row} outside of {act:?}");
    }
}

on_guests!(other_execs_are_neither_hashed_nor_written_to_the_ring);
fn other_execs_are_neither_hashed_nor_written_to_the_ring(guest: Guest) {
    let one_path = guest.scenario("one_path");
    assert_eq!(one_path.number("other_execs"), 200, "the scenario itself ran its other program");
    let accounting = one_path.accounting();
    let beside = one_path.count("SELECT count(*) FROM events WHERE policy IS NULL");
    assert_eq!(integer(&accounting, "produced") - beside, 2, "{accounting}");
    assert_eq!(integer(&accounting, "digests"), 2, "{accounting}");
    assert!(integer(&accounting, "filtered") >= 200, "{accounting}");
}
