//! The distinct values of a column chunk: each is kept once, and has a number.

use ahash::RandomState;
use hashbrown::HashTable;
use parquet::basic::Type;
use std::cmp::Ordering;
use std::ops::Range;

/// The values, as they stand in the chunk's dictionary page.
#[derive(Debug)]
pub(super) struct Dictionary {
    physical: Type,
    page: Vec<u8>,
    /// Where each value ends. A group ends long before its dictionaries are too long for this.
    ends: Vec<u32>,
    numbers: HashTable<u32>,
    hasher: RandomState,
    /// Number of the last value, and where it stands: nothing else must be looked at to see that it comes again.
    last: Option<(u32, Range<usize>)>,
}

impl Dictionary {
    pub(super) fn new(physical: Type) -> Self {
        Self {
            physical,
            page: Vec::new(),
            ends: Vec::new(),
            numbers: HashTable::new(),
            hasher: RandomState::new(),
            last: None,
        }
    }

    /// The number of a value, the next one where it is new.
    #[inline]
    pub(super) fn number(&mut self, value: &[u8]) -> u32 {
        match &self.last {
            Some((last, place)) if self.page[place.clone()] == *value => *last,
            _ => self.look_up(value),
        }
    }

    fn look_up(&mut self, value: &[u8]) -> u32 {
        let hash = self.hasher.hash_one(value);
        let found = self.numbers.find(hash, |number| self.value(*number) == value).copied();
        let number = found.unwrap_or_else(|| self.add(hash, value));
        self.last = Some((number, place_of(&self.ends, self.physical, number)));
        number
    }

    fn add(&mut self, hash: u64, value: &[u8]) -> u32 {
        let number = self.len();
        if self.physical == Type::BYTE_ARRAY {
            let length = u32::try_from(value.len()).unwrap_or(u32::MAX);
            self.page.extend_from_slice(&length.to_le_bytes());
        }
        self.page.extend_from_slice(value);
        self.ends.push(u32::try_from(self.page.len()).unwrap_or(u32::MAX));
        let Self { page, ends, numbers, hasher, physical, .. } = self;
        numbers.insert_unique(hash, number, |number| hasher.hash_one(value_in(page, ends, *physical, *number)));
        number
    }

    /// How many values there are.
    pub(super) fn len(&self) -> u32 {
        u32::try_from(self.ends.len()).unwrap_or(u32::MAX)
    }

    /// The value with this number.
    #[inline]
    pub(super) fn value(&self, number: u32) -> &[u8] {
        value_in(&self.page, &self.ends, self.physical, number)
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len()).map(|number| self.value(number))
    }

    /// The dictionary page.
    pub(super) fn page(&self) -> &[u8] {
        &self.page
    }

    pub(super) fn bytes(&self) -> usize {
        self.page.len() + self.ends.len() * 3 * size_of::<u32>()
    }

    /// Lowest and highest of these values.
    pub(super) fn bounds(&self, numbers: impl Iterator<Item = u32>) -> Option<(&[u8], &[u8])> {
        numbers.map(|number| self.value(number)).fold(None, |bounds, value| match bounds {
            None => Some((value, value)),
            Some((low, _)) if self.order(value, low).is_lt() => bounds.map(|(_, high)| (value, high)),
            Some((_, high)) if self.order(value, high).is_gt() => bounds.map(|(low, _)| (low, value)),
            bounds => bounds,
        })
    }

    /// The order that Parquet gives to values of this type.
    pub(super) fn order(&self, left: &[u8], right: &[u8]) -> Ordering {
        match self.physical {
            Type::INT32 => integer(left).cmp(&integer(right)),
            Type::INT64 => long(left).cmp(&long(right)),
            _ => left.cmp(right),
        }
    }
}

#[inline]
fn value_in<'a>(page: &'a [u8], ends: &[u32], physical: Type, number: u32) -> &'a [u8] {
    &page[place_of(ends, physical, number)]
}

#[inline]
fn place_of(ends: &[u32], physical: Type, number: u32) -> Range<usize> {
    let number = number as usize;
    let length_bytes = if physical == Type::BYTE_ARRAY { size_of::<u32>() } else { 0 };
    let start = number.checked_sub(1).map_or(0, |before| ends[before] as usize);
    start + length_bytes..ends[number] as usize
}

/// A value of an INT32 column.
pub(super) fn integer(value: &[u8]) -> i32 {
    value.try_into().map_or(0, i32::from_le_bytes)
}

/// A value of an INT64 column.
pub(super) fn long(value: &[u8]) -> i64 {
    value.try_into().map_or(0, i64::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_kept_once_and_have_the_order_of_their_type() {
        let mut texts = Dictionary::new(Type::BYTE_ARRAY);
        let numbers: Vec<u32> = ["b", "", "b", "\u{e9}", ""].iter().map(|text| texts.number(text.as_bytes())).collect();
        assert_eq!(numbers, [0, 1, 0, 2, 1]);
        assert_eq!(texts.page(), b"\x01\0\0\0b\0\0\0\0\x02\0\0\0\xc3\xa9");
        assert_eq!(texts.bounds(0..texts.len()), Some((b"".as_slice(), b"\xc3\xa9".as_slice())));
        assert_eq!(texts.bounds(0..0), None);
        let mut longs = Dictionary::new(Type::INT64);
        for value in [3, -1, i64::MAX, 3, i64::MIN] {
            longs.number(&i64::to_le_bytes(value));
        }
        assert_eq!(longs.bounds(0..longs.len()).map(|(low, high)| (long(low), long(high))), Some((i64::MIN, i64::MAX)));
        assert_eq!((longs.len(), longs.page().len()), (4, 32));
    }
}
