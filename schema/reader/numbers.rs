//! Small numbers as Parquet writes them, levels and codes: a hybrid of runs and packed groups. As [`super::bits`], but step by
//! step, and what is not wanted is passed over without being looked at.

use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;

/// Numbers that follow each other.
#[derive(Debug)]
pub(super) struct Numbers {
    bytes: Bytes,
    /// Where the next run begins.
    at: usize,
    width_bits: usize,
    run: Run,
}

#[derive(Debug)]
enum Run {
    Same {
        number: u32,
        left: usize,
    },
    Packed {
        /// Where its bytes stand.
        range: (usize, usize),
        /// Place of the next number.
        next: usize,
        left: usize,
    },
}

impl Numbers {
    /// # Errors
    /// When the numbers are wider than any are.
    pub(super) fn new(bytes: Bytes, width_bits: u8) -> Result<Self> {
        ensure!(width_bits <= 32, "numbers of {width_bits} bits");
        Ok(Self { bytes, at: 0, width_bits: usize::from(width_bits), run: Run::Same { number: 0, left: 0 } })
    }

    /// Appends the next `count` numbers.
    ///
    /// # Errors
    /// When there are less.
    pub(super) fn read(&mut self, mut count: usize, numbers: &mut Vec<u32>) -> Result<()> {
        while count > 0 {
            self.begin_run()?;
            let taken = match &mut self.run {
                Run::Same { number, left } => {
                    let taken = count.min(*left);
                    numbers.resize(numbers.len() + taken, *number);
                    *left -= taken;
                    taken
                }
                Run::Packed { range, next, left } => {
                    let taken = count.min(*left);
                    unpack(&self.bytes[range.0..range.1], self.width_bits, *next, taken, numbers)?;
                    (*next, *left) = (*next + taken, *left - taken);
                    taken
                }
            };
            count -= taken;
        }
        Ok(())
    }

    /// Passes over the next `count` numbers, each 0 or 1; says how many are 1.
    ///
    /// # Errors
    /// When there are less.
    pub(super) fn skip_levels(&mut self, mut count: usize) -> Result<usize> {
        let mut ones = 0;
        while count > 0 {
            self.begin_run()?;
            let taken = match &mut self.run {
                Run::Same { number, left } => {
                    let taken = count.min(*left);
                    *left -= taken;
                    ones += taken * usize::from(*number > 0);
                    taken
                }
                Run::Packed { range, next, left } => {
                    let taken = count.min(*left);
                    ones += ones_between(&self.bytes[range.0..range.1], *next, taken).context("levels are missing")?;
                    (*next, *left) = (*next + taken, *left - taken);
                    taken
                }
            };
            count -= taken;
        }
        Ok(ones)
    }

    /// Passes over the next `count` numbers.
    ///
    /// # Errors
    /// When there are less.
    pub(super) fn skip(&mut self, mut count: usize) -> Result<()> {
        while count > 0 {
            self.begin_run()?;
            let (Run::Same { left, .. } | Run::Packed { left, .. }) = &mut self.run;
            let taken = count.min(*left);
            *left -= taken;
            count -= taken;
            if let Run::Packed { next, .. } = &mut self.run {
                *next += taken;
            }
        }
        Ok(())
    }

    /// The number that the next ones all are, where they are the same, and how many they are.
    ///
    /// # Errors
    /// When there are none.
    pub(super) fn run(&mut self) -> Result<(Option<u32>, usize)> {
        self.begin_run()?;
        Ok(match self.run {
            Run::Same { number, left } => (Some(number), left),
            Run::Packed { left, .. } => (None, left),
        })
    }

    /// Goes to the run that has the next number.
    fn begin_run(&mut self) -> Result<()> {
        while matches!(self.run, Run::Same { left: 0, .. } | Run::Packed { left: 0, .. }) {
            let head = self.take_head()?;
            let count = usize::try_from(head >> 1)?;
            ensure!(count > 0, "a run of no numbers");
            self.run = if head & 1 == 0 {
                Run::Same { number: self.take_number()?, left: count }
            } else {
                // A last group may be cut where its values end.
                let end = count.saturating_mul(self.width_bits).min(self.bytes.len() - self.at) + self.at;
                let range = (self.at, end);
                self.at = end;
                Run::Packed { range, next: 0, left: count.saturating_mul(8) }
            };
        }
        Ok(())
    }

    fn take_head(&mut self) -> Result<u64> {
        let mut head = 0;
        for shift in (0..u32::BITS).step_by(7) {
            let byte = *self.bytes.get(self.at).context("the numbers end")?;
            self.at += 1;
            head |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(head);
            }
        }
        bail!("a run is too long")
    }

    fn take_number(&mut self) -> Result<u32> {
        let length = self.width_bits.div_ceil(8);
        let mut bytes = [0; 4];
        let number = self.bytes.get(self.at..self.at + length).context("a run has no number")?;
        bytes[..length].copy_from_slice(number);
        self.at += length;
        let number = u32::from_le_bytes(bytes);
        ensure!(u64::from(number) >> self.width_bits == 0, "a number of more than {} bits", self.width_bits);
        Ok(number)
    }
}

/// Appends packed numbers, the lowest bits first.
fn unpack(bytes: &[u8], width_bits: usize, first: usize, count: usize, numbers: &mut Vec<u32>) -> Result<()> {
    let end_bits = first.checked_add(count).and_then(|end| end.checked_mul(width_bits)).context("a run is too long")?;
    ensure!(end_bits.div_ceil(8) <= bytes.len(), "numbers are missing");
    // The writer's codes take whole bytes, nearly all one or two.
    if width_bits == 8 {
        numbers.extend(bytes[first..first + count].iter().copied().map(u32::from));
        return Ok(());
    }
    if width_bits == 16 {
        let (pairs, _) = bytes[2 * first..2 * (first + count)].as_chunks();
        numbers.extend(pairs.iter().copied().map(u16::from_le_bytes).map(u32::from));
        return Ok(());
    }
    let mask = (1_u64 << width_bits) - 1;
    numbers.extend((first..first + count).map(|place| {
        let bit = place * width_bits;
        let rest = bytes.get(bit / 8..).unwrap_or_default();
        let word = rest.first_chunk().copied().unwrap_or_else(|| {
            let mut word = [0; 8];
            word[..rest.len()].copy_from_slice(rest);
            word
        });
        // At most 32 bits are left.
        (u64::from_le_bytes(word) >> (bit % 8) & mask) as u32
    }));
    Ok(())
}

/// How many of some packed bits are set; `None` where there are less.
fn ones_between(bytes: &[u8], first: usize, count: usize) -> Option<usize> {
    let end = first.checked_add(count)?;
    if count == 0 {
        return Some(0);
    }
    let bytes = bytes.get(first / 8..end.div_ceil(8))?;
    let all: usize = bytes.iter().map(|byte| byte.count_ones() as usize).sum();
    let before = bytes.first()? & ((1_u16 << (first % 8)) - 1) as u8;
    let kept_bits = (end - 1) % 8 + 1;
    let behind = bytes.last()? & !(((1_u16 << kept_bits) - 1) as u8);
    Some(all - (before.count_ones() + behind.count_ones()) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three times 5, a group of eight and a cut one, of 3 bits each.
    const BYTES: [u8; 8] = [6, 5, 5, 0b1000_1000, 0b1100_0110, 0b1111_1010, 0b0010_1110, 0];

    fn numbers() -> Numbers {
        Numbers::new(Bytes::from_static(&BYTES), 3).expect("a width")
    }

    #[test]
    fn numbers_are_read_and_passed_over_alike() -> Result<()> {
        let all = [5, 5, 5, 0, 1, 2, 3, 4, 5, 6, 7, 6, 5, 0, 0, 0];
        for first in 0..=all.len() {
            for count in 0..=all.len() - first {
                let (mut numbers, mut read) = (numbers(), Vec::new());
                numbers.skip(first)?;
                numbers.read(count, &mut read)?;
                assert_eq!(read, all[first..first + count]);
            }
        }
        let mut read = Vec::new();
        assert!(numbers().read(17, &mut read).is_err(), "the last group is cut");
        Ok(())
    }

    /// Whole bytes have a way of their own.
    #[test]
    fn numbers_of_any_width_are_unpacked() -> Result<()> {
        for width_bits in 1..=31 {
            let all: Vec<u32> =
                (0_u32..16).map(|number| number.wrapping_mul(0x1357_9bdf) % (1 << width_bits)).collect();
            let mut bytes = vec![2 << 1 | 1];
            let bit = |place: usize| u8::from(all[place / width_bits] >> (place % width_bits) & 1 == 1);
            bytes.extend((0..2 * width_bits).map(|byte| (0..8).map(|at| bit(byte * 8 + at) << at).sum::<u8>()));
            for first in 0..all.len() {
                let (mut numbers, mut read) = (Numbers::new(bytes.clone().into(), width_bits.try_into()?)?, Vec::new());
                numbers.skip(first)?;
                numbers.read(all.len() - first, &mut read)?;
                assert_eq!(read, all[first..], "{width_bits} bits");
            }
            let mut cut = Numbers::new(bytes[..bytes.len() - 1].to_vec().into(), width_bits.try_into()?)?;
            assert!(cut.read(all.len(), &mut Vec::new()).is_err(), "{width_bits} bits");
        }
        Ok(())
    }

    #[test]
    fn set_levels_are_counted_between_any_two() -> Result<()> {
        // Five times 1, twice 0, and two groups.
        let bytes = Bytes::from_static(&[10, 1, 4, 0, 5, 0b1110_1010, 0b0001_0111]);
        let mut levels = Vec::new();
        Numbers::new(bytes.clone(), 1)?.read(23, &mut levels)?;
        for first in 0..=levels.len() {
            for count in 0..=levels.len() - first {
                let mut numbers = Numbers::new(bytes.clone(), 1)?;
                numbers.skip(first)?;
                let ones = levels[first..first + count].iter().filter(|level| **level == 1).count();
                assert_eq!(numbers.skip_levels(count)?, ones, "{count} after {first}");
            }
        }
        Ok(())
    }

    #[test]
    fn damage_is_an_error() {
        for damaged in [&[][..], &[0, 0], &[1], &[10], &[10, 8], &[0xff; 6], &[3, 1, 1]] {
            let numbers = || Numbers::new(Bytes::from_static(damaged), 3).expect("a width");
            assert!(numbers().read(8, &mut Vec::new()).is_err(), "{damaged:?}");
        }
        assert!(Numbers::new(Bytes::new(), 33).is_err());
        for width in [0, 32] {
            let mut numbers = Numbers::new(Bytes::from_static(&[3]), width).expect("a width");
            assert_eq!(numbers.read(8, &mut Vec::new()).is_ok(), width == 0);
        }
    }
}
