//! The processes that ran the new contents, with those above and below them.

use super::super::commands::show as show_command;
use super::super::html::Html;
use super::super::lines;
use super::{Told, counted, grouped};

pub(super) fn show(told: &Told<'_>, html: &mut Html) {
    let Some(trees) = &told.findings.trees else {
        return html.line("p", &[], "No change is shown above, so no new content was looked for.");
    };
    let text = format!(
        "{} ran {} or stand below such, with those above them. A process stands below the one that forked it, unless a line says \
         otherwise.",
        counted(trees.found.count, "process", "processes"),
        counted(trees.digests.len(), "new content", "new contents"),
    );
    html.line("p", &[], &text);
    if trees.without > 0 {
        let text = format!("{} more contents of changes that are shown were not looked for.", grouped(trees.without));
        html.line("p", &[("class", "left-out")], &text);
    }
    if !trees.lines.is_empty() {
        html.tag("details", &[], |html| {
            html.line("summary", &[], "The trees");
            lines::show(&trees.lines, 0, html);
        });
    }
    if trees.omitted > 0 {
        html.line(
            "p",
            &[("class", "left-out")],
            &format!("{} not shown.", counted(trees.omitted, "process is", "processes are")),
        );
    }
    show_command("All of them:", &told.commands.tree(&trees.digests), html);
}
