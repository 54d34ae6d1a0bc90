//! One line of a manifest.

use serde::de::{DeserializeOwned, DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use serde_json::{Deserializer, Map, Value};
use std::fmt;
use std::ops::Range;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

/// One line of a manifest. It is decoded where it is asked: decoded lines take thirty times their size.
#[derive(Debug, Clone)]
pub struct Line {
    /// Number in the file, from 1.
    pub number: usize,
    /// SHA-256 over its bytes with the newline.
    pub digest: String,
    /// Whether it ends in a checksum of itself. Lines of recorders before manifest version 2 do not.
    pub has_checksum: bool,
    pub(super) kind: Box<str>,
    /// Its bytes of the manifest.
    pub(super) bytes: Range<usize>,
    pub(super) manifest: Arc<[u8]>,
}

impl Line {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// What it says.
    #[must_use]
    pub fn fields(&self) -> Map<String, Value> {
        // It was decoded once already.
        serde_json::from_slice(self.bytes()).unwrap_or_default()
    }

    /// One of its fields; the others are passed over.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<Value> {
        Member(name).deserialize(&mut Deserializer::from_slice(self.bytes())).ok()?
    }

    /// A field that is text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        match self.field(name)? {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The path that it names, if that can only be below the archive.
    #[must_use]
    pub fn path(&self) -> Option<PathBuf> {
        self.text("path").map(PathBuf::from).filter(|path| is_plain(path))
    }

    /// Its first byte in the file.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.bytes.start
    }

    fn bytes(&self) -> &[u8] {
        self.manifest.get(self.bytes.clone()).unwrap_or_default()
    }

    /// The line as one of the types of this module.
    ///
    /// # Errors
    /// Names the field that is missing or wrong.
    pub fn read<T: DeserializeOwned>(&self) -> serde_json::Result<T> {
        serde_json::from_value(Value::Object(self.fields()))
    }
}

/// Whether a path can only be below the archive.
pub(super) fn is_plain(path: &Path) -> bool {
    !path.as_os_str().is_empty() && path.components().all(|part| matches!(part, Component::Normal(_)))
}

/// Finds the last member of this name in an object, as a map of its members would have it.
struct Member<'n>(&'n str);

impl<'de> DeserializeSeed<'de> for Member<'_> {
    type Value = Option<Value>;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Member<'_> {
    type Value = Option<Value>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(name) = members.next_key::<String>()? {
            if name == self.0 {
                found = Some(members.next_value()?);
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}
