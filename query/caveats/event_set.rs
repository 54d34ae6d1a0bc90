//! Sets of events, of which there may be very many: where they lie close together, each takes a bit.

use std::collections::HashMap;

/// Sequence numbers that share their upper bits with up to so many others are kept one by one; more take a bit each.
const FEW_MAX: usize = 4096;
/// Bits for all sequence numbers that share their upper bits.
const WORDS: usize = (1 << 16) / 64;

/// Events by their key: (`recording_id`, `cpu`, `seq`).
#[derive(Debug, Default)]
pub(crate) struct EventSet {
    recordings: HashMap<String, usize>,
    /// By recording, CPU and the upper bits of the sequence number.
    parts: HashMap<(usize, i32, i64), Part>,
}

/// Lower 16 bits of sequence numbers.
#[derive(Debug)]
enum Part {
    /// In order.
    Few(Vec<u16>),
    Many(Box<[u64; WORDS]>),
}

impl EventSet {
    pub(crate) fn insert(&mut self, recording_id: &str, cpu: i32, seq: i64) {
        let recording = match self.recordings.get(recording_id) {
            Some(recording) => *recording,
            None => {
                let recording = self.recordings.len();
                self.recordings.insert(recording_id.to_owned(), recording);
                recording
            }
        };
        let (upper, lower) = halves(seq);
        self.parts.entry((recording, cpu, upper)).or_insert(Part::Few(Vec::new())).insert(lower);
    }

    /// Takes an event out; gives whether it was in.
    pub(crate) fn remove(&mut self, recording_id: &str, cpu: i32, seq: i64) -> bool {
        let (upper, lower) = halves(seq);
        let part =
            self.recordings.get(recording_id).and_then(|recording| self.parts.get_mut(&(*recording, cpu, upper)));
        part.is_some_and(|part| part.remove(lower))
    }

    pub(crate) fn has(&self, recording_id: &str, cpu: i32, seq: i64) -> bool {
        let (upper, lower) = halves(seq);
        let part = self.recordings.get(recording_id).and_then(|recording| self.parts.get(&(*recording, cpu, upper)));
        part.is_some_and(|part| part.has(lower))
    }

    pub(crate) fn len(&self) -> usize {
        self.parts.values().map(Part::len).sum()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Part {
    fn insert(&mut self, lower: u16) {
        match self {
            Self::Few(few) => {
                // Most come in order.
                let place = if few.last().is_none_or(|last| *last < lower) {
                    Err(few.len())
                } else {
                    few.binary_search(&lower)
                };
                if let Err(place) = place {
                    few.insert(place, lower);
                }
                if few.len() > FEW_MAX {
                    let mut words = Box::new([0; WORDS]);
                    few.iter().for_each(|lower| words[usize::from(lower >> 6)] |= bit(*lower));
                    *self = Self::Many(words);
                }
            }
            Self::Many(words) => words[usize::from(lower >> 6)] |= bit(lower),
        }
    }

    fn remove(&mut self, lower: u16) -> bool {
        match self {
            Self::Few(few) => {
                let place = few.binary_search(&lower);
                place.map(|place| few.remove(place)).is_ok()
            }
            Self::Many(words) => {
                let word = &mut words[usize::from(lower >> 6)];
                let was_in = *word & bit(lower) != 0;
                *word &= !bit(lower);
                was_in
            }
        }
    }

    fn has(&self, lower: u16) -> bool {
        match self {
            Self::Few(few) => few.binary_search(&lower).is_ok(),
            Self::Many(words) => words[usize::from(lower >> 6)] & bit(lower) != 0,
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Few(few) => few.len(),
            Self::Many(words) => words.iter().map(|word| word.count_ones() as usize).sum(),
        }
    }
}

/// Upper and lower bits of a sequence number.
fn halves(seq: i64) -> (i64, u16) {
    (seq >> 16, (seq & 0xffff) as u16)
}

fn bit(lower: u16) -> u64 {
    1 << (lower & 63)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn it_holds_what_a_plain_set_holds() {
        for (count, step) in [(3000, 1), (9000, 7), (70_000, 1)] {
            let keys = || {
                (0..count).map(move |number: i64| {
                    (["a", "b"][number as usize % 2], 1 - number as i32 % 2, (number - 50) * step)
                })
            };
            let (mut set, mut plain) = (EventSet::default(), HashSet::new());
            for (id, cpu, seq) in keys().chain(keys().rev()) {
                set.insert(id, cpu, seq);
                plain.insert((id, cpu, seq));
            }
            assert_eq!(set.len(), plain.len());
            for (id, cpu, seq) in keys().step_by(3).chain([("c", 0, 1), ("a", 5, 1), ("a", 0, 1 << 40)]) {
                assert_eq!(set.has(id, cpu, seq), plain.contains(&(id, cpu, seq)));
                assert_eq!(set.remove(id, cpu, seq), plain.remove(&(id, cpu, seq)));
                assert!(!set.remove(id, cpu, seq), "it is out");
            }
            assert_eq!((set.len(), set.is_empty()), (plain.len(), false), "{count}");
        }
    }
}
