//! Seeded mutants of valid files, for the tests of everything that reads bytes it cannot trust. Each crate includes this
//! file by its path.

#[path = "random.rs"]
pub(crate) mod random;

/// Mutants of each input: enough for a first look, or with `HASHTRAIL_TEST_FULL` the full count.
pub(crate) fn count() -> u64 {
    if std::env::var_os("HASHTRAIL_TEST_FULL").is_some() { 100_000 } else { 2_000 }
}

/// The mutant with this seed: up to four bits flipped, bytes set, blocks zeroed, doubled or moved, or the end cut.
pub(crate) fn mutant(valid: &[u8], seed: u64) -> Vec<u8> {
    let mut bytes = valid.to_vec();
    let mut random = random::Random::new(seed);
    let mut below = |limit: usize| random.below(limit);
    for _ in 0..=below(4) {
        if bytes.is_empty() {
            break;
        }
        let place = below(bytes.len());
        let length = (1 + below(64)).min(bytes.len() - place);
        match below(7) {
            0 | 1 => bytes[place] ^= 1 << below(8),
            2 => bytes[place] = [0, 1, 0x7f, 0x80, 0xff][below(5)],
            3 => bytes[place..place + length].fill(0),
            4 => bytes.truncate(place),
            5 => {
                let block = bytes[place..place + length].to_vec();
                let target = below(bytes.len());
                bytes.splice(target..target, block);
            }
            _ => {
                let target = below(bytes.len() - length + 1);
                bytes.copy_within(place..place + length, target);
            }
        }
    }
    bytes
}
