//! The filters of a selector, by what they are about.

use super::argument::Arguments;
use super::document::Node;
use super::fields::Fields;
use super::model::{Filter, Number, Text};
use super::report::{Position, Report, quoted};
use super::subject::{ListedArgument, Subject, argument_index};

mod address;
mod integer;
mod operator;
mod process;
mod socket;
mod text;
mod value;

pub(super) use integer::in_ranges;
pub(super) use process::{CAPABILITIES, capabilities, namespace, pids};
pub(super) use text::{Whose, binaries};

/// Most values of `FileType`.
const MAX_FILE_TYPES: usize = 4;

/// Reads a `matchArgs` entry. `None` means that the report says why.
pub(super) fn argument(node: &Node, arguments: &Arguments, report: &mut Report) -> Option<Filter> {
    let fields = Fields::of(node, "an entry of `matchArgs`", report)?;
    fields.check(&["index", "args", "operator", "values"], &[], report);
    // 0 where nothing is written.
    let index = fields.get("index").map_or((Some(0), node.at), |node| (argument_index(node, report), node.at));
    let argument = match fields.get("args").filter(|positions| !positions.is_empty_list()) {
        Some(positions) => argument_by_position(positions, arguments, report),
        None => index.0.and_then(|place| argument_by_index((place, index.1), arguments, report)),
    };
    if argument.is_none() {
        operator::check_name(node, &fields, report);
    }
    compared(node, &fields, "`matchArgs`", argument?, report)
}

/// Reads a `matchData` entry. `None` means that the report says why.
pub(super) fn data(node: &Node, arguments: &Arguments, report: &mut Report) -> Option<Filter> {
    let fields = Fields::of(node, "an entry of `matchData`", report)?;
    fields.check(&["index", "args", "operator", "values"], &[], report);
    let positions = fields.get("args").filter(|positions| !positions.is_empty_list());
    let position = match (positions, fields.get("index")) {
        (Some(positions), _) => position(positions, report)?,
        (None, Some(index)) => (index.number("`index`", report)?, index.at),
        (None, None) => (0, node.at),
    };
    let argument = listed_at(position, &arguments.data, "data", report)?;
    compared(node, &fields, "`matchData`", argument, report)
}

/// A filter on what the hook entry lists.
fn compared(
    node: &Node,
    fields: &Fields<'_>,
    what: &str,
    argument: ListedArgument,
    report: &mut Report,
) -> Option<Filter> {
    if let Subject::Address(address) = &argument.subject {
        return address::filter(node, fields, what, address, report);
    }
    if let Subject::Socket(members) = &argument.subject {
        return socket::filter(node, fields, what, members, report);
    }
    let values = values(node, fields, what, report);
    match argument.subject {
        Subject::Path { text, has_file_type, .. } => {
            let (operator, negated) = operator::of(node, fields, &operator::PATHS, report)?;
            match operator {
                operator::OnPath::Text(operator) => text::compared(values?, text, operator, negated, report),
                operator::OnPath::FileType if has_file_type => {
                    file_types(values?.items("`values`", MAX_FILE_TYPES, report), negated, report)
                }
                operator::OnPath::FileType => {
                    let at = fields.get("operator").unwrap_or(node).at;
                    report.refuse(
                        at,
                        "`FileType` works on arguments of the types `file` and `path` only; \
                         use `hashtrail: {fileTypes: ...}`",
                    );
                    None
                }
            }
        }
        Subject::Name(text) => {
            let (operator, negated) = operator::of(node, fields, &operator::TEXTS, report)?;
            text::compared(values?, text, operator, negated, report)
        }
        Subject::Integer { bits, signed } => {
            let operator = operator::of(node, fields, &operator::INTEGERS, report)?;
            integer::filter(values?, Number::Argument(argument.index), operator, (bits, signed), report)
        }
        Subject::Number { value, bits, signed } => value::number(node, fields, values?, value, (bits, signed), report),
        Subject::Text(value) => value::text(node, fields, values?, value, report),
        Subject::Address(_) | Subject::Socket(_) => None,
        Subject::Unfiltered(reason) => {
            report.refuse(node.at, format_args!("a filter on this argument is not supported: {reason}; remove it"));
            None
        }
    }
}

/// The values of a filter; without any, the report says so.
fn values<'a>(filter: &Node, fields: &Fields<'a>, what: &str, report: &mut Report) -> Option<&'a Node> {
    let values = fields.get("values").filter(|values| !values.is_empty_list());
    if values.is_none() {
        report.refuse(filter.at, format_args!("{what} has no values; add `values:` with at least one"));
    }
    values
}

/// One value, which must stand here itself.
fn text_value<'a>(node: &'a Node, report: &mut Report) -> Option<&'a str> {
    let text = node.text("a value", report)?;
    if text.starts_with("list:") {
        let text = quoted(text);
        report.refuse(node.at, format_args!("{text}: values from `lists` are not supported; write the values out"));
        return None;
    }
    Some(text)
}

/// A filter on the file's type. `None` means that the report says why.
pub(super) fn file_types(items: &[Node], negated: bool, report: &mut Report) -> Option<Filter> {
    let types = items.iter().filter_map(|item| item.choice("file type", &super::model::FILE_TYPES, report));
    let ranges: Vec<(u64, u64)> = types.map(|bits| (u64::from(bits), u64::from(bits))).collect();
    (!ranges.is_empty()).then_some(Filter::Number { number: Number::FileType, negated, ranges })
}

/// `In` or `NotIn`: whether the filter is negated.
pub(super) fn membership(filter: &Node, fields: &Fields<'_>, report: &mut Report) -> Option<bool> {
    operator::of(filter, fields, &operator::MEMBERSHIP, report).map(|((), negated)| negated)
}

/// `args: [n]`: the n-th entry of the hook entry's `args`.
fn argument_by_position(node: &Node, arguments: &Arguments, report: &mut Report) -> Option<ListedArgument> {
    let position = position(node, report)?;
    listed_at(position, &arguments.listed, "args", report)
}

fn position(node: &Node, report: &mut Report) -> Option<(u64, Position)> {
    let [item] = node.items("`args`", 1, report) else {
        report.refuse(node.at, "`args` must hold exactly one position; write `args: [0]`");
        return None;
    };
    Some((item.number("`args`", report)?, item.at))
}

fn listed_at(
    (position, at): (u64, Position),
    listed: &[Option<ListedArgument>],
    what: &str,
    report: &mut Report,
) -> Option<ListedArgument> {
    let found = usize::try_from(position).ok().and_then(|position| listed.get(position));
    if found.is_none() {
        let count = listed.len();
        report.refuse(
            at,
            format_args!(
                "position {position} does not exist: the hook entry lists {count} `{what}`, counted from 0; correct it"
            ),
        );
    }
    found?.clone()
}

/// `index: n`: the hook's n-th argument, which must be listed.
fn argument_by_index(
    (index, at): (u8, Position),
    arguments: &Arguments,
    report: &mut Report,
) -> Option<ListedArgument> {
    let mut known = arguments.listed.iter().flatten();
    let found = known.find(|argument| argument.index == index).cloned();
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

impl Text {
    const fn is_of_thread(self) -> bool {
        matches!(self, Self::Comm | Self::ParentComm | Self::GrandparentComm)
    }

    /// Whether it is a path, and not a name.
    const fn is_path(self) -> bool {
        !matches!(self, Self::AttributeName) && !self.is_of_thread()
    }
}
