//! Lists of policies, as `kubectl get -o yaml` or `-o json` writes them.

use super::document::{Node, Value};
use super::fields::{Fields, check_constant};
use super::report::Report;

/// The only version of Tetragon's policies.
pub(super) const API_VERSION: &str = "cilium.io/v1alpha1";

/// Kinds of lists and their versions.
const LISTS: [(&str, &str); 2] = [("List", "v1"), ("TracingPolicyList", API_VERSION)];

/// Most policies in one list.
const MAX_ITEMS: usize = 1024;

/// The policies of a list; `None` where the document is no list.
pub(super) fn items<'a>(document: &'a Node, report: &mut Report) -> Option<&'a [Node]> {
    let Value::Mapping(entries) = &document.value else {
        return None;
    };
    let kind = &entries.iter().find(|entry| entry.key == "kind")?.value;
    let (_, version) = LISTS.iter().find(|(name, _)| kind.is_word(name))?;
    let fields = Fields::of(document, "a list", report)?;
    fields.check(&["apiVersion", "kind", "metadata", "items"], &[], report);
    check_constant(document, &fields, "apiVersion", version, report);
    let Some(items) = fields.get("items") else {
        report.refuse(document.at, "`items` is missing; add `items:` with the policies below it");
        return Some(&[]);
    };
    Some(items.filled_items("`items`", MAX_ITEMS, report))
}
