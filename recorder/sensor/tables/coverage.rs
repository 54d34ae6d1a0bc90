//! Of which paths each hook records every call that can change a file: what "nobody seen" in an answer rests on.

use crate::policy::model::{Action, Filter, Hook, HookEntry, Number, OPEN_WRITE, PathOperator, Policy, Selector, Text};
use std::collections::{BTreeMap, BTreeSet};

/// `ATTR_SIZE`
const SIZE: u64 = 8;

/// The hooks of a policy and the beginnings of the paths that each covers; `""` is every path.
pub(crate) fn coverage(policy: &Policy) -> BTreeMap<&str, Vec<String>> {
    let mut covered: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for entry in &policy.hooks {
        let prefixes = prefixes_of(entry);
        if !prefixes.is_empty() {
            covered.entry(entry.hook.name()).or_default().extend(prefixes);
        }
    }
    covered
}

/// For each cause in the ledger the hooks of which a policy has rows stopped.
pub(crate) fn suppressing(policy: &Policy) -> BTreeMap<&'static str, BTreeSet<&str>> {
    let hooks_of = |stops: fn(&Action) -> bool| -> BTreeSet<&str> {
        let has_one = |entry: &&HookEntry| entry.selectors.iter().any(|selector| stops(&selector.action));
        policy.hooks.iter().filter(has_one).map(|entry| entry.hook.name()).collect()
    };
    BTreeMap::from([
        ("rate_limit", hooks_of(|action| action.rate_limit.is_some())),
        ("dedupe", hooks_of(|action| action.dedupe.is_some())),
    ])
}

/// A call that an earlier selector takes gets no row of a later one, so each selector up to the covering one must post.
pub(super) fn prefixes_of(entry: &HookEntry) -> Vec<String> {
    if entry.selectors.is_empty() {
        return vec![String::new()];
    }
    let posting = entry.selectors.iter().take_while(|selector| posts_always(selector));
    posting.filter_map(|selector| covered_by(&entry.hook, selector)).flatten().collect()
}

fn posts_always(selector: &Selector) -> bool {
    let action = &selector.action;
    action.post && action.rate_limit.is_none() && action.dedupe.is_none()
}

/// The prefixes of one selector; none where one of its filters can leave out a call.
fn covered_by(hook: &Hook, selector: &Selector) -> Option<Vec<String>> {
    let mut prefixes = vec![String::new()];
    for filter in &selector.filters {
        match filter {
            Filter::Mask { number: Number::OpenMode, negated: false, mask } if mask & u64::from(OPEN_WRITE) != 0 => {}
            Filter::Mask { number: Number::Attributes, negated: false, mask } if mask & SIZE != 0 => {}
            Filter::Text { text, paths }
                if is_covering_text(hook, *text)
                    && paths.operator == PathOperator::Prefix
                    && !paths.negated
                    && prefixes == [""] =>
            {
                prefixes = paths.values.iter().map(|value| String::from_utf8_lossy(value).into_owned()).collect();
            }
            _ => return None,
        }
    }
    Some(prefixes)
}

/// A rename or link changes what its new name means; the other hooks have one path.
fn is_covering_text(hook: &Hook, text: Text) -> bool {
    match hook {
        Hook::InodeRename | Hook::InodeLink => text == Text::Target,
        _ => text == Text::Path,
    }
}
