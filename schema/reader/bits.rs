//! Bits as Parquet writes them, levels and truth values: a hybrid of runs and packed groups.

use anyhow::{Context, Result, bail, ensure};

/// Some bits that follow each other.
pub(super) enum Run<'a> {
    /// The same one, so many times.
    Same(bool, u64),
    /// So many bits in these bytes, the lowest first.
    Packed(&'a [u8], u64),
}

/// Hands on the first `values` bits.
///
/// # Errors
/// When there are less.
pub(super) fn each_run<'a>(mut bytes: &'a [u8], mut values: u64, mut each: impl FnMut(Run<'a>)) -> Result<()> {
    while values > 0 {
        let head = take_varint(&mut bytes)?;
        let count = head >> 1;
        if count == 0 {
            bail!("a run of no levels");
        }
        if head & 1 == 0 {
            let (bit, rest) = bytes.split_first().context("a run has no level")?;
            bytes = rest;
            let count = count.min(values);
            // The decoder takes each other byte for set.
            ensure!(*bit <= 1, "a level of {bit}");
            each(Run::Same(*bit == 1, count));
            values -= count;
        } else {
            // A last group may be cut where its values end.
            let packed = bytes.split_off(..usize::try_from(count)?.min(bytes.len())).unwrap_or_default();
            let count = values.min(packed.len() as u64 * 8);
            each(Run::Packed(packed, count));
            values -= count;
        }
    }
    Ok(())
}

/// The bits of packed bytes.
pub(super) fn bits(bytes: &[u8], count: u64) -> impl Iterator<Item = bool> {
    let bits = bytes.iter().flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1 == 1));
    bits.take(usize::try_from(count).unwrap_or(usize::MAX))
}

/// How many of the first `values` bits are set.
///
/// # Errors
/// When there are less bits.
pub(super) fn ones(bytes: &[u8], values: u64) -> Result<u64> {
    let mut ones = 0;
    each_run(bytes, values, |run| {
        ones += match run {
            Run::Same(bit, count) => u64::from(bit) * count,
            Run::Packed(bytes, count) => ones_packed(bytes, count).unwrap_or(0),
        };
    })?;
    Ok(ones)
}

/// The same of bits that are packed and have no runs.
///
/// # Errors
/// When there are less bits.
pub(super) fn ones_packed(bytes: &[u8], values: u64) -> Result<u64> {
    let whole = usize::try_from(values / 8)?;
    let (whole, rest) = bytes.split_at_checked(whole).context("bits are missing")?;
    let last = match values % 8 {
        0 => 0,
        bits => rest.first().context("bits are missing")? & ((1 << bits) - 1),
    };
    Ok(whole.iter().map(|byte| u64::from(byte.count_ones())).sum::<u64>() + u64::from(last.count_ones()))
}

/// The length that begins `bytes`, and what follows it.
pub(super) fn take_length(bytes: &[u8]) -> Result<(usize, &[u8])> {
    let (length, rest) = bytes.split_first_chunk().context("a length is missing")?;
    Ok((usize::try_from(u32::from_le_bytes(*length))?, rest))
}

fn take_varint(bytes: &mut &[u8]) -> Result<u64> {
    let mut value = 0;
    for shift in (0..u32::BITS).step_by(7) {
        let (byte, rest) = bytes.split_first().context("the levels end")?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if *byte < 0x80 {
            return Ok(value);
        }
    }
    bail!("a run is too long")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn set_bits_are_counted_in_runs_and_groups() -> Result<()> {
        // Five times 1, and a group of which six bits count.
        let bytes = [10, 1, 3, 0b1110_1010];
        assert_eq!((ones(&bytes, 11)?, ones(&bytes, 13)?, ones(&bytes, 3)?), (8, 10, 3));
        assert_eq!((ones(&[], 0)?, ones(&[20, 0], 10)?), (0, 0));
        for damaged in [&[][..], &[0, 0], &[10], &[10, 2], &[0xff; 6], &[1]] {
            assert!(ones(damaged, 5).is_err(), "{damaged:?}");
        }
        assert!(ones(&bytes, 14).is_err());
        assert_eq!(
            (ones_packed(&[0xff, 0x05], 10)?, ones_packed(&[0xff, 0x05], 16)?, ones_packed(&[], 0)?),
            (9, 10, 0)
        );
        assert!(ones_packed(&[0xff, 0x05], 17).is_err() && ones_packed(&[0xff], 9).is_err());
        Ok(())
    }
}
