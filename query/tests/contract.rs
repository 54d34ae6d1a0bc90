//! The contract holds: each answer in JSON that any test asks for is what it says, and it says nothing that never is.

use super::*;
use crate::contract::shape::{Field, Object, Shape};
use crate::contract::{answer, json_schema, verbs};
use chrono::DateTime;
use serde_json::Map;
use std::cell::RefCell;

thread_local! {
    /// What answers had in this test: objects and their fields.
    static SEEN: RefCell<BTreeSet<String>> = const { RefCell::new(BTreeSet::new()) };
}

/// Holds the output of a command line against the contract.
pub(super) fn check(line: &[&str], output: &str) {
    let has = |option: &str| line.iter().any(|word| word.split('=').next() == Some(option));
    let is_json = line.windows(2).any(|words| words == ["--format", "json"]);
    // Other tools have words of their own, and whoever chooses columns knows which.
    if !is_json || has("--to") || has("--columns") || has("--json-schema") {
        return;
    }
    let answer = line.iter().find_map(|word| answer(word)).expect("a command");
    for one in json_lines(output) {
        let of_type = |row: &&Object| match row.fields.first().map(|field| (field.name, &field.shape)) {
            Some(("type", Shape::Words(words))) => words.iter().any(|word| one["type"] == *word),
            _ => one.get("type").is_none_or(|_| answer.verb == "schema"),
        };
        let row = answer.rows.iter().find(of_type).unwrap_or_else(|| panic!("{line:?} has no such object: {one}"));
        is_object(&one, row).unwrap_or_else(|error| panic!("{line:?}: {error}: {one}"));
    }
}

fn see(what: String) {
    SEEN.with_borrow_mut(|seen| seen.insert(what));
}

fn is_object(value: &Value, object: &Object) -> Result<(), String> {
    let members = value.as_object().ok_or_else(|| format!("no object `{}`", object.name))?;
    let is_named = |name: &&String| object.is_open || object.fields.iter().any(|field| field.name == **name);
    if let Some(name) = members.keys().find(|name| !is_named(name)) {
        return Err(format!("`{}` has `{name}`, which is not described", object.name));
    }
    see(object.name.to_owned());
    object.fields.iter().try_for_each(|field| is_field(members, object, field))
}

fn is_field(members: &Map<String, Value>, object: &Object, field: &Field) -> Result<(), String> {
    let name = format!("{}.{}", object.name, field.name);
    match members.get(field.name) {
        None if field.optional => Ok(()),
        None => Err(format!("`{name}` is missing")),
        Some(value) => {
            see(name.clone());
            if value.is_null() && field.nullable { Ok(()) } else { is(value, &field.shape, &name) }
        }
    }
}

fn is(value: &Value, shape: &Shape, name: &str) -> Result<(), String> {
    let is_so = match shape {
        Shape::Text => value.is_string(),
        Shape::Time => value.as_str().is_some_and(is_time),
        Shape::Integer => value.is_i64() || value.is_u64(),
        Shape::Count => value.is_u64(),
        Shape::Flag => value.is_boolean(),
        Shape::Words(words) => words.iter().any(|word| value == *word),
        Shape::List(of) => return value.as_array().ok_or(name)?.iter().try_for_each(|item| is(item, of, name)),
        Shape::Map(of) => return value.as_object().ok_or(name)?.values().try_for_each(|item| is(item, of, name)),
        Shape::Object(object) => return is_object(value, object),
        Shape::Any => true,
    };
    if is_so { Ok(()) } else { Err(format!("`{name}` is no {shape:?}")) }
}

/// Whether it is a time in RFC 3339, which knows years of four digits, or one of another year: a clock can be anywhere.
fn is_time(text: &str) -> bool {
    let unsigned = text.trim_start_matches(['+', '-']);
    let Some((year, rest)) = unsigned.split_once('-') else { return false };
    year.len() >= 4 && year.parse::<u32>().is_ok() && DateTime::parse_from_rfc3339(&format!("2000-{rest}")).is_ok()
}

/// All objects of an answer, those in others too.
fn objects_of(verb: &str) -> Vec<Object> {
    fn add(object: &Object, found: &mut Vec<Object>) {
        found.push(object.clone());
        object.fields.iter().for_each(|field| match &field.shape {
            Shape::Object(object) => add(object, found),
            Shape::List(of) | Shape::Map(of) => {
                if let Shape::Object(object) = &**of {
                    add(object, found);
                }
            }
            _ => {}
        });
    }
    let mut found = Vec::new();
    answer(verb).expect("an answer").rows.iter().for_each(|row| add(row, &mut found));
    found
}

#[test]
fn a_name_is_one_object_in_each_answer() {
    for verb in verbs() {
        let mut named: BTreeMap<&str, Object> = BTreeMap::new();
        for object in objects_of(verb) {
            let names: BTreeSet<&str> = object.fields.iter().map(|field| field.name).collect();
            assert_eq!(names.len(), object.fields.len(), "{verb}: `{}` has a field twice", object.name);
            let known = named.entry(object.name).or_insert_with(|| object.clone());
            assert_eq!(*known, object, "{verb}: `{}` is two objects", object.name);
        }
        let schema = json_schema::of(&answer(verb).expect("an answer"));
        assert_eq!(schema["$defs"].as_object().map(Map::len), Some(named.len()), "{verb}");
    }
}
