//! The changes that are shown, in the order of time: what changed, what it looks like, who can have made it.

use super::super::chosen::{PLAIN, Worth};
use super::super::commands::show as show_command;
use super::super::html::Html;
use super::super::lines::{self, ProcessLine};
use super::{Told, counted, grouped, notes};
use crate::investigate::verdicts::Verdict;
use crate::investigate::verdicts::evidence::Evidence;
use crate::investigate::who::{Case, Chain};
use crate::suspects::attribution::Attribution;
use crate::versions::version::Version;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What the changes may take of the page.
const BYTES_MAX: usize = 4 << 20;
/// So many changes stand unfolded.
const OPEN_MAX: usize = 4;
/// Gaps of one change that are told.
const GAPS_MAX: usize = 5;
/// Programs of one process above a writer.
const PROGRAMS_MAX: usize = 4;
/// Writers that the line of a change names.
const NAMED_MAX: usize = 2;

pub(super) fn show(told: &Told<'_>, html: &mut Html) {
    if told.findings.tally.count == 0 {
        html.line(
            "p",
            &[],
            match (told.question.verdicts, told.question.paths) {
                ([], []) => "No file is known to have changed.",
                ([], _) => "None of the files that were asked for is known to have changed.",
                _ => "No change has a verdict that was asked for.",
            },
        );
        return show_command("$", &told.commands.changes(), html);
    }
    let (changes, written) = in_order(told);
    left_out(told, &written, html);
    controls(told, html);
    html.tag("div", &[("id", "list")], |html| changes.values().for_each(|change| html.append(change)));
    show_command("All of them:", &told.commands.changes(), html);
}

/// The changes by their place in time, as many of those that say most as the page may take, and how many of each worth.
fn in_order(told: &Told<'_>) -> (BTreeMap<impl Ord, Html>, BTreeMap<Worth, usize>) {
    let shown = &told.findings.shown;
    let (mut changes, mut written, mut bytes) = (BTreeMap::new(), BTreeMap::new(), 0);
    for (number, (case, worth)) in shown.cases.iter().zip(&shown.worths).enumerate() {
        let mut html = Html::default();
        change(told, case, *worth, &mut html);
        bytes += html.len();
        if bytes > BYTES_MAX && number > 0 {
            break;
        }
        *written.entry(*worth).or_default() += 1;
        changes.insert((case.change.before_time(), case.change.to.first().first, number), html);
    }
    (changes, written)
}

/// Says which changes are here and which are not.
fn left_out(told: &Told<'_>, written: &BTreeMap<Worth, usize>, html: &mut Html) {
    let (all, here) = (told.findings.tally.count, written.values().sum::<usize>());
    if here == all {
        return html.line(
            "p",
            &[],
            &format!("All {} are here, in the order of time.", counted(all, "change", "changes")),
        );
    }
    html.tag("div", &[("class", "left-out"), ("id", "left-out")], |html| {
        let text = format!(
            "{} of {} changes are here, in the order of time; {} are left out. What says most was chosen first:",
            grouped(here),
            grouped(all),
            grouped(all - here)
        );
        html.line("p", &[], &text);
        html.tag("ul", &[], |html| {
            for worth in Worth::ALL {
                let Some(all) = told.findings.shown.counts.get(&worth) else { continue };
                let here = written.get(&worth).copied().unwrap_or_default();
                html.line("li", &[], &format!("{} of {} {}", grouped(here), grouped(*all), worth.text()));
            }
        });
    });
}

/// What needs a script, and is hidden without one.
fn controls(told: &Told<'_>, html: &mut Html) {
    html.tag("div", &[("id", "controls"), ("role", "search"), ("hidden", "")], |html| {
        html.tag("label", &[], |html| {
            html.text("Find ");
            html.single("input", &[("id", "find"), ("type", "search"), ("placeholder", "path, digest, program, host")]);
        });
        html.tag("label", &[], |html| {
            html.text("Verdict ");
            html.tag("select", &[("id", "verdict")], |html| {
                html.line("option", &[("value", "")], "any");
                for word in told.findings.tally.verdicts.keys() {
                    html.line("option", &[("value", word)], word);
                }
            });
        });
        html.line("button", &[("id", "open"), ("type", "button")], "Unfold all");
        html.line("button", &[("id", "close"), ("type", "button")], "Fold all");
        html.tag("output", &[("id", "count")], |_| {});
    });
}

fn change(told: &Told<'_>, case: &Case, worth: Worth, html: &mut Html) {
    let change = &case.change;
    let words: Vec<&str> = case.verdicts.iter().map(|verdict| verdict.word).collect();
    let words_text = words.join(" ");
    let attributes = [("class", "change"), ("data-verdicts", words_text.as_str()), ("open", "")];
    // A few are read at once.
    let is_open = told.findings.tally.count <= OPEN_MAX;
    html.tag("details", if is_open { &attributes } else { &attributes[..2] }, |html| {
        html.tag("summary", &[], |html| {
            html.time(change.before_time());
            path(case, html, Html::short_name);
            html.tag("span", &[("class", "on")], |html| {
                html.text("on ");
                html.short_name(&change.key.host);
            });
            if !words.iter().any(|word| PLAIN.contains(word)) {
                html.line("span", &[("class", "badge")], change.kind.name());
            }
            if worth == Worth::KnownBad {
                html.line("span", &[("class", "badge bad")], "known bad");
            }
            for verdict in &case.verdicts {
                let class = if verdict.doubts.is_empty() { "badge" } else { "badge doubt" };
                html.line("span", &[("class", class)], &verdict.short());
            }
            if !case.gaps.is_empty() {
                html.line("span", &[("class", "badge doubt")], "gaps");
            }
            html.tag("span", &[("class", "who")], |html| html.note(&in_short(case)));
        });
        facts(case, html);
        case.verdicts.iter().for_each(|one| verdict(told, one, html));
        who(told, case, html);
        if let Some(line) = told.commands.who(case) {
            show_command("$", &line, html);
        }
    });
}

fn path(case: &Case, html: &mut Html, write: fn(&mut Html, &str)) {
    match &case.change.key.path {
        Some(path) => write(html, path),
        None => html.line("span", &[("class", "soft")], "a file without a path"),
    }
}

/// Who can have made it, for the line of a change.
fn in_short(case: &Case) -> String {
    if case.attribution != Some(Attribution::Suspects) {
        return case.attribution.map_or("", Attribution::name).to_owned();
    }
    let acts = case.acts();
    let programs: BTreeSet<&str> = acts.map(|act| act.seen.exe.as_deref().unwrap_or(&act.seen.comm)).collect();
    let named: Vec<&str> = programs.iter().copied().take(NAMED_MAX).collect();
    let more = programs.len().saturating_sub(NAMED_MAX);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("by {}{more}?", named.join(", "))
}

fn facts(case: &Case, html: &mut Html) {
    let change = &case.change;
    html.tag("dl", &[], |html| {
        fact("File", html, |html| path(case, html, Html::name));
        fact("From", html, |html| match &change.from {
            Some(from) => version(from, html),
            None => html.text("not seen before"),
        });
        fact("To", html, |html| version(&change.to, html));
        fact("When", html, |html| {
            let after = change.told_after().map_or("an unknown time".to_owned(), |time| time.rfc3339());
            html.text(&format!("after {after}, before {}", change.before_time().rfc3339()));
        });
        if !change.doubts.is_empty() {
            fact("Doubts", html, |html| {
                html.text(&format!("digests in this time are doubtful: {}", change.doubts.join(", ")))
            });
        }
        if !case.gaps.is_empty() {
            fact("Missing", html, |html| {
                let texts: Vec<String> = case.gaps.iter().map(|gap| gap.text()).collect();
                notes(&texts, GAPS_MAX, "`hashtrail gaps` lists them", html);
            });
        }
    });
}

fn fact(name: &'static str, html: &mut Html, tell: impl FnOnce(&mut Html)) {
    html.line("dt", &[], name);
    html.tag("dd", &[], tell);
}

fn version(version: &Version, html: &mut Html) {
    let row = &version.latest().row;
    html.text(&format!("{} ", row.digest_algorithm));
    html.digest(&row.digest);
    let runs = version.exec_runs().map_or("runs not known".to_owned(), |runs| format!("{runs} run(s)"));
    let (first, last) = (version.first_seen().rfc3339(), version.last_seen().rfc3339());
    let file = if row.has_file() { format!("inode {} of {}", row.ino, row.dev) } else { "inode not known".to_owned() };
    html.line("span", &[("class", "soft")], &format!(" {file}, seen {first} to {last}, {runs}"));
}

fn verdict(told: &Told<'_>, verdict: &Verdict, html: &mut Html) {
    html.tag("p", &[("class", "verdict")], |html| {
        html.line("b", &[], &verdict.short());
        html.text(": ");
        html.note(&verdict.says);
        for doubt in &verdict.doubts {
            html.text(" — in doubt: ");
            html.note(doubt);
        }
    });
    if verdict.evidence.is_empty() {
        return;
    }
    html.tag("details", &[("class", "rows")], |html| {
        html.line("summary", &[], &format!("Read from {}", counted(verdict.evidence.len(), "row", "rows")));
        html.tag("ul", &[], |html| {
            verdict.evidence.iter().for_each(|row| html.tag("li", &[], |html| evidence(told, row, html)));
        });
    });
}

/// A row by its key, with the columns that say it.
fn evidence(told: &Told<'_>, row: &Evidence, html: &mut Html) {
    html.text(&format!("{}, at {}: ", row.key_text(told.findings.recordings), row.time.rfc3339()));
    if let Some(path) = &row.path {
        html.name(path);
    }
    for (name, value) in row.columns.iter().filter(|(_, value)| !value.is_null()) {
        html.text(&format!(" {name}="));
        match value {
            Value::String(text) => html.name(text),
            other => html.note(&other.to_string()),
        }
    }
}

fn who(told: &Told<'_>, case: &Case, html: &mut Html) {
    html.line("h3", &[], "Who can have made it");
    let text = match case.attribution {
        Some(Attribution::Suspects) => {
            "At least one of these acts can have changed the content; that it did is not shown."
        }
        Some(Attribution::NobodySeen) => {
            "Nobody was seen, though every such act by every name of the file that is known was recorded and nothing was lost."
        }
        Some(Attribution::Gap) => "Not known: events were lost, or it is not known which file an act was about.",
        Some(Attribution::NotCovered) => "Not known: the policies left such acts out, or the file has other names.",
        None => "It was first seen, so nobody is known to have changed it.",
    };
    html.line("p", &[], text);
    if case.has_unnamed && case.attribution == Some(Attribution::Suspects) {
        html.line("p", &[], "Acts whose names could not be built may be others.");
    }
    told.findings.known.chains(case).iter().for_each(|one| chain(one, html));
    if case.omitted > 0 {
        let acts = counted(case.omitted, "more act is", "more acts are");
        html.line("p", &[("class", "left-out")], &format!("{acts} not shown here."));
    }
}

/// A writer below the processes that it came from, and what it did.
fn chain(chain: &Chain<'_>, html: &mut Html) {
    let (kind, link) = chain.origin();
    let of = link.map_or(String::new(), |link| format!(", pid {}", link.process.key.pid));
    let doubt = if link.is_some() && !chain.is_origin_certain { ", unless it was adopted" } else { "" };
    html.tag("div", &[("class", "chain")], |html| {
        html.line("p", &[], &format!("From {kind}{of}{doubt}:"));
        let lines: Vec<ProcessLine> =
            chain.links.iter().flat_map(|branch| ProcessLine::of(branch, PROGRAMS_MAX)).collect();
        lines::show(&lines, chain.above, html);
        html.tag("ul", &[("class", "acts")], |html| {
            for act in chain.acts {
                html.tag("li", &[], |html| {
                    html.time(act.seen.time);
                    html.text(" ");
                    html.note(&act.text());
                    if let Some(path) = &act.seen.path {
                        html.text(" on ");
                        html.name(path);
                    }
                });
            }
        });
    });
}
