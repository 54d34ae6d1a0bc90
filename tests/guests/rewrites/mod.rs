//! A binary's content changes: in place and back, by rename, with its mtime set back.

use crate::support::guest::{Guest, on_guests};
use crate::support::scenario::assert_change;
use crate::support::{integer, text};

on_guests!(overwritten_in_place_and_restored_is_two_changes:
    linux_6_1, linux_6_1_tcb, linux_6_1_sha1, linux_6_12, linux_6_12_tcb, linux_7, linux_7_tcb, linux_6_12_sha1);
fn overwritten_in_place_and_restored_is_two_changes(guest: Guest) {
    let aba = guest.scenario("aba");
    let [run_a, run_b, run_a_again] = ["run-a", "run-b", "run-a-again"].map(|label| aba.act(label));
    assert_eq!(run_a.digest, run_a_again.digest, "the scenario restores the content");
    assert_ne!(run_a.digest, run_b.digest, "the scenario changes the content");

    let changes = aba.changes(&run_a.path);

    assert_eq!(changes.len(), 2, "A, B, A is two changes: {changes:#?}");
    assert_change(&changes[0], "rewritten", &run_a, &aba.act("write-b"), &run_b);
    assert_change(&changes[1], "rewritten", &run_b, &aba.act("write-a"), &run_a_again);
}

on_guests!(the_writer_is_named_as_a_suspect);
fn the_writer_is_named_as_a_suspect(guest: Guest) {
    let aba = guest.scenario("aba");
    let changes = aba.changes(&aba.act("run-a").path);
    for (change, write) in changes.iter().zip([aba.act("write-b"), aba.act("write-a")]) {
        let suspects = change["suspects"].as_array().expect("suspects is a list");
        let acts: Vec<&str> = suspects.iter().map(|suspect| text(suspect, "act")).collect();
        assert_eq!(acts, ["write_open", "truncate"], "the shell opens with O_TRUNC: {change}");
        let writes = aba.events_in(&write, "hook = 'file_open' AND path = '/data/work/aba/tool'");
        assert_eq!(writes.len(), 1, "the one open for writing: {writes:#?}");
        for suspect in suspects {
            assert_eq!(integer(suspect, "pid"), integer(&writes[0], "pid"));
            assert_eq!(text(suspect, "exe"), "/bin/busybox");
        }
        assert_eq!(text(change, "attribution"), "suspects");
    }
}

on_guests!(another_engine_finds_the_same_digests:
    linux_6_1, linux_6_1_tcb, linux_6_1_sha1, linux_6_12, linux_6_12_tcb, linux_7, linux_7_tcb, linux_6_12_sha1);
fn another_engine_finds_the_same_digests(guest: Guest) {
    let aba = guest.scenario("aba");
    let algorithm = if guest.mode == crate::support::guest::Mode::Sha1 { "sha1" } else { "sha256" };
    for label in ["run-a", "run-b", "run-a-again"] {
        let act = aba.act(label);
        let rows = aba.events_in(&act, "path = '/data/work/aba/tool'");
        let hooks: Vec<&str> = rows.iter().map(|row| text(row, "hook")).collect();
        assert_eq!(hooks, ["bprm_check_security", "bprm_committed_creds", "mmap_file"], "the rows of {act:?}");
        for row in &rows {
            assert_eq!(text(row, "digest"), act.digest, "{row}");
            assert_eq!(text(row, "digest_algorithm"), algorithm, "{row}");
            assert_eq!(row["digest_doubt"], serde_json::json!([]), "{row}");
        }
    }
}

on_guests!(the_index_of_versions_holds_three_runs);
fn the_index_of_versions_holds_three_runs(guest: Guest) {
    let aba = guest.scenario("aba");
    let rows = aba.rows(
        "SELECT digest, runs, attempts, observations FROM files WHERE path = '/data/work/aba/tool' ORDER BY first_boot_ns",
    );
    let digests: Vec<&str> = rows.iter().map(|row| text(row, "digest")).collect();
    assert_eq!(digests, ["run-a", "run-b", "run-a-again"].map(|label| aba.act(label).digest), "{rows:#?}");
    for row in &rows {
        assert_eq!([integer(row, "runs"), integer(row, "attempts"), integer(row, "observations")], [1, 0, 3], "{row}");
    }
}

on_guests!(another_file_under_the_name_is_replaced);
fn another_file_under_the_name_is_replaced(guest: Guest) {
    let replaced = guest.scenario("replaced");
    let (old, new) = (replaced.act("run-old"), replaced.act("run-new"));

    let changes = replaced.changes(&old.path);

    assert_eq!(changes.len(), 1, "{changes:#?}");
    assert_change(&changes[0], "replaced", &old, &replaced.act("rename"), &new);
    assert_ne!(changes[0]["from"]["ino"], changes[0]["to"]["ino"], "{}", changes[0]);
}

on_guests!(the_same_file_is_rewritten_even_with_its_old_mtime_and_size);
fn the_same_file_is_rewritten_even_with_its_old_mtime_and_size(guest: Guest) {
    let replaced = guest.scenario("replaced");
    let (before, after) = (replaced.act("run-before"), replaced.act("run-after"));

    let changes = replaced.changes(&before.path);

    assert_eq!(changes.len(), 1, "{changes:#?}");
    assert_change(&changes[0], "rewritten", &before, &replaced.act("rewrite"), &after);
    assert_eq!(changes[0]["from"]["ino"], changes[0]["to"]["ino"], "{}", changes[0]);
    let rows = replaced.rows(
        "SELECT DISTINCT epoch_us(mtime) AS mtime, size_bytes FROM events \
         WHERE path = '/data/work/replaced/rewritten' AND hook = 'bprm_check_security'",
    );
    assert_eq!(rows.len(), 1, "mtime and size tell nothing: {rows:#?}");
    assert_eq!(integer(&rows[0], "mtime"), replaced.number("mtime") * 1_000_000);
}
