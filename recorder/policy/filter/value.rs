//! Filters on values that only BTF explains: as those on other numbers and texts, but about a value.

use std::sync::Arc;

use super::super::document::Node;
use super::super::fields::Fields;
use super::super::model::{Comparison, Filter, Number, Text, Value};
use super::super::report::Report;
use super::operator::{self, OnInteger};
use super::{integer, text};

/// A filter on a number of this width, with a sign or not. `None` means that the report says why.
pub(super) fn number(
    node: &Node,
    fields: &Fields<'_>,
    values: &Node,
    value: Arc<Value>,
    (bits, signed): (u32, bool),
    report: &mut Report,
) -> Option<Filter> {
    let (operator, negated) = operator::of(node, fields, &operator::INTEGERS, report)?;
    // Read as for a number of the hook's own, whose place has no meaning here.
    let filter = integer::filter(values, Number::Argument(0), (operator, negated), (bits, signed), report)?;
    let comparison = match filter {
        Filter::Number { ranges, .. } if signed => Comparison::Ranges(with_sign(ranges, operator, bits)),
        Filter::Number { ranges, .. } => Comparison::Ranges(ranges),
        Filter::Mask { mask, .. } => Comparison::Mask(mask),
        _ => return None,
    };
    Some(Filter::Value { value, negated, comparison })
}

/// In two's complement the negative numbers stand above the others: they are not greater, but less.
fn with_sign(mut ranges: Vec<(u64, u64)>, operator: OnInteger, bits: u32) -> Vec<(u64, u64)> {
    let largest = u64::MAX >> (u64::BITS - bits);
    let negative = (largest / 2 + 1, largest);
    if operator == OnInteger::Greater {
        ranges.iter_mut().for_each(|range| range.1 = range.1.min(negative.0 - 1));
    } else if operator == OnInteger::Less {
        ranges.push(negative);
    }
    ranges
}

/// A filter on a text. `None` means that the report says why.
pub(super) fn text(
    node: &Node,
    fields: &Fields<'_>,
    values: &Node,
    value: Arc<Value>,
    report: &mut Report,
) -> Option<Filter> {
    let (operator, negated) = operator::of(node, fields, &operator::TEXTS, report)?;
    // As a text that is no path and no name of a thread, which are cut.
    match text::compared(values, Text::AttributeName, operator, negated, report)? {
        Filter::Text { paths, .. } => Some(Filter::Value { value, negated, comparison: Comparison::Text(paths) }),
        _ => None,
    }
}
