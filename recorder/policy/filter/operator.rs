//! Operators by name. Each comes with whether it is negated: none of the values may match.

use super::super::document::Node;
use super::super::fields::{Fields, refuse_unknown};
use super::super::model::PathOperator;
use super::super::refusals::Refusals;
use super::super::refusals::{ADDRESS_OPERATORS, ARGUMENT_OPERATORS, MEMBERSHIP_OPERATORS, SOCKET_OPERATORS};
use super::super::report::{Report, listed, quoted};
use super::super::subject::SocketPart;

/// Operators that one kind of filter has, and those it lacks for a reason.
pub(super) struct Operators<T: 'static> {
    known: &'static [(&'static str, (T, bool))],
    refused: Refusals,
}

/// What an operator of `matchArgs` on a path looks at.
#[derive(Clone, Copy)]
pub(super) enum OnPath {
    /// The path.
    Text(PathOperator),
    /// The file's type.
    FileType,
}

/// How an integer is compared.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum OnInteger {
    /// It is the value.
    Equal,
    /// It is above.
    Greater,
    /// It is below.
    Less,
    /// It has a bit of the value.
    Mask,
    /// It is in `min:max`.
    Range,
    /// It is the value, or in `min:max`.
    Map,
}

/// What an operator on a socket address looks at.
#[derive(Clone, Copy)]
pub(super) enum OnAddress {
    /// `AF_…`.
    Family,
    /// The port.
    Port,
    /// Whether the port is one of the privileged.
    Privileged,
    /// The address itself.
    Ip,
}

/// `matchBinaries` and `matchParentBinaries`.
pub(super) const BINARIES: Operators<PathOperator> = Operators {
    known: &[
        ("In", (PathOperator::Equal, false)),
        ("NotIn", (PathOperator::Equal, true)),
        ("Prefix", (PathOperator::Prefix, false)),
        ("NotPrefix", (PathOperator::Prefix, true)),
        ("Postfix", (PathOperator::Postfix, false)),
        ("NotPostfix", (PathOperator::Postfix, true)),
    ],
    refused: MEMBERSHIP_OPERATORS,
};

/// Filters that know only members and others.
pub(super) const MEMBERSHIP: Operators<()> =
    Operators { known: &[("In", ((), false)), ("NotIn", ((), true))], refused: MEMBERSHIP_OPERATORS };

/// `matchArgs` on paths, with Tetragon's older spellings.
pub(super) const PATHS: Operators<OnPath> = Operators {
    known: &[
        ("Equal", (OnPath::Text(PathOperator::Equal), false)),
        ("NotEqual", (OnPath::Text(PathOperator::Equal), true)),
        ("Prefix", (OnPath::Text(PathOperator::Prefix), false)),
        ("NotPrefix", (OnPath::Text(PathOperator::Prefix), true)),
        ("Postfix", (OnPath::Text(PathOperator::Postfix), false)),
        ("NotPostfix", (OnPath::Text(PathOperator::Postfix), true)),
        ("SubString", (OnPath::Text(PathOperator::SubString), false)),
        ("SubStringIgnCase", (OnPath::Text(PathOperator::SubStringIgnoringCase), false)),
        ("FileType", (OnPath::FileType, false)),
        ("NotFileType", (OnPath::FileType, true)),
        ("eq", (OnPath::Text(PathOperator::Equal), false)),
        ("neq", (OnPath::Text(PathOperator::Equal), true)),
        ("prefix", (OnPath::Text(PathOperator::Prefix), false)),
        ("notprefix", (OnPath::Text(PathOperator::Prefix), true)),
        ("postfix", (OnPath::Text(PathOperator::Postfix), false)),
        ("notpostfix", (OnPath::Text(PathOperator::Postfix), true)),
    ],
    refused: ARGUMENT_OPERATORS,
};

/// `matchArgs` on names, with Tetragon's older spellings.
pub(super) const TEXTS: Operators<PathOperator> = Operators {
    known: &[
        ("Equal", (PathOperator::Equal, false)),
        ("NotEqual", (PathOperator::Equal, true)),
        ("Prefix", (PathOperator::Prefix, false)),
        ("NotPrefix", (PathOperator::Prefix, true)),
        ("Postfix", (PathOperator::Postfix, false)),
        ("NotPostfix", (PathOperator::Postfix, true)),
        ("SubString", (PathOperator::SubString, false)),
        ("SubStringIgnCase", (PathOperator::SubStringIgnoringCase, false)),
        ("eq", (PathOperator::Equal, false)),
        ("neq", (PathOperator::Equal, true)),
        ("prefix", (PathOperator::Prefix, false)),
        ("notprefix", (PathOperator::Prefix, true)),
        ("postfix", (PathOperator::Postfix, false)),
        ("notpostfix", (PathOperator::Postfix, true)),
    ],
    refused: ARGUMENT_OPERATORS,
};

/// `matchArgs` on integers, with Tetragon's older spellings.
pub(super) const INTEGERS: Operators<OnInteger> = Operators {
    known: &[
        ("Equal", (OnInteger::Equal, false)),
        ("NotEqual", (OnInteger::Equal, true)),
        ("GT", (OnInteger::Greater, false)),
        ("LT", (OnInteger::Less, false)),
        ("Mask", (OnInteger::Mask, false)),
        ("InRange", (OnInteger::Range, false)),
        ("NotInRange", (OnInteger::Range, true)),
        ("InMap", (OnInteger::Map, false)),
        ("NotInMap", (OnInteger::Map, true)),
        ("eq", (OnInteger::Equal, false)),
        ("neq", (OnInteger::Equal, true)),
        ("gt", (OnInteger::Greater, false)),
        ("GreaterThan", (OnInteger::Greater, false)),
        ("lt", (OnInteger::Less, false)),
        ("LessThan", (OnInteger::Less, false)),
        ("mask", (OnInteger::Mask, false)),
    ],
    refused: ARGUMENT_OPERATORS,
};

/// `matchArgs` on socket addresses. To Tetragon each is a source, that of the other side too.
pub(super) const ADDRESSES: Operators<OnAddress> = Operators {
    known: &[
        ("Family", (OnAddress::Family, false)),
        ("SAddr", (OnAddress::Ip, false)),
        ("NotSAddr", (OnAddress::Ip, true)),
        ("SPort", (OnAddress::Port, false)),
        ("NotSPort", (OnAddress::Port, true)),
        ("SPortPriv", (OnAddress::Privileged, false)),
        ("NotSPortPriv", (OnAddress::Privileged, true)),
    ],
    refused: ADDRESS_OPERATORS,
};

/// `matchArgs` on sockets: the member, and whether only the privileged ports of it are meant.
pub(super) const SOCKETS: Operators<(SocketPart, bool)> = Operators {
    known: &[
        ("Family", ((SocketPart::Family, false), false)),
        ("Protocol", ((SocketPart::Protocol, false), false)),
        ("State", ((SocketPart::State, false), false)),
        ("SPort", ((SocketPart::SourcePort, false), false)),
        ("NotSPort", ((SocketPart::SourcePort, false), true)),
        ("SPortPriv", ((SocketPart::SourcePort, true), false)),
        ("NotSPortPriv", ((SocketPart::SourcePort, true), true)),
        ("DPort", ((SocketPart::DestinationPort, false), false)),
        ("NotDPort", ((SocketPart::DestinationPort, false), true)),
        ("DPortPriv", ((SocketPart::DestinationPort, true), false)),
        ("NotDPortPriv", ((SocketPart::DestinationPort, true), true)),
    ],
    refused: SOCKET_OPERATORS,
};

/// Reads a filter's operator. `None` means that the report says why.
pub(super) fn of<T: Copy>(
    filter: &Node,
    fields: &Fields<'_>,
    operators: &Operators<T>,
    report: &mut Report,
) -> Option<(T, bool)> {
    let Operators { known, refused } = *operators;
    let Some(node) = fields.get("operator") else {
        let first = known.first().map_or("", |(name, _)| *name);
        report.refuse(filter.at, format_args!("`operator` is missing; add one, such as `operator: {first}`"));
        return None;
    };
    let name = node.text("`operator`", report)?;
    if let Some((_, operator)) = known.iter().find(|(known, _)| *known == name) {
        return Some(*operator);
    }
    let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
    if let Some((_, reason)) = refused.iter().find(|(refused, _)| *refused == name) {
        report.refuse(node.at, format_args!("operator `{name}` {reason}"));
    } else if is_any(name) {
        let (name, names) = (quoted(name), listed(names));
        report.refuse(node.at, format_args!("operator {name} does not work on this kind of value; use one of {names}"));
    } else {
        let all = names.iter().copied().chain(refused.iter().map(|(name, _)| *name));
        refuse_unknown(node.at, "operator", name, all, &names, report);
    }
    None
}

/// The operator where it is not known what it works on: only a name that no argument has is refused.
pub(super) fn check_name(filter: &Node, fields: &Fields<'_>, report: &mut Report) {
    let Some(node) = fields.get("operator") else {
        report.refuse(filter.at, "`operator` is missing; add one, such as `operator: Equal`");
        return;
    };
    let Some(name) = node.text("`operator`", report) else {
        return;
    };
    if !is_any(name) && !ARGUMENT_OPERATORS.iter().any(|(refused, _)| *refused == name) {
        let names: Vec<&str> = PATHS.known.iter().map(|(name, _)| *name).collect();
        refuse_unknown(node.at, "operator", name, names.iter().copied(), &names, report);
    }
}

/// Whether any kind of filter has this operator.
fn is_any(name: &str) -> bool {
    fn has<T>(operators: &Operators<T>, name: &str) -> bool {
        operators.known.iter().any(|(known, _)| *known == name)
    }
    has(&BINARIES, name) || has(&PATHS, name) || has(&INTEGERS, name)
}
