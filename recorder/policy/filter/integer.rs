//! Filters on integers: `matchArgs`, and what other filters share with it.

use super::super::document::Node;
use super::super::model::{Filter, NEVER, Number};
use super::super::number::{self, Notation};
use super::super::report::{Report, quoted};
use super::operator::OnInteger;
use super::text_value;

/// Most values of every operator but `InMap` and `NotInMap`.
const MAX_VALUES: usize = 4;

/// A filter on an integer of this width, with a sign or not. `None` means that the report says why.
pub(super) fn filter(
    values: &Node,
    number: Number,
    (operator, negated): (OnInteger, bool),
    width: (u32, bool),
    report: &mut Report,
) -> Option<Filter> {
    let limit = if operator == OnInteger::Map { usize::MAX } else { MAX_VALUES };
    let mut ranges = Vec::new();
    let mut mask = 0;
    let mut is_complete = true;
    for item in values.items("`values`", limit, report) {
        let Some((first, last)) = one(item, operator, width, report) else {
            is_complete = false;
            continue;
        };
        match operator {
            OnInteger::Mask => mask |= first,
            OnInteger::Greater if first >= largest(width.0) => {
                report.warn(item.at, format_args!("no value of {} bits is above {first}; correct it", width.0));
            }
            OnInteger::Greater => ranges.push((first + 1, u64::MAX)),
            OnInteger::Less if first == 0 => report.warn(item.at, "no value is below 0; correct it"),
            OnInteger::Less => ranges.push((0, first - 1)),
            OnInteger::Equal | OnInteger::Range | OnInteger::Map => ranges.push((first, last)),
        }
    }
    if !is_complete {
        return None;
    }
    if operator == OnInteger::Mask {
        if mask == 0 {
            report.warn(values.at, "a `Mask` of 0 never matches; write the bits to look for");
        }
        return Some(Filter::Mask { number, negated, mask });
    }
    if ranges.is_empty() {
        ranges.push(NEVER);
    }
    Some(Filter::Number { number, negated, ranges })
}

/// Numbers and `min:max` ranges, with no width but 32 bits. `None` means that the report says why.
pub(in super::super) fn in_ranges(items: &[Node], report: &mut Report) -> Option<Vec<(u64, u64)>> {
    let ranges = items.iter().map(|item| one(item, OnInteger::Map, (u32::BITS, false), report));
    // All are read, so that all their faults are reported.
    let ranges: Vec<Option<(u64, u64)>> = ranges.collect();
    ranges.into_iter().collect::<Option<Vec<_>>>().filter(|ranges| !ranges.is_empty())
}

/// One value as a range, which begins and ends with the same number where `min:max` is not written.
fn one(node: &Node, operator: OnInteger, width: (u32, bool), report: &mut Report) -> Option<(u64, u64)> {
    let text = text_value(node, report)?;
    // Tetragon reads these two with base 10, all others with base 0.
    let notation = if operator == OnInteger::Map { Notation::Decimal } else { Notation::Prefixed };
    let is_range = text.contains(':') && matches!(operator, OnInteger::Range | OnInteger::Map);
    if !is_range && operator != OnInteger::Range {
        let value = value(node, (text, notation), operator, width, report)?;
        return Some((value, value));
    }
    let Some((first, last)) = notation.parse_range(text) else {
        let text = quoted(text);
        report.refuse(
            node.at,
            format_args!(
                "value {text} is not a range; write it as `min:max`, not negative, the smaller number first; {}",
                notation.advice()
            ),
        );
        return None;
    };
    fits(node, last, width.0, report).then_some((first, last))
}

fn value(
    node: &Node,
    (text, notation): (&str, Notation),
    operator: OnInteger,
    width: (u32, bool),
    report: &mut Report,
) -> Option<u64> {
    let notation = node.notation(notation);
    let unsigned = text.strip_prefix('+').filter(|_| width.1).unwrap_or(text);
    let value = match notation.parse(unsigned) {
        Some(value) => value,
        None if text.starts_with('-') && number::parse_signed(text).is_some() => {
            return negative(node, text, operator, width, report);
        }
        None => {
            let text = quoted(text);
            report.refuse(node.at, format_args!("value {text} is not a number; {}", notation.advice()));
            return None;
        }
    };
    if notation == Notation::Decimal
        && unsigned.len() > 1
        && unsigned.starts_with('0')
        && !unsigned.contains(['x', 'X'])
    {
        let text = quoted(text);
        report.warn(
            node.at,
            format_args!(
                "value {text} is decimal here, as in Tetragon, though octal elsewhere: {value}; write {value}"
            ),
        );
    }
    fits(node, value, width.0, report).then_some(value)
}

/// A negative value as the bits of the argument's type.
fn negative(
    node: &Node,
    text: &str,
    operator: OnInteger,
    (bits, signed): (u32, bool),
    report: &mut Report,
) -> Option<u64> {
    if !signed || !matches!(operator, OnInteger::Equal | OnInteger::Map) {
        report.refuse(
            node.at,
            format_args!(
                "value `{text}` is not a number that can be compared here: below 0 only single values of a signed \
                 `type` are possible, such as `int`; correct it"
            ),
        );
        return None;
    }
    let value = number::parse_signed(text)?;
    if value < i64::MIN >> (u64::BITS - bits) {
        report.refuse(node.at, format_args!("value {value} does not fit into the argument's {bits} bits; correct it"));
        return None;
    }
    Some(value.cast_unsigned() & largest(bits))
}

fn fits(node: &Node, value: u64, bits: u32, report: &mut Report) -> bool {
    let fits = value <= largest(bits);
    if !fits {
        report.refuse(node.at, format_args!("value {value} does not fit into the argument's {bits} bits; correct it"));
    }
    fits
}

/// The largest number of this width.
const fn largest(bits: u32) -> u64 {
    u64::MAX >> (u64::BITS - bits)
}
