//! Contents that ran or were loaded on one host alone.

use super::super::commands::show as show_command;
use super::super::html::Html;
use super::{Told, grouped, seen};
use crate::versions::prevalence::Prevalence;

pub(super) fn show(told: &Told<'_>, html: &mut Html) {
    let Some((found, list)) = &told.findings.rare else {
        return html.line("p", &[], "Only one host recorded in this time, so nothing can be told apart by it.");
    };
    let text = format!(
        "{} of {} contents ran or were loaded on one of {} hosts alone. That a content is rare says nothing more of it.",
        grouped(found.count),
        grouped(found.loaded),
        grouped(found.hosts.len())
    );
    html.line("p", &[], &text);
    if !list.is_empty() {
        html.tag("details", &[], |html| {
            html.line("summary", &[], &format!("{} of them", grouped(list.len())));
            html.table(&["Digest", "Host", "Paths", "Runs", "Seen"], |html| {
                list.iter().for_each(|content| html.tag("tr", &[], |html| row(content, html)));
            });
        });
    }
    let more = found.count.saturating_sub(list.len());
    if more > 0 {
        html.line("p", &[("class", "left-out")], &format!("{} more are not shown.", grouped(more)));
    }
    show_command("All of them:", &told.commands.rare(), html);
}

fn row(content: &Prevalence, html: &mut Html) {
    html.cell("Digest", |html| html.digest(&content.digest));
    html.cell("Host", |html| content.hosts.iter().for_each(|host| html.name(host)));
    html.cell("Paths", |html| {
        content.first_paths.iter().for_each(|path| html.tag("div", &[], |html| html.name(path)));
        let more = content.paths.saturating_sub(content.first_paths.len());
        if more > 0 {
            html.text(&format!("and {more} more"));
        }
    });
    let runs = content.runs().map_or("not known".to_owned(), |runs| runs.to_string());
    html.cell("Runs", |html| html.text(&runs));
    html.cell("Seen", |html| match content.times {
        Some((first, last)) => seen(first, last, html),
        None => html.text("not known"),
    });
}
