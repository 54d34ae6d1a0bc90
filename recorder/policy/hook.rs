//! One entry under `lsmhooks`.

use super::argument::Arguments;
use super::document::Node;
use super::extension::{self, Extensions};
use super::fields::Fields;
use super::macros::Macros;
use super::model::{
    Action, Filter, Hook, HookEntry, MAX_ENTRIES_OF_HOOK, Number, OPEN_CREATE, OPEN_TRUNCATE, Selector,
};
use super::refusals::HOOK;
use super::report::{Report, listed, quoted};
use super::selector;

const MAX_SELECTORS: usize = 5;
const MAX_TAGS: usize = 16;
const MAX_MESSAGE: usize = 256;

/// Most different hooks without a program of their own.
const MAX_OTHER_HOOKS: usize = 8;

/// Reads a hook entry. `None` means that the report says why.
pub(super) fn entry<'a>(node: &'a Node, macros: &Macros<'a>, report: &mut Report) -> Option<HookEntry> {
    let fields = Fields::of(node, "an entry of `lsmhooks`", report)?;
    fields.check(&["hook", "message", "tags", "args", "data", "selectors", "hashtrail"], HOOK, report);
    let message = fields.get("message").and_then(|node| message(node, report));
    let tags = fields.get("tags").map_or_else(Vec::new, |node| tags(node, report));
    let named = hook(node, &fields, report);
    if let Ok(hook) = &named {
        count_entry(hook, node, report);
    }
    let is_accepted = named.is_ok();
    let hook = named.unwrap_or_else(|meant| meant);
    let arguments = Arguments::read(hook, fields.get("args"), fields.get("data"), report);
    let mut selectors = fields.get("selectors").map_or_else(Vec::new, |node| {
        let items = node.items("`selectors`", MAX_SELECTORS, report).iter();
        items.filter_map(|item| selector::selector(item, &arguments, macros, report)).collect()
    });
    if let Some(node) = fields.get("hashtrail") {
        extend(&mut selectors, node, &arguments, report);
    }
    check_open_modes(&arguments.hook, &selectors, node, report);
    let (file, values, has_data) = (arguments.file(), arguments.values(), !arguments.data.is_empty());
    is_accepted.then_some(HookEntry {
        hook: arguments.hook,
        line: node.at.line,
        file,
        values,
        has_data,
        message,
        tags,
        selectors,
    })
}

/// The entry's hook. An error is the hook that was probably meant, for the rest of the entry, and stands in the report.
fn hook(entry: &Node, fields: &Fields<'_>, report: &mut Report) -> Result<Hook, Hook> {
    let names = || listed(Hook::all().iter().map(Hook::name));
    let Some(node) = fields.get("hook") else {
        let names = names();
        report.refuse(entry.at, format_args!("`hook` is missing; add `hook:` with one of {names}"));
        return Err(Hook::Other(String::new()));
    };
    let Some(name) = node.text("`hook`", report) else {
        return Err(Hook::Other(String::new()));
    };
    if let Some(bare) = name.strip_prefix("security_").or_else(|| name.strip_prefix("bpf_lsm_")) {
        let (name, quoted_bare) = (quoted(name), quoted(bare));
        report.refuse(node.at, format_args!("hook {name} has a prefix too many; write {quoted_bare}"));
        return Err(meant(bare));
    }
    if let Some(hook) = Hook::from_name(name) {
        return Ok(hook);
    }
    let hook = Hook::Other(name.to_owned());
    if !hook.has_possible_name() {
        let (quoted_name, names) = (quoted(name), names());
        report.refuse(
            node.at,
            format_args!("hook {quoted_name} is not the name of a kernel hook; use another, such as one of {names}"),
        );
        return Err(meant(name));
    }
    if count_other(name, node, report) { Ok(hook) } else { Err(hook) }
}

/// The hook whose name was written with other letters or signs.
fn meant(name: &str) -> Hook {
    let name = name.trim().to_lowercase().replace(['-', ' ', '.'], "_");
    Hook::from_name(&name).unwrap_or(Hook::Other(name))
}

/// Counts a hook without a program of its own. False: there are too many, and the report says so.
fn count_other(name: &str, node: &Node, report: &mut Report) -> bool {
    let others = &mut report.totals.other_hooks;
    others.insert(name.to_owned());
    if others.len() <= MAX_OTHER_HOOKS {
        return true;
    }
    others.remove(name);
    let others = listed(others.iter().map(String::as_str));
    report.refuse(
        node.at,
        format_args!(
            "hook `{name}` would be the {}th without a program of its own, after {others}; remove one of them",
            MAX_OTHER_HOOKS + 1
        ),
    );
    false
}

fn count_entry(hook: &Hook, entry: &Node, report: &mut Report) {
    let count = report.totals.entries.entry(hook.name().to_owned()).or_default();
    *count += 1;
    if *count > MAX_ENTRIES_OF_HOOK {
        report.refuse(
            entry.at,
            format_args!(
                "more than {MAX_ENTRIES_OF_HOOK} entries of hook `{}` over all policies; put some together as selectors",
                hook.name()
            ),
        );
    }
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

/// Puts what `hashtrail:` of the entry says into its selectors.
fn extend(selectors: &mut Vec<Selector>, node: &Node, arguments: &Arguments, report: &mut Report) {
    let Extensions { filters, dedupe, record_by_default } = extension::of_hook(node, arguments, report);
    let every_call = || Selector { line: node.at.line, label: None, filters: Vec::new(), action: Action::POST };
    if selectors.is_empty() && !(filters.is_empty() && dedupe.is_none()) {
        selectors.push(every_call());
    }
    for selector in &mut *selectors {
        selector.filters.extend(filters.iter().cloned());
    }
    if record_by_default && selectors.last().is_some_and(|last| !last.filters.is_empty()) {
        selectors.push(every_call());
    }
    for selector in selectors.iter_mut().filter(|selector| selector.action.post) {
        if dedupe.is_some() && selector.action.dedupe.is_some() {
            report.refuse(
                node.at,
                format_args!("`dedupe` stands in the selector on line {} too; keep one of them", selector.line),
            );
        }
        selector.action.dedupe = selector.action.dedupe.or(dedupe);
    }
}

/// When `file_post_open` runs, which also serves digests asked for at `file_open`, the kernel has
/// cleared `O_TRUNC` and `O_CREAT` from the file's flags (`do_dentry_open` in fs/open.c), so a
/// filter on them would never match.
fn check_open_modes(hook: &Hook, selectors: &[Selector], entry: &Node, report: &mut Report) {
    let early_modes = u64::from(OPEN_TRUNCATE | OPEN_CREATE);
    let is_early = |filter: &Filter| matches!(filter, Filter::Mask { number: Number::OpenMode, mask, .. } if mask & early_modes != 0);
    if !selectors.iter().flat_map(|selector| &selector.filters).any(is_early) {
        return;
    }
    if *hook == Hook::FilePostOpen {
        report.refuse(
            entry.at,
            "`openMode` `truncate` and `create` are no longer visible at `file_post_open`; \
             use `write`, or hook `file_open`",
        );
    } else if selectors.iter().any(Selector::needs_digest) {
        report.refuse(
            entry.at,
            "`openMode` `truncate` and `create` cannot stand beside `imaHash` or `digests`, whose digest is \
             taken after the open; use `write`, or split the entry",
        );
    }
}
