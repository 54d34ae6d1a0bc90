//! Filters on texts: `matchBinaries`, `matchParentBinaries`, and `matchArgs` on paths and names.

use super::super::document::Node;
use super::super::fields::Fields;
use super::super::model::{Filter, MAX_TEXT_FILTERS, PathFilter, PathOperator, Text};
use super::super::report::{Report, quoted};
use super::{operator, text_value};

/// Longest values in bytes, as in Tetragon.
const MAX_BINARY: usize = 255;
const MAX_TEXT: usize = 4096;
const MAX_PREFIX: usize = 256;
const MAX_POSTFIX: usize = 127;
const MAX_SUBSTRING: usize = 99;

/// Most values of `SubString` and `SubStringIgnCase` in one policy.
const MAX_SUBSTRINGS: usize = 100;

/// Most filters with `followChildren` over all policies.
const MAX_FOLLOWED: usize = 64;

/// The kernel cuts names of threads here.
const MAX_NAME: usize = 15;

/// Whose binary a filter is about.
#[derive(Clone, Copy)]
pub(in super::super) enum Whose {
    /// That of the calling process.
    Process,
    /// That of its parent.
    Parent,
}

/// Reads a `matchBinaries` or `matchParentBinaries` entry. `None`: refused, or without values and so no filter.
pub(in super::super) fn binaries(node: &Node, whose: Whose, report: &mut Report) -> Option<Filter> {
    let what = match whose {
        Whose::Process => "`matchBinaries`",
        Whose::Parent => "`matchParentBinaries`",
    };
    let fields = Fields::of(node, &format!("an entry of {what}"), report)?;
    fields.check(&["operator", "values", "followChildren"], &[], report);
    let follow = fields.get("followChildren");
    let followed = follow.is_some_and(|node| node.boolean("`followChildren`", report).unwrap_or_default());
    let read = operator::of(node, &fields, &operator::BINARIES, report);
    // Without an operator the values have other faults all the same.
    let (operator, negated) = read.unwrap_or((PathOperator::Equal, false));
    let Some(values) = fields.get("values").filter(|values| !values.is_empty_list()) else {
        report.warn(node.at, format_args!("{what} has no values and filters nothing; add `values:`"));
        return None;
    };
    if let Some(node) = follow.filter(|_| followed && read.is_some()) {
        count_followed(node, operator, report);
    }
    let text = match (whose, followed) {
        (Whose::Process, false) => Text::Binary,
        (Whose::Process, true) => Text::Followed,
        (Whose::Parent, false) => Text::ParentBinary,
        (Whose::Parent, true) => Text::ParentFollowed,
    };
    compared(values, text, operator, negated, report).filter(|_| read.is_some())
}

fn count_followed(node: &Node, operator: PathOperator, report: &mut Report) {
    if operator != PathOperator::Equal {
        report.refuse(node.at, "`followChildren` works with `In` and `NotIn` only; remove it or name whole paths");
    }
    report.totals.followed += 1;
    if report.totals.followed > MAX_FOLLOWED {
        report.refuse(
            node.at,
            format_args!("more than {MAX_FOLLOWED} filters with `followChildren` over all policies; remove some"),
        );
    }
}

/// A comparison of a text with these values. `None` means that the report says why.
pub(super) fn compared(
    values: &Node,
    text: Text,
    operator: PathOperator,
    negated: bool,
    report: &mut Report,
) -> Option<Filter> {
    let limit = match operator {
        PathOperator::Equal if matches!(text, Text::Path | Text::Target) || !text.is_path() => MAX_TEXT,
        PathOperator::Equal => MAX_BINARY,
        PathOperator::Prefix => MAX_PREFIX,
        PathOperator::Postfix => MAX_POSTFIX,
        PathOperator::SubString | PathOperator::SubStringIgnoringCase => MAX_SUBSTRING,
    };
    let mut read = Vec::new();
    for item in values.items("`values`", usize::MAX, report) {
        if let Some(value) = value(item, text, limit, report) {
            warn_of_useless(item, value, text, operator, report);
            read.push(value.as_bytes().to_vec());
        }
    }
    if matches!(operator, PathOperator::SubString | PathOperator::SubStringIgnoringCase) {
        report.totals.substrings += read.len();
        if report.totals.substrings > MAX_SUBSTRINGS {
            report.refuse(
                values.at,
                format_args!(
                    "more than {MAX_SUBSTRINGS} values of `SubString` and `SubStringIgnCase` in one policy; \
                     split the policy"
                ),
            );
        }
    }
    report.totals.texts += 1;
    if report.totals.texts > MAX_TEXT_FILTERS {
        report.refuse(
            values.at,
            format_args!("more than {MAX_TEXT_FILTERS} filters on paths and names over all policies; remove some"),
        );
    }
    let paths = PathFilter { operator, negated, values: read };
    (!paths.values.is_empty()).then_some(Filter::Text { text, paths })
}

fn value<'a>(node: &'a Node, text: Text, limit: usize, report: &mut Report) -> Option<&'a str> {
    let mut value = text_value(node, report)?;
    if !text.is_path() {
        // Tetragon's policies write the NUL at a string's end, or not.
        value = value.trim_end_matches('\0');
    }
    let length = value.len();
    if value.is_empty() {
        report.refuse(node.at, "value is empty and would match everything or nothing; remove it");
    } else if length > limit {
        report.refuse(
            node.at,
            format_args!("value has {length} bytes, but this operator takes at most {limit}; shorten it"),
        );
    } else if value.contains('\0') {
        report.refuse(node.at, "value holds a NUL, which no path or name has; remove it");
    } else {
        return Some(value);
    }
    None
}

fn warn_of_useless(node: &Node, value: &str, text: Text, operator: PathOperator, report: &mut Report) {
    let at_start = matches!(operator, PathOperator::Equal | PathOperator::Prefix);
    if text.is_path() && at_start && !value.starts_with('/') {
        let value = quoted(value);
        report.warn(node.at, format_args!("{value} does not begin with `/`, as paths do; write the full path"));
    } else if text.is_of_thread() && value.len() > MAX_NAME {
        let value = quoted(value);
        report.warn(
            node.at,
            format_args!("{value} never matches: the kernel cuts names of threads at {MAX_NAME} bytes; shorten it"),
        );
    }
}
