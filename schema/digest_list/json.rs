//! JSON as threat platforms export it: events of MISP, bundles of STIX, and objects whose keys name algorithms; one document or
//! several, one a line.
//!
//! It is read as a stream: of each object that is open only the few members are held that say what it is.

mod guard;
mod ignored;
mod object;

use super::fields::{Typed, digest};
use super::intake::Intake;
use super::names::{Found, Meaning, Word, meaning, shortened, word};
use anyhow::Result;
use guard::{Guard, MAX_TEXT_BYTES, Position};
use ignored::Ignored;
use object::{Object, Place};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::fmt::{self, Formatter};
use std::io::BufRead;

pub(super) fn fits(head: &str) -> bool {
    head.trim_start().starts_with(['{', '['])
}

pub(super) fn read(_head: &str, text: &mut dyn BufRead, intake: &mut Intake<'_>) -> Result<()> {
    let position = Position::default();
    let mut documents = serde_json::Deserializer::from_reader(Guard::new(text, position.clone()));
    loop {
        Walk { intake: &mut *intake, position: &position, place: Place::default() }.deserialize(&mut documents)?;
        if documents.end().is_ok() {
            return Ok(());
        }
    }
}

/// Longer keys are cut.
const KEY_MAX: usize = 256;
/// Attributes of one file, and names of it.
const FILE_MAX: usize = 64;

/// What a value leaves to the object that it is a member of.
enum Left {
    Nothing,
    Text(String),
    /// Digests of the file that the object is about.
    Digests(Vec<Found>, Vec<String>),
}

/// Reads a value, whatever it is.
struct Walk<'w, 'a> {
    intake: &'w mut Intake<'a>,
    position: &'w Position,
    place: Place,
}

impl Walk<'_, '_> {
    /// A text in an array: a digest by the array's name, or by what it looks like.
    fn text(&mut self, text: &str) -> Result<()> {
        let line = self.position.line();
        let is_meant = self.place.key.is_empty();
        let read = match meaning(&self.place.key) {
            Meaning::Algorithm(algorithm) => digest(text, Some(&algorithm), ""),
            Meaning::AnyDigest => digest(text, None, ""),
            Meaning::Other if is_meant || !matches!(word(text, None), Word::Other) => digest(text, None, ""),
            Meaning::Other => return Ok(()),
        };
        match read {
            Typed::Digest(found, _) => self.intake.take(line, &[found], "")?,
            Typed::Fault(fault) => self.intake.fault(line, &fault),
            Typed::Other => {}
        }
        Ok(())
    }

    fn elements<'de, S: SeqAccess<'de>>(
        &mut self,
        elements: &mut S,
        file: &mut (Vec<Found>, Vec<String>),
    ) -> Result<(), S::Error> {
        loop {
            let walk = Walk { intake: &mut *self.intake, position: self.position, place: self.place.clone() };
            match elements.next_element_seed(walk)? {
                None => return Ok(()),
                Some(Left::Nothing) => {}
                Some(Left::Text(text)) => self.text(&text).map_err(S::Error::custom)?,
                Some(Left::Digests(found, names)) => {
                    file.0.extend(found);
                    file.1.extend(names);
                    if file.0.len() + file.1.len() > FILE_MAX {
                        let (found, names) = std::mem::take(file);
                        self.take_each(&found, &names).map_err(S::Error::custom)?;
                    }
                }
            }
        }
    }

    /// Takes digests that are not known to be of one file.
    fn take_each(&mut self, found: &[Found], names: &[String]) -> Result<()> {
        let label = super::fields::label(names.iter().map(String::as_str));
        found.chunks(1).try_for_each(|one| self.intake.take(self.position.line(), one, &label))
    }

    fn members<'de, M: MapAccess<'de>>(&mut self, members: &mut M, object: &mut Object) -> Result<(), M::Error> {
        while let Some(key) = members.next_key::<String>()? {
            // Objects of digests: what is said of each stands under it.
            if let Word::Digest(found) = word(&key, None) {
                self.intake.take(self.position.line(), &[found], "").map_err(M::Error::custom)?;
            }
            self.tell_cut(&key);
            // A long one is no name that is known here, and is held at each level.
            let key = if key.len() > KEY_MAX { shortened(&key) } else { key };
            if object::is_context(&key) || object::is_left_out(&key) {
                self.ignore(&key, members)?;
                continue;
            }
            let place = Place { key: key.clone(), above: self.place.key.clone() };
            let left = members.next_value_seed(Walk { intake: &mut *self.intake, position: self.position, place })?;
            object.add(&key, left, self.position.line(), self.intake).map_err(M::Error::custom)?;
        }
        Ok(())
    }

    /// Passes a value of which no digest is one of a file; that it has one is told.
    fn ignore<'de, M: MapAccess<'de>>(&mut self, key: &str, members: &mut M) -> Result<(), M::Error> {
        let ignored = members.next_value::<Ignored>()?;
        if self.position.take_cut() || ignored.has_digest || object::is_left_out(key) {
            self.intake.leave_out(self.position.line(), key);
        }
        Ok(())
    }

    /// Tells that what was just read is cut; says whether it is.
    fn tell_cut(&mut self, name: &str) -> bool {
        let is_cut = self.position.take_cut();
        // Samples of MISP.
        if is_cut && self.place.key != "data" {
            let name = shortened(name);
            self.intake.fault(
                self.position.line(),
                &format!("a text in `{name}` is longer than {MAX_TEXT_BYTES} bytes, and is not read"),
            );
        }
        is_cut
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_, '_> {
    type Value = Left;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Left, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_, '_> {
    type Value = Left;

    fn expecting(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Left, E> {
        Ok(Left::Nothing)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Left, E> {
        Ok(Left::Text(value.to_string()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Left, E> {
        Ok(Left::Text(value.to_string()))
    }

    fn visit_i64<E: Error>(self, _value: i64) -> Result<Left, E> {
        Ok(Left::Nothing)
    }

    fn visit_f64<E: Error>(self, _value: f64) -> Result<Left, E> {
        Ok(Left::Nothing)
    }

    fn visit_str<E: Error>(mut self, value: &str) -> Result<Left, E> {
        let key = self.place.key.clone();
        Ok(if self.tell_cut(&key) { Left::Nothing } else { Left::Text(value.to_owned()) })
    }

    fn visit_seq<S: SeqAccess<'de>>(mut self, mut elements: S) -> Result<Left, S::Error> {
        let mut file = (Vec::new(), Vec::new());
        let read = self.elements(&mut elements, &mut file);
        if read.is_err() {
            // What was read before the damage is looked for.
            self.take_each(&file.0, &file.1).map_err(S::Error::custom)?;
        }
        read.map(|()| Left::Digests(file.0, file.1))
    }

    fn visit_map<M: MapAccess<'de>>(mut self, mut members: M) -> Result<Left, M::Error> {
        let mut object = Object::default();
        let read = self.members(&mut members, &mut object);
        let line = self.position.line();
        let left = object.finish(&self.place, read.is_err(), line, self.intake).map_err(M::Error::custom)?;
        read.map(|()| left)
    }
}
