//! The parts of the page, a file each.

mod changes;
mod coverage;
mod doubts;
mod evidence;
mod first_screen;
mod known_bad;
mod lanes;
mod numbers;
mod rare;
mod trees;

use super::commands::Commands;
use super::html::Html;
use super::{Findings, ReportQuestion};
use hashtrail::cell::Micros;

/// What a section tells of.
pub(super) struct Told<'a> {
    pub(super) question: &'a ReportQuestion<'a>,
    pub(super) findings: &'a Findings<'a>,
    pub(super) commands: Commands<'a>,
}

/// Writes a section.
type Show = fn(&Told<'_>, &mut Html);

/// All sections with their anchors and titles, in their order.
const SECTIONS: [(&str, &str, Show); 9] = [
    ("evidence", "Is the evidence whole?", evidence::show),
    ("coverage", "When was it recorded?", coverage::show),
    ("known-bad", "Known-bad contents", known_bad::show),
    ("versions", "Versions of the files that changed", lanes::show),
    ("changes", "Changes, and who can have made them", changes::show),
    ("processes", "What ran the new contents", trees::show),
    ("rare", "What ran on one host alone", rare::show),
    ("doubts", "What is not known", doubts::show),
    ("numbers", "Each number again", numbers::show),
];

/// Writes all of them.
pub(super) fn show(told: &Told<'_>, html: &mut Html) {
    first_screen::show(told, html);
    html.tag("nav", &[("aria-label", "Sections")], |html| {
        for (anchor, title, _) in SECTIONS {
            html.line("a", &[("href", &format!("#{anchor}"))], title);
        }
    });
    for (anchor, title, show) in SECTIONS {
        html.tag("section", &[("id", anchor)], |html| {
            html.line("h2", &[], title);
            show(told, html);
        });
    }
}

/// Writes notes as a list, as many as are told; `more` says where the others are.
fn notes(texts: &[String], most: usize, more: &str, html: &mut Html) {
    html.tag("ul", &[("class", "notes")], |html| {
        for text in texts.iter().take(most) {
            html.tag("li", &[], |html| html.note(text));
        }
        if texts.len() > most {
            html.line("li", &[("class", "left-out")], &format!("{} more: {more}", texts.len() - most));
        }
    });
}

/// From when to when something was seen.
fn seen(first: Micros, last: Micros, html: &mut Html) {
    html.time(first);
    html.text(" to ");
    html.time(last);
}

/// A number with its noun, in the right form.
fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{} {}", grouped(count), if count == 1 { one } else { many })
}

/// A number whose thousands can be told apart.
fn grouped(count: usize) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push('\u{a0}');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1\u{a0}000", "1\u{a0}234\u{a0}567"]);
        assert_eq!(
            (counted(1, "change", "changes"), counted(2, "change", "changes")),
            ("1 change".into(), "2 changes".into())
        );
    }
}
