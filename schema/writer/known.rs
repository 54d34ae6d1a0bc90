//! Parts of events that came before: one that comes again is found by its key, and its columns are not looked at.

use super::Writer;
use crate::columns::{REST, Row};
use crate::event::{ACCESS, DIGEST, Event, EventChunks, EventSource, EventView, FILE, PARTS, POLICY, PROCESS};
use ahash::RandomState;
use anyhow::Result;
use hashbrown::HashTable;
use std::ops::Range;

/// What the keys and codes of a part may take; then it begins anew, and what comes again is looked at once more.
const PART_BYTES: usize = 4 << 20;

/// All parts of the events of a row group.
#[derive(Debug, Default)]
pub(crate) struct KnownParts([KnownPart; PARTS]);

/// The values of one part that came before.
#[derive(Debug, Default)]
struct KnownPart {
    places: HashTable<Place>,
    hasher: RandomState,
    keys: Vec<u8>,
    codes: Vec<u32>,
    /// Of the event that is taken: its key, the hash of it where it was needed, and where it was found.
    key: Vec<u8>,
    hash: u64,
    found: Option<Place>,
}

/// Where a key stands, and the codes of its columns.
#[derive(Debug, Clone)]
struct Place {
    key: Range<usize>,
    codes: Range<usize>,
}

impl Writer<Event> {
    /// Looks which parts of an event came before.
    pub(crate) fn find<'a>(&mut self, event: &impl EventSource<'a>) -> [bool; PARTS] {
        self.known.find(event)
    }

    /// Adds the row of the event that [`Self::find`] looked at last.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn push_found(&mut self, row: &EventView<'_>) -> Result<()> {
        let Self { chunks, known, .. } = self;
        Event::append_part::<REST>(row, chunks);
        known.push::<POLICY>(row, chunks);
        known.push::<PROCESS>(row, chunks);
        known.push::<FILE>(row, chunks);
        known.push::<ACCESS>(row, chunks);
        known.push::<DIGEST>(row, chunks);
        self.end_row()
    }
}

impl KnownParts {
    /// Looks which parts of an event came before.
    fn find<'a>(&mut self, event: &impl EventSource<'a>) -> [bool; PARTS] {
        let mut is_known = [false; PARTS];
        for (number, part) in self.0.iter_mut().enumerate().skip(1) {
            part.key.clear();
            event.put_key(number, &mut part.key);
            is_known[number] = part.find();
        }
        is_known
    }

    /// Adds a part of that event to its columns.
    #[inline]
    fn push<const PART: usize>(&mut self, row: &EventView<'_>, chunks: &mut EventChunks) {
        let part = &mut self.0[PART];
        if let Some(place) = &part.found {
            Event::repeat_part::<PART>(&part.codes[place.codes.clone()], chunks);
        } else {
            Event::append_part::<PART>(row, chunks);
            part.add(|codes| Event::last_part::<PART>(chunks, codes));
        }
    }

    /// Forgets all: codes are those of one row group.
    pub(super) fn clear(&mut self) {
        self.0.iter_mut().for_each(KnownPart::clear);
    }
}

impl KnownPart {
    /// Whether the key is known. Mostly it is that of the event before.
    fn find(&mut self) -> bool {
        let Self { places, hasher, keys, key, hash, found, .. } = self;
        if found.as_ref().is_some_and(|last| keys[last.key.clone()] == **key) {
            return true;
        }
        *hash = hasher.hash_one(&**key);
        *found = places.find(*hash, |place| keys[place.key.clone()] == **key).cloned();
        found.is_some()
    }

    /// Adds the key, with the codes that `put` appends.
    fn add(&mut self, put: impl FnOnce(&mut Vec<u32>)) {
        if self.keys.len() + self.key.len() + size_of_val(&*self.codes) > PART_BYTES {
            self.clear();
        }
        let Self { places, hasher, keys, codes, key, hash, found } = self;
        let (key_start, codes_start) = (keys.len(), codes.len());
        keys.extend_from_slice(key);
        put(codes);
        let place = Place { key: key_start..keys.len(), codes: codes_start..codes.len() };
        places.insert_unique(*hash, place.clone(), |place| hasher.hash_one(&keys[place.key.clone()]));
        *found = Some(place);
    }

    fn clear(&mut self) {
        self.places.clear();
        self.keys.clear();
        self.codes.clear();
        self.found = None;
    }
}
