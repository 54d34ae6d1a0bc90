//! `data` of a hook entry: what can be read of the calling task.

use super::document::Node;
use super::fields::Fields;
use super::model::Hook;
use super::refusals::ARGUMENT;
use super::report::Report;
use super::resolve;
use super::subject::{ListedArgument, argument_index};

/// Most entries of `data`.
const MAX_DATA: usize = 5;

/// `data` of a hook entry; `None` is an entry that was refused.
pub(super) fn read(hook: &Hook, node: Option<&Node>, report: &mut Report) -> Vec<Option<ListedArgument>> {
    let items = node.map_or(&[][..], |node| node.items("`data`", MAX_DATA, report));
    let mut entry = |node: &Node| {
        let fields = Fields::of(node, "an entry of `data`", report)?;
        fields.check(&["index", "type", "label", "resolve", "btfType", "source"], ARGUMENT, report);
        if let Some(label) = fields.get("label") {
            label.text("`label`", report);
        }
        let index = match fields.get("index") {
            Some(node) => argument_index(node, report)?,
            None => 0,
        };
        let Some(source) = fields.filled("source") else {
            report.refuse(node.at, "`source` is missing; add `source: current_task`");
            return None;
        };
        if source.is_word("pt_regs") {
            report.refuse(source.at, "`source` `pt_regs` is not supported: an LSM hook has no registers; use `args`");
            return None;
        }
        source.choice("`source`", &[("current_task", ())], report)?;
        let subject = resolve::from_task(node, &fields, hook, report)?;
        Some(ListedArgument { index, subject })
    };
    items.iter().map(&mut entry).collect()
}
