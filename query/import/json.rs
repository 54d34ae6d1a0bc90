//! What an object in JSON has under a name.

use super::input::{Input, Line};
use super::record::{Place, Record};
use super::source::Each;
use anyhow::Result;
use serde_json::{Map, Value};

pub(super) type Object = Map<String, Value>;

/// Hands on each line of a log that is an object; other lines are unusable.
pub(super) fn each_object(
    input: &Input,
    each: Each<'_>,
    mut take: impl FnMut(Place, Object, Each<'_>) -> Result<()>,
) -> Result<()> {
    input.each_line(|line| {
        let Line { number, bytes, is_cut } = line;
        let place = Place { unit: "line", number };
        if bytes.trim_ascii().is_empty() {
            return Ok(());
        }
        if is_cut {
            return each(place, Record::Unusable("it is longer than what is read of a line".into()));
        }
        match serde_json::from_slice(bytes) {
            Ok(Value::Object(object)) => take(place, object, &mut *each),
            Ok(_) => each(place, Record::Unusable("it is no JSON object".into())),
            Err(error) => each(place, Record::Unusable(format!("it is no JSON: {error}"))),
        }
    })
}

/// The names of a line's members, as far as the line is whole.
pub(super) fn names(line: &[u8]) -> Vec<String> {
    match serde_json::from_slice::<Value>(line) {
        Ok(Value::Object(object)) => object.keys().cloned().collect(),
        _ => Vec::new(),
    }
}

pub(super) fn object<'a>(of: &'a Object, name: &str) -> Option<&'a Object> {
    of.get(name)?.as_object()
}

/// Text that is not empty.
pub(super) fn text<'a>(of: &'a Object, name: &str) -> Option<&'a str> {
    of.get(name)?.as_str().filter(|text| !text.is_empty())
}

/// A whole number, however it is written: many programs write large ones as text.
pub(super) fn number(of: &Object, name: &str) -> Option<i64> {
    match of.get(name)? {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// The same where it fits.
pub(super) fn small(of: &Object, name: &str) -> Option<i32> {
    number(of, name).and_then(|number| i32::try_from(number).ok())
}

/// The number of a user or group, or of a session, which the kernel has unset as the largest one.
pub(super) fn id(of: &Object, name: &str) -> Option<i64> {
    number(of, name).filter(|id| (0..i64::from(u32::MAX)).contains(id))
}
