//! The first screen: four questions, each with an answer in a sentence or two.

use super::super::html::Html;
use super::super::tally::Tally;
use super::{Told, counted, doubts, grouped};
use crate::evidence::finding::Severity;
use crate::suspects::attribution::Attribution;

/// Counts that are named one by one.
const NAMED_MAX: usize = 4;

/// How an answer is to be taken.
#[derive(Clone, Copy)]
enum Mood {
    Good,
    Bad,
    Doubt,
    Plain,
}

impl Mood {
    /// The class of the card, and what tells it where there is no colour.
    fn marks(self) -> (&'static str, &'static str) {
        match self {
            Self::Good => ("card good", "✓ "),
            Self::Bad => ("card bad", "✗ "),
            Self::Doubt => ("card doubt", "? "),
            Self::Plain => ("card", ""),
        }
    }
}

/// An answer: its mood, its short form, and what is to be said beside it.
struct Answer {
    mood: Mood,
    short: String,
    lines: Vec<String>,
}

pub(super) fn show(told: &Told<'_>, html: &mut Html) {
    let cards = [
        ("Is this evidence whole?", "#evidence", is_it_whole(told)),
        ("What changed?", "#changes", what_changed(told)),
        ("Who did it?", "#changes", who_did_it(told)),
        ("What do I not know?", "#doubts", what_is_not_known(told)),
    ];
    html.tag("div", &[("class", "cards")], |html| {
        for (question, link, Answer { mood, short, lines }) in cards {
            let (class, mark) = mood.marks();
            html.tag("article", &[("class", class)], |html| {
                html.tag("h2", &[], |html| html.line("a", &[("href", link)], question));
                html.tag("p", &[("class", "answer")], |html| html.note(&format!("{mark}{short}")));
                html.tag("ul", &[], |html| {
                    lines.iter().for_each(|line| html.tag("li", &[], |html| html.note(line)));
                });
            });
        }
    });
}

fn is_it_whole(told: &Told<'_>) -> Answer {
    let Some(verified) = &told.question.verified else {
        let lines =
            vec!["The archives were read as they are; whether they are as they were sealed was not asked.".into()];
        return Answer { mood: Mood::Doubt, short: "Not checked".into(), lines };
    };
    let of_severity = |severity| {
        let findings = verified.found.iter().flat_map(|(_, found)| &found.findings);
        findings.filter(|finding| finding.severity == severity).count()
    };
    let damages = of_severity(Severity::Damage);
    let files: usize = verified.found.iter().map(|(_, found)| found.files).sum();
    let events: u64 = verified.found.iter().map(|(_, found)| found.events).sum();
    let mut lines = vec![format!(
        "{} checked: {} and {} as they were sealed.",
        counted(verified.found.len(), "archive", "archives"),
        counted(files, "file", "files"),
        counted(usize::try_from(events).unwrap_or(usize::MAX), "event", "events"),
    )];
    lines.extend(
        verified
            .found
            .iter()
            .take(NAMED_MAX)
            .map(|(name, found)| format!("{name}: {}, signature: {}", found.state.name(), found.signature)),
    );
    let more = verified.found.len().saturating_sub(NAMED_MAX);
    lines.extend((more > 0).then(|| format!("{more} more archives below")));
    let has_anchor = verified.anchors.key.is_some() || verified.anchors.head.is_some();
    let unchecked = told.findings.archives.list.len().saturating_sub(verified.found.len());
    let (mood, short) = if damages > 0 {
        (Mood::Bad, format!("No: {}", counted(damages, "damage", "damages")))
    } else if unchecked > 0 {
        (Mood::Bad, format!("{} could not be checked", counted(unchecked, "archive", "archives")))
    } else if !verified.is_good() {
        (Mood::Bad, "Not all was sealed by a stop".to_owned())
    } else if has_anchor {
        (Mood::Good, "Yes, as it was sealed".to_owned())
    } else {
        lines.push("Nobody vouches for who sealed it: no key and no head was given.".to_owned());
        (Mood::Doubt, "As sealed, by whom is not shown".to_owned())
    };
    Answer { mood, short, lines }
}

fn what_changed(told: &Told<'_>) -> Answer {
    let (tally, changes) = (&told.findings.tally, &told.findings.changes);
    let mut lines = Vec::new();
    if let Some(hits) = &told.findings.hits {
        let asked = told.question.known_bad.as_ref().map_or(0, |known_bad| known_bad.wanted.len());
        lines.push(format!("Known-bad: {} of {} listed digests were seen.", grouped(hits.seen), grouped(asked)));
    }
    let named = |counts: &[(&str, usize)]| {
        let named: Vec<String> = counts.iter().map(|(name, count)| format!("{} {name}", grouped(*count))).collect();
        named.join(", ")
    };
    if tally.count > 0 {
        let hosts = counted(tally.hosts.len(), "host", "hosts");
        lines.push(match told.question.verdicts {
            [] => format!(
                "Of {} on {hosts}: {}.",
                counted(changes.files, "file", "files"),
                named(&Tally::largest(&tally.kinds))
            ),
            _ => format!(
                "With the verdicts that were asked for, on {hosts}; {} in all.",
                counted(changes.count, "change", "changes")
            ),
        });
        let verdicts = tally.verdicts.iter().map(|(word, (claims, doubts))| (*word, claims + doubts)).collect();
        lines.push(format!("They look like: {}.", named(&Tally::largest(&verdicts))));
    }
    lines.extend(files(told));
    let is_bad = told.findings.hits.as_ref().is_some_and(|hits| hits.seen > 0);
    let mood = if is_bad { Mood::Bad } else { Mood::Plain };
    let short =
        if tally.count == 0 { "No change was seen".to_owned() } else { counted(tally.count, "change", "changes") };
    Answer { mood, short, lines }
}

/// The files of the changes that say most.
fn files(told: &Told<'_>) -> Vec<String> {
    let keys = told.findings.shown.cases.iter().map(|case| (&case.change.key.path, &case.change.key.host));
    let mut files: Vec<String> = Vec::new();
    for (path, host) in keys {
        let file = format!("{} on {host}", path.as_deref().unwrap_or("a file without a path"));
        if files.len() < NAMED_MAX && !files.contains(&file) {
            files.push(file);
        }
    }
    files
}

fn who_did_it(told: &Told<'_>) -> Answer {
    let tally = &told.findings.tally;
    if tally.count == 0 {
        return Answer { mood: Mood::Plain, short: "There is no change".to_owned(), lines: Vec::new() };
    }
    let of = |attribution: Attribution| tally.attributions.get(attribution.name()).copied().unwrap_or_default();
    let known = of(Attribution::Suspects);
    let programs = Tally::largest(&tally.programs);
    let mut lines: Vec<String> = programs
        .iter()
        .take(NAMED_MAX)
        .map(|(name, count)| format!("{name} can have made {}", grouped(*count)))
        .collect();
    let more = programs.len().saturating_sub(NAMED_MAX);
    lines
        .extend((more > 0).then(|| format!("{} can have made others", counted(more, "more program", "more programs"))));
    lines.extend(
        (tally.by_others > 0).then(|| format!("{}: others too, by acts that are too many", grouped(tally.by_others))),
    );
    for (attribution, what) in [
        (Attribution::NobodySeen, "nobody was seen, though each such act was recorded"),
        (Attribution::Gap, "not known, for something was lost"),
        (Attribution::NotCovered, "not recorded, for the policies left it out"),
    ] {
        let count = of(attribution);
        lines.extend((count > 0).then(|| format!("{}: {what}", grouped(count))));
    }
    let mood = if known == tally.count { Mood::Plain } else { Mood::Doubt };
    let short = format!("{} of {} have suspects", grouped(known), counted(tally.count, "change", "changes"));
    Answer { mood, short, lines }
}

fn what_is_not_known(told: &Told<'_>) -> Answer {
    let lacks = doubts::lacks(told);
    let mut lines: Vec<String> = lacks.iter().take(NAMED_MAX).cloned().collect();
    let more = lacks.len().saturating_sub(NAMED_MAX);
    lines.extend((more > 0).then(|| format!("{more} more below")));
    if lacks.is_empty() {
        lines.push("Nothing that the policies asked for was lost; what they did not ask for was not seen.".to_owned());
        return Answer { mood: Mood::Good, short: "The recordings are complete".to_owned(), lines };
    }
    let short = format!("Not complete: {}", counted(lacks.len(), "reason", "reasons"));
    Answer { mood: Mood::Doubt, short, lines }
}
