//! A policy in words, for a person who wants to know what it will record.

use std::fmt::Write;

use super::model::{
    Action, Filter, Hook, HookEntry, IntegerOperator, OPEN_MODES, PathFilter, PathOperator, Policy, Selector,
};
use super::report::{escaped, listed, quoted};

/// Values beyond these are counted, not listed.
const MAX_VALUES: usize = 6;

/// Explains every hook entry and selector, and names the extensions in use.
pub(crate) fn describe(policies: &[Policy]) -> String {
    let mut text = String::new();
    for policy in policies {
        describe_policy(policy, &mut text);
    }
    text
}

fn describe_policy(policy: &Policy, text: &mut String) {
    let (name, source) = (quoted(&policy.name), escaped(&policy.source));
    line(text, &format!("policy {name} ({source})"));
    for entry in &policy.hooks {
        describe_entry(entry, text);
    }
    let extended: Vec<String> = policy
        .hooks
        .iter()
        .flat_map(|entry| &entry.selectors)
        .filter(|selector| selector.filters.iter().any(is_extension))
        .map(|selector| format!("line {}", selector.line))
        .collect();
    if extended.is_empty() {
        line(text, "  extensions: none, Tetragon can load it too");
    } else {
        let lines = extended.join(", ");
        line(text, &format!("  extensions: `hashtrail: openMode` ({lines}); Tetragon will not load it"));
    }
    for warning in &policy.warnings {
        line(text, &format!("  warning: {warning}"));
    }
}

fn describe_entry(entry: &HookEntry, text: &mut String) {
    let (hook, occasion) = (entry.hook.name(), occasion(entry.hook));
    line(text, &format!("  line {}: `{hook}`, {occasion}", entry.line));
    if let Some(message) = &entry.message {
        line(text, &format!("    message {}", quoted(message)));
    }
    if !entry.tags.is_empty() {
        let tags = listed(entry.tags.iter().map(String::as_str));
        line(text, &format!("    tags {tags}"));
    }
    if entry.selectors.is_empty() {
        line(text, "    every call: record, without digest");
    }
    for (position, selector) in entry.selectors.iter().enumerate() {
        describe_selector(entry.hook, position, selector, text);
    }
    let decided_always = entry.selectors.iter().any(|selector| selector.filters.is_empty());
    if !entry.selectors.is_empty() && !decided_always {
        line(text, "    otherwise: nothing is recorded");
    }
}

fn describe_selector(hook: Hook, position: usize, selector: &Selector, text: &mut String) {
    let label = selector.label.as_ref().map_or_else(String::new, |label| format!(" {}", quoted(label)));
    let start = if position == 0 { "if" } else { "else if" };
    let filters: Vec<String> = selector.filters.iter().map(|filter| describe_filter(hook, filter)).collect();
    let condition = match (filters.is_empty(), position) {
        (true, 0) => "every call".to_owned(),
        (true, _) => "every other call".to_owned(),
        (false, _) => format!("{start} {}", filters.join(", and ")),
    };
    let action = describe_action(hook, selector.action);
    line(text, &format!("    line {}{label}: {condition}: {action}", selector.line));
}

fn describe_filter(hook: Hook, filter: &Filter) -> String {
    match filter {
        Filter::Binary(paths) => format!("the calling program's path {}", describe_paths(paths)),
        Filter::Path(paths) => format!("the file's path {}", describe_paths(paths)),
        Filter::Integer { argument, operator, values } => {
            let name = hook.argument(*argument).map_or("argument", |argument| argument.name);
            let relation = match operator {
                IntegerOperator::Equal => "is",
                IntegerOperator::NotEqual => "is not",
                IntegerOperator::Mask => "has a bit of",
            };
            let values: Vec<String> = values.iter().map(|value| format!("{value:#x}")).collect();
            let conjunction = match operator {
                IntegerOperator::NotEqual => " nor ",
                IntegerOperator::Equal | IntegerOperator::Mask => " or ",
            };
            format!("`{name}` {relation} {}", values.join(conjunction))
        }
        Filter::OpenMode { modes } => {
            let names = OPEN_MODES.iter().filter(|(_, bit)| modes & bit != 0);
            let names: Vec<&str> = names.map(|(name, _)| *name).collect();
            format!("the open asks for {}", names.join(" or "))
        }
    }
}

fn describe_paths(paths: &PathFilter) -> String {
    let relation = match (paths.operator, paths.negated) {
        (PathOperator::Equal, false) => "is",
        (PathOperator::Equal, true) => "is not",
        (PathOperator::Prefix, false) => "begins with",
        (PathOperator::Prefix, true) => "does not begin with",
        (PathOperator::Postfix, false) => "ends with",
        (PathOperator::Postfix, true) => "does not end with",
    };
    let mut values: Vec<String> =
        paths.values.iter().take(MAX_VALUES).map(|value| quoted(&String::from_utf8_lossy(value))).collect();
    if paths.values.len() > MAX_VALUES {
        values.push(format!("one of {} more", paths.values.len() - MAX_VALUES));
    }
    let conjunction = if paths.negated { " nor " } else { " or " };
    format!("{relation} {}", values.join(conjunction))
}

fn describe_action(hook: Hook, action: Action) -> &'static str {
    match (action.post, action.ima_hash, hook) {
        (false, ..) => "do not record",
        (true, false, _) => "record, without digest",
        (true, true, Hook::FileOpen) => "record with digest (taken at `file_post_open`; unavailable before kernel 6.8)",
        (true, true, Hook::MmapFile) => "record, with digest if the mapping is executable",
        (true, true, _) => "record with digest",
    }
}

/// When the kernel calls the hook.
const fn occasion(hook: Hook) -> &'static str {
    match hook {
        Hook::BprmCheckSecurity => "when a program is about to be executed",
        Hook::BprmCommittedCreds => "when an exec has succeeded",
        Hook::MmapFile => "when a file is mapped into memory",
        Hook::FileOpen => "when a file is being opened",
        Hook::FilePostOpen => "when a file has been opened",
        Hook::KernelReadFile => "when the kernel reads a module, firmware or other file for itself",
    }
}

const fn is_extension(filter: &Filter) -> bool {
    matches!(filter, Filter::OpenMode { .. })
}

fn line(text: &mut String, content: &str) {
    // Writing to a `String` cannot fail.
    let _ = writeln!(text, "{content}");
}
