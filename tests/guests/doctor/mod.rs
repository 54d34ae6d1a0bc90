//! What the recorder says about a host: right in the guests, and one clear refusal where it cannot record.

use crate::support::guest::{Guest, Mode, on_guests};
use crate::support::{json_lines, text};
use serde_json::Value;

on_guests!(the_guest_can_record_everything);
fn the_guest_can_record_everything(guest: Guest) {
    let checks = checks(guest);
    assert!(checks.iter().filter(|check| text(check, "name").starts_with("hook ")).count() >= 17, "{checks:#?}");
    for check in &checks {
        let is_optional = ["hook file_post_open", "hook path_truncate"].contains(&text(check, "name"));
        // 6.1 has neither the one nor lets programs sleep at the other; what serves in their place stands as the fix.
        let lacks = is_optional && !guest.has_file_post_open();
        assert_eq!(text(check, "verdict"), if lacks { "limited" } else { "good" }, "{check}");
        assert_eq!(text(check, "fix").is_empty(), !lacks, "a fix where something lacks: {check}");
    }
}

on_guests!(the_ima_policy_is_told);
fn the_ima_policy_is_told(guest: Guest) {
    let checks = checks(guest);
    let policy = checks.iter().find(|check| text(check, "name") == "IMA policy").expect("a check of the IMA policy");
    let expected = if guest.mode == Mode::Tcb { "loaded" } else { "none" };
    assert!(text(policy, "reason").starts_with(expected), "{policy}");
}

on_guests!(what_stops_all_hooks_is_told_once_with_its_fix:
    linux_6_1_without_bpf, linux_6_1_confidential, linux_7_without_bpf, linux_7_confidential);
fn what_stops_all_hooks_is_told_once_with_its_fix(guest: Guest) {
    let (name, fix) = match guest.mode {
        Mode::WithoutBpf => ("BPF LSM", "boot with `lsm=lockdown,capability,landlock,yama"),
        _ => ("lockdown", "boot with lockdown=integrity or none"),
    };
    let checks = checks_of(guest, "refused");
    let (missing, others): (Vec<Value>, Vec<Value>) =
        checks.into_iter().partition(|check| check["verdict"] == "missing");
    let names: Vec<&str> = missing.iter().map(|check| text(check, "name")).collect();
    assert_eq!(names, [name, "hooks"], "{missing:#?}");
    assert!(text(&missing[0], "fix").starts_with(fix), "{missing:#?}");
    assert_eq!(text(&missing[1], "reason"), format!("none can be recorded: {name}"));
    assert!(others.iter().all(|check| check["verdict"] == "good"), "{others:#?}");

    let refused = guest.scenario("refused");
    assert_eq!(refused.number("record"), 2);
    let said = std::fs::read_to_string(refused.file("record.txt")).expect("the scenario keeps what was said");
    assert_eq!((said.matches("MISSING").count(), said.matches("fix:").count()), (1, 1), "{said}");
    assert_eq!(said.lines().count(), 3, "{said}");
}

fn checks(guest: Guest) -> Vec<Value> {
    checks_of(guest, "doctor")
}

fn checks_of(guest: Guest, scenario: &str) -> Vec<Value> {
    let report = guest.scenario(scenario).file("doctor.jsonl");
    json_lines(&std::fs::read_to_string(report).expect("the scenario keeps the report"))
}

#[cfg(feature = "recorder")]
#[test]
fn a_kernel_that_refuses_is_explained_once() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let mut recorder = std::process::Command::new(env!("CARGO_BIN_EXE_hashtrail-recorder"));
    let output = crate::support::output_of(recorder.args(["record", "--archive"]).arg(directory.path()));
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert_eq!(said.matches("error:").count(), 1, "one explanation: {said}");
    assert!(said.contains("fix:"), "the fix: {said}");
    assert!(!said.contains("panicked"), "{said}");
}
