//! What is missing or doubtful, of each answer.

use super::super::html::Html;
use super::{Told, notes};

/// Notes of one kind that are told.
const NOTES_MAX: usize = 40;
/// What a problem may take of the page: it quotes what was read.
const LETTERS_MAX: usize = 600;
/// How a note begins that says that something is missing.
const LACKS: &str = "not complete: ";

/// What no recording tells.
const NEVER: [&str; 4] = [
    "Code that is in no file when it runs has no digest: what was unpacked, compiled or received into memory.",
    "What no policy asked for was not recorded, and what happened before the recordings left no trace in them.",
    "Who writes with the rights of root can have kept the recorder from seeing it; what the ledger shows of that stands above.",
    "An act that can have made a change need not have made it.",
];

pub(super) fn show(told: &Told<'_>, html: &mut Html) {
    for (title, texts) in groups(told).into_iter().filter(|(_, texts)| !texts.is_empty()) {
        html.line("h3", &[], title);
        notes(&texts, NOTES_MAX, "ask for fewer files, hosts or a shorter time", html);
    }
    html.line("h3", &[], "What no recording tells");
    html.tag("ul", &[], |html| NEVER.iter().for_each(|text| html.line("li", &[], text)));
}

/// All that makes an answer less than complete, each once.
pub(super) fn lacks(told: &Told<'_>) -> Vec<String> {
    let mut lacks: Vec<String> = Vec::new();
    let problems = told.findings.archives.problems().texts();
    if !problems.is_empty() {
        lacks.push(format!("{} error(s): something could not be read or is missing", problems.len()));
    }
    for text in groups(told).into_iter().flat_map(|(_, texts)| texts) {
        // Problems are told once, and not as those of each answer.
        let lack = text.strip_prefix(LACKS).filter(|lack| !lack.contains("error(s), named above"));
        lacks.extend(lack.map(str::to_owned).filter(|lack| !lacks.contains(lack)));
    }
    lacks
}

fn groups(told: &Told<'_>) -> [(&'static str, Vec<String>); 6] {
    let findings = told.findings;
    let changes = &findings.changes;
    let mut of_changes = changes.completeness.notes();
    of_changes.extend(changes.mapped_writes.notes());
    of_changes.extend(changes.mounted.notes());
    of_changes.extend(changes.observed.notes());
    if changes.has_other_algorithms {
        of_changes.push(
            "algorithm_changed: digests of different algorithms cannot be compared, so the content may be the same"
                .to_owned(),
        );
    }
    let of_writers = findings.known.doubts.notes().chain(findings.known.covered.notes()).collect();
    let of_trees = findings.trees.iter().flat_map(|trees| {
        let found = &trees.found;
        found.doubts.notes().chain(found.completeness.notes())
    });
    let of_hits = findings.hits.iter().flat_map(|hits| hits.found.completeness.notes());
    let of_rare = findings.rare.iter().flat_map(|(found, _)| {
        let hosts = found.hosts_without_digests.iter();
        let hosts = hosts.map(|host| format!("{LACKS}no digest was recorded in this time on {host}"));
        found.completeness.notes().into_iter().chain(found.notes()).chain(hosts)
    });
    let problems = findings.archives.problems().texts().into_iter().map(shortened);
    let groups = [
        ("What could not be read", problems.chain(findings.archives.hosts().notes()).collect()),
        ("Of the changes", of_changes),
        ("Of who can have made them", of_writers),
        ("Of the processes that ran new contents", of_trees.collect()),
        ("Of known-bad contents", of_hits.collect()),
        ("Of what ran on one host alone", of_rare.collect()),
    ];
    groups.map(|(title, texts)| (title, without_contradiction(texts)))
}

/// A part of an answer may be complete by itself, where another is not.
fn without_contradiction(mut texts: Vec<String>) -> Vec<String> {
    let is_lacking = texts.iter().any(|text| text.starts_with(LACKS));
    texts.retain(|text| !is_lacking || !text.starts_with("complete: "));
    texts
}

fn shortened(text: String) -> String {
    match text.char_indices().nth(LETTERS_MAX) {
        Some((end, _)) => format!("{}… ({} bytes)", &text[..end], text.len()),
        None => text,
    }
}
