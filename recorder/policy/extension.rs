//! What stands under `hashtrail:`, in a hook entry or in a selector: ours alone, so Tetragon will not load it.

use super::action::duration;
use super::argument::Arguments;
use super::digest;
use super::document::Node;
use super::fields::{Fields, refuse_unknown};
use super::filter::{file_types, in_ranges, membership};
use super::model::{ATTRIBUTES, Dedupe, Filter, Hook, Number, OPEN_MODES};
use super::refusals::Refusals;
use super::report::Report;

/// Keys that are filters.
const FILTER_KEYS: [&str; 7] = ["uids", "euids", "auids", "fileTypes", "digests", "openMode", "attributes"];

/// What only a hook entry can say.
const ONLY_IN_HOOKS: Refusals = &[("recordByDefault", "belongs in the hook entry; move it there")];

/// Most names of file types.
const MAX_FILE_TYPES: usize = 16;

/// An audit user that was never set.
const UNSET: u64 = 0xffff_ffff;

/// Everything under one `hashtrail:`.
#[derive(Default)]
pub(super) struct Extensions {
    /// Filters, all of which must match.
    pub(super) filters: Vec<Filter>,
    /// Rows to merge.
    pub(super) dedupe: Option<Dedupe>,
    /// Calls that no selector matches are recorded.
    pub(super) record_by_default: bool,
}

/// Reads `hashtrail:` of a hook entry.
pub(super) fn of_hook(node: &Node, arguments: &Arguments, report: &mut Report) -> Extensions {
    let known = [&FILTER_KEYS[..], &["dedupe", "recordByDefault"]].concat();
    read(node, &known, &[], arguments, report).unwrap_or_default()
}

/// Reads `hashtrail:` of a selector.
pub(super) fn of_selector(node: &Node, arguments: &Arguments, report: &mut Report) -> Extensions {
    let known = [&FILTER_KEYS[..], &["dedupe"]].concat();
    read(node, &known, ONLY_IN_HOOKS, arguments, report).unwrap_or_default()
}

fn read(
    node: &Node,
    known: &[&str],
    refused: Refusals,
    arguments: &Arguments,
    report: &mut Report,
) -> Option<Extensions> {
    let fields = Fields::of(node, "`hashtrail`", report)?;
    fields.check(known, refused, report);
    for entry in fields.set().filter(|entry| known.contains(&entry.key.as_str())) {
        report.note_extension(entry.at, &entry.key);
    }
    let mut filters = Vec::new();
    for key in FILTER_KEYS {
        filters.extend(fields.get(key).and_then(|node| filter(key, node, arguments, report)));
    }
    Some(Extensions {
        filters,
        dedupe: fields.get("dedupe").and_then(|node| dedupe(node, report)),
        record_by_default: known.contains(&"recordByDefault")
            && fields
                .get("recordByDefault")
                .is_some_and(|node| node.boolean("`recordByDefault`", report).unwrap_or_default()),
    })
}

fn filter(key: &str, node: &Node, arguments: &Arguments, report: &mut Report) -> Option<Filter> {
    match key {
        "uids" => users(key, Number::Uid, node, report),
        "euids" => users(key, Number::Euid, node, report),
        "auids" => users(key, Number::Auid, node, report),
        "fileTypes" => types(node, arguments, report),
        "digests" => digest::filter(node, &arguments.hook, report),
        "openMode" => open_mode(node, &arguments.hook, report),
        _ => attributes(node, &arguments.hook, report),
    }
}

/// `{operator, values}` with numbers, ranges and, for audit users, `unset`.
fn users(key: &str, number: Number, node: &Node, report: &mut Report) -> Option<Filter> {
    let fields = set(key, node, report)?;
    let negated = membership(node, &fields, report);
    let items = set_values(key, node, &fields, report)?;
    let is_unset = |item: &&Node| number == Number::Auid && item.is_word("unset");
    let unset = items.iter().filter(is_unset).map(|_| (UNSET, UNSET));
    let (mut ranges, mut is_complete) = (unset.collect::<Vec<_>>(), true);
    for item in items.iter().filter(|item| !is_unset(item)) {
        match in_ranges(std::slice::from_ref(item), report) {
            Some(range) => ranges.extend(range),
            None => is_complete = false,
        }
    }
    let negated = negated?;
    (is_complete && !ranges.is_empty()).then_some(Filter::Number { number, negated, ranges })
}

fn types(node: &Node, arguments: &Arguments, report: &mut Report) -> Option<Filter> {
    if arguments.hook.has_possible_name() && !arguments.have_file() {
        let hook = arguments.hook.name();
        report.refuse(
            node.at,
            format_args!(
                "`fileTypes` needs a file, which `{hook}` may not have; if its first argument is one, add \
                 `args: [{{index: 0, type: file}}]`"
            ),
        );
        return None;
    }
    let fields = set("fileTypes", node, report)?;
    let negated = membership(node, &fields, report);
    let types = file_types(set_values("fileTypes", node, &fields, report)?, negated.unwrap_or_default(), report);
    types.filter(|_| negated.is_some())
}

fn set<'a>(key: &str, node: &'a Node, report: &mut Report) -> Option<Fields<'a>> {
    let fields = Fields::of(node, &format!("`{key}`"), report)?;
    fields.check(&["operator", "values"], &[], report);
    Some(fields)
}

fn set_values<'a>(key: &str, node: &Node, fields: &Fields<'a>, report: &mut Report) -> Option<&'a [Node]> {
    let limit = if key == "fileTypes" { MAX_FILE_TYPES } else { usize::MAX };
    let Some(values) = fields.get("values") else {
        report.refuse(node.at, format_args!("`{key}` has no values; add `values:` with at least one"));
        return None;
    };
    Some(values.filled_items("`values`", limit, report))
}

fn open_mode(node: &Node, hook: &Hook, report: &mut Report) -> Option<Filter> {
    if hook.has_possible_name() && !matches!(hook, Hook::FileOpen | Hook::FilePostOpen) {
        report.refuse(node.at, "`openMode` works on `file_open` and `file_post_open` only; remove it");
        return None;
    }
    bits(node, "openMode", "open mode", Number::OpenMode, &OPEN_MODES, report)
}

fn attributes(node: &Node, hook: &Hook, report: &mut Report) -> Option<Filter> {
    if hook.has_possible_name() && *hook != Hook::InodeSetattr {
        report.refuse(node.at, "`attributes` works on `inode_setattr` only; remove it");
        return None;
    }
    bits(node, "attributes", "attribute", Number::Attributes, &ATTRIBUTES, report)
}

/// A list of names, any of which must be there.
fn bits(
    node: &Node,
    key: &str,
    what: &str,
    number: Number,
    known: &[(&str, u32)],
    report: &mut Report,
) -> Option<Filter> {
    let key = format!("`{key}`");
    let mut mask = 0;
    for item in node.filled_items(&key, known.len(), report) {
        mask |= u64::from(item.choice(what, known, report).unwrap_or_default());
    }
    (mask != 0).then_some(Filter::Mask { number, negated: false, mask })
}

fn dedupe(node: &Node, report: &mut Report) -> Option<Dedupe> {
    let fields = Fields::of(node, "`dedupe`", report)?;
    fields.check(&["key", "window"], &[], report);
    let (Some(key), Some(window)) = (fields.get("key"), fields.get("window")) else {
        report.refuse(node.at, "`dedupe` needs both; write `dedupe: {key: [file, digest], window: 5m}`");
        return None;
    };
    let (mut by_file, mut by_process) = (false, false);
    for item in key.filled_items("`key`", 3, report) {
        match item.text("an item of `key`", report)? {
            "file" => by_file = true,
            "process" => by_process = true,
            "digest" => {}
            other => {
                let known = ["file", "digest", "process"];
                refuse_unknown(item.at, "key", other, known, &known, report);
                return None;
            }
        }
    }
    if !by_file {
        report.refuse(key.at, "`key` lacks `file`, without which changes would be merged; add it");
    }
    let window_ns = duration(window, "`window`", report)?;
    if window_ns == 0 {
        report.refuse(window.at, "`window` is 0 and merges nothing; write a duration or remove `dedupe`");
    }
    Some(Dedupe { window_ns, by_process })
}
