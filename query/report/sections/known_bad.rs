//! Where contents that lists name were seen.

use super::super::commands::show as show_command;
use super::super::html::Html;
use super::{Told, counted, grouped, seen};
use crate::versions::version::Version;
use hashtrail::escape::escape;

/// Names of one content that are shown.
const LABELS_MAX: usize = 3;

pub(super) fn show(told: &Told<'_>, html: &mut Html) {
    let (Some(known_bad), Some(hits)) = (&told.question.known_bad, &told.findings.hits) else {
        return html.line("p", &[], "It was not asked: no list was given (`--ioc FILE`).");
    };
    let lists: Vec<String> =
        known_bad.files.iter().map(|file| escape(&file.display().to_string()).into_owned()).collect();
    let wanted = &known_bad.wanted;
    html.tag("p", &[], |html| {
        let text = format!("{} of {} digests were seen, in ", grouped(hits.seen), grouped(wanted.len()));
        html.text(&text);
        html.text(&counted(hits.found.count, "version of a file", "versions of files"));
        html.text(". Lists: ");
        html.note(&lists.join(", "));
    });
    if wanted.unusable_lines > 0 {
        let text = format!(
            "{} of the lists could not be used, wholly or in part.",
            counted(wanted.unusable_lines, "line", "lines")
        );
        html.line("p", &[("class", "left-out")], &text);
    }
    for left_out in &wanted.left_out {
        html.tag("p", &[("class", "soft")], |html| {
            html.note(&format!(
                "{}: not looked for, as it is no digest of a file: {} ({})",
                left_out.list, left_out.kind, left_out.count
            ));
        });
    }
    if !hits.list.is_empty() {
        html.table(&["Name", "Host", "File", "Digest", "Seen", "Runs", "Doubts"], |html| {
            hits.list.iter().for_each(|(version, labels)| html.tag("tr", &[], |html| row(version, labels, html)));
        });
    }
    let more = hits.found.count.saturating_sub(hits.list.len());
    if more > 0 {
        html.line("p", &[("class", "left-out")], &format!("{} not shown.", counted(more, "more is", "more are")));
    }
    show_command("All of them:", &told.commands.lookup(), html);
}

fn row(version: &Version, labels: &[String], html: &mut Html) {
    let row = &version.first().row;
    html.cell("Name", |html| {
        for label in labels.iter().take(LABELS_MAX) {
            html.tag("div", &[], |html| html.name(label));
        }
        if labels.len() > LABELS_MAX {
            html.text(&format!("and {} more", labels.len() - LABELS_MAX));
        }
    });
    html.cell("Host", |html| html.name(&row.host));
    html.cell("File", |html| match &row.path {
        Some(path) => html.name(path),
        None => html.text("without a path"),
    });
    html.cell("Digest", |html| html.digest(&row.digest));
    html.cell("Seen", |html| seen(version.first_seen(), version.last_seen(), html));
    let runs = version.exec_runs().map_or("not known".to_owned(), |runs| runs.to_string());
    html.cell("Runs", |html| html.text(&runs));
    let doubts = if version.doubts().is_empty() { "none".to_owned() } else { version.doubts().join(", ") };
    html.cell("Doubts", |html| html.text(&doubts));
}
