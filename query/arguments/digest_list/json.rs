//! JSON as threat platforms export it: events of MISP, bundles of STIX, and objects whose keys name algorithms; one document or
//! several, one a line.
//!
//! It is read as a stream: of each object that is open only the few members are held that say what it is.

mod guard;
mod object;

use super::fields::{Typed, digest};
use super::intake::Intake;
use super::names::{Found, Meaning, Word, meaning, word};
use anyhow::Result;
use guard::Guard;
use object::{Object, Place};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::cell::Cell;
use std::fmt::{self, Formatter};
use std::io::BufRead;
use std::rc::Rc;

pub(super) fn fits(head: &str) -> bool {
    head.trim_start().starts_with(['{', '['])
}

pub(super) fn read(_head: &str, text: &mut dyn BufRead, intake: &mut Intake<'_>) -> Result<()> {
    let line = Rc::new(Cell::new(1));
    let mut documents = serde_json::Deserializer::from_reader(Guard::new(text, Rc::clone(&line)));
    loop {
        Walk { intake: &mut *intake, line: &line, place: Place::default() }.deserialize(&mut documents)?;
        if documents.end().is_ok() {
            return Ok(());
        }
    }
}

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
    line: &'w Rc<Cell<u64>>,
    place: Place,
}

impl Walk<'_, '_> {
    /// A text in an array: a digest by the array's name, or by what it looks like.
    fn text(&mut self, text: &str) -> Result<()> {
        let line = self.line.get();
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
        /// Attributes of one file.
        const FILE_MAX: usize = 64;
        loop {
            let walk = Walk { intake: &mut *self.intake, line: self.line, place: self.place.clone() };
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
        found.chunks(1).try_for_each(|one| self.intake.take(self.line.get(), one, &label))
    }

    fn members<'de, M: MapAccess<'de>>(&mut self, members: &mut M, object: &mut Object) -> Result<(), M::Error> {
        while let Some(key) = members.next_key::<String>()? {
            // Objects of digests: what is said of each stands under it.
            if let Word::Digest(found) = word(&key, None) {
                self.intake.take(self.line.get(), &[found], "").map_err(M::Error::custom)?;
            }
            if object::is_context(&key) {
                members.next_value::<IgnoredAny>()?;
                continue;
            }
            if object::is_left_out(&key) {
                members.next_value::<IgnoredAny>()?;
                self.intake.leave_out(self.line.get(), &key);
                continue;
            }
            let place = Place { key: key.clone(), above: self.place.key.clone() };
            let left = members.next_value_seed(Walk { intake: &mut *self.intake, line: self.line, place })?;
            object.add(&key, left);
        }
        Ok(())
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

    fn visit_str<E: Error>(self, value: &str) -> Result<Left, E> {
        Ok(Left::Text(value.to_owned()))
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
        let left = object.finish(&self.place, read.is_err(), self.line.get(), self.intake).map_err(M::Error::custom)?;
        read.map(|()| left)
    }
}
