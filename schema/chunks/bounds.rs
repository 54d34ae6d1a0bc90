//! Lowest and highest value of a page or a chunk, as Parquet states them: long ones are cut.

use super::dictionary::{Dictionary, integer, long};
use parquet::basic::Type;
use parquet::data_type::ByteArray;
use parquet::file::statistics::{Statistics, ValueStatistics};

/// Longest bound of bytes.
const BOUND_BYTES: usize = 64;

/// What holds for a set of values.
#[derive(Debug, Clone)]
pub(super) struct Bounds {
    /// A value that none is below, and whether it is the lowest.
    pub(super) low: (Vec<u8>, bool),
    /// A value that none is above, and whether it is the highest.
    pub(super) high: (Vec<u8>, bool),
}

impl Bounds {
    /// Of the values with these numbers; `None` where there are none.
    pub(super) fn of(dictionary: &Dictionary, is_text: bool, numbers: impl Iterator<Item = u32>) -> Option<Self> {
        let (low, high) = dictionary.bounds(numbers)?;
        Some(Self { low: cut_low(low, is_text), high: cut_high(high, is_text) })
    }

    /// As a footer or the head of a page has it.
    pub(super) fn statistics(bounds: Option<&Self>, physical: Type, nulls: u64) -> Statistics {
        let (low, high) = (bounds.map(|bounds| &bounds.low), bounds.map(|bounds| &bounds.high));
        let value = |bound: Option<&(Vec<u8>, bool)>| bound.map(|(value, _)| value.clone());
        match physical {
            Type::INT32 => {
                let value = |bound| value(bound).map(|value| integer(&value));
                ValueStatistics::new(value(low), value(high), None, Some(nulls), false)
                    .with_backwards_compatible_min_max(true)
                    .into()
            }
            Type::INT64 => {
                let value = |bound| value(bound).map(|value| long(&value));
                ValueStatistics::new(value(low), value(high), None, Some(nulls), false)
                    .with_backwards_compatible_min_max(true)
                    .into()
            }
            _ => {
                let value = |bound| value(bound).map(ByteArray::from);
                ValueStatistics::new(value(low), value(high), None, Some(nulls), false)
                    .with_min_is_exact(low.is_some_and(|(_, is_exact)| *is_exact))
                    .with_max_is_exact(high.is_some_and(|(_, is_exact)| *is_exact))
                    .into()
            }
        }
    }
}

/// The beginning of a value is not above it.
fn cut_low(value: &[u8], is_text: bool) -> (Vec<u8>, bool) {
    let cut = beginning(value, is_text);
    (cut.to_vec(), cut.len() == value.len())
}

/// The beginning of a value, with its last character or byte made greater, is above it.
fn cut_high(value: &[u8], is_text: bool) -> (Vec<u8>, bool) {
    let cut = beginning(value, is_text);
    let above = match std::str::from_utf8(cut) {
        _ if cut.len() == value.len() => return (value.to_vec(), true),
        Ok(text) if is_text => text_above(text),
        _ => bytes_above(cut),
    };
    above.map_or_else(|| (value.to_vec(), true), |above| (above, false))
}

/// At most as many bytes as a bound has; of a text whole characters.
fn beginning(value: &[u8], is_text: bool) -> &[u8] {
    let text = std::str::from_utf8(value).ok().filter(|_| is_text);
    let end_of = |text: &str| (0..=BOUND_BYTES).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
    let end = text.map_or(BOUND_BYTES, end_of);
    &value[..end.min(value.len())]
}

fn text_above(text: &str) -> Option<Vec<u8>> {
    let mut characters = text.char_indices().rev();
    characters.find_map(|(place, character)| {
        let next = char::from_u32(u32::from(character) + 1).filter(|next| next.len_utf8() == character.len_utf8())?;
        Some([&text.as_bytes()[..place], next.encode_utf8(&mut [0; 4]).as_bytes()].concat())
    })
}

fn bytes_above(bytes: &[u8]) -> Option<Vec<u8>> {
    let place = bytes.iter().rposition(|byte| *byte < u8::MAX)?;
    let mut above = bytes[..=place].to_vec();
    above[place] += 1;
    Some(above)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_bounds_are_cut_and_stay_bounds() {
        let text = |text: &str| text.as_bytes().to_vec();
        let long = format!("{}\u{e9}tail", "a".repeat(63));
        assert_eq!(cut_low(long.as_bytes(), true), (text(&"a".repeat(63)), false));
        assert_eq!(cut_high(long.as_bytes(), true), (text(&format!("{}b", "a".repeat(62))), false));
        assert_eq!(cut_high(b"short", true), (text("short"), true));
        // The last character of its length has no next one of that length.
        let last = format!("{}\u{7f}{}", "a".repeat(62), "\u{7f}".repeat(9));
        assert_eq!(cut_high(last.as_bytes(), true), (text(&format!("{}b", "a".repeat(61))), false));
        let bytes = [[7].as_slice(), &[255; 80]].concat();
        assert_eq!(cut_low(&bytes, false), (bytes[..64].to_vec(), false));
        assert_eq!(cut_high(&bytes, false), (vec![8], false));
        assert_eq!(cut_high(&[255; 80], false), (vec![255; 80], true));
    }
}
