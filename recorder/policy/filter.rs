//! The filters of a selector: `matchBinaries` and `matchArgs`.

use super::document::Node;
use super::fields::{Fields, refuse_unknown};
use super::hook::{Arguments, ListedArgument, argument_index};
use super::model::{ArgumentKind, Filter, IntegerOperator, PathFilter, PathOperator};
use super::refusals::{BINARIES, BINARIES_OPERATORS, OPERATORS, Refusals};
use super::report::{Report, quoted};

/// Longest values in bytes, as in Tetragon.
const MAX_BINARY: usize = 255;
const MAX_PATH: usize = 4096;
const MAX_PREFIX: usize = 256;
const MAX_POSTFIX: usize = 127;

/// Most values of an integer filter.
const MAX_INTEGERS: usize = 4;

/// Operators of `matchBinaries` and what each means for one value.
const BINARY_OPERATORS: &[(&str, (PathOperator, bool))] = &[
    ("In", (PathOperator::Equal, false)),
    ("NotIn", (PathOperator::Equal, true)),
    ("Prefix", (PathOperator::Prefix, false)),
    ("NotPrefix", (PathOperator::Prefix, true)),
    ("Postfix", (PathOperator::Postfix, false)),
    ("NotPostfix", (PathOperator::Postfix, true)),
];

/// Operators of `matchArgs` on paths, with Tetragon's older spellings.
const PATH_OPERATORS: &[(&str, (PathOperator, bool))] = &[
    ("Equal", (PathOperator::Equal, false)),
    ("NotEqual", (PathOperator::Equal, true)),
    ("Prefix", (PathOperator::Prefix, false)),
    ("NotPrefix", (PathOperator::Prefix, true)),
    ("Postfix", (PathOperator::Postfix, false)),
    ("NotPostfix", (PathOperator::Postfix, true)),
    ("eq", (PathOperator::Equal, false)),
    ("neq", (PathOperator::Equal, true)),
    ("prefix", (PathOperator::Prefix, false)),
    ("notprefix", (PathOperator::Prefix, true)),
    ("postfix", (PathOperator::Postfix, false)),
    ("notpostfix", (PathOperator::Postfix, true)),
];

/// Operators of `matchArgs` on integers, with Tetragon's older spellings.
const INTEGER_OPERATORS: &[(&str, IntegerOperator)] = &[
    ("Equal", IntegerOperator::Equal),
    ("NotEqual", IntegerOperator::NotEqual),
    ("Mask", IntegerOperator::Mask),
    ("eq", IntegerOperator::Equal),
    ("neq", IntegerOperator::NotEqual),
    ("mask", IntegerOperator::Mask),
];

/// Reads a `matchBinaries` entry. `None`: refused, or without values and so no filter.
pub(super) fn binaries(node: &Node, report: &mut Report) -> Option<Filter> {
    let fields = Fields::of(node, "an entry of `matchBinaries`", report)?;
    fields.check(&["operator", "values"], BINARIES, report);
    let operator = operator(node, &fields, BINARY_OPERATORS, BINARIES_OPERATORS, report)?;
    let Some(values) = fields.get("values").filter(|values| !values.is_unset()) else {
        report.warn(node.at, "`matchBinaries` has no values and filters nothing; add `values:`");
        return None;
    };
    path_filter(values, operator, MAX_BINARY, report).map(Filter::Binary)
}

/// Reads a `matchArgs` entry. `None` means that the report says why.
pub(super) fn argument(node: &Node, arguments: &Arguments, report: &mut Report) -> Option<Filter> {
    let fields = Fields::of(node, "an entry of `matchArgs`", report)?;
    fields.check(&["index", "args", "operator", "values"], &[], report);
    let argument = match fields.get("args") {
        Some(positions) => argument_by_position(positions, arguments, report)?,
        None => argument_by_index(node, fields.get("index"), arguments, report)?,
    };
    let values = fields.get("values").filter(|values| !values.is_unset());
    if values.is_none() {
        report.refuse(node.at, "`matchArgs` has no values; add `values:` with at least one");
    }
    match argument.kind {
        ArgumentKind::Integer => {
            let operator = operator(node, &fields, INTEGER_OPERATORS, OPERATORS, report)?;
            let values = integers(values?, argument, operator, report);
            (!values.is_empty()).then_some(Filter::Integer { argument: argument.index, operator, values })
        }
        ArgumentKind::Binprm | ArgumentKind::File => {
            let operator = operator(node, &fields, PATH_OPERATORS, OPERATORS, report)?;
            path_filter(values?, operator, MAX_PATH, report).map(Filter::Path)
        }
    }
}

/// `args: [n]`: the n-th entry of the hook entry's `args`.
fn argument_by_position(node: &Node, arguments: &Arguments, report: &mut Report) -> Option<ListedArgument> {
    let [item] = node.items("`args`", 1, report) else {
        report.refuse(node.at, "`args` must hold exactly one position; write `args: [0]`");
        return None;
    };
    let position = item.number("`args`", report)?;
    let listed = usize::try_from(position).ok().and_then(|position| arguments.listed.get(position));
    if listed.is_none() {
        let count = arguments.listed.len();
        report.refuse(
            item.at,
            format_args!(
                "position {position} does not exist: the hook entry lists {count} `args`, counted from 0; correct it"
            ),
        );
    }
    *listed?
}

/// `index: n`: the hook's n-th argument, which must be listed; 0 where nothing is written.
fn argument_by_index(
    filter: &Node,
    node: Option<&Node>,
    arguments: &Arguments,
    report: &mut Report,
) -> Option<ListedArgument> {
    let (index, at) = match node {
        Some(node) => (argument_index(node, report)?, node.at),
        None => (0, filter.at),
    };
    let mut known = arguments.listed.iter().flatten();
    let found = known.find(|argument| argument.index == index).copied();
    // After a refused argument this would be a consequence, not a fault of its own.
    let all_read = arguments.listed.iter().all(Option::is_some);
    if found.is_none() && all_read {
        report.refuse(
            at,
            format_args!("argument {index} is not listed in the hook entry's `args`; add `- index: {index}` there"),
        );
    }
    found
}

fn operator<T: Copy>(
    filter: &Node,
    fields: &Fields<'_>,
    known: &[(&str, T)],
    refused: Refusals,
    report: &mut Report,
) -> Option<T> {
    let Some(node) = fields.get("operator") else {
        report.refuse(filter.at, "`operator` is missing; add one, such as `operator: Prefix`");
        return None;
    };
    let name = node.text("`operator`", report)?;
    if let Some((_, operator)) = known.iter().find(|(known, _)| *known == name) {
        return Some(*operator);
    }
    let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
    if let Some((_, reason)) = refused.iter().find(|(refused, _)| *refused == name) {
        report.refuse(node.at, format_args!("operator `{name}` {reason}"));
    } else if is_operator(name) {
        let (name, names) = (quoted(name), super::report::listed(names));
        report.refuse(node.at, format_args!("operator {name} does not work on this kind of value; use one of {names}"));
    } else {
        let all = names.iter().copied().chain(refused.iter().map(|(name, _)| *name));
        refuse_unknown(node.at, "operator", name, all, &names, report);
    }
    None
}

/// Whether any kind of filter has this operator.
fn is_operator(name: &str) -> bool {
    let paths = BINARY_OPERATORS.iter().chain(PATH_OPERATORS).map(|(name, _)| *name);
    let integers = INTEGER_OPERATORS.iter().map(|(name, _)| *name);
    paths.chain(integers).any(|known| known == name)
}

fn path_filter(
    node: &Node,
    (operator, negated): (PathOperator, bool),
    max_equal: usize,
    report: &mut Report,
) -> Option<PathFilter> {
    let limit = match operator {
        PathOperator::Equal => max_equal,
        PathOperator::Prefix => MAX_PREFIX,
        PathOperator::Postfix => MAX_POSTFIX,
    };
    let mut values = Vec::new();
    for item in node.items("`values`", usize::MAX, report) {
        if let Some(path) = path(item, limit, report) {
            if operator != PathOperator::Postfix && !path.starts_with('/') {
                let path = quoted(path);
                report.warn(item.at, format_args!("{path} does not begin with `/`, as paths do; write the full path"));
            }
            values.push(path.as_bytes().to_vec());
        }
    }
    (!values.is_empty()).then_some(PathFilter { operator, negated, values })
}

fn path<'a>(node: &'a Node, limit: usize, report: &mut Report) -> Option<&'a str> {
    let path = text_value(node, report)?;
    let length = path.len();
    if path.is_empty() {
        report.refuse(node.at, "value is empty and would match everything or nothing; remove it");
    } else if length > limit {
        report.refuse(
            node.at,
            format_args!("value has {length} bytes, but this operator takes at most {limit}; shorten it"),
        );
    } else if path.contains('\0') {
        report.refuse(node.at, "value holds a NUL, which no path has; remove it");
    } else {
        return Some(path);
    }
    None
}

fn integers(node: &Node, argument: ListedArgument, operator: IntegerOperator, report: &mut Report) -> Vec<u64> {
    let mut values = Vec::new();
    for item in node.items("`values`", MAX_INTEGERS, report) {
        let Some(value) = text_value(item, report).and_then(|_| item.number("value", report)) else {
            continue;
        };
        let bits = argument.bits;
        if bits < u64::BITS && value >> bits != 0 {
            report.refuse(
                item.at,
                format_args!("value {value} does not fit into the argument's {bits} bits; correct it"),
            );
            continue;
        }
        if value == 0 && operator == IntegerOperator::Mask {
            report.warn(item.at, "a `Mask` of 0 never matches; write the bits to look for");
        }
        values.push(value);
    }
    values
}

fn text_value<'a>(node: &'a Node, report: &mut Report) -> Option<&'a str> {
    let text = node.text("a value", report)?;
    if text.starts_with("list:") {
        let text = quoted(text);
        report.refuse(
            node.at,
            format_args!("{text}: values from `lists` do not work on LSM hooks; write the values out"),
        );
        return None;
    }
    Some(text)
}
