//! One selector: its filters, gathered from their keys and its macros, and its actions.

use super::action;
use super::argument::Arguments;
use super::document::Node;
use super::extension;
use super::fields::Fields;
use super::filter::{self, Whose};
use super::macros::Macros;
use super::model::{Action, Filter, Selector};
use super::refusals::SELECTOR;
use super::report::Report;

const MAX_ARGUMENT_FILTERS: usize = 5;
const MAX_BINARY_FILTERS: usize = 1;
const MAX_NAMESPACE_FILTERS: usize = 10;
const MAX_CAPABILITY_FILTERS: usize = 1;
const MAX_PROCESS_FILTERS: usize = 16;

const KEYS: [&str; 11] = [
    "matchPIDs",
    "matchNamespaces",
    "matchCapabilities",
    "matchBinaries",
    "matchParentBinaries",
    "matchArgs",
    "matchData",
    "matchActions",
    "label",
    "macros",
    "hashtrail",
];

/// Reads a selector. `None` means that the report says why.
pub(super) fn selector<'a>(
    node: &'a Node,
    arguments: &Arguments,
    macros: &Macros<'a>,
    report: &mut Report,
) -> Option<Selector> {
    let mut fields = Fields::of(node, "a selector", report)?;
    fields.check(&KEYS, SELECTOR, report);
    macros.expand(&mut fields, report);
    let label = fields.get("label").and_then(|node| node.text("`label`", report));
    let label = label.filter(|label| !label.is_empty()).map(ToOwned::to_owned);
    let mut action =
        fields.get("matchActions").map_or(Action::POST, |node| action::read(node, &arguments.hook, report));
    let mut filters = filters(&fields, arguments, report);
    if let Some(node) = fields.get("hashtrail") {
        let extensions = extension::of_selector(node, arguments, report);
        filters.extend(extensions.filters);
        action.dedupe = extensions.dedupe;
        if action.dedupe.is_some() && !action.post {
            report.refuse(node.at, "`dedupe` has no meaning beside `NoPost`; remove it");
        }
    }
    Some(Selector { line: node.at.line, label, filters, action })
}

fn filters(fields: &Fields<'_>, arguments: &Arguments, report: &mut Report) -> Vec<Filter> {
    let mut filters = Vec::new();
    let mut items = |key: &str, limit: usize, report: &mut Report, read: &dyn Fn(&Node, &mut Report) -> Vec<Filter>| {
        if let Some(node) = fields.get(key) {
            for item in node.items(&format!("`{key}`"), limit, report) {
                filters.extend(read(item, report));
            }
        }
    };
    let one = |filter: Option<Filter>| filter.into_iter().collect::<Vec<_>>();
    items("matchPIDs", MAX_PROCESS_FILTERS, report, &filter::pids);
    items("matchNamespaces", MAX_NAMESPACE_FILTERS, report, &|item, report| one(filter::namespace(item, report)));
    items("matchCapabilities", MAX_CAPABILITY_FILTERS, report, &filter::capabilities);
    items("matchBinaries", MAX_BINARY_FILTERS, report, &|item, report| {
        one(filter::binaries(item, Whose::Process, report))
    });
    items("matchParentBinaries", MAX_BINARY_FILTERS, report, &|item, report| {
        one(filter::binaries(item, Whose::Parent, report))
    });
    items("matchArgs", MAX_ARGUMENT_FILTERS, report, &|item, report| one(filter::argument(item, arguments, report)));
    items("matchData", MAX_ARGUMENT_FILTERS, report, &|item, report| one(filter::data(item, arguments, report)));
    filters
}
