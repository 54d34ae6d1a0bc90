//! The kernel's own measurements, which a TPM vouches for, against the archive's digests.

use crate::support::guest::{Guest, on_guests};
use crate::support::scenario::{Scenario, verify};
use crate::support::{engine_script, json_lines, stdout_of, text};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Where the scenario's program is; the archive and the kernel both saw its digests.
const TOOL: &str = "/data/work/aba/tool";

on_guests!(a_tpm_vouches_for_the_list_and_the_list_for_the_archive: linux_6_1_tcb, linux_6_12_tcb, linux_7_tcb);
fn a_tpm_vouches_for_the_list_and_the_list_for_the_archive(guest: Guest) {
    let aba = guest.scenario("aba");
    let (found, code) = aba.verify(&[]);
    assert_eq!(code, Some(0), "{found:#?}");
    let measurements = &found.last().expect("a summary")["measurements"];
    let matched = measurements["lists"][0]["matched"].as_array().expect("a list of registers");
    for bank in ["sha1", "sha256"] {
        let is_matched = matched.iter().any(|one| one["pcr"] == 10 && one["bank"] == bank);
        assert!(is_matched, "PCR 10 of {bank} in {measurements}");
    }
    assert!(measurements["compared"].as_i64() > Some(0), "{measurements}");
    assert_eq!(measurements["agreed"], measurements["compared"], "{measurements}");
    // Both contents of the program were measured: what agrees is not only what ran before.
    let in_archive = aba.rows(&format!("SELECT DISTINCT digest FROM files WHERE path = '{TOOL}'"));
    assert_eq!(in_archive.len(), 2, "{in_archive:#?}");
}

on_guests!(another_replay_leads_to_the_same_register: linux_6_1_tcb, linux_6_12_tcb, linux_7_tcb);
fn another_replay_leads_to_the_same_register(guest: Guest) {
    let aba = guest.scenario("aba");
    // The scenario read the kernel's list and the TPM after the recorder ended; what was stored is how the list begins.
    let whole = fs::read(aba.file("measured.list")).expect("the list that the scenario read");
    let stored = stored_list(&aba);
    assert!(whole.starts_with(&stored), "{} bytes stored are not how {} bytes begin", stored.len(), whole.len());
    let replayed = replay(&aba.file("measured.list"));
    for bank in ["sha1", "sha256"] {
        assert_eq!(text(&replayed["pcrs"]["10"], bank), aba.fact_in("pcrs.tsv", bank), "the TPM's PCR 10 of {bank}");
    }
    assert_eq!(replayed["wrong"], 0, "{replayed}");
}

on_guests!(another_replay_computes_what_verify_says);
fn another_replay_computes_what_verify_says(guest: Guest) {
    let aba = guest.scenario("aba");
    let directory = tempfile::tempdir().expect("a temporary directory");
    let list = directory.path().join("list");
    fs::write(&list, stored_list(&aba)).expect("cannot write the list");
    let replayed = replay(&list);
    let (found, _) = aba.verify(&[]);
    let summary = &found.last().expect("a summary")["measurements"]["lists"][0];
    assert_eq!(summary["entries"], replayed["entries"], "{summary}");
    assert_eq!(summary["violations"], replayed["violations"], "{summary}");
    let aggregates = summary["aggregates"].as_array().expect("a list of registers");
    assert!(!aggregates.is_empty(), "{summary}");
    for aggregate in aggregates.iter().filter(|aggregate| aggregate["bank"] != "sm3-256") {
        let pcr = aggregate["pcr"].to_string();
        assert_eq!(aggregate["value"], replayed["pcrs"][&pcr][text(aggregate, "bank")], "{aggregate}");
    }
}

on_guests!(a_changed_list_is_found: linux_6_1_tcb, linux_6_12_tcb, linux_7_tcb);
fn a_changed_list_is_found(guest: Guest) {
    let aba = guest.scenario("aba");
    let copy = copy_of(&aba.archive());
    let name = text(&aba.manifest("ima")[0], "path").to_owned();
    let path = copy.path().join("archive").join(&name);
    let mut bytes = fs::read(&path).expect("a stored list");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, bytes).expect("cannot change the list");
    let (found, code) = verify(&copy.path().join("archive"), &[]);
    assert_eq!(code, Some(1), "{found:#?}");
    assert!(found.iter().any(|one| one["kind"] == "file_changed" && one["file"] == *name), "{found:#?}");
}

on_guests!(a_forged_list_from_elsewhere_is_found: linux_6_1_tcb, linux_6_12_tcb, linux_7_tcb);
fn a_forged_list_from_elsewhere_is_found(guest: Guest) {
    let aba = guest.scenario("aba");
    let directory = tempfile::tempdir().expect("a temporary directory");
    let true_list = aba.file("measured.list");
    let (found, code) = aba.verify(&["--ima-log", true_list.to_str().expect("a path in UTF-8")]);
    assert_eq!(code, Some(0), "the list as the kernel gave it: {found:#?}");
    let forged = directory.path().join("forged");
    forge(&true_list, &forged);
    let (found, code) = aba.verify(&["--ima-log", forged.to_str().expect("a path in UTF-8")]);
    assert_eq!(code, Some(1), "{found:#?}");
    assert!(found.iter().any(|one| one["kind"] == "ima_divergence" && one["place"] == TOOL), "{found:#?}");
}

on_guests!(a_list_forged_together_with_the_manifest_is_found: linux_6_1_tcb, linux_6_12_tcb, linux_7_tcb);
fn a_list_forged_together_with_the_manifest_is_found(guest: Guest) {
    let aba = guest.scenario("aba");
    let copy = copy_of(&aba.archive());
    let archive = copy.path().join("archive");
    let line = aba.manifest("ima").into_iter().find(|line| {
        let bytes = fs::read(archive.join(text(line, "path"))).expect("a stored list");
        bytes.windows(TOOL.len()).any(|window| window == TOOL.as_bytes())
    });
    let path = archive.join(text(&line.expect("a list that names the program"), "path"));
    forge(&path, &path);
    stdout_of(engine_script("reseal.py").arg(&archive));
    let (found, code) = verify(&archive, &[]);
    assert_eq!(code, Some(1), "{found:#?}");
    for kind in ["ima_pcr_mismatch", "ima_divergence"] {
        assert!(found.iter().any(|one| one["kind"] == kind), "{kind} in {found:#?}");
    }
    let damaged = |one: &Value| one["severity"] == "damage" && !text(one, "kind").starts_with("ima_");
    assert!(!found.iter().any(damaged), "everything else is as if it had been sealed so: {found:#?}");
}

on_guests!(the_recorder_violates_no_measurement: linux_6_1_tcb, linux_6_12_tcb, linux_7_tcb);
fn the_recorder_violates_no_measurement(guest: Guest) {
    // The last scenario that all guests run: its list holds what the recorders of all the others did.
    let incident = guest.scenario("incident");
    let directory = tempfile::tempdir().expect("a temporary directory");
    let list = directory.path().join("list");
    fs::write(&list, stored_list(&incident)).expect("cannot write the list");
    let replayed = replay(&list);
    let paths = replayed["violated"].as_array().expect("a list of paths");
    // The scenario `live` copies an archive while it is written, which is a violation of its own making.
    let own = |path: &&Value| {
        let path = path.as_str().unwrap_or_default();
        path.contains("/archive/") && !path.starts_with("/data/out/live/")
    };
    let own: Vec<&Value> = paths.iter().filter(own).collect();
    assert_eq!(own, Vec::<&Value>::new(), "violations by the recorder");
    assert!(!paths.is_empty(), "the scenarios violate on purpose, so that this can see it");
}

/// The stored pieces of the one recording put together.
fn stored_list(scenario: &Scenario) -> Vec<u8> {
    let mut list = Vec::new();
    for line in scenario.manifest("ima") {
        assert_eq!(line["from_byte"], list.len(), "the pieces follow each other: {line}");
        list.extend(fs::read(scenario.archive().join(text(&line, "path"))).expect("a stored list"));
    }
    assert!(!list.is_empty(), "no list is stored in {scenario:?}");
    list
}

fn replay(list: &Path) -> Value {
    json_lines(&stdout_of(engine_script("ima_replay.py").arg(list))).remove(0)
}

fn forge(list: &Path, forged: &Path) {
    stdout_of(engine_script("ima_forge.py").arg(list).arg(TOOL).arg(forged));
}

fn copy_of(archive: &Path) -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a temporary directory");
    stdout_of(Command::new("cp").arg("-a").arg(archive).arg(directory.path().join("archive")));
    directory
}
