//! Each number of the page, and the command whose last line has it.

use super::super::command_line::CommandLine;
use super::super::html::Html;
use super::{Told, grouped};
use crate::evidence::finding::Severity;

/// A number that a command shows again.
struct Number {
    what: String,
    count: usize,
    command: CommandLine,
    /// Where it stands in the last line of JSON; of a list its length.
    field: &'static str,
}

pub(super) fn show(told: &Told<'_>, html: &mut Html) {
    html.line(
        "p",
        &[],
        "Each command ends with a line of JSON that has the number in the field that is named, or as many entries there. Run it \
         where the report was made, for paths stand as they were given. `$'…'` is a quotation of bash, zsh and ksh.",
    );
    html.table(&["What", "Number", "Field", "Command"], |html| {
        for Number { what, count, command, field } in numbers(told) {
            html.tag("tr", &[("class", "number"), ("data-count", &count.to_string())], |html| {
                html.cell("What", |html| html.text(&what));
                html.cell("Number", |html| html.text(&grouped(count)));
                html.cell("Field", |html| html.line("code", &[("class", "field")], field));
                html.cell("Command", |html| html.line("code", &[("class", "again")], command.last_line().text()));
            });
        }
    });
    html.tag("p", &[("class", "command")], |html| {
        html.line("span", &[("class", "soft")], "This report: ");
        html.line("code", &[], told.commands.report().text());
    });
}

fn numbers(told: &Told<'_>) -> Vec<Number> {
    let (findings, commands) = (told.findings, told.commands.in_json());
    let changes = &findings.changes;
    let completeness = &changes.completeness;
    let number = |what: &str, count, command, field| Number { what: what.to_owned(), count, command, field };
    let mut numbers = vec![
        number("changes", changes.count, commands.changes(), "changes"),
        number("observations with a doubtful digest", completeness.doubtful, commands.changes(), "doubtful"),
        number("observations without a digest", completeness.without_digest, commands.changes(), "without_digest"),
        number("writes while mapped", changes.mapped_writes.count, commands.changes(), "written_while_mapped"),
        number("files mounted over", changes.mounted.len(), commands.changes(), "mounted_over"),
        number("gaps", findings.gaps.len(), commands.gaps(), "gaps"),
    ];
    if told.question.verdicts.is_empty() {
        for (word, (claims, doubts)) in &findings.tally.verdicts {
            let command = commands.changes_with(&[(*word).to_owned()]);
            numbers.push(number(&format!("changes that look like {word}"), claims + doubts, command, "matching"));
        }
    } else {
        numbers.push(number("changes with such a verdict", findings.tally.count, commands.changes(), "matching"));
    }
    if let Some(hits) = &findings.hits {
        numbers.push(number("known-bad digests that were seen", hits.seen, commands.lookup(), "seen"));
        numbers.push(number("versions with a known-bad digest", hits.found.count, commands.lookup(), "matches"));
    }
    if let Some(trees) = &findings.trees {
        numbers.push(number(
            "processes of new contents",
            trees.found.count,
            commands.tree(&trees.digests),
            "processes",
        ));
    }
    if let Some((found, _)) = &findings.rare {
        numbers.push(number("contents on one host alone", found.count, commands.rare(), "rare"));
    }
    // Of several archives each has a line.
    if let Some((_, found)) = told.question.verified.as_ref().and_then(|verified| verified.found.last()) {
        let damages = found.findings.iter().filter(|finding| finding.severity == Severity::Damage).count();
        numbers.push(number("damages of the last archive", damages, commands.verify(), "damages"));
        numbers.push(number("files of it as they were sealed", found.files, commands.verify(), "files"));
    }
    numbers
}
