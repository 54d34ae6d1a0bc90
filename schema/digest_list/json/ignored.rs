//! A value that is passed, of which only this is asked: whether it has a digest.

use crate::digest_list::names::holds_digest;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::fmt::{self, Formatter};

/// What was passed.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Ignored {
    pub(super) has_digest: bool,
}

impl Ignored {
    fn and(self, other: Self) -> Self {
        Self { has_digest: self.has_digest || other.has_digest }
    }
}

impl<'de> Deserialize<'de> for Ignored {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Ignored;

    fn expecting(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Ignored, E> {
        Ok(Ignored::default())
    }

    fn visit_bool<E: Error>(self, _value: bool) -> Result<Ignored, E> {
        Ok(Ignored::default())
    }

    fn visit_u64<E: Error>(self, _value: u64) -> Result<Ignored, E> {
        Ok(Ignored::default())
    }

    fn visit_i64<E: Error>(self, _value: i64) -> Result<Ignored, E> {
        Ok(Ignored::default())
    }

    fn visit_f64<E: Error>(self, _value: f64) -> Result<Ignored, E> {
        Ok(Ignored::default())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Ignored, E> {
        Ok(Ignored { has_digest: holds_digest(value) })
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut elements: S) -> Result<Ignored, S::Error> {
        let mut ignored = Ignored::default();
        while let Some(element) = elements.next_element::<Ignored>()? {
            ignored = ignored.and(element);
        }
        Ok(ignored)
    }

    fn visit_map<M: MapAccess<'de>>(self, mut members: M) -> Result<Ignored, M::Error> {
        let mut ignored = Ignored::default();
        while let Some(key) = members.next_key::<String>()? {
            let of_key = Ignored { has_digest: holds_digest(&key) };
            ignored = ignored.and(of_key).and(members.next_value()?);
        }
        Ok(ignored)
    }
}
