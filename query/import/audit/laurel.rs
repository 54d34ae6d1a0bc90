//! laurel's log: an event in each line, its records under their types. Bytes that are no text stand as `%NN`, as do `%` and `+`.

use super::super::input::{Input, first_line};
use super::super::json::{Object, each_object, names, text};
use super::super::record::Record;
use super::super::source::{Each, Given};
use super::fields::Fields;
use super::group::{Group, Id};
use anyhow::Result;
use serde_json::Value;

const NAME: &str = "laurel";
/// Types of records that rows are made of.
const KINDS: [&str; 6] = ["SYSCALL", "EXECVE", "CWD", "PATH", "PROCTITLE", "INTEGRITY_RULE"];
/// Lists that laurel makes of numbered fields.
const ARGUMENTS: &str = "ARGV";

pub(super) fn is_mine(head: &[u8]) -> bool {
    let names = names(first_line(head));
    let is_kind = |name: &String| name.len() > 2 && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    names.iter().any(|name| name == "ID") && names.iter().any(is_kind)
}

pub(super) fn read(input: &Input, _: &Given, each: Each<'_>) -> Result<()> {
    each_object(input, each, |place, line, each| match group(&line) {
        Ok(group) => group.rows(NAME).into_iter().try_for_each(|record| each(place.clone(), record)),
        Err(reason) => each(place, Record::Unusable(reason)),
    })
}

fn group(line: &Object) -> Result<Group, String> {
    let id = text(line, "ID").ok_or("it has no ID")?;
    let mut group = Group { id: Id::parse(text(line, "NODE").unwrap_or_default(), id)?, records: Vec::new() };
    for kind in KINDS {
        match line.get(kind) {
            Some(Value::Object(record)) => group.records.push((kind.to_owned(), fields(kind, record))),
            Some(Value::Array(records)) => {
                let records = records.iter().filter_map(Value::as_object);
                group.records.extend(records.map(|record| (kind.to_owned(), fields(kind, record))));
            }
            _ => {}
        }
    }
    Ok(group)
}

/// The fields as auditd writes them. What laurel adds in words is in capitals, but for lists of arguments.
fn fields(kind: &str, record: &Object) -> Fields {
    let mut fields = Fields::default();
    for (name, value) in record {
        match value {
            Value::String(text) => {
                let number = ["0x", "0o"].iter().find_map(|prefix| text.strip_prefix(prefix));
                let is_number = number.is_some_and(|digits| !digits.is_empty()) && is_numeric(kind, name);
                let value = if is_number { number.unwrap_or(text).as_bytes().to_vec() } else { decoded(text) };
                fields.push(name.clone(), value, !is_number);
            }
            Value::Number(number) => fields.push(name.clone(), number.to_string().into_bytes(), true),
            Value::Array(arguments) if name == ARGUMENTS => {
                for (number, argument) in arguments.iter().enumerate() {
                    let text = argument.as_str().map(str::to_owned).unwrap_or_else(|| argument.to_string());
                    let digits =
                        text.strip_prefix("0x").filter(|_| kind == "SYSCALL").map(|digits| digits.as_bytes().to_vec());
                    fields.push(format!("a{number}"), digits.unwrap_or_else(|| decoded(&text)), true);
                }
            }
            _ => {}
        }
    }
    fields
}

/// Fields that laurel writes with the base of their number.
fn is_numeric(kind: &str, name: &str) -> bool {
    let is_argument = name.len() == 2 && name.starts_with('a');
    name == "arch" || name == "mode" || kind == "SYSCALL" && is_argument
}

fn decoded(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = after.get(..2).filter(|_| *first == b'%').and_then(|digits| {
            let nibble = |digit: u8| char::from(digit).to_digit(16);
            u8::try_from(nibble(digits[0])? << 4 | nibble(digits[1])?).ok()
        });
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { &after[2..] } else { after };
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_were_escaped_are_those_again() {
        assert_eq!(decoded("/a%20b%2b%ff%zz%"), b"/a b+\xff%zz%");
    }
}
