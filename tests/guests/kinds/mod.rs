//! Every kind of code that can run appears with its own digest, or is marked.

use crate::support::guest::{Guest, on_guests};
use crate::support::scenario::Scenario;
use crate::support::{integer, lists, text};
use serde_json::Value;

/// The rows of one hook in one act, except those of the programs that the scenario itself is made with.
fn rows_of(kinds: &Scenario, label: &str, hook: &str) -> Vec<Value> {
    kinds.events_in(
        &kinds.act(label),
        &format!("hook = '{hook}' AND (path IS NULL OR path NOT IN ('/bin/busybox', '/data/bin/actor'))"),
    )
}

/// The one row of a hook in an act; its digest must be that of the oracle.
fn row_of(kinds: &Scenario, label: &str, hook: &str) -> Value {
    let mut rows = rows_of(kinds, label, hook);
    assert_eq!(rows.len(), 1, "rows of {hook} in the act `{label}`: {rows:#?}");
    let row = rows.remove(0);
    assert_eq!(row["digest"], kinds.act(label).digest, "the digest in the act `{label}`: {row}");
    row
}

on_guests!(a_script_and_its_interpreter_share_one_exec:
    linux_6_1, linux_6_1_tcb, linux_6_1_sha1, linux_6_12, linux_6_12_tcb, linux_6_12_sha1, linux_7, linux_7_tcb);
fn a_script_and_its_interpreter_share_one_exec(guest: Guest) {
    let kinds = guest.scenario("kinds");
    let checked = rows_of(&kinds, "script", "bprm_check_security");
    assert_eq!(checked.len(), 2, "script, then interpreter: {checked:#?}");
    for (row, act) in checked.iter().zip([kinds.act("script"), kinds.act("interpreter")]) {
        assert_eq!(text(row, "path"), act.path, "{row}");
        assert_eq!(row["digest"], act.digest, "{row}");
    }
    assert_eq!(integer(&checked[0], "exec_id"), integer(&checked[1], "exec_id"));

    let committed = rows_of(&kinds, "script", "bprm_committed_creds");
    assert_eq!(committed.len(), 1, "the final binary is the interpreter: {committed:#?}");
    assert_eq!(text(&committed[0], "path"), kinds.act("interpreter").path);
    assert_eq!(committed[0]["exec_id"], checked[0]["exec_id"]);
    let interpreter = kinds.act("interpreter").path;
    assert_eq!(committed[0]["argv"], serde_json::json!([interpreter, "./script"]), "{}", committed[0]);
}

on_guests!(a_library_appears_when_it_is_mapped);
fn a_library_appears_when_it_is_mapped(guest: Guest) {
    let kinds = guest.scenario("kinds");
    let row = row_of(&kinds, "library", "mmap_file");
    assert_eq!(text(&row, "path"), kinds.act("library").path);
    assert_eq!(integer(&row, "mmap_prot") & 4, 4, "PROT_EXEC in {row}");
    assert_eq!(text(&row, "exe"), "/data/bin/actor");
}

on_guests!(a_kernel_module_appears_when_it_is_loaded);
fn a_kernel_module_appears_when_it_is_loaded(guest: Guest) {
    let kinds = guest.scenario("kinds");
    let row = row_of(&kinds, "module", "kernel_read_file");
    assert_eq!(text(&row, "path"), kinds.act("module").path);
    assert_eq!(text(&row, "exe"), "/bin/busybox");
}

on_guests!(a_memfd_is_marked_and_belongs_to_no_path);
fn a_memfd_is_marked_and_belongs_to_no_path(guest: Guest) {
    let kinds = guest.scenario("kinds");
    for hook in ["bprm_check_security", "bprm_committed_creds"] {
        let row = row_of(&kinds, "memfd", hook);
        assert!(lists(&row, "path_flags", "memfd"), "{row}");
    }
}

on_guests!(a_deleted_file_is_marked_and_a_name_that_says_so_is_not);
fn a_deleted_file_is_marked_and_a_name_that_says_so_is_not(guest: Guest) {
    let kinds = guest.scenario("kinds");
    let deleted = row_of(&kinds, "deleted", "bprm_check_security");
    assert!(lists(&deleted, "path_flags", "deleted"), "{deleted}");
    assert!(!lists(&deleted, "path_flags", "memfd"), "{deleted}");
    assert_eq!(integer(&deleted, "nlink"), 0, "{deleted}");

    let literal = row_of(&kinds, "literal", "bprm_check_security");
    assert_eq!(text(&literal, "path"), kinds.act("literal").path);
    assert_eq!(literal["path_flags"], serde_json::json!([]), "{literal}");
}

on_guests!(a_hard_link_is_the_same_file_under_another_path);
fn a_hard_link_is_the_same_file_under_another_path(guest: Guest) {
    let kinds = guest.scenario("kinds");
    for label in ["plain", "hard-link"] {
        let row = row_of(&kinds, label, "bprm_check_security");
        assert_eq!(text(&row, "path"), kinds.act(label).path);
        assert_eq!(integer(&row, "ino"), kinds.number("linked_ino"), "{row}");
        assert_eq!(integer(&row, "nlink"), 2, "{row}");
    }
    let places = kinds.ask(&["history", "--digest", &kinds.act("plain").digest]);
    for label in ["plain", "hard-link"] {
        let path = kinds.act(label).path;
        assert!(places.iter().any(|place| place["path"] == path), "`{path}` in {places:#?}");
    }
}

on_guests!(a_path_with_newline_escape_and_bad_utf8_is_kept_and_shown_escaped);
fn a_path_with_newline_escape_and_bad_utf8_is_kept_and_shown_escaped(guest: Guest) {
    let kinds = guest.scenario("kinds");
    let row = row_of(&kinds, "odd", "bprm_check_security");
    assert_eq!(text(&row, "path_bytes"), kinds.fact("odd_path_hex"), "{row}");
    assert_eq!(text(&row, "path"), "/data/work/kinds/new\nline\u{1b}[2J\\xff\\\\end", "{row}");

    let mut table = crate::support::hashtrail();
    table.args(["events", "--digest", &kinds.act("odd").digest, "--format", "table", "--archive"]).arg(kinds.archive());
    let shown = crate::support::stdout_of(&mut table);
    assert!(shown.contains("line"), "the path stands in the table:\n{shown}");
    assert!(!shown.contains('\u{1b}') && !shown.contains("new\nline"), "control characters in the table:\n{shown:?}");
}

on_guests!(a_path_of_3000_bytes_is_whole);
fn a_path_of_3000_bytes_is_whole(guest: Guest) {
    let kinds = guest.scenario("kinds");
    let path = kinds.act("long").path;
    assert!(path.len() > 3000, "the scenario made a path of {} bytes", path.len());
    let row = row_of(&kinds, "long", "bprm_check_security");
    assert_eq!(text(&row, "path"), path);
    assert_eq!(row["path_flags"], serde_json::json!([]), "{row}");
}

on_guests!(an_exec_that_fails_is_an_attempt_and_no_run);
fn an_exec_that_fails_is_an_attempt_and_no_run(guest: Guest) {
    let kinds = guest.scenario("kinds");
    row_of(&kinds, "garbage", "bprm_check_security");
    assert_eq!(rows_of(&kinds, "garbage", "bprm_committed_creds").len(), 0);
    let rows = kinds.rows("SELECT runs, attempts FROM files WHERE path = '/data/work/kinds/garbage'");
    assert_eq!(rows, [serde_json::json!({"runs": 0, "attempts": 1})]);
}

on_guests!(the_run_of_a_program_says_who_ran_it);
fn the_run_of_a_program_says_who_ran_it(guest: Guest) {
    let kinds = guest.scenario("kinds");
    let row = row_of(&kinds, "plain", "bprm_committed_creds");
    assert_eq!([integer(&row, "uid"), integer(&row, "gid"), integer(&row, "euid")], [0, 0, 0], "{row}");
    assert_eq!(row["auid"], Value::Null, "nobody logged in: {row}");
    assert_eq!(row["argv"], serde_json::json!(["./plain"]), "{row}");
    assert_eq!(integer(&row, "argc"), 1, "{row}");
    assert_eq!(text(&row, "host"), "guest", "{row}");
    assert_eq!(text(&row, "fs_type"), "ext4", "{row}");
    assert_eq!(integer(&row, "mode"), 0o100_755, "{row}");
    let started = integer(&row, "process_start_ns");
    assert!(started <= integer(&row, "boot_ns") && integer(&row, "parent_start_ns") <= started, "{row}");
}
