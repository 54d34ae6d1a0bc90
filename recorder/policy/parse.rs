//! A policy document: its head, and what stands under `spec` beside the hook entries.

use std::sync::Arc;

use super::document::{Node, Value};
use super::fields::{Fields, check_constant, refuse_unknown};
use super::hook;
use super::list::{self, API_VERSION};
use super::macros::Macros;
use super::model::{HookEntry, Policy};
use super::refusals::{OPTIONS, OWN_FILTERS, PROBED_FUNCTIONS, SPEC};
use super::report::{Position, Report, quoted};

const KIND: &str = "TracingPolicy";

/// Kubernetes' limit for a name; it goes into a column of every row.
const MAX_NAME: usize = 253;

/// Most entries under `options`.
const MAX_OPTIONS: usize = 16;

/// Most entries under `lsmhooks`.
const MAX_HOOK_ENTRIES: usize = 256;

/// A policy and where its name stands, for the message when another has the same.
pub(super) struct NamedPolicy {
    /// The policy.
    pub(super) policy: Policy,
    /// Place of `metadata.name`.
    pub(super) named_at: Position,
}

/// Reads one document: a policy, or a list of them.
pub(super) fn policies(document: &Node, source: &str, text: &Arc<str>, report: &mut Report) -> Vec<NamedPolicy> {
    let items = list::items(document, report).unwrap_or(std::slice::from_ref(document));
    items.iter().filter_map(|item| policy(item, source, text, report)).collect()
}

/// Reads one policy. `None` means that the report says why.
fn policy(document: &Node, source: &str, text: &Arc<str>, report: &mut Report) -> Option<NamedPolicy> {
    let faults_before = report.fault_count();
    report.totals.substrings = 0;
    let fields = Fields::of(document, "a policy", report)?;
    fields.check(&["apiVersion", "kind", "metadata", "spec"], &[], report);
    check_kind(document, &fields, report);
    let name = name(document, &fields, report);
    let spec = fields.get("spec");
    if spec.is_none() {
        report.refuse(document.at, "`spec` is missing; add `spec:` with `lsmhooks:` below it");
    }
    let (hooks, monitor) = spec.and_then(|node| self::spec(node, report)).unwrap_or_default();
    let (extensions, warnings) = (report.take_extensions(), report.take_warnings());
    let (name, named_at) = name?;
    let (source, text) = (source.to_owned(), Arc::clone(text));
    let policy = Policy { name, source, text, hooks, monitor, extensions, warnings };
    (report.fault_count() == faults_before).then_some(NamedPolicy { policy, named_at })
}

fn check_kind(document: &Node, fields: &Fields<'_>, report: &mut Report) {
    check_constant(document, fields, "apiVersion", API_VERSION, report);
    let kind = fields.get("kind");
    let namespaced =
        kind.filter(|kind| matches!(&kind.value, Value::Scalar { text, .. } if text == "TracingPolicyNamespaced"));
    match namespaced {
        Some(kind) => report.refuse(
            kind.at,
            format_args!(
                "`TracingPolicyNamespaced` needs Kubernetes, which hashtrail does not know; write `kind: {KIND}`"
            ),
        ),
        None => check_constant(document, fields, "kind", KIND, report),
    }
}

/// `metadata.name`; labels, annotations and the rest of the metadata have no meaning here.
fn name(document: &Node, fields: &Fields<'_>, report: &mut Report) -> Option<(String, Position)> {
    let Some(metadata) = fields.get("metadata") else {
        report.refuse(document.at, "`metadata` is missing; add `metadata:` with `name:` below it");
        return None;
    };
    let metadata_fields = Fields::of(metadata, "`metadata`", report)?;
    let Some(node) = metadata_fields.get("name") else {
        report.refuse(metadata.at, "`metadata.name` is missing; add `name:` below `metadata:`");
        return None;
    };
    let name = node.text("`metadata.name`", report)?;
    if name.trim().is_empty() || name.len() > MAX_NAME || name.contains(char::is_control) {
        report.refuse(
            node.at,
            format_args!("`metadata.name` must be 1 to {MAX_NAME} visible characters; choose another"),
        );
        return None;
    }
    Some((name.to_owned(), node.at))
}

/// The hook entries, and whether nothing is to be enforced.
fn spec(spec: &Node, report: &mut Report) -> Option<(Vec<HookEntry>, bool)> {
    let fields = Fields::of(spec, "`spec`", report)?;
    let faults_before = report.fault_count();
    fields.check(&["lsmhooks", "lists", "options", "selectorsMacros"], SPEC, report);
    if let Some(kprobes) = fields.get("kprobes") {
        name_replacements(kprobes, report);
    }
    if let Some(lists) = fields.get("lists") {
        check_lists(lists, report);
    }
    let monitor = fields.get("options").is_some_and(|node| is_monitor(node, report));
    let macros = fields.get("selectorsMacros").map_or_else(Macros::default, |node| Macros::read(node, report));
    let entries = fields.get("lsmhooks").map_or(&[][..], |node| node.items("`lsmhooks`", MAX_HOOK_ENTRIES, report));
    if entries.is_empty() && report.fault_count() == faults_before {
        report.refuse(
            spec.at,
            "`lsmhooks` is missing or empty, so nothing would be recorded; add at least one `- hook:`",
        );
    }
    Some((entries.iter().filter_map(|entry| hook::entry(entry, &macros, report)).collect(), monitor))
}

/// Whether the options say `policy-mode: monitor`.
fn is_monitor(node: &Node, report: &mut Report) -> bool {
    let mut mode = None;
    for item in node.items("`options`", MAX_OPTIONS, report) {
        if let Some((is_monitor, at)) = policy_mode(item, report)
            && mode.replace(is_monitor).is_some()
        {
            report.refuse(at, "`policy-mode` is given twice; keep one of them");
        }
    }
    mode.unwrap_or_default()
}

fn policy_mode(item: &Node, report: &mut Report) -> Option<(bool, Position)> {
    let fields = Fields::of(item, "an entry of `options`", report)?;
    fields.check(&["name", "value"], &[], report);
    let (Some(name_node), Some(value)) = (fields.get("name"), fields.get("value")) else {
        report.refuse(item.at, "an option needs `name` and `value`; write both");
        return None;
    };
    let name = name_node.text("`name`", report)?;
    if let Some((_, reason)) = OPTIONS.iter().find(|(known, _)| *known == name) {
        report.refuse(name_node.at, format_args!("option `{name}` {reason}"));
        return None;
    }
    if name != "policy-mode" {
        refuse_unknown(name_node.at, "option", name, ["policy-mode"], &["policy-mode"], report);
        return None;
    }
    let is_monitor = value.choice("`policy-mode`", &[("enforce", false), ("monitor", true)], report)?;
    Some((is_monitor, item.at))
}

/// For each probed kernel function that an LSM hook replaces, says which one.
fn name_replacements(kprobes: &Node, report: &mut Report) {
    let Value::Sequence(probes) = &kprobes.value else {
        return;
    };
    for probe in probes {
        let Value::Mapping(entries) = &probe.value else {
            continue;
        };
        let call = entries.iter().find(|entry| entry.key == "call");
        let Some((call, Value::Scalar { text, .. })) = call.map(|call| (call, &call.value.value)) else {
            continue;
        };
        let known = PROBED_FUNCTIONS.iter().find(|(name, _)| name == text).map(|(_, hook)| *hook);
        if let Some(hook) = known.or_else(|| text.strip_prefix("security_")) {
            let own = OWN_FILTERS.iter().find(|(name, _)| *name == hook).map(|(_, says)| format!(" ({says})"));
            let (function, hook, own) = (quoted(text), quoted(&format!("hook: {hook}")), own.unwrap_or_default());
            report.refuse(call.value.at, format_args!("kprobe on {function}; use {hook} under `lsmhooks`{own}"));
        }
    }
}

/// Lists that no value refers to are accepted; a value `list:name` is refused where it stands.
fn check_lists(lists: &Node, report: &mut Report) {
    for list in lists.items("`lists`", usize::MAX, report) {
        if let Some(fields) = Fields::of(list, "an entry of `lists`", report) {
            fields.check(&["name", "type", "values", "pattern", "validated"], &[], report);
        }
    }
}
