//! The versions of each file as a lane over time.

use super::super::commands::show as show_command;
use super::super::html::Html;
use super::super::scale::{PLACES, Scale, percent};
use super::super::spans::{Lane, Span};
use super::coverage::axis;
use super::{Told, counted};
use std::collections::HashMap;

/// Contents have so many colours, and then the first again.
const COLOURS: usize = 8;
/// Versions of one file that its table has.
const ROWS_MAX: usize = 20;
/// The narrowest version that is seen.
const NARROWEST: u16 = 4;

pub(super) fn show(told: &Told<'_>, html: &mut Html) {
    let findings = told.findings;
    let Some(scale) = findings.scale.as_ref().filter(|_| !findings.lanes.is_empty()) else {
        return html.line("p", &[], "No change that is shown below is of a file with a path.");
    };
    html.line(
        "p",
        &[],
        "A bar is the time in which a content was seen, with the beginning of its digest. The same content has the same colour \
         everywhere; there are eight, so others can share it. Hatched: the digest is doubtful, and it may have been another \
         content. Outlined in red: a list names it. Between two bars nobody looked.",
    );
    axis(scale, html);
    let mut colours: HashMap<&str, usize> = HashMap::new();
    for lane in &findings.lanes {
        html.tag("figure", &[("class", "lane")], |html| {
            html.tag("figcaption", &[], |html| {
                html.name(lane.key.path.as_deref().unwrap_or_default());
                html.text(" on ");
                html.name(&lane.key.host);
                html.line("span", &[("class", "soft")], &format!(" {}", counted(lane.count, "version", "versions")));
            });
            html.tag("svg", &[("width", "100%"), ("height", "26"), ("role", "img")], |html| {
                html.line("title", &[], "versions of this file");
                html.tag("line", &[("class", "rail"), ("x1", "0"), ("x2", "100%"), ("y1", "13"), ("y2", "13")], |_| {});
                for span in &lane.spans {
                    let next = colours.len();
                    let colour = *colours.entry(&span.digest).or_insert(next) % COLOURS;
                    bar(span, scale, colour, html);
                }
            });
            table(told, lane, html);
        });
    }
    if findings.without_lane > 0 {
        let more = counted(findings.without_lane, "more file", "more files");
        html.line("p", &[("class", "left-out")], &format!("{more} of changes that are shown below have no lane here."));
    }
}

/// A drawing of its own for each, which cuts off what of its label does not fit.
fn bar(span: &Span, scale: &Scale, colour: usize, html: &mut Html) {
    let (from, to) = (scale.place(span.first), scale.place(span.last));
    let left = percent(from.min(PLACES - NARROWEST));
    let width = percent(to.saturating_sub(from).max(NARROWEST));
    let class = format!("version k{colour}{}", if span.is_listed { " listed" } else { "" });
    html.tag("svg", &[("x", &left), ("y", "3"), ("width", &width), ("height", "20"), ("class", &class)], |html| {
        let seen = format!("seen {} to {}", span.first.rfc3339(), span.last.rfc3339());
        let title = match span.versions {
            1 => format!("{}, {seen}", span.digest),
            count => format!("{count} versions, {seen}"),
        };
        html.line("title", &[], &title);
        html.tag("rect", &[("width", "100%"), ("height", "100%")], |_| {});
        if span.is_doubtful {
            html.tag("rect", &[("width", "100%"), ("height", "100%"), ("class", "hatch")], |_| {});
        }
        let label: String =
            if span.versions == 1 { span.digest.chars().take(8).collect() } else { format!("×{}", span.versions) };
        html.line("text", &[("x", "4"), ("y", "14")], &label);
    });
}

fn table(told: &Told<'_>, lane: &Lane, html: &mut Html) {
    html.tag("details", &[], |html| {
        html.line("summary", &[], "As a table");
        html.table(&["Digest", "First seen", "Last seen", "Runs", ""], |html| {
            for span in lane.spans.iter().take(ROWS_MAX) {
                html.tag("tr", &[], |html| row(span, html));
            }
        });
        let shown: usize = lane.spans.iter().take(ROWS_MAX).map(|span| span.versions).sum();
        if lane.count > shown {
            let more = lane.count - shown;
            html.line(
                "p",
                &[("class", "left-out")],
                &format!("{} not in this table.", counted(more, "version is", "versions are")),
            );
        }
        if lane.omitted > 0 {
            let text = format!("The last {} not drawn.", counted(lane.omitted, "version is", "versions are"));
            html.line("p", &[("class", "left-out")], &text);
        }
        show_command("All of them:", &told.commands.history(lane.key.path.as_deref().unwrap_or_default()), html);
    });
}

fn row(span: &Span, html: &mut Html) {
    html.cell("Digest", |html| match span.versions {
        1 => html.digest(&span.digest),
        count => html.text(&format!("{count} versions, too near to each other to be drawn apart")),
    });
    html.cell("First seen", |html| html.time(span.first));
    html.cell("Last seen", |html| html.time(span.last));
    html.cell("Runs", |html| html.text(&span.runs.map_or("not known".to_owned(), |runs| runs.to_string())));
    html.cell("", |html| {
        if span.is_doubtful {
            html.line("span", &[("class", "badge doubt")], "doubtful");
        }
        if span.is_listed {
            html.line("span", &[("class", "badge bad")], "known bad");
        }
    });
}
