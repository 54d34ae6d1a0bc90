//! Lists from elsewhere beside a stored one.

use super::*;

/// A stored list of `boot1`, and one from elsewhere; what is found of the latter beside a row that the stored list agrees with.
fn beside(stored: &[Measurement], given: Vec<u8>) -> (ListSummary, Vec<Finding>, Agreement) {
    let row = version(&"02".repeat(32), 1, 2);
    let stored = Source { name: "stored".into(), boot_id: Some("boot1".into()), ..source(USUAL.binary(stored)) };
    let given = Source { name: "given".into(), ..source(given) };
    let mut report = examine(&[stored, given], &[row]);
    let findings = report.findings.into_iter().filter(|finding| finding.file == "given").collect();
    (report.lists.remove(1), findings, report.agreement)
}

/// What was measured until the tool was replaced: its first content is not in the list of before.
fn incident() -> Vec<Measurement> {
    let mut list = vec![file("boot_aggregate", 1), file("/init", 9), file("/bin/sh", 9), violation("/var/log")];
    list.extend([file("/usr/bin/tool", 3), file("/usr/bin/tool", 2), file("/bin/mv", 9)]);
    list
}

#[test]
fn a_list_that_was_read_earlier_says_where_it_ends_and_contradicts_nothing() {
    let list = incident();
    for given in [USUAL.binary(&list[..5]), USUAL.ascii(&list[..5])] {
        let (summary, findings, agreement) = beside(&list, given);
        assert_eq!(kinds(&findings), [("ima_list_earlier", "entry 5")]);
        assert!(
            findings[0].detail.starts_with("it ends at entry 5, where `stored` of 7 entries goes on"),
            "{findings:?}"
        );
        assert_eq!(summary.related, Some(("stored".into(), Relation::Begins)));
        assert_eq!((damage(&findings).len(), agreement.compared, agreement.agreed), (0, 1, 1));
    }
}

#[test]
fn a_copy_that_ends_inside_of_an_entry_is_cut_and_not_damaged() {
    let list = incident();
    for whole in [USUAL.binary(&list), USUAL.ascii(&list)] {
        let (_, findings, _) = beside(&list, whole[..whole.len() - 3].to_vec());
        let kinds: Vec<&str> = findings.iter().map(|finding| finding.kind).collect();
        assert_eq!((kinds, damage(&findings).len()), (vec!["ima_list_earlier", "ima_list_cut"], 0));
    }
    let mut changed = USUAL.binary(&list[..5]);
    changed.extend([0xff; 9]);
    assert_eq!(damage(&beside(&list, changed).1).len(), 1, "what is not of the stored list is damage");
}

#[test]
fn a_list_that_is_stored_too_is_told_once() {
    let list = incident();
    for given in [USUAL.binary(&list), USUAL.ascii(&list), Writer { hash_bytes: 32, ..USUAL }.ascii(&list)] {
        let (summary, findings, _) = beside(&list, given);
        assert_eq!(kinds(&findings), [("ima_list_stored", "")], "the violation is told of the stored list");
        assert_eq!(summary.related, Some(("stored".into(), Relation::Same)));
    }
    let longer = [list.clone(), vec![violation("/var/log/more")]].concat();
    let (summary, findings, _) = beside(&list, USUAL.binary(&longer));
    assert_eq!(findings.iter().map(|finding| finding.kind).collect::<Vec<_>>(), ["ima_violation"], "only what is new");
    assert_eq!(summary.related, Some(("stored".into(), Relation::Continues)));
}

#[test]
fn a_list_of_another_boot_or_machine_is_said_to_be_and_contradicts_nothing() {
    let mut other_machine = incident();
    other_machine[0] = file("boot_aggregate", 7);
    other_machine.retain(|entry| entry.fields != file("/usr/bin/tool", 2).fields);
    let mut other_boot =
        vec![file("boot_aggregate", 1), file("/init", 9), file("/bin/mv", 9), file("/usr/bin/tool", 3)];
    other_boot.extend([file("/bin/sh", 9), file("/bin/cp", 9)]);
    for (given, entry) in [(other_machine, "entry 1"), (other_boot, "entry 3")] {
        let (_, findings, agreement) = beside(&incident(), USUAL.binary(&given));
        let first = &findings[0];
        assert_eq!((first.kind, first.place.as_str()), ("ima_list_other_boot", entry));
        assert!(first.detail.starts_with("it is not of this boot"), "{findings:?}");
        assert_eq!((damage(&findings).len(), agreement.compared, agreement.agreed), (0, 1, 1));
    }
    let (_, findings, agreement) =
        beside(&incident()[..1], USUAL.binary(&[file("boot_aggregate", 1), file("/usr/bin/tool", 3)]));
    assert_eq!(kinds(&findings), [("ima_list_unplaced", "")]);
    assert_eq!((agreement.compared, agreement.not_measured), (0, 1));
}

#[test]
fn hashes_that_may_be_of_another_algorithm_are_not_checked() {
    for (hash_bytes, bank) in [(32, "sha256"), (48, "sha384"), (64, "sha512")] {
        let writer = Writer { hash_bytes, ..USUAL };
        let mut list = String::from_utf8(writer.ascii(&incident())).expect("text");
        let whole = list.clone();
        // Each hash becomes one that no algorithm here gives, as those of SM3 and SHA-3 look.
        for line in whole.lines().filter(|line| !line.starts_with("10 0000")) {
            let hash = line.split(' ').nth(1).expect("a hash");
            list = list.replace(hash, &hash.chars().rev().collect::<String>());
        }
        let (summary, findings, _) = examine_one(source(list.clone().into_bytes()), &[]);
        assert_eq!((damage(&findings).len(), summary.wrong_hashes, summary.bank), (0, 0, ""), "{findings:?}");
        let (summary, findings_beside, _) = beside(&incident(), list.into_bytes());
        assert_eq!((damage(&findings_beside).len(), summary.wrong_hashes), (0, 0), "{findings_beside:?}");
        assert!(findings_beside.iter().any(|finding| finding.kind == "ima_hash_unchecked"), "{findings_beside:?}");
        let unchecked: Vec<_> = findings.iter().filter(|finding| finding.kind == "ima_hash_unchecked").collect();
        assert_eq!(unchecked.len(), 1);
        assert!(
            unchecked[0].detail.contains(&format!("the 6 template hashes are as long as those of {bank}")),
            "{findings:?}"
        );
        assert!(unchecked[0].detail.ends_with("They are not checked"), "{findings:?}");
        let (first, rest) = whole.split_once('\n').expect("lines");
        let one_right = format!("{first}\n{}", rest.replace("/bin/mv", "/bin/mw"));
        let (_, findings, _) = examine_one(source(one_right.into_bytes()), &[]);
        assert_eq!(damage(&findings).len(), 1, "where the algorithm shows, a wrong hash is damage: {findings:?}");
    }
}

#[test]
fn a_copy_with_crlf_line_ends_is_told_so_and_compared() {
    let text = String::from_utf8(USUAL.ascii(&incident())).expect("text").replace('\n', "\r\n");
    let (_, findings, _) = beside(&incident(), text.clone().into_bytes());
    assert_eq!(kinds(&findings), [("ima_list_stored", ""), ("ima_list_crlf", "")]);
    let (_, findings, agreement) = examine_one(source(text.into_bytes()), &[version(&"02".repeat(32), 1, 2)]);
    assert_eq!((agreement.agreed, damage(&findings).len()), (1, 0));
    assert!(findings.iter().any(|finding| finding.detail.contains("its line ends are CRLF")), "{findings:?}");
}
