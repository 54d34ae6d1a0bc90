//! The page around the sections. It asks for nothing: style and script stand in it, and its policy lets no other run.

use super::commands::Commands;
use super::gather::Started;
use super::html::Html;
use super::sections::{self, Told};
use super::{Findings, ReportQuestion};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hashtrail::cell::Micros;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

const STYLE: &str = include_str!("style.css");
/// It folds and filters; all of the page can be read without.
const SCRIPT: &str = include_str!("script.js");
/// Names that are told at the head of the page.
const NAMED_MAX: usize = 6;

pub(super) fn of(question: &ReportQuestion<'_>, findings: &Findings<'_>, written: Micros) -> String {
    let told = Told { question, findings, commands: Commands::of(question) };
    let mut html = Html::default();
    html.own("<!DOCTYPE html>\n");
    html.tag("html", &[("lang", "en")], |html| {
        html.tag("head", &[], head);
        html.tag("body", &[], |html| {
            patterns(html);
            html.tag("header", &[], |html| title(&told, html));
            html.tag("main", &[], |html| sections::show(&told, html));
            html.tag("footer", &[], |html| footer(written, html));
            html.tag("script", &[], |html| html.own(SCRIPT));
        });
    });
    html.own("\n");
    html.into_text()
}

fn head(html: &mut Html) {
    let hash = |text: &str| format!("'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(text)));
    let policy = format!(
        "default-src 'none'; style-src {}; script-src {}; base-uri 'none'; form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    );
    html.single("meta", &[("charset", "utf-8")]);
    html.single("meta", &[("http-equiv", "Content-Security-Policy"), ("content", &policy)]);
    html.single("meta", &[("name", "viewport"), ("content", "width=device-width, initial-scale=1")]);
    html.single("meta", &[("name", "referrer"), ("content", "no-referrer")]);
    html.single("meta", &[("name", "color-scheme"), ("content", "light dark")]);
    html.line("title", &[], "hashtrail report");
    html.tag("style", &[], |html| html.own(STYLE));
}

/// What drawings hatch with.
fn patterns(html: &mut Html) {
    html.tag("svg", &[("width", "0"), ("height", "0"), ("class", "patterns"), ("aria-hidden", "true")], |html| {
        html.tag("defs", &[], |html| {
            let attributes = [
                ("id", "hatch"),
                ("width", "6"),
                ("height", "6"),
                ("patternUnits", "userSpaceOnUse"),
                ("patternTransform", "rotate(45)"),
            ];
            html.tag("pattern", &attributes, |html| {
                html.tag("rect", &[("width", "2"), ("height", "6"), ("class", "stripe")], |_| {});
            });
        });
    });
}

fn title(told: &Told<'_>, html: &mut Html) {
    let (scope, findings) = (told.question.scope, told.findings);
    let hosts: BTreeSet<String> = findings.recordings.hosts(scope);
    html.line("p", &[("class", "soft")], "hashtrail report");
    html.tag("h1", &[], |html| {
        if hosts.is_empty() {
            html.text("No recording");
        }
        for (number, host) in hosts.iter().take(NAMED_MAX).enumerate() {
            html.text(if number > 0 { ", " } else { "" });
            html.short_name(host);
        }
        let more = hosts.len().saturating_sub(NAMED_MAX);
        if more > 0 {
            html.text(&format!(" and {more} more hosts"));
        }
    });
    html.tag("div", &[("class", "soft")], |html| {
        asked(told.question, html);
        let names = |of: fn(&Started) -> Option<&String>| findings.started.iter().filter_map(of).collect();
        told_at_start("Case", &names(|started| started.case.as_ref()), html);
        told_at_start("Operator", &names(|started| started.operator.as_ref()), html);
    });
}

/// What was asked for.
fn asked(question: &ReportQuestion<'_>, html: &mut Html) {
    let scope = question.scope;
    let since = scope.since.map_or("the beginning".to_owned(), Micros::rfc3339);
    let until = scope.until.map_or("the end of what was recorded".to_owned(), Micros::rfc3339);
    html.text(&format!("Asked from {since} to {until}"));
    for (what, names) in [("of", question.paths), ("on the host", &scope.host), ("with the verdict", question.verdicts)]
    {
        for (number, name) in names.iter().enumerate() {
            html.text(&if number == 0 { format!(", {what} ") } else { " or ".to_owned() });
            html.short_name(name);
        }
    }
    html.text(".");
}

/// What whoever started the recordings said of them.
fn told_at_start(what: &str, names: &BTreeSet<&String>, html: &mut Html) {
    for (number, name) in names.iter().take(NAMED_MAX).enumerate() {
        html.text(&if number == 0 { format!(" {what} ") } else { ", ".to_owned() });
        html.name(name);
    }
    let more = names.len().saturating_sub(NAMED_MAX);
    html.text(&if more > 0 { format!(" and {more} more") } else { String::new() });
    html.text(if names.is_empty() { "" } else { "." });
}

fn footer(written: Micros, html: &mut Html) {
    html.tag("p", &[], |html| {
        html.text(&format!("Written by hashtrail {} at ", env!("CARGO_PKG_VERSION")));
        html.line("time", &[("id", "written")], &written.rfc3339());
        html.text(
            ". A name in quotes is a string of JSON, because it has characters that cannot be seen or would change what is: what \
             is not UTF-8 in it stands as \\xNN there, as in the archive. Nothing on this page asks for anything from elsewhere.",
        );
    });
}
