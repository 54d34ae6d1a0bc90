//! Scenario `unseen`: code that runs without a plain exec and without a plain mapping of its file as executable memory, and
//! an open for writing that no system call makes. That the scenario ended well proves which content ran.

use crate::support::guest::{Guest, on_guests};
use crate::support::scenario::{Act, Scenario};
use crate::support::{integer, lists, text};
use serde_json::{Value, json};

const PROT_EXEC: i64 = 4;

/// The one row of an act that meets a condition.
fn row_of(unseen: &Scenario, act: &Act, condition: &str) -> Value {
    let mut rows = unseen.events_in(act, condition);
    assert_eq!(rows.len(), 1, "rows in the act `{}` where {condition}: {rows:#?}", act.label);
    rows.remove(0)
}

/// The row by which user space answers another.
fn answer_to(unseen: &Scenario, row: &Value) -> Value {
    let mut rows = unseen.rows(&format!(
        "SELECT * FROM events WHERE hook = 'user_digest' AND ref_cpu = {} AND ref_seq = {}",
        row["cpu"], row["seq"]
    ));
    assert_eq!(rows.len(), 1, "answers to {row}: {rows:#?}");
    rows.remove(0)
}

on_guests!(memory_that_becomes_executable_later_has_a_digest_of_user_space: linux_6_1, linux_6_12, linux_7);
fn memory_that_becomes_executable_later_has_a_digest_of_user_space(guest: Guest) {
    let unseen = guest.scenario("unseen");
    let late = unseen.act("late");
    let row = row_of(&unseen, &late, "hook = 'file_mprotect'");
    assert_eq!((text(&row, "path"), &row["path_flags"]), (late.path.as_str(), &json!([])), "{row}");
    assert_eq!(integer(&row, "mmap_prot") & PROT_EXEC, PROT_EXEC, "{row}");
    assert_eq!(text(&row, "exe"), "/data/bin/actor", "{row}");
    assert_eq!(row["digest"], Value::Null, "{row}");
    assert_eq!(text(&row, "digest_reason"), "not_available_at_this_hook", "{row}");
    let answer = answer_to(&unseen, &row);
    assert_eq!((&answer["digest"], text(&answer, "digest_source")), (&json!(late.digest), "user"), "{answer}");
    assert_eq!(text(&answer, "path"), late.path, "{answer}");
}

on_guests!(a_file_that_is_changed_before_it_is_read_gives_no_digest_of_the_change: linux_6_1, linux_6_12, linux_7);
fn a_file_that_is_changed_before_it_is_read_gives_no_digest_of_the_change(guest: Guest) {
    let unseen = guest.scenario("unseen");
    let act = unseen.act("late-then-changed");
    let answer = answer_to(&unseen, &row_of(&unseen, &act, "hook = 'file_mprotect'"));
    let is_of_what_ran = answer["digest"] == act.digest;
    assert!(is_of_what_ran || answer["digest"].is_null() && answer["digest_reason"] == "file_moved", "{answer}");
}

on_guests!(a_memfd_that_becomes_executable_later_is_marked: linux_6_1, linux_6_12, linux_7);
fn a_memfd_that_becomes_executable_later_is_marked(guest: Guest) {
    let unseen = guest.scenario("unseen");
    let act = unseen.act("late-memfd");
    let row = row_of(&unseen, &act, "hook = 'file_mprotect'");
    assert_eq!((text(&row, "path"), &row["path_flags"]), ("memfd:code", &json!(["memfd"])), "{row}");
    let answer = answer_to(&unseen, &row);
    assert_eq!(text(&answer, "digest"), act.digest, "read through the process that has it: {answer}");
}

on_guests!(shared_memory_that_is_attached_as_executable_has_a_row: linux_6_1, linux_6_12, linux_7);
fn shared_memory_that_is_attached_as_executable_has_a_row(guest: Guest) {
    let unseen = guest.scenario("unseen");
    let row = row_of(&unseen, &unseen.act("shared"), "hook = 'mmap_file' AND path <> '/data/bin/actor'");
    assert_eq!(integer(&row, "mmap_prot") & PROT_EXEC, PROT_EXEC, "{row}");
    assert_eq!(text(&row, "path"), "/SYSV00000000", "{row}");
    assert!(lists(&row, "path_flags", "deleted") && lists(&row, "path_flags", "unreachable"), "{row}");
    assert_eq!((&row["digest"], text(&row, "digest_status")), (&Value::Null, "unavailable"), "{row}");
}

on_guests!(a_readable_mapping_that_a_personality_makes_executable_is_hashed: linux_6_1, linux_6_12, linux_7);
fn a_readable_mapping_that_a_personality_makes_executable_is_hashed(guest: Guest) {
    let unseen = guest.scenario("unseen");
    let act = unseen.act("implied");
    let row = row_of(&unseen, &act, &format!("hook = 'mmap_file' AND path = '{}'", act.path));
    assert_eq!(
        (text(&row, "digest"), integer(&row, "mmap_prot") & PROT_EXEC),
        (act.digest.as_str(), PROT_EXEC),
        "{row}"
    );
}

on_guests!(a_module_from_memory_has_a_row_without_a_file: linux_6_1, linux_6_12, linux_7);
fn a_module_from_memory_has_a_row_without_a_file(guest: Guest) {
    let unseen = guest.scenario("unseen");
    for label in ["load-module", "kexec-memory"] {
        let row = row_of(&unseen, &unseen.act(label), "hook = 'kernel_load_data'");
        assert_eq!((text(&row, "exe"), integer(&row, "uid")), ("/data/bin/actor", 0), "in the act `{label}`: {row}");
        assert_eq!((&row["path"], &row["ino"], &row["digest"]), (&Value::Null, &Value::Null, &Value::Null), "{row}");
        let read = unseen.events_in(&unseen.act(label), "hook = 'kernel_read_file'");
        assert!(read.is_empty(), "the kernel read no file: {read:#?}");
    }
}

on_guests!(what_the_kernel_reads_for_itself_has_its_digest: linux_6_1, linux_6_12, linux_7);
fn what_the_kernel_reads_for_itself_has_its_digest(guest: Guest) {
    let unseen = guest.scenario("unseen");
    for label in ["insmod", "insmod-compressed", "kexec-file"] {
        let act = unseen.act(label);
        let row = row_of(&unseen, &act, "hook = 'kernel_read_file'");
        assert_eq!((text(&row, "path"), text(&row, "digest")), (act.path.as_str(), act.digest.as_str()), "{row}");
    }
    // What the kernel does not unpack comes from the memory of the program that did.
    row_of(&unseen, &unseen.act("insmod-compressed"), "hook = 'kernel_load_data'");
    assert!(unseen.events_in(&unseen.act("insmod"), "hook = 'kernel_load_data'").is_empty());
    assert_eq!(unseen.fact("kexec-errno"), "8", "ENOEXEC: it was read, and is none");
}

on_guests!(scripts_that_a_shell_reads_have_their_digest: linux_6_1, linux_6_12, linux_7);
fn scripts_that_a_shell_reads_have_their_digest(guest: Guest) {
    let unseen = guest.scenario("unseen");
    for label in ["script", "sourced", "piped"] {
        let act = unseen.act(label);
        let row = row_of(&unseen, &act, &format!("policy = 'scripts' AND path = '{}'", act.path));
        assert_eq!((text(&row, "hook"), text(&row, "exe")), ("file_open", "/bin/busybox"), "{row}");
        let hashed = if guest.has_file_post_open() { row } else { answer_to(&unseen, &row) };
        assert_eq!(text(&hashed, "digest"), act.digest, "in the act `{label}`: {hashed}");
    }
}

on_guests!(a_file_that_another_program_interprets_is_an_exec_of_both: linux_6_1, linux_6_12, linux_7);
fn a_file_that_another_program_interprets_is_an_exec_of_both(guest: Guest) {
    let unseen = guest.scenario("unseen");
    let act = unseen.act("emulated");
    let rows = unseen.events_in(&act, "hook = 'bprm_check_security' AND path <> '/data/bin/actor'");
    let paths: Vec<&str> = rows.iter().map(|row| text(row, "path")).collect();
    assert_eq!(paths, [act.path.as_str(), "/data/work/unseen/emulator"], "{rows:#?}");
    assert_eq!(
        (text(&rows[0], "digest"), &rows[0]["exec_id"]),
        (act.digest.as_str(), &rows[1]["exec_id"]),
        "{rows:#?}"
    );
}

on_guests!(an_open_through_a_ring_is_an_open_of_the_process: linux_6_1, linux_6_12, linux_7);
fn an_open_through_a_ring_is_an_open_of_the_process(guest: Guest) {
    let unseen = guest.scenario("unseen");
    for label in ["ring-write", "ring-write-by-thread"] {
        let act = unseen.act(label);
        let row =
            row_of(&unseen, &act, &format!("policy = 'default' AND hook = 'file_open' AND path = '{}'", act.path));
        assert_eq!(text(&row, "exe"), "/data/bin/actor", "in the act `{label}`: {row}");
        let is_own_thread = row["tid"] == row["pid"];
        assert_eq!(is_own_thread, label == "ring-write", "the kernel's thread of the process opens it: {row}");
    }
}
