//! Damage to a file that a seed decides.

use crate::support::random::Random;

/// Numbers at which arithmetic goes wrong.
const NUMBERS: [u32; 8] = [0, 1, 0x7f, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0x0fff_ffff, 0x0001_0000];

/// The mutant of a seed: one of the files, damaged in one to three ways, or in its data alone, so that its decoders
/// meet it.
pub(super) fn mutant(files: &[Vec<u8>], seed: u64) -> Vec<u8> {
    let mut random = Random::new(seed);
    let mut bytes = files[random.below(files.len())].clone();
    if random.below(3) == 0 {
        let at = random.below(footer_start(&bytes) - 4);
        match random.below(3) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 => bytes[at] = random.below(256) as u8,
            _ => overwrite(&mut bytes, at, &mut random),
        }
        return bytes;
    }
    for _ in 0..=random.below(3) {
        damage(&mut bytes, files, &mut random);
    }
    bytes
}

fn damage(bytes: &mut Vec<u8>, files: &[Vec<u8>], random: &mut Random) {
    if bytes.len() < 16 {
        return;
    }
    let footer = footer_start(bytes);
    let end = bytes.len();
    match random.below(12) {
        0 => (0..=random.below(8)).for_each(|_| bytes[random.below(end)] ^= 1 << random.below(8)),
        1 => bytes[random.below(end)] = random.below(256) as u8,
        2 => overwrite(bytes, random.below(end - 4), random),
        3 => overwrite(bytes, footer + random.below(end - footer), random),
        4 => bytes[footer + random.below(end - footer)] ^= 1 << random.below(8),
        5 => bytes[footer + random.below(end - footer)] = random.below(256) as u8,
        6 => bytes.truncate(random.below(end)),
        7 => {
            let (start, length) = block(end, random);
            bytes[start..start + length].fill(0);
        }
        8 => {
            let other = &files[random.below(files.len())];
            let (from, length) = block(other.len().min(end), random);
            let to = random.below(end - length + 1);
            bytes[to..to + length].copy_from_slice(&other[from..from + length]);
        }
        9 => {
            // A page twice, behind itself: all that follows moves.
            let (start, length) = block(footer, random);
            let copy = bytes[start..start + length].to_vec();
            bytes.splice(start + length..start + length, copy);
        }
        10 => {
            let (from, length) = block(footer, random);
            let to = random.below(footer - length + 1);
            bytes.copy_within(from..from + length, to);
        }
        _ => {
            // A long varint: a huge size or count.
            let start = random.below(end);
            let length = (1 + random.below(9)).min(end - start);
            bytes[start..start + length].fill(0xff);
        }
    }
}

fn overwrite(bytes: &mut [u8], at: usize, random: &mut Random) {
    let number = match random.below(NUMBERS.len() + 1) {
        index if index < NUMBERS.len() => NUMBERS[index],
        _ => random.below(usize::MAX) as u32,
    };
    let end = bytes.len().min(at + 4);
    bytes[at..end].copy_from_slice(&number.to_le_bytes()[..end - at]);
}

/// Start and length of a block of up to 4 KiB.
fn block(end: usize, random: &mut Random) -> (usize, usize) {
    let start = random.below(end);
    (start, 1 + random.below((end - start).min(4096)))
}

/// Where the footer of a file that may be damaged begins, or somewhere in it.
fn footer_start(bytes: &[u8]) -> usize {
    let end = bytes.len() - 8;
    let length = bytes[end..].first_chunk().map_or(0, |length| u32::from_le_bytes(*length));
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length < end { end - length } else { end / 2 }
}
