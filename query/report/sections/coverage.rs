//! When the hosts were recorded, and when they were not: a strip of time for each.

use super::super::commands::show as show_command;
use super::super::html::Html;
use super::super::scale::{PLACES, Scale, percent};
use super::{Told, counted};
use crate::recordings::gaps::Gap;
use crate::recordings::suppressed::is_suppressed;
use hashtrail::cell::Micros;
use std::collections::{BTreeMap, BTreeSet};

/// Hosts, and gaps, that are shown.
const HOSTS_MAX: usize = 60;
const GAPS_MAX: usize = 100;
/// The narrowest bar that is seen, in thousandths of the width.
const NARROWEST: u16 = 3;

pub(super) fn show(told: &Told<'_>, html: &mut Html) {
    let findings = told.findings;
    let Some(scale) = &findings.scale else {
        return html.line("p", &[], "There is no recording.");
    };
    html.line("p", &[], &format!("From {} to {}, UTC.", scale.from.rfc3339(), scale.to.rfc3339()));
    legend(html);
    let hosts: BTreeSet<&str> = findings.recordings.list.iter().map(|recording| recording.host.as_str()).collect();
    for host in hosts.iter().take(HOSTS_MAX) {
        strip(told, host, scale, html);
    }
    axis(scale, html);
    let more = hosts.len().saturating_sub(HOSTS_MAX);
    if more > 0 {
        html.line(
            "p",
            &[("class", "left-out")],
            &format!("{} not shown.", counted(more, "more host is", "more hosts are")),
        );
    }
    gaps(told, html);
    show_command("All gaps:", &told.commands.gaps(), html);
    show_command("All recordings:", &told.commands.info(), html);
}

fn legend(html: &mut Html) {
    let kinds = [
        ("recorded", "recorded"),
        ("lost", "events were lost, or the recorder was blind"),
        ("suppressed", "left out by the policies' own limits"),
        ("unrecorded", "nobody recorded"),
        ("change", "changes"),
    ];
    html.tag("ul", &[("class", "legend")], |html| {
        for (class, text) in kinds {
            html.tag("li", &[], |html| {
                html.tag("svg", &[("width", "18"), ("height", "12"), ("aria-hidden", "true")], |html| {
                    html.tag("rect", &[("class", class), ("width", "18"), ("height", "12")], |_| {});
                });
                html.text(text);
            });
        }
    });
}

/// One host's time: recordings, above them gaps, below both the changes.
fn strip(told: &Told<'_>, host: &str, scale: &Scale, html: &mut Html) {
    let findings = told.findings;
    html.tag("figure", &[("class", "strip")], |html| {
        html.tag("figcaption", &[], |html| {
            html.name(host);
            let of_host = findings.started.iter().filter(|started| started.host == host);
            let kernels: BTreeSet<&str> = of_host.filter_map(|started| started.kernel.as_deref()).collect();
            kernels.iter().for_each(|kernel| html.line("span", &[("class", "soft")], &format!(" Linux {kernel}")));
        });
        html.tag("svg", &[("width", "100%"), ("height", "40"), ("role", "img")], |html| {
            html.line("title", &[], "recordings and gaps of this host");
            bar("outside", (0, PLACES), ["6", "20"], "", html);
            for recording in
                findings.recordings.list.iter().filter(|one| one.host == host && one.is_asked(told.question.scope))
            {
                let title = format!("recorded {} to {}", recording.start.rfc3339(), recording.end.rfc3339());
                bar("recorded", between(scale, recording.start, recording.end), ["6", "20"], &title, html);
            }
            let mut drawn = BTreeMap::new();
            for gap in findings.gaps.iter().filter(|gap| gap.host == host) {
                let (place, class) = (between(scale, gap.from, gap.to), class_of(gap));
                // What a drawing cannot tell apart is drawn once.
                drawn.entry((class, place)).or_insert_with(|| gap.text());
            }
            drawn.iter().for_each(|((class, place), title)| bar(class, *place, ["2", "28"], title, html));
            for (place, count) in findings.tally.places.get(host).into_iter().flatten() {
                let title = counted(*count, "change", "changes");
                bar("change", ((*place).min(PLACES - NARROWEST), 0), ["31", "9"], &title, html);
            }
        });
    });
}

fn between(scale: &Scale, from: Micros, to: Micros) -> (u16, u16) {
    let (from, to) = (scale.place(from), scale.place(to));
    (from.min(PLACES - NARROWEST), to.saturating_sub(from))
}

/// A bar at a place with a width, at a height with a thickness.
fn bar(class: &str, (place, width): (u16, u16), [top, thickness]: [&str; 2], title: &str, html: &mut Html) {
    let (left, width) = (percent(place), percent(width.max(NARROWEST)));
    let attributes = [("class", class), ("x", &left), ("y", top), ("width", &width), ("height", thickness)];
    html.tag("rect", &attributes, |html| html.line("title", &[], title));
}

fn class_of(gap: &Gap) -> &'static str {
    match gap.cause.as_str() {
        "not_recorded" => "unrecorded",
        cause if is_suppressed(cause) => "suppressed",
        _ => "lost",
    }
}

/// The times below drawings.
pub(super) fn axis(scale: &Scale, html: &mut Html) {
    html.tag("svg", &[("class", "axis"), ("width", "100%"), ("height", "22"), ("aria-hidden", "true")], |html| {
        for (number, (place, time)) in scale.ticks().into_iter().enumerate() {
            let place_text = percent(place);
            let anchor = match place {
                0 => "start",
                PLACES => "end",
                _ => "middle",
            };
            let class = if number % 2 == 1 { "odd" } else { "" };
            html.tag("g", &[("class", class)], |html| {
                html.tag("line", &[("x1", &place_text), ("x2", &place_text), ("y1", "0"), ("y2", "5")], |_| {});
                html.line("text", &[("x", &place_text), ("y", "18"), ("text-anchor", anchor)], &time);
            });
        }
    });
}

fn gaps(told: &Told<'_>, html: &mut Html) {
    let findings = told.findings;
    let all: Vec<&Gap> = findings.gaps.iter().collect();
    if all.is_empty() {
        html.line("p", &[], "The ledgers tell of no gap.");
    } else {
        html.tag("details", &[], |html| {
            html.line("summary", &[], &counted(all.len(), "gap", "gaps"));
            html.table(&["Host", "From", "To", "Cause", "Lost"], |html| {
                for gap in all.iter().take(GAPS_MAX) {
                    html.tag("tr", &[], |html| {
                        html.cell("Host", |html| html.name(&gap.host));
                        html.cell("From", |html| html.time(gap.from));
                        html.cell("To", |html| html.time(gap.to));
                        html.cell("Cause", |html| html.text(&gap.cause));
                        let lost = gap.lost.map_or("not known".to_owned(), |lost| format!("{lost} event(s)"));
                        html.cell("Lost", |html| html.text(&lost));
                    });
                }
            });
            let more = all.len().saturating_sub(GAPS_MAX);
            if more > 0 {
                html.line("p", &[("class", "left-out")], &format!("{more} more gaps are not shown."));
            }
        });
    }
    if !findings.skipped.is_empty() {
        let count = counted(findings.skipped.len(), "time", "times");
        html.line(
            "p",
            &[],
            &format!("{count} the kernel skipped programs whose runs no answer about contents and writers needs."),
        );
    }
}
