//! One selector: its filters, gathered from their keys, and its actions.

use super::document::{Node, Value};
use super::fields::{Fields, refuse_unknown};
use super::filter;
use super::hook::Arguments;
use super::model::{Action, Filter, Hook, OPEN_MODES, Selector};
use super::refusals::{ACTION, ACTION_NAMES, SELECTOR, SELECTOR_EXTENSIONS};
use super::report::Report;

const MAX_ACTIONS: usize = 3;
const MAX_ARGUMENT_FILTERS: usize = 5;
const MAX_BINARY_FILTERS: usize = 1;

/// What is done where a selector names no action.
const DEFAULT_ACTION: Action = Action { post: true, ima_hash: false };

/// Reads a selector. `None` means that the report says why.
pub(super) fn selector(node: &Node, arguments: &Arguments, report: &mut Report) -> Option<Selector> {
    let fields = Fields::of(node, "a selector", report)?;
    fields.check(&["matchBinaries", "matchArgs", "matchActions", "label", "hashtrail"], SELECTOR, report);
    let label = fields.get("label").and_then(|node| node.text("`label`", report)).map(ToOwned::to_owned);
    let action = fields.get("matchActions").map_or(DEFAULT_ACTION, |node| action(node, report));
    Some(Selector { line: node.at.line, label, filters: filters(&fields, arguments, report), action })
}

fn filters(fields: &Fields<'_>, arguments: &Arguments, report: &mut Report) -> Vec<Filter> {
    let mut filters = Vec::new();
    if let Some(node) = fields.get("matchBinaries") {
        for item in node.items("`matchBinaries`", MAX_BINARY_FILTERS, report) {
            filters.extend(filter::binaries(item, report));
        }
    }
    if let Some(node) = fields.get("matchArgs") {
        for item in node.items("`matchArgs`", MAX_ARGUMENT_FILTERS, report) {
            filters.extend(filter::argument(item, arguments, report));
        }
    }
    if let Some(node) = fields.get("hashtrail") {
        filters.extend(extensions(node, arguments.hook, report));
    }
    filters
}

/// Our own filters, which Tetragon does not know.
fn extensions(node: &Node, hook: Hook, report: &mut Report) -> Option<Filter> {
    let fields = Fields::of(node, "`hashtrail`", report)?;
    fields.check(&["openMode"], SELECTOR_EXTENSIONS, report);
    let node = fields.get("openMode")?;
    if !matches!(hook, Hook::FileOpen | Hook::FilePostOpen) {
        report.refuse(node.at, "`openMode` works on `file_open` and `file_post_open` only; remove it");
        return None;
    }
    open_mode(node, report)
}

fn open_mode(node: &Node, report: &mut Report) -> Option<Filter> {
    let names = OPEN_MODES.map(|(name, _)| name);
    if matches!(&node.value, Value::Sequence(items) if items.is_empty()) {
        report.refuse(node.at, "`openMode` is empty; name at least one mode, such as `[write]`");
    }
    let mut modes = 0;
    for item in node.items("`openMode`", names.len(), report) {
        let Some(name) = item.text("an item of `openMode`", report) else {
            continue;
        };
        match OPEN_MODES.iter().find(|(known, _)| *known == name) {
            Some((_, bit)) => modes |= bit,
            None => refuse_unknown(item.at, "open mode", name, names, &names, report),
        }
    }
    (modes != 0).then_some(Filter::OpenMode { modes })
}

/// All actions of a selector together. `NoPost` wins over `Post`, as in Tetragon.
fn action(node: &Node, report: &mut Report) -> Action {
    let mut result = DEFAULT_ACTION;
    for item in node.items("`matchActions`", MAX_ACTIONS, report) {
        if let Some(action) = one_action(item, report) {
            result.post &= action.post;
            result.ima_hash |= action.ima_hash;
        }
    }
    result.ima_hash &= result.post;
    result
}

fn one_action(node: &Node, report: &mut Report) -> Option<Action> {
    let fields = Fields::of(node, "an entry of `matchActions`", report)?;
    fields.check(&["action", "imaHash"], ACTION, report);
    let ima_hash_node = fields.get("imaHash");
    let ima_hash = ima_hash_node.is_some_and(|node| node.boolean("`imaHash`", report).unwrap_or_default());
    let Some(name_node) = fields.get("action") else {
        report.refuse(node.at, "`action` is missing; add `action: Post` or `action: NoPost`");
        return None;
    };
    let name = name_node.text("`action`", report)?;
    if name.eq_ignore_ascii_case("Post") {
        return Some(Action { post: true, ima_hash });
    }
    if name.eq_ignore_ascii_case("NoPost") {
        if let Some(node) = ima_hash_node.filter(|_| ima_hash) {
            report.refuse(node.at, "`imaHash` belongs to `Post`: without an event there is no digest; remove it");
        }
        return Some(Action { post: false, ima_hash: false });
    }
    let refused = ACTION_NAMES.iter().find(|(known, _)| name.eq_ignore_ascii_case(known));
    if let Some((known, reason)) = refused {
        report.refuse(name_node.at, format_args!("action `{known}` {reason}"));
    } else {
        let offered = ["Post", "NoPost"];
        let all = offered.into_iter().chain(ACTION_NAMES.iter().map(|(known, _)| *known));
        refuse_unknown(name_node.at, "action", name, all, &offered, report);
    }
    None
}
