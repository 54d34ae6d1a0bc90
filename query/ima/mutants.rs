//! Seeded mutants of good lists: whatever the bytes, no panic, and no more work than the bytes deserve.

use super::testing::{USUAL, Writer, samples};
use super::*;
use crate::testing::version;

/// A generator that gives the same numbers in each run (splitmix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Less than `end`, or 0.
    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end.max(1)).expect("a size")).expect("a size")
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }

    fn range(&mut self, end: usize) -> std::ops::Range<usize> {
        let start = self.below(end);
        start..(start + self.below(40)).min(end)
    }
}

fn mutate(random: &mut Random, bytes: &mut Vec<u8>) {
    for _ in 0..=random.below(3) {
        let at = random.below(bytes.len());
        let range = random.range(bytes.len());
        match random.below(7) {
            _ if bytes.is_empty() => bytes.push(random.byte()),
            0 => bytes[at] ^= 1 << random.below(8),
            1 => bytes[at] = *[0, 1, 0x20, b'\n', b':', 0x7f, 0xff].get(random.below(8)).unwrap_or(&random.byte()),
            2 => bytes.truncate(at),
            3 => drop(bytes.drain(range)),
            4 => {
                let piece = bytes[range].to_vec();
                bytes.splice(at..at, piece);
            }
            5 => bytes[range].fill(0),
            _ => bytes[range].fill_with(|| random.byte()),
        }
    }
}

/// How many mutants of each form.
fn mutants() -> u64 {
    if std::env::var_os("HASHTRAIL_TEST_FULL").is_some_and(|full| !full.is_empty()) { 25_000 } else { 2_000 }
}

fn examine_mutants(lists: &[Vec<u8>]) {
    let value = PcrValue { pcr: 10, bank: "sha256".into(), value: "11".repeat(32) };
    let rows = [version(&"5a".repeat(32), 1, 2)];
    let (mut damaged, mut wrong) = (0, 0);
    for seed in 0..mutants() {
        let mut random = Random(seed);
        let mut bytes = lists[random.below(lists.len())].clone();
        mutate(&mut random, &mut bytes);
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
    let some = mutants() / 10;
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
