//! A policy in words, for a person who wants to know what it will record and do.

use std::fmt::Write;

use super::model::{Action, Dedupe, Filter, Hook, HookEntry, LimitScope, Policy, Selector, Stage};
use super::report::{escaped, listed, quoted};

mod words;

const SECOND: u64 = 1_000_000_000;

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
        describe_entry(entry, policy.monitor, text);
    }
    if policy.extensions.is_empty() && policy.hooks.iter().any(|entry| entry.has_data) {
        line(
            text,
            "  extensions: none; Tetragon refuses `data` on LSM hooks as of 4fbfe2d74 (2026-08-21), later ones may load it",
        );
    } else if policy.extensions.is_empty() {
        line(text, "  extensions: none, all of it is Tetragon's language");
    } else {
        let extensions = policy.extensions.join(", ");
        line(text, &format!("  extensions under `hashtrail`: {extensions}; Tetragon will not load it"));
    }
    for warning in &policy.warnings {
        line(text, &format!("  warning: {warning}"));
    }
}

fn describe_entry(entry: &HookEntry, monitor: bool, text: &mut String) {
    let (hook, occasion) = (entry.hook.name(), words::occasion(&entry.hook));
    line(text, &format!("  line {}: `{hook}`, {occasion}", entry.line));
    if matches!(entry.hook, Hook::Other(_)) {
        line(text, "    not one of hashtrail's own hooks: whether this kernel has it is seen only when it is loaded");
    }
    if entry.hook == Hook::PathTruncate {
        line(text, "    where the kernel lets no program sleep here (6.1), at `inode_setattr`: any change of a size");
    }
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
        describe_selector(&entry.hook, position, selector, monitor, text);
    }
    let decided_always = entry.selectors.iter().any(|selector| selector.filters.is_empty());
    if !entry.selectors.is_empty() && !decided_always {
        line(text, "    otherwise: nothing is recorded");
    }
}

fn describe_selector(hook: &Hook, position: usize, selector: &Selector, monitor: bool, text: &mut String) {
    let label = selector.label.as_ref().map_or_else(String::new, |label| format!(" {}", quoted(label)));
    let place = format!("    line {}{label}:", selector.line);
    match (selector.filters.is_empty(), position) {
        (true, 0) => line(text, &format!("{place} every call")),
        (true, _) => line(text, &format!("{place} every other call")),
        (false, 0) => line(text, &format!("{place} if")),
        (false, _) => line(text, &format!("{place} else if")),
    }
    for (stage, heading) in [
        (Stage::Number, "before the path is known"),
        (Stage::Path, "once the path is known"),
        (Stage::Digest, "after hashing"),
    ] {
        let filters: Vec<String> = selector
            .filters
            .iter()
            .filter(|filter| filter.stage() == stage)
            .map(|filter| words::filter(hook, filter))
            .collect();
        if !filters.is_empty() {
            line(text, &format!("      {heading}: {}", filters.join(", and ")));
        }
    }
    if selector.filters.iter().any(|filter| matches!(filter, Filter::Digest { .. })) {
        let uncertain = if selector.action.post { "matches for the record only" } else { "does not match" };
        line(text, &format!("      the file is hashed for this decision; a digest that is not certain {uncertain}"));
    }
    line(text, &format!("      then {}", describe_actions(hook, selector, monitor)));
}

fn describe_actions(hook: &Hook, selector: &Selector, monitor: bool) -> String {
    let action = &selector.action;
    let mut parts = vec![describe_record(hook, selector)];
    let when = if monitor { "never done, only noted: `policy-mode` is `monitor`" } else { "only with `--enforce`" };
    match action.error {
        Some(0) => parts.push("return 0, which denies nothing".to_owned()),
        Some(error) => parts.push(format!("deny with errno {} ({when})", error.unsigned_abs())),
        None => {}
    }
    if let Some(signal) = action.signal {
        parts.push(format!("send signal {signal} to the calling process ({when})"));
    }
    parts.join("; ")
}

fn describe_record(hook: &Hook, selector: &Selector) -> String {
    let Action { post, ima_hash, rate_limit, dedupe, .. } = &selector.action;
    if !post {
        return "do not record".to_owned();
    }
    let has_digest = *ima_hash || selector.needs_digest();
    let mut text = match (has_digest, hook) {
        (false, _) => "record, without digest",
        (true, Hook::FileOpen) => "record with digest (taken at `file_post_open`; unavailable before kernel 6.8)",
        (true, Hook::MmapFile) => "record, with digest if the mapping is executable",
        (true, _) if !hook.has_digest() => "record, with the digest marked as unavailable",
        (true, _) => "record with digest",
    }
    .to_owned();
    if let Some(limit) = rate_limit {
        let scope = match limit.scope {
            LimitScope::Thread => "thread",
            LimitScope::Process => "process",
            LimitScope::Global => "host",
        };
        let seconds = limit.window_ns / SECOND;
        let _ = write!(
            text,
            ", equal events of one {scope} once in {seconds} s (hides the others, even if the content changed)"
        );
    }
    if let Some(Dedupe { window_ns, by_process }) = dedupe {
        let (process, hidden) = match by_process {
            true => (", process", "that the process does so again, by another name too"),
            false => ("", "who else does so, by another name too"),
        };
        let seconds = window_ns / SECOND;
        let _ = write!(
            text,
            ", one row for each file{process} and digest in {seconds} s (hides {hidden}; no other content)"
        );
    }
    text
}

fn line(text: &mut String, content: &str) {
    // Writing to a `String` cannot fail.
    let _ = writeln!(text, "{content}");
}
