//! Who changed a program: each way to change it names the process that did, or says why nobody can be named.

use crate::support::guest::{Guest, on_guests};
use crate::support::scenario::{Scenario, assert_change};
use crate::support::{integer, text};
use serde_json::Value;

/// The one change of the program that was changed in this way.
fn change_of(writers: &Scenario, way: &str) -> Value {
    let mut changes = writers.changes(&format!("/data/work/writers/{way}/tool"));
    assert_eq!(changes.len(), 1, "`{way}`: {changes:#?}");
    let change = changes.remove(0);
    let [before, made_by, after] = ["before", "change", "after"].map(|part| writers.act(&format!("{way}-{part}")));
    let kind = if matches!(way, "moved" | "edited" | "packaged") { "replaced" } else { "rewritten" };
    assert_change(&change, kind, &before, &made_by, &after);
    change
}

fn suspects(change: &Value) -> &[Value] {
    change["suspects"].as_array().expect("a list of suspects")
}

on_guests!(each_way_to_change_a_program_names_who_did_it: linux_6_1, linux_6_12, linux_7);
fn each_way_to_change_a_program_names_who_did_it(guest: Guest) {
    let writers = guest.scenario("writers");
    for (way, act, exe) in [
        ("in_place", "write_open", "/bin/busybox"),
        ("truncated", "truncate", "/data/bin/actor"),
        ("moved", "rename", "/bin/busybox"),
        ("copied", "write_open", "/bin/busybox"),
        ("mapped", "write_open", "/data/bin/actor"),
        ("linked", "write_open", "/bin/busybox"),
        ("container", "write_open", "/bin/busybox"),
        ("edited", "rename", "/bin/busybox"),
        ("packaged", "rename", "/usr/bin/dpkg"),
    ] {
        let change = change_of(&writers, way);
        assert_eq!(text(&change, "attribution"), "suspects", "`{way}`: {change}");
        let pid = writers.number(&format!("{way}-pid"));
        let is_writer = |suspect: &&Value| integer(suspect, "pid") == pid && suspect["act"] == act;
        let writer = suspects(&change).iter().find(is_writer);
        let writer = writer.unwrap_or_else(|| panic!("no {act} by {pid} among the suspects of `{way}`: {change:#}"));
        assert_eq!((text(writer, "exe"), integer(writer, "uid")), (exe, 0), "`{way}`");
        // Nobody else touched the file between its two runs, whatever else wrote on the host. What prepared it before
        // the recording is not in it.
        for suspect in suspects(&change).iter().filter(|suspect| suspect["before_interval"] != true) {
            assert_eq!(integer(suspect, "pid"), pid, "`{way}`: {suspect}");
        }
    }
}

on_guests!(a_rename_says_what_was_put_over_what: linux_6_1, linux_6_12, linux_7);
fn a_rename_says_what_was_put_over_what(guest: Guest) {
    let writers = guest.scenario("writers");
    for (way, from) in [("moved", "new"), ("packaged", "tool.dpkg-new")] {
        let change = change_of(&writers, way);
        let target = format!("/data/work/writers/{way}/tool");
        let renames = || suspects(&change).iter().filter(|suspect| suspect["act"] == "rename");
        let onto = renames().find(|suspect| suspect["target_path"] == target.as_str());
        let onto = onto.unwrap_or_else(|| panic!("no rename to `{target}`: {change:#}"));
        assert_eq!(text(onto, "path"), format!("/data/work/writers/{way}/{from}"));
    }
}

on_guests!(another_name_of_the_file_is_named: linux_6_1, linux_6_12, linux_7);
fn another_name_of_the_file_is_named(guest: Guest) {
    let writers = guest.scenario("writers");
    for (way, path) in [("linked", "linked/other-name"), ("container", "container/mounted/tool")] {
        let change = change_of(&writers, way);
        let path = format!("/data/work/writers/{path}");
        let paths: Vec<&str> = suspects(&change).iter().map(|suspect| text(suspect, "path")).collect();
        assert!(paths.contains(&path.as_str()), "`{way}`: {paths:?}");
    }
}

on_guests!(a_change_while_nobody_recorded_is_an_unknown: linux_6_1, linux_6_12, linux_7);
fn a_change_while_nobody_recorded_is_an_unknown(guest: Guest) {
    let writers = guest.scenario("writers");
    let change = change_of(&writers, "gap");
    assert_eq!(text(&change, "attribution"), "unknown: gap", "{change}");
    assert_eq!((&change["complete"], suspects(&change)), (&Value::Bool(false), &[][..]), "{change}");
    let gaps = change["gaps"].as_array().expect("a list of gaps");
    assert!(gaps.iter().any(|gap| gap["cause"] == "not_recorded"), "{change}");
}

on_guests!(a_write_below_the_filesystem_is_seen_by_nobody: linux_6_1, linux_6_12, linux_7);
fn a_write_below_the_filesystem_is_seen_by_nobody(guest: Guest) {
    let writers = guest.scenario("writers");
    let change = change_of(&writers, "raw");
    assert_eq!(text(&change, "attribution"), "nobody seen", "{change}");
    assert_eq!((&change["complete"], suspects(&change)), (&Value::Bool(true), &[][..]), "{change}");
}
