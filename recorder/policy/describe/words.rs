//! Hooks and filters in words.

use super::super::filter::CAPABILITIES;
use super::super::model::{
    ATTRIBUTES, AddressPart, Comparison, FILE_TYPES, Filter, Hook, NEVER, Namespace, NamespaceValue, Network, Number,
    OPEN_MODES, PathFilter, PathOperator, Read, Text, Value,
};
use super::super::report::quoted;
use std::net::Ipv6Addr;

/// Values beyond these are counted, not listed.
const MAX_VALUES: usize = 8;

/// When the kernel calls the hook.
pub(super) const fn occasion(hook: &Hook) -> &'static str {
    match hook {
        Hook::BprmCredsForExec => "when a program is about to be executed, once for each exec",
        Hook::BprmCredsFromFile => "when the credentials of the program that will run are computed",
        Hook::BprmCheckSecurity => "when a program is about to be executed, also for each interpreter",
        Hook::BprmCommittingCreds => "when an exec is about to change the credentials",
        Hook::BprmCommittedCreds => "when an exec has succeeded",
        Hook::MmapFile => "when a file is mapped into memory",
        Hook::FileOpen => "when a file is being opened",
        Hook::FilePostOpen => "when a file has been opened (kernel 6.8 and later)",
        Hook::KernelReadFile => "when the kernel reads a module, firmware or other file for itself",
        Hook::FileLock => "when a file is locked",
        Hook::FileReceive => "when a descriptor comes in over a socket",
        Hook::FileMprotect => "when the protection of mapped memory is changed",
        Hook::KernelLoadData => "when the kernel takes a module or another image from memory",
        Hook::InodeRename => "when a file is renamed",
        Hook::InodeUnlink => "when a name of a file is removed",
        Hook::InodeLink => "when a file gets another name",
        Hook::InodeSetattr => "when mode, owner, size or times of a file are changed",
        Hook::InodeSetxattr => "when an extended attribute is set",
        Hook::PathTruncate => "when a file is truncated by its path",
        Hook::SbMount => "when something is mounted at a path",
        Hook::MoveMount => "when a mount is moved to a path",
        Hook::SbUmount => "when a mount is taken away from a path",
        Hook::Other(_) => "whenever the kernel calls it",
    }
}

/// A filter in words.
pub(super) fn filter(hook: &Hook, filter: &Filter) -> String {
    match filter {
        Filter::Text { text: text @ (Text::Followed | Text::ParentFollowed), paths } => {
            let ancestor = "that of an ancestor (only for processes born since the policy was loaded)";
            let values = alternatives(false, quoted_values(paths));
            let (either, or) = if paths.negated { ("neither ", "nor") } else { ("", "or") };
            format!("{either}{} {or} {ancestor} is {values}", text_name(*text))
        }
        Filter::Text { text, paths } => format!("{} {}", text_name(*text), compared(paths)),
        Filter::Number { number, negated, ranges } if *ranges == [NEVER] => {
            format!("{} {} (no number is)", number_name(hook, *number), if *negated { "is any" } else { "is none" })
        }
        Filter::Number { number, negated, ranges } => {
            let values = ranges.iter().map(|range| range_name(*number, *range)).collect();
            format!("{} {}", number_name(hook, *number), one_of("is", *negated, values))
        }
        Filter::Mask { number, negated, mask } => {
            let relation = match (number, negated) {
                (Number::OpenMode, _) => "asks for",
                (Number::Attributes, _) => "is of",
                (_, true) => "has none of",
                (_, false) => "has",
            };
            format!("{} {relation} {}", number_name(hook, *number), bit_names(*number, *mask))
        }
        Filter::Namespace { kind, negated, values } => {
            let values = values.iter().map(|value| match value {
                NamespaceValue::Host => "the host's".to_owned(),
                NamespaceValue::Inode(inode) => inode.to_string(),
            });
            format!("the {} namespace {}", namespace_name(*kind), one_of("is", *negated, values.collect()))
        }
        Filter::Family { pids, is_namespace_pid, negated } => {
            let relation = if *negated { "is not" } else { "is" };
            let space = if *is_namespace_pid { " (in its own namespace)" } else { "" };
            let pids = alternatives(false, pids.iter().map(u32::to_string).collect());
            format!("the process {relation} {pids}{space} or a descendant of it")
        }
        Filter::Value { value, negated, comparison } => value_words(value, *negated, comparison),
        Filter::Digest { algorithm, negated, digests } => {
            let relation = if *negated { "is none of" } else { "is one of" };
            format!("the {algorithm} digest {relation} {} listed", digests.len())
        }
    }
}

fn value_words(value: &Value, negated: bool, comparison: &Comparison) -> String {
    let part = match value.read {
        Read::Address { part: AddressPart::Family, .. } => "the family in ",
        Read::Address { part: AddressPart::Port, .. } => "the port in ",
        Read::Address { part: AddressPart::Ip, .. } => "the address in ",
        Read::Number { .. } | Read::Port | Read::Text => "",
    };
    let name = format!("{part}{}", value.name);
    match comparison {
        Comparison::Ranges(ranges) if *ranges == [NEVER] => {
            format!("{name} {} (no number is)", if negated { "is any" } else { "is none" })
        }
        Comparison::Ranges(ranges) => {
            let values = ranges.iter().map(|range| value_range_name(value.read, *range)).collect();
            format!("{name} {}", one_of("is", negated, values))
        }
        Comparison::Mask(mask) => format!("{name} {} a bit of {mask:#x}", if negated { "has not" } else { "has" }),
        Comparison::Text(paths) => format!("{name} {}", compared(paths)),
        Comparison::Networks(networks) => {
            let values = networks.iter().map(|network| network_name(*network)).collect();
            let not = if negated { " not" } else { "" };
            format!("{name} is{not} in {}", alternatives(negated, values))
        }
    }
}

/// Negative numbers stand above the others, in two's complement.
fn value_range_name(read: Read, (first, last): (u64, u64)) -> String {
    let negative = match read {
        Read::Number { bits, signed: true } if first >> (bits - 1) & 1 == 1 => u64::MAX << (bits - 1),
        _ => return range_name(Number::Argument(0), (first, last)),
    };
    let (first, last) = ((first | negative).cast_signed(), (last | negative).cast_signed());
    match (first, last) {
        (first, last) if first == last => first.to_string(),
        (first, -1) if first == negative.cast_signed() => "below 0".to_owned(),
        (first, last) => format!("{first} to {last}"),
    }
}

fn network_name(network: Network) -> String {
    let address = Ipv6Addr::from_bits(network.address);
    match address.to_ipv4_mapped() {
        Some(address) if network.bits >= 96 => format!("{address}/{}", network.bits - 96),
        _ => format!("{address}/{}", network.bits),
    }
}

const fn text_name(text: Text) -> &'static str {
    match text {
        Text::Path => "the file's path",
        Text::Target => "the new path",
        Text::AttributeName => "the attribute's name",
        Text::Binary | Text::Followed => "the calling program's path",
        Text::ParentBinary | Text::ParentFollowed => "the parent program's path",
        Text::Comm => "the calling thread's name",
        Text::ParentComm => "the parent's name",
        Text::GrandparentComm => "the grandparent's name",
    }
}

fn number_name(hook: &Hook, number: Number) -> String {
    match number {
        Number::Argument(index) => {
            let name = hook.argument(index).map_or("argument", |argument| argument.name);
            return format!("`{name}`");
        }
        Number::OpenMode => "the open",
        Number::Attributes => "the change",
        Number::FileType => "the file's type",
        Number::Uid => "the user id",
        Number::Euid => "the effective user id",
        Number::Auid => "the login user id",
        Number::Pid => "the process id",
        Number::NamespacePid => "the process id in its own namespace",
        Number::Effective => "the effective capability set",
        Number::Inheritable => "the inheritable capability set",
        Number::Permitted => "the permitted capability set",
    }
    .to_owned()
}

fn range_name(number: Number, (first, last): (u64, u64)) -> String {
    let file_type = FILE_TYPES.iter().find(|(_, bits)| number == Number::FileType && u64::from(*bits) == first);
    if let Some((name, _)) = file_type {
        return (*name).to_owned();
    }
    match (first, last) {
        (first, last) if number == Number::Auid && first == last && first == u64::from(u32::MAX) => "unset".to_owned(),
        (first, last) if first == last => first.to_string(),
        (0, last) => format!("at most {last}"),
        (first, u64::MAX) => format!("at least {first}"),
        (first, last) => format!("{first} to {last}"),
    }
}

fn bit_names(number: Number, mask: u64) -> String {
    let capabilities = CAPABILITIES.iter().enumerate().map(|(bit, name)| (*name, 1 << bit));
    let names: Vec<(&str, u64)> = match number {
        Number::OpenMode => OPEN_MODES.iter().map(|(name, bit)| (*name, u64::from(*bit))).collect(),
        Number::Attributes => ATTRIBUTES.iter().map(|(name, bit)| (*name, u64::from(*bit))).collect(),
        Number::Effective | Number::Inheritable | Number::Permitted => capabilities.collect(),
        _ => return format!("a bit of {mask:#x}"),
    };
    let set = names.into_iter().filter(|(_, bit)| mask & bit != 0).map(|(name, _)| name);
    set.collect::<Vec<_>>().join(" or ")
}

const fn namespace_name(kind: Namespace) -> &'static str {
    match kind {
        Namespace::Uts => "uts",
        Namespace::Ipc => "ipc",
        Namespace::Mnt => "mount",
        Namespace::Pid => "pid",
        Namespace::PidForChildren => "pid (for children)",
        Namespace::Net => "network",
        Namespace::Time => "time",
        Namespace::TimeForChildren => "time (for children)",
        Namespace::Cgroup => "cgroup",
        Namespace::User => "user",
    }
}

fn compared(paths: &PathFilter) -> String {
    let relation = match (paths.operator, paths.negated) {
        (PathOperator::Equal, false) => "is",
        (PathOperator::Equal, true) => "is not",
        (PathOperator::Prefix, false) => "begins with",
        (PathOperator::Prefix, true) => "does not begin with",
        (PathOperator::Postfix, false) => "ends with",
        (PathOperator::Postfix, true) => "does not end with",
        (PathOperator::SubString, false) => "contains",
        (PathOperator::SubString, true) => "does not contain",
        (PathOperator::SubStringIgnoringCase, false) => "contains, in any case of letters,",
        (PathOperator::SubStringIgnoringCase, true) => "does not contain, in any case of letters,",
    };
    format!("{relation} {}", alternatives(paths.negated, quoted_values(paths)))
}

fn quoted_values(paths: &PathFilter) -> Vec<String> {
    paths.values.iter().map(|value| quoted(&String::from_utf8_lossy(value))).collect()
}

fn one_of(verb: &str, negated: bool, values: Vec<String>) -> String {
    let not = if negated { " not" } else { "" };
    format!("{verb}{not} {}", alternatives(negated, values))
}

fn alternatives(negated: bool, mut values: Vec<String>) -> String {
    if values.len() > MAX_VALUES {
        let more = values.len() - MAX_VALUES;
        values.truncate(MAX_VALUES);
        values.push(format!("one of {more} more"));
    }
    values.join(if negated { " nor " } else { " or " })
}
