//! What `verify` found.

use super::super::commands::show as show_command;
use super::super::html::Html;
use super::{Told, notes};
use crate::evidence::finding::{Finding, Severity};
use crate::evidence::verify::notes::notes as notes_of;

/// Findings and archives that are shown.
const FINDINGS_MAX: usize = 100;
const ARCHIVES_MAX: usize = 100;

pub(super) fn show(told: &Told<'_>, html: &mut Html) {
    let Some(verified) = &told.question.verified else {
        html.line(
            "p",
            &[],
            "It was not asked (`--without-verify`). This says whether the archives are as they were sealed:",
        );
        return show_command("$", &told.commands.verify(), html);
    };
    let given = [("key", verified.key.map(str::to_owned)), ("head", verified.anchors.head.clone())];
    html.tag("div", &[], |html| {
        html.text("Trusted, because it was given from elsewhere: ");
        let mut is_any = false;
        for (name, value) in given.iter().filter_map(|(name, value)| Some((name, value.as_ref()?))) {
            html.text(&format!("{}the {name} ", if is_any { ", " } else { "" }));
            html.name(value);
            is_any = true;
        }
        html.text(if is_any { "." } else { "nothing." });
    });
    html.table(&["Archive", "Verdict", "State", "Signature", "Files", "Events", "Head of the manifest"], |html| {
        for (name, found) in verified.found.iter().take(ARCHIVES_MAX) {
            html.tag("tr", &[], |html| {
                let (class, verdict) = if found.is_good() { ("is-good", "good") } else { ("is-bad", "NOT GOOD") };
                html.cell("Archive", |html| html.name(name));
                html.cell("Verdict", |html| html.line("b", &[("class", class)], verdict));
                html.cell("State", |html| html.text(found.state.name()));
                html.cell("Signature", |html| html.text(&found.signature));
                html.cell("Files", |html| html.text(&found.files.to_string()));
                html.cell("Events", |html| html.text(&found.events.to_string()));
                html.cell("Head", |html| html.digest(&found.head));
            });
        }
    });
    let more = verified.found.len().saturating_sub(ARCHIVES_MAX);
    if more > 0 {
        html.line("p", &[("class", "left-out")], &format!("{more} more archives are not shown."));
    }
    findings(told, html);
    notes(&notes_of(&verified.found, &verified.anchors), 60, "`hashtrail verify` tells them", html);
    show_command("$", &told.commands.verify(), html);
}

/// What was found, damages first.
fn findings(told: &Told<'_>, html: &mut Html) {
    let found = told.question.verified.iter().flat_map(|verified| &verified.found);
    let mut findings: Vec<(&String, &Finding)> =
        found.flat_map(|(name, found)| found.findings.iter().map(move |finding| (name, finding))).collect();
    findings.sort_by_key(|(_, finding)| finding.severity != Severity::Damage);
    if findings.is_empty() {
        return html.line("p", &[], "Nothing was found that is not as it was sealed.");
    }
    html.table(&["Severity", "Kind", "Where", "What"], |html| {
        for (archive, finding) in findings.iter().take(FINDINGS_MAX) {
            let is_damage = finding.severity == Severity::Damage;
            html.tag("tr", &[], |html| {
                let (class, severity) = if is_damage { ("is-bad", "damage") } else { ("", "notice") };
                html.cell("Severity", |html| html.line("b", &[("class", class)], severity));
                html.cell("Kind", |html| html.text(finding.kind));
                html.cell("Where", |html| {
                    html.name(archive);
                    html.text(" ");
                    html.name(&finding.file);
                    html.text(" ");
                    html.note(&finding.place);
                });
                html.cell("What", |html| html.note(&finding.detail));
            });
        }
    });
    let more = findings.len().saturating_sub(FINDINGS_MAX);
    if more > 0 {
        html.line(
            "p",
            &[("class", "left-out")],
            &format!("{more} more findings are not shown; `hashtrail verify` has them."),
        );
    }
}
