//! One entry under `lsmhooks`, and the arguments it names.

use super::document::Node;
use super::fields::{Fields, refuse_unknown};
use super::model::{Argument, ArgumentKind, Filter, Hook, HookEntry, OPEN_CREATE, OPEN_TRUNCATE, Selector};
use super::refusals::{ARGUMENT, ARGUMENT_TYPES, HOOK_EXTENSIONS};
use super::report::{Report, listed, quoted};
use super::selector;

const MAX_ARGUMENTS: usize = 5;
const MAX_ARGUMENT_INDEX: u64 = 4;
const MAX_SELECTORS: usize = 5;
const MAX_TAGS: usize = 16;
const MAX_MESSAGE: usize = 256;

/// Tetragon's integer types and their width in bits.
const INTEGER_TYPES: [(&str, u32); 17] = [
    ("int", 32),
    ("sint8", 8),
    ("int8", 8),
    ("uint8", 8),
    ("sint16", 16),
    ("int16", 16),
    ("uint16", 16),
    ("sint32", 32),
    ("int32", 32),
    ("uint32", 32),
    ("sint64", 64),
    ("int64", 64),
    ("uint64", 64),
    ("long", 64),
    ("ulong", 64),
    ("size_t", 64),
    ("bool", 8),
];

/// The arguments that a hook entry lists, which its filters may refer to.
pub(super) struct Arguments {
    /// The entry's hook.
    pub(super) hook: Hook,
    /// In the order of the file; `None` is an argument that was refused.
    pub(super) listed: Vec<Option<ListedArgument>>,
}

/// One argument that a hook entry lists.
#[derive(Clone, Copy)]
pub(super) struct ListedArgument {
    /// Place in the hook's prototype.
    pub(super) index: u8,
    /// What it is.
    pub(super) kind: ArgumentKind,
    /// Width of an integer.
    pub(super) bits: u32,
}

/// Reads a hook entry. `None` means that the report says why.
pub(super) fn entry(node: &Node, report: &mut Report) -> Option<HookEntry> {
    let fields = Fields::of(node, "an entry of `lsmhooks`", report)?;
    fields.check(&["hook", "message", "tags", "args", "selectors", "hashtrail"], &[], report);
    if let Some(extensions) = fields.get("hashtrail")
        && let Some(extensions) = Fields::of(extensions, "`hashtrail`", report)
    {
        extensions.check(&[], HOOK_EXTENSIONS, report);
    }
    let message = fields.get("message").and_then(|node| message(node, report));
    let tags = fields.get("tags").map_or_else(Vec::new, |node| tags(node, report));
    let hook = hook(node, &fields, report)?;
    let arguments =
        Arguments { hook, listed: fields.get("args").map_or_else(Vec::new, |node| arguments(node, hook, report)) };
    let selectors = fields.get("selectors").map_or_else(Vec::new, |node| selectors(node, &arguments, report));
    check_open_modes(hook, &selectors, node, report);
    Some(HookEntry { hook, line: node.at.line, message, tags, selectors })
}

fn hook(entry: &Node, fields: &Fields<'_>, report: &mut Report) -> Option<Hook> {
    let names = Hook::all().map(Hook::name);
    let Some(node) = fields.get("hook") else {
        let names = listed(names);
        report.refuse(entry.at, format_args!("`hook` is missing; add `hook:` with one of {names}"));
        return None;
    };
    let name = node.text("`hook`", report)?;
    let hook = Hook::from_name(name);
    if hook.is_none() {
        let bare = name.strip_prefix("security_").or_else(|| name.strip_prefix("bpf_lsm_")).unwrap_or(name);
        let (name, names) = (quoted(name), listed(names));
        let reason = match Hook::from_name(bare) {
            Some(hook) => format!("hook {name} has a prefix too many; write `{}`", hook.name()),
            None => format!("hook {name} is not supported; use one of {names}"),
        };
        report.refuse(node.at, reason);
    }
    hook
}

/// The message, cut as in Tetragon.
fn message(node: &Node, report: &mut Report) -> Option<String> {
    let text = node.text("`message`", report)?;
    match text.chars().count() {
        0 => None,
        1 => {
            report.refuse(node.at, "`message` has only one character; write a sentence");
            None
        }
        count if count > MAX_MESSAGE => {
            report.warn(
                node.at,
                format_args!("`message` has {count} characters and is cut at {MAX_MESSAGE}; shorten it"),
            );
            Some(text.chars().take(MAX_MESSAGE).collect())
        }
        _ => Some(text.to_owned()),
    }
}

fn tags(node: &Node, report: &mut Report) -> Vec<String> {
    let mut tags = Vec::new();
    for item in node.items("`tags`", MAX_TAGS, report) {
        match item.text("a tag", report) {
            Some("") => report.refuse(item.at, "a tag is empty; remove it"),
            Some(tag) => tags.push(tag.to_owned()),
            None => {}
        }
    }
    tags
}

fn arguments(node: &Node, hook: Hook, report: &mut Report) -> Vec<Option<ListedArgument>> {
    node.items("`args`", MAX_ARGUMENTS, report).iter().map(|item| listed_argument(item, hook, report)).collect()
}

fn listed_argument(node: &Node, hook: Hook, report: &mut Report) -> Option<ListedArgument> {
    let fields = Fields::of(node, "an entry of `args`", report)?;
    fields.check(&["index", "type", "label"], ARGUMENT, report);
    if let Some(label) = fields.get("label") {
        label.text("`label`", report);
    }
    let Some(index_node) = fields.get("index") else {
        report.refuse(node.at, "`index` is missing; add `index:` with the argument's place, from 0");
        return None;
    };
    let index = argument_index(index_node, report)?;
    let Some(argument) = hook.argument(index) else {
        let names = listed(hook.arguments().iter().map(|argument| argument.name));
        let last = hook.arguments().len() - 1;
        report
            .refuse(index_node.at, format_args!("`{}` has no argument {index}; use 0 to {last}: {names}", hook.name()));
        return None;
    };
    let bits = match fields.get("type") {
        Some(node) => integer_bits(node, argument, report)?,
        None => u64::BITS,
    };
    Some(ListedArgument { index, kind: argument.kind, bits })
}

/// A place in a hook's prototype.
pub(super) fn argument_index(node: &Node, report: &mut Report) -> Option<u8> {
    let index = node.number("`index`", report)?;
    if index > MAX_ARGUMENT_INDEX {
        report.refuse(node.at, format_args!("`index` {index} is too large; use 0 to {MAX_ARGUMENT_INDEX}"));
        return None;
    }
    u8::try_from(index).ok()
}

/// Checks an argument's type and gives the width that its values may have.
fn integer_bits(node: &Node, argument: Argument, report: &mut Report) -> Option<u32> {
    let type_name = node.text("`type`", report)?;
    if type_name == "auto" {
        return Some(u64::BITS);
    }
    let integer = INTEGER_TYPES.iter().find(|(name, _)| *name == type_name);
    let wanted = match (argument.kind, integer) {
        (ArgumentKind::Integer, Some((_, bits))) => return Some(*bits),
        (ArgumentKind::Binprm, _) if type_name == "linux_binprm" => return Some(u64::BITS),
        (ArgumentKind::File, _) if type_name == "file" => return Some(u64::BITS),
        (ArgumentKind::Integer, _) => "uint64",
        (ArgumentKind::Binprm, _) => "linux_binprm",
        (ArgumentKind::File, _) => "file",
    };
    if integer.is_none() && !ARGUMENT_TYPES.contains(&type_name) {
        let integers = INTEGER_TYPES.iter().map(|(name, _)| *name);
        let all = integers.chain(ARGUMENT_TYPES.iter().copied());
        refuse_unknown(node.at, "type", type_name, all, &["auto", wanted], report);
    } else {
        let (name, type_name) = (argument.name, quoted(type_name));
        report.refuse(
            node.at,
            format_args!("type {type_name} is not supported for argument `{name}`; write `auto` or `{wanted}`"),
        );
    }
    None
}

fn selectors(node: &Node, arguments: &Arguments, report: &mut Report) -> Vec<Selector> {
    node.items("`selectors`", MAX_SELECTORS, report)
        .iter()
        .filter_map(|item| selector::selector(item, arguments, report))
        .collect()
}

/// When `file_post_open` runs, which also serves digests asked for at `file_open`, the kernel has
/// cleared `O_TRUNC` and `O_CREAT` from the file's flags (`do_dentry_open` in fs/open.c), so a
/// filter on them would never match.
fn check_open_modes(hook: Hook, selectors: &[Selector], entry: &Node, report: &mut Report) {
    let early_modes = selectors
        .iter()
        .flat_map(|selector| &selector.filters)
        .any(|filter| matches!(filter, Filter::OpenMode { modes } if modes & (OPEN_TRUNCATE | OPEN_CREATE) != 0));
    if !early_modes {
        return;
    }
    if hook == Hook::FilePostOpen {
        report.refuse(
            entry.at,
            "`openMode` `truncate` and `create` are no longer visible at `file_post_open`; \
             use `write`, or hook `file_open`",
        );
    } else if selectors.iter().any(|selector| selector.action.ima_hash) {
        report.refuse(
            entry.at,
            "`openMode` `truncate` and `create` cannot stand beside `imaHash`, whose digest is \
             taken after the open; use `write`, or split the entry",
        );
    }
}
