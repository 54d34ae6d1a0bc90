//! Seeded mutants of good lists: whatever the bytes, no panic, and no more work than the bytes deserve.

use super::testing::{USUAL, Writer, samples};
use super::*;
use crate::testing::version;

fn examine_mutants(lists: &[Vec<u8>]) {
    let value = PcrValue { pcr: 10, bank: "sha256".into(), value: "11".repeat(32) };
    let rows = [version(&"5a".repeat(32), 1, 2)];
    let (mut damaged, mut wrong) = (0, 0);
    for seed in 0..crate::mutate::count() {
        let valid = &lists[usize::try_from(seed).expect("a seed") % lists.len()];
        let bytes = crate::mutate::mutant(valid, seed);
        let size_bytes = bytes.len();
        let list = Source { name: "mutant".into(), bytes, boot_id: None, pcrs: vec![value.clone()] };
        let report = examine(&[list], &rows);
        let list = &report.lists[0];
        // The smallest entry is a line with a PCR, a hash and a template.
        assert!(
            list.entries as usize <= size_bytes / 40,
            "seed {seed}: {} entries of {size_bytes} bytes",
            list.entries
        );
        let damage = report.findings.iter().filter(|finding| finding.kind == "ima_list_damaged");
        assert_eq!(damage.count(), usize::from(list.is_damaged), "seed {seed}");
        assert!(list.matched_pcrs.is_empty(), "seed {seed}");
        damaged += u64::from(list.is_damaged);
        wrong += u64::from(list.wrong_hashes > 0);
    }
    // Mutants that are mostly good, or mostly refused at once, would show nothing.
    let some = crate::mutate::count() / 10;
    assert!(damaged > some && wrong > some, "{damaged} damaged, {wrong} with wrong hashes");
}

#[test]
fn mutants_of_binary_lists_are_examined() {
    let big = Writer { is_big: true, hash_bytes: 32 };
    examine_mutants(&[USUAL.binary(&samples()), big.binary(&samples())]);
}

#[test]
fn mutants_of_ascii_lists_are_examined() {
    let sha512 = Writer { hash_bytes: 64, ..USUAL };
    examine_mutants(&[USUAL.ascii(&samples()), sha512.ascii(&samples())]);
}
