//! Lists of real kernels, with the registers that a TPM held: see `tests/fixtures/ima/README.md`.

use super::*;
use crate::evidence::finding::Severity;
use crate::testing::version;
use std::path::PathBuf;

const KERNELS: [&str; 2] = ["6.1.0-56-cloud-amd64", "6.12.117+deb12-cloud-amd64"];

fn bytes(kernel: &str, name: &str) -> Vec<u8> {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests/fixtures/ima", kernel, name].iter().collect();
    std::fs::read(&path).unwrap_or_else(|error| panic!("cannot read `{}`: {error}", path.display()))
}

fn lines(kernel: &str, name: &str) -> Vec<Vec<String>> {
    let text = String::from_utf8(bytes(kernel, name)).expect("text");
    text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

/// A list with the registers in `pcrs`.
fn source(kernel: &str, name: &str, pcrs: &str) -> Source {
    let value = |line: &Vec<String>| PcrValue { pcr: 10, bank: line[0].clone(), value: line[1].clone() };
    let pcrs = lines(kernel, pcrs).iter().map(value).collect();
    Source { name: name.into(), bytes: bytes(kernel, name), boot_id: None, pcrs }
}

fn damage(report: &Report) -> Vec<&Finding> {
    report.findings.iter().filter(|finding| finding.severity == Severity::Damage).collect()
}

/// Entries after which each of four banks matched, and the banks with padded SHA-1.
fn matched(summary: &ListSummary) -> (Vec<u64>, Vec<&str>) {
    let padded = summary.matched_pcrs.iter().filter(|matched| matched.is_padded_sha1);
    (
        summary.matched_pcrs.iter().map(|matched| matched.entry).collect(),
        padded.map(|matched| matched.bank.as_str()).collect(),
    )
}

#[test]
fn the_replay_gives_what_the_tpm_holds() {
    for (kernel, entries, padded) in [(KERNELS[0], 60, vec!["sha384", "sha512"]), (KERNELS[1], 26, vec![])] {
        for (pcrs, after) in [("pcrs.tsv", entries), ("pcrs-before-last.tsv", entries - 1)] {
            let report = examine(&[source(kernel, "binary_runtime_measurements", pcrs)], &[]);
            assert!(damage(&report).is_empty(), "{report:?}");
            assert_eq!((report.lists[0].entries, report.lists[0].boots), (entries, 1));
            assert_eq!(matched(&report.lists[0]), (vec![after; 4], padded.clone()), "{kernel} {pcrs}");
        }
    }
}

#[test]
fn the_ascii_lists_and_those_of_one_bank_lead_to_the_same_registers() {
    for (kernel, name, entries) in [
        (KERNELS[0], "ascii_runtime_measurements", 59),
        (KERNELS[1], "ascii_runtime_measurements", 25),
        (KERNELS[1], "ascii_runtime_measurements_sha256", 25),
        (KERNELS[1], "ascii_runtime_measurements_sha512", 25),
        (KERNELS[1], "binary_runtime_measurements_sha256", 26),
        (KERNELS[1], "binary_runtime_measurements_sha512", 26),
    ] {
        let pcrs = if name.starts_with("ascii") { "pcrs-before-last.tsv" } else { "pcrs.tsv" };
        let report = examine(&[source(kernel, name, pcrs)], &[]);
        assert!(damage(&report).is_empty(), "{report:?}");
        assert_eq!((report.lists[0].entries, matched(&report.lists[0]).0), (entries, vec![entries; 4]), "{name}");
        assert_eq!(
            report.lists[0].bank,
            name.rsplit_once("_sha").map_or("sha1", |(_, size)| { if size == "256" { "sha256" } else { "sha512" } })
        );
    }
}

#[test]
fn other_templates_lead_to_their_registers() {
    for (boot, name, entries) in [
        ("6.1.0-56-cloud-amd64-ima", "binary_runtime_measurements", 92),
        ("6.12.117+deb12-cloud-amd64-evm-sig", "ascii_runtime_measurements", 31),
    ] {
        let report = examine(&[source(boot, name, "pcrs.tsv")], &[]);
        assert!(damage(&report).is_empty(), "{report:?}");
        let list = &report.lists[0];
        assert_eq!((list.entries, list.unknown_templates, matched(list).0), (entries, 0, vec![entries; 4]), "{boot}");
    }
}

#[test]
fn the_oracle_says_the_same() {
    for kernel in KERNELS {
        let oracle: serde_json::Value = serde_json::from_slice(&bytes(kernel, "replay.json")).expect("JSON");
        let report = examine(&[source(kernel, "binary_runtime_measurements", "pcrs.tsv")], &[]);
        let list = &report.lists[0];
        for (name, ours) in [
            ("entries", list.entries),
            ("violations", list.violations),
            ("wrong", list.wrong_hashes),
            ("boots", list.boots),
        ] {
            assert_eq!(oracle[name], ours, "{name}");
        }
        assert_eq!(list.aggregates.len(), 4);
        for ((pcr, bank), value) in &list.aggregates {
            assert_eq!(oracle["pcrs"][pcr.to_string()][bank], *value, "{bank}");
        }
    }
}

#[test]
fn a_real_newline_splits_a_line_of_the_ascii_list() {
    let report = examine(&[source(KERNELS[1], "ascii_with_newline", "pcrs-before-last.tsv")], &[]);
    let [finding] = damage(&report)[..] else { panic!("{report:?}") };
    assert_eq!((finding.kind, finding.place.as_str()), ("ima_list_damaged", "line 26"));
    assert_eq!(matched(&report.lists[0]).0, [25; 4]);
}

#[test]
fn the_files_that_ran_are_in_the_list() {
    for kernel in KERNELS {
        let rows: Vec<FileVersion> = lines(kernel, "acts.tsv")
            .iter()
            .map(|act| FileVersion { path: Some(act[4].clone()), ..version(&act[3], 1, 2) })
            .collect();
        let list = source(kernel, "binary_runtime_measurements", "pcrs.tsv");
        let report = examine(std::slice::from_ref(&list), &rows);
        let all = Agreement { compared: 3, agreed: 3, ..Agreement::default() };
        assert_eq!((report.agreement, damage_kinds(&report.findings)), (all, vec![]));
        let forged = FileVersion { digest: "00".repeat(32), ..rows[0].clone() };
        let report = examine(&[list], &[forged]);
        assert_eq!(damage_kinds(&report.findings), ["ima_divergence"]);
    }
}

fn damage_kinds(findings: &[Finding]) -> Vec<&'static str> {
    findings.iter().filter(|finding| finding.severity == Severity::Damage).map(|finding| finding.kind).collect()
}
