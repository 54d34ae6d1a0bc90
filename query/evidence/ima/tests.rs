//! The examination as a whole, on lists that are made here.

mod beside;

use super::testing::{Measurement, USUAL, Writer, file, hex, nul_ended, samples, violation};
use super::*;
use crate::evidence::finding::Severity;
use crate::testing::version;
use sha2::{Digest, Sha256};

fn source(bytes: Vec<u8>) -> Source {
    Source { name: "list".into(), bytes, ..Source::default() }
}

fn with_pcr(bytes: Vec<u8>, bank: &str, value: &str) -> Source {
    let pcrs = vec![PcrValue { pcr: 10, bank: bank.into(), value: value.into() }];
    Source { pcrs, ..source(bytes) }
}

fn examine_one(source: Source, versions: &[FileVersion]) -> (ListSummary, Vec<Finding>, Agreement) {
    let mut report = examine(&[source], versions);
    (report.lists.remove(0), report.findings, report.agreement)
}

fn damage(findings: &[Finding]) -> Vec<&Finding> {
    findings.iter().filter(|finding| finding.severity == Severity::Damage).collect()
}

fn kinds(findings: &[Finding]) -> Vec<(&'static str, &str)> {
    findings.iter().map(|finding| (finding.kind, finding.place.as_str())).collect()
}

/// The SHA-256 register after entries with these data, told apart from the code under test.
fn register(data: &[Option<&[u8]>]) -> String {
    let step = |register: Vec<u8>, data: &Option<&[u8]>| {
        let hash = data.map_or(vec![0xff; 32], |data| Sha256::digest(data).to_vec());
        Sha256::digest([register, hash].concat()).to_vec()
    };
    hex(&data.iter().fold(vec![0; 32], step))
}

/// Bytes of the data of a [`file`] entry without its head.
fn data_of(measurement: &Measurement) -> Vec<u8> {
    USUAL.binary_entry(measurement)[4 + 20 + 4 + measurement.template.len() + 4..].to_vec()
}

#[test]
fn a_list_in_order_has_only_notices() {
    for list in [USUAL.binary(&samples()), USUAL.ascii(&samples())] {
        let (summary, findings, _) = examine_one(source(list), &[]);
        assert_eq!((summary.entries, summary.violations, summary.boots), (samples().len() as u64, 1, 1));
        assert_eq!((summary.bank, summary.unknown_templates), ("sha1", 0));
        assert_eq!(findings.len(), 1);
        assert_eq!((findings[0].kind, findings[0].severity), ("ima_violation", Severity::Notice));
        assert_eq!(summary.aggregates.len(), 4);
    }
}

#[test]
fn a_value_of_the_tpm_names_the_entry_that_it_vouches_for() {
    let entries = [file("boot_aggregate", 1), violation("/a"), file("/b", 2)];
    let (first, last) = (data_of(&entries[0]), data_of(&entries[2]));
    let data = [Some(&*first), None, Some(&*last)];
    for (entry, writer) in [(1, USUAL), (2, USUAL), (3, Writer { hash_bytes: 32, ..USUAL })] {
        let value = register(&data[..entry]).to_uppercase();
        let (summary, findings, _) = examine_one(with_pcr(writer.binary(&entries), "sha256", &value), &[]);
        let matched = MatchedPcr { pcr: 10, bank: "sha256".into(), entry: entry as u64, is_padded_sha1: false };
        assert_eq!(summary.matched_pcrs, [matched]);
        assert_eq!(kinds(&findings).len(), 1, "the violation");
    }
}

#[test]
fn a_value_of_no_prefix_is_a_mismatch() {
    let list = USUAL.binary(&[file("boot_aggregate", 1), file("/a", 2)]);
    let value = "11".repeat(32);
    let (summary, findings, _) = examine_one(with_pcr(list.clone(), "sha256", &value), &[]);
    assert!(summary.matched_pcrs.is_empty());
    assert_eq!(kinds(&findings), [("ima_pcr_mismatch", "PCR 10 of sha256")]);
    let (_, findings, _) = examine_one(with_pcr(list.clone(), "sha256", &"00".repeat(32)), &[]);
    assert!(findings[0].detail.contains("nothing extended"), "{findings:?}");
    let (_, findings, _) = examine_one(with_pcr(Vec::new(), "sha256", &"00".repeat(32)), &[]);
    assert_eq!((kinds(&findings), damage(&findings)), (vec![("ima_list_empty", "")], vec![]));
    for (bank, value) in [("sm3_256", value.as_str()), ("sha1", &value), ("sha256", "zz")] {
        let (_, findings, _) = examine_one(with_pcr(list.clone(), bank, value), &[]);
        assert_eq!((findings[0].kind, findings[0].severity), ("ima_pcr_unchecked", Severity::Notice));
    }
}

#[test]
fn a_trimmed_list_leads_to_no_register() {
    let entries = [file("boot_aggregate", 1), file("/a", 2)];
    let (first, last) = (data_of(&entries[0]), data_of(&entries[1]));
    let value = register(&[Some(&first), Some(&last)]);
    let (summary, findings, _) = examine_one(with_pcr(USUAL.binary(&entries[1..]), "sha256", &value), &[]);
    assert!(!summary.begins_with_boot);
    assert_eq!(kinds(&findings), [("ima_list_without_boot", "entry 1"), ("ima_pcr_mismatch", "PCR 10 of sha256")]);
    assert!(findings[1].detail.contains("its start is missing"), "{findings:?}");
}

#[test]
fn an_entry_that_was_edited_is_named() {
    let good = USUAL.binary(&[file("boot_aggregate", 1), file("/usr/bin/tool", 2)]);
    let first = USUAL.binary(&[file("boot_aggregate", 1)]).len();
    let edits: [(usize, &[u8]); 3] = [
        (good.len() - 2, b"k"),   // the path
        (first + 6, b"x"),        // the stated hash
        (first + 4, &[0_u8; 20]), // the stated hash, so that the entry looks like a violation
    ];
    for (at, bytes) in edits {
        let mut list = good.clone();
        list[at..at + bytes.len()].copy_from_slice(bytes);
        let (summary, findings, _) = examine_one(source(list), &[]);
        assert_eq!(kinds(&findings), [("ima_template_hash_wrong", &*format!("offset {first}, entry 2"))]);
        assert!(findings[0].detail.contains("/usr/bin/too"), "{}", findings[0].detail);
        assert_eq!(summary.wrong_hashes, 1);
    }
    let text = String::from_utf8(USUAL.ascii(&[file("boot_aggregate", 1), file("/usr/bin/tool", 2)])).expect("text");
    let (_, findings, _) = examine_one(source(text.replace("/tool", "/took").into_bytes()), &[]);
    assert_eq!(kinds(&findings), [("ima_template_hash_wrong", "line 2, entry 2")]);
}

#[test]
fn damage_is_found_once_and_the_rest_is_said() {
    let mut list = USUAL.binary(&[file("boot_aggregate", 1), file("/a", 2)]);
    list.truncate(list.len() - 1);
    let (summary, findings, _) = examine_one(source(list), &[version(&"03".repeat(32), 1, 2)]);
    assert_eq!((summary.entries, summary.is_damaged), (1, true));
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].kind, "ima_list_damaged");
    assert!(findings[0].detail.ends_with("1 entries before it were read"), "{}", findings[0].detail);
}

#[test]
fn only_what_ima_did_not_measure_diverges() {
    let list = USUAL.binary(&[file("boot_aggregate", 1), file("/usr/bin/tool", 2), file("/usr/bin/tool", 3)]);
    let row = |byte: &str, first| version(&byte.repeat(32), first, first + 1);
    let other = FileVersion { path: Some("/usr/bin/other".into()), ..row("04", 1) };
    let sha1 = FileVersion { digest_algorithm: "sha1".into(), ..row("04", 1) };
    let rows = [row("02", 1), row("03", 2), row("02", 3), row("04", 9), row("04", 5), other, sha1];
    let (_, findings, agreement) = examine_one(source(list), &rows);
    let expected = Agreement { compared: 3, agreed: 2, not_measured: 2, ..Agreement::default() };
    assert_eq!(agreement, expected);
    assert_eq!(kinds(&findings), [("ima_divergence", "/usr/bin/tool")]);
    let detail = &findings[0].detail;
    assert!(detail.contains(&"04".repeat(32)) && detail.contains(&"02".repeat(32)), "{detail}");
    assert!(detail.contains("first at 1970-01-01T00:00:00.000005"), "{detail}");
}

#[test]
fn rows_that_say_nothing_certain_are_left_out() {
    let list = source(USUAL.binary(&[file("/usr/bin/tool", 2)]));
    let row = version(&"04".repeat(32), 1, 2);
    let rows = [
        FileVersion { root_is_host: false, ..row.clone() },
        FileVersion { doubts: vec!["old".into()], ..row.clone() },
        FileVersion { path_flags: vec!["deleted".into()], ..row.clone() },
        FileVersion { path_flags: vec!["fs_relative".into()], ..row.clone() },
        FileVersion { path: None, ..row.clone() },
    ];
    let (_, findings, agreement) = examine_one(list.clone(), &rows);
    assert_eq!((damage(&findings), agreement), (vec![], Agreement { rows_left_out: 5, ..Agreement::default() }));
    let of_boot = |boot_id: &str| Source { boot_id: Some(boot_id.into()), ..list.clone() };
    let (_, _, agreement) = examine_one(of_boot("boot2"), std::slice::from_ref(&row));
    assert_eq!(agreement.rows_left_out, 1);
    let (_, findings, _) = examine_one(of_boot("boot1"), &[row]);
    assert_eq!(damage(&findings).len(), 1);
}

#[test]
fn lists_of_one_boot_are_one_set() {
    let with = |byte| source(USUAL.binary(&[file("/usr/bin/tool", byte)]));
    let report = examine(&[with(2), with(3)], &[version(&"02".repeat(32), 1, 2), version(&"03".repeat(32), 3, 4)]);
    assert_eq!((report.agreement.agreed, damage(&report.findings).len()), (2, 0));
}

#[test]
fn a_stored_list_does_not_answer_for_one_from_elsewhere() {
    let others = ["/init", "/bin/sh", "/bin/cp"].map(|path| file(path, 9));
    let list = |byte| USUAL.binary(&[&[file("boot_aggregate", 1), file("/usr/bin/tool", byte)], &others[..]].concat());
    let row = version(&"02".repeat(32), 1, 2);
    let stored = |byte| Source { name: "stored".into(), boot_id: Some(row.boot_id.clone()), ..source(list(byte)) };
    let given = |byte| Source { name: "given".into(), ..source(list(byte)) };
    for (sources, divergent) in [
        ([stored(2), given(2)], vec![]),
        ([stored(2), given(3)], vec!["given"]),
        ([stored(3), given(2)], vec!["stored"]),
        // What both say alike is told once.
        ([stored(3), given(3)], vec!["stored"]),
    ] {
        let report = examine(&sources, std::slice::from_ref(&row));
        let found: Vec<&str> = damage(&report.findings).iter().map(|finding| finding.file.as_str()).collect();
        assert_eq!(found, divergent);
        assert_eq!(report.agreement.compared, 1);
        assert_eq!(report.agreement.agreed, u64::from(divergent.is_empty()));
    }
}

#[test]
fn a_row_is_compared_with_its_own_boot_of_a_list_that_kexec_carried_over() {
    let boots =
        [file("boot_aggregate", 1), file("/usr/bin/tool", 2), file("boot_aggregate", 1), file("/usr/bin/tool", 3)];
    let list = USUAL.binary(&boots);
    let row = version(&"02".repeat(32), 1, 2);
    let known = Source { boot_id: Some("boot1".into()), ..source(list.clone()) };
    let (summary, findings, _) = examine_one(known, std::slice::from_ref(&row));
    assert_eq!(summary.boots, 2);
    assert_eq!(kinds(&findings), [("ima_divergence", "/usr/bin/tool")]);
    let data: Vec<_> = boots.iter().map(data_of).collect();
    let data: Vec<_> = data.iter().map(|data| Some(&**data)).collect();
    let (summary, findings, _) = examine_one(with_pcr(list, "sha256", &register(&data)), &[row]);
    assert_eq!((summary.matched_pcrs[0].entry, findings.len()), (4, 0), "kexec resets no register");
}

#[test]
fn spaces_and_other_bytes_compare_as_ima_shows_them() {
    let mut raw = file("", 3);
    raw.fields[1] = b"/opt/\xff_b\0".to_vec();
    let list = USUAL.binary(&[file("/opt/a_b", 2), raw]);
    let row = |path: &str, byte: &str| FileVersion { path: Some(path.into()), ..version(&byte.repeat(32), 1, 2) };
    let (_, findings, agreement) = examine_one(source(list), &[row("/opt/a b", "02"), row("/opt/\\xff b", "03")]);
    assert_eq!((agreement.agreed, damage(&findings).len()), (2, 0));
}

#[test]
fn verity_and_names_without_a_directory_are_only_counted() {
    let verity = |name: &str| Measurement {
        template: "ima-ngv2",
        fields: vec![super::testing::named("verity:sha256", &[9; 32]), nul_ended(name)],
        is_violation: false,
    };
    let list = USUAL.binary(&[verity("/usr/bin/tool"), file("tool", 2)]);
    let (summary, findings, agreement) = examine_one(source(list), &[version(&"02".repeat(32), 1, 2)]);
    assert_eq!((summary.bare_names, agreement.verity, agreement.compared, damage(&findings).len()), (1, 1, 0, 0));
}

#[test]
fn hashes_that_are_not_told_end_the_replay_of_the_other_banks() {
    let new = Measurement { template: "ima-new", fields: vec![nul_ended("/a")], is_violation: false };
    let list = USUAL.ascii(&[file("boot_aggregate", 1), new]);
    let (summary, findings, _) = examine_one(with_pcr(list, "sha256", &"11".repeat(32)), &[]);
    assert_eq!(summary.aggregates.keys().cloned().collect::<Vec<_>>(), [(10, "sha1".to_owned())]);
    assert_eq!(summary.unknown_templates, 1);
    assert_eq!(kinds(&findings), [("ima_template_unknown", ""), ("ima_pcr_mismatch", "PCR 10 of sha256")]);
    assert_eq!(damage(&findings), [&findings[1]]);
    assert!(
        findings[0].detail.starts_with("1 entries have a template that is unknown here (`ima-new`)"),
        "{findings:?}"
    );
    assert!(findings[1].detail.contains("does not tell its hash"), "{findings:?}");
}
