//! Bloom filters as `bloom` and `flor` of DCSO write them, and hashlookup publishes them (hashlookup-full.bloom): a head of six
//! numbers of 8 bytes, little end first (version and flags, capacity, designed rate, hashes of an entry, bits, entries), then
//! the bits in words of 8 bytes, then data of the publisher. Entries are SHA-1 in hex, in upper case.
//!
//! A filter is read past the positions that are looked for, so that it takes no memory whatever its head says.

use super::list::List;
use super::recorded::Recorded;
use anyhow::{Context, Result, bail};
use flate2::read::MultiGzDecoder;
use hashtrail::digest::Digest;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// What the entries of a filter are, as hashlookup publishes it.
const ALGORITHM: &str = "sha1";
pub(super) const HEAD_BYTES: usize = 48;
/// No filter that is of use has more.
const HASHES_MAX: u64 = 64;
/// Positions that are looked for in one reading, of 16 bytes each.
const POSITIONS_MAX: usize = 4 << 20;
const READ_BYTES: usize = 1 << 20;

/// What the head of a filter says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head {
    hashes: u64,
    bits: u64,
}

impl Head {
    /// None where it is the head of no filter.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut words =
            bytes.get(..HEAD_BYTES)?.chunks_exact(8).map(|word| word.try_into().map_or(0, u64::from_le_bytes));
        let (flags, _capacity) = (words.next()?, words.next()?);
        let designed = f64::from_bits(words.next()?);
        let (hashes, bits) = (words.next()?, words.next()?);
        let is_sane =
            flags & 0xff == 1 && designed > 0.0 && designed < 1.0 && (1..=HASHES_MAX).contains(&hashes) && bits > 0;
        is_sane.then_some(Self { hashes, bits })
    }

    /// The bits of an entry.
    fn positions(self, entry: &str) -> impl Iterator<Item = u64> + use<> {
        // Both are primes that the filter's authors chose.
        const MODULUS: u64 = 18_446_744_073_709_551_557;
        const GENERATOR: u64 = 18_446_744_073_709_550_147;
        let mut number = fnv_1(entry.as_bytes()) % MODULUS;
        (0..self.hashes).map(move |_| {
            number = number.wrapping_mul(GENERATOR) % MODULUS;
            number % self.bits
        })
    }
}

/// Fowler, Noll and Vo's first hash of 64 bits.
fn fnv_1(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| hash.wrapping_mul(1_099_511_628_211) ^ u64::from(*byte);
    bytes.iter().fold(14_695_981_039_346_656_037, step)
}

/// Asks a filter for all that was recorded.
///
/// # Errors
/// When it cannot be read, is shorter than it says, or has nearly everything or nothing.
pub(super) fn ask(path: &Path, bit: u64, recorded: &mut Recorded) -> Result<List> {
    let asked: Vec<Digest> =
        recorded.of_mut(ALGORITHM).map(|digests| digests.keys().copied().collect()).unwrap_or_default();
    let mut has = vec![true; asked.len()];
    let mut rate = None;
    let mut begin = 0;
    // Once in any case: how full it is says how often it is wrong.
    while rate.is_none() || begin < asked.len() {
        let mut reading = Reading::begin(path)?;
        let most = (POSITIONS_MAX as u64 / reading.head.hashes) as usize;
        let end = asked.len().min(begin + most);
        let head = reading.head;
        let of_digest =
            |number: usize| head.positions(&asked[number].to_string().to_uppercase()).map(move |at| (at, number));
        let mut positions: Vec<(u64, usize)> = (begin..end).flat_map(of_digest).collect();
        positions.sort_unstable();
        reading.pass(&positions, &mut has)?;
        rate = Some(reading.false_rate());
        begin = end;
    }
    let rate = rate.unwrap_or(1.0);
    if rate > 0.5 {
        bail!("the Bloom filter is so full that it has nearly every digest");
    }
    if rate == 0.0 {
        bail!("the Bloom filter is empty");
    }
    for digest in asked.iter().zip(&has).filter(|(_, has)| **has).map(|(digest, _)| digest) {
        if let Some(bits) = recorded.of_mut(ALGORITHM).and_then(|digests| digests.get_mut(digest)) {
            *bits |= bit;
        }
    }
    let algorithms = [ALGORITHM.to_owned()].into();
    Ok(List {
        whole: [ALGORITHM.to_owned()].into(),
        algorithms,
        false_one_in: Some((1.0 / rate) as u64),
        ..List::default()
    })
}

/// A filter that is read from its beginning to its end.
struct Reading {
    head: Head,
    file: Box<dyn Read>,
    /// Bits that are set.
    ones: u64,
}

impl Reading {
    fn begin(path: &Path) -> Result<Self> {
        let mut file = opened(path)?;
        let mut head = [0; HEAD_BYTES];
        file.read_exact(&mut head)?;
        Ok(Self { head: Head::parse(&head).context("it is no Bloom filter any more")?, file, ones: 0 })
    }

    /// Reads all bits; what has one of the positions that is not set is not in the filter.
    fn pass(&mut self, mut positions: &[(u64, usize)], has: &mut [bool]) -> Result<()> {
        let mut bytes = vec![0; READ_BYTES];
        let all = self.head.bits.div_ceil(64).saturating_mul(8);
        let mut first = 0;
        while first < all {
            let length = usize::try_from(all - first).unwrap_or(READ_BYTES).min(READ_BYTES);
            let bytes = &mut bytes[..length];
            self.file.read_exact(bytes).context("the Bloom filter is cut, or its head is damaged: get it again")?;
            self.ones += bytes.iter().map(|byte| u64::from(byte.count_ones())).sum::<u64>();
            while let [(position, number), rest @ ..] = positions
                && position / 8 < first + length as u64
            {
                let byte = usize::try_from(position / 8 - first).ok().and_then(|at| bytes.get(at));
                has[*number] &= byte.is_some_and(|byte| byte >> (position % 8) & 1 == 1);
                positions = rest;
            }
            first += length as u64;
        }
        Ok(())
    }

    /// Of the digests that are not in it, the part that seems to be.
    fn false_rate(&self) -> f64 {
        let full = (self.ones as f64 / self.head.bits as f64).min(1.0);
        full.powf(self.head.hashes as f64)
    }
}

/// A file, unpacked if it is in gzip.
pub(super) fn opened(path: &Path) -> Result<Box<dyn Read>> {
    let is_gzip = {
        let mut magic = Vec::new();
        File::open(path)?.take(2).read_to_end(&mut magic)?;
        magic == [0x1f, 0x8b]
    };
    let file = File::open(path)?;
    Ok(if is_gzip { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) })
}
