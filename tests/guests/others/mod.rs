//! Hooks without a program of their own, by name.

use crate::support::guest::{Guest, on_guests};
use crate::support::{integer, text};
use serde_json::json;

on_guests!(a_hook_by_name_is_recorded_with_the_process: linux_6_1, linux_6_12, linux_7);
fn a_hook_by_name_is_recorded_with_the_process(guest: Guest) {
    let others = guest.scenario("others");
    let rows = others.rows("SELECT * FROM events WHERE policy = 'others' ORDER BY boot_ns");
    let found: Vec<(&str, &str)> = rows.iter().map(|row| (text(row, "hook"), text(row, "message"))).collect();
    // The traced child is killed, which is a second signal.
    let expected = [
        ("task_kill", "a signal"),
        ("ptrace_access_check", "a traced process"),
        ("task_kill", "a signal"),
        ("inode_mkdir", "a new directory"),
        ("file_permission", "a read"),
        ("sb_kern_mount", "a mount"),
    ];
    assert_eq!(found, expected, "and nothing of the other program: {rows:#?}");
    for row in &rows {
        assert_eq!((text(row, "exe"), integer(row, "uid")), ("/data/work/others/actor", 0), "{row}");
        assert_eq!(text(row, "digest_status"), "not_requested", "{row}");
        let has_file = row["hook"] == "file_permission";
        assert_eq!((row["path"].is_string(), row["ino"].is_i64()), (has_file, has_file), "{row}");
    }
}

on_guests!(a_call_in_an_interrupt_is_counted_as_no_act_of_a_task: linux_6_1, linux_6_12, linux_7);
fn a_call_in_an_interrupt_is_counted_as_no_act_of_a_task(guest: Guest) {
    let others = guest.scenario("others");
    // Three echoes and three answers; sockets of others may receive too.
    assert!(integer(&others.accounting(), "missed_interrupt") >= 3, "{}", others.accounting());
    assert_eq!(others.count("SELECT count(*) FROM events WHERE hook = 'socket_sock_rcv_skb'"), 0);
}

on_guests!(a_hook_whose_first_argument_is_a_file_has_its_columns: linux_6_1, linux_6_12, linux_7);
fn a_hook_whose_first_argument_is_a_file_has_its_columns(guest: Guest) {
    let others = guest.scenario("others");
    let rows = others.rows("SELECT path, ino, fs_type, size_bytes FROM events WHERE hook = 'file_permission'");
    let file = json!({
        "path": "/data/work/others/file", "ino": others.number("file_ino"), "fs_type": "ext4", "size_bytes": 8,
    });
    assert_eq!(rows, [file]);
}

on_guests!(a_hook_by_name_can_deny: linux_6_1, linux_6_12, linux_7);
fn a_hook_by_name_can_deny(guest: Guest) {
    let others = guest.scenario("others");
    let said = others.fact("mount");
    assert!(said.ends_with("Operation not permitted"), "{said}");
    let rows = others.rows("SELECT action, enforced, result FROM events WHERE hook = 'sb_kern_mount'");
    assert_eq!(rows, [json!({"action": "deny", "enforced": true, "result": 1})]);
}

on_guests!(a_hook_that_the_kernel_lacks_is_refused_by_file_and_line: linux_6_1, linux_6_12, linux_7);
fn a_hook_that_the_kernel_lacks_is_refused_by_file_and_line(guest: Guest) {
    assert_refused(&guest, "unknown", &["unknown.yaml:8:", "no_such_hook"]);
}

on_guests!(a_ninth_hook_by_name_is_refused_by_file_and_line: linux_6_1, linux_6_12, linux_7);
fn a_ninth_hook_by_name_is_refused_by_file_and_line(guest: Guest) {
    assert_refused(&guest, "nine", &["nine.yaml:15:", "inode_symlink", "9th"]);
}

fn assert_refused(guest: &Guest, name: &str, parts: &[&str]) {
    let others = guest.scenario("others");
    let said = std::fs::read_to_string(others.file(&format!("{name}.log"))).expect("what the recorder said");
    assert_eq!(others.number(&format!("{name}-status")), 2, "{said}");
    for part in parts {
        assert!(said.contains(part), "`{part}` in:\n{said}");
    }
}
