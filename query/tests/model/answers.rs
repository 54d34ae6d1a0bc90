//! Asks each verb about a history, and compares.

mod changes;
mod contents;
mod verdicts;
mod versions;

use super::history::{History, Sight};
use super::recorded::Recorded;
use super::story::Story;
use crate::cli::Cli;
use crate::output::problems::Problems;
use crate::tests::tree::naive_tree;
use anyhow::Result;
use clap::Parser;
use hashtrail::cell::Micros;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

/// How often what was told.
pub(super) type Told = BTreeMap<String, usize>;
type Checked = std::result::Result<(), String>;

/// The archives of a history, and what is expected of the answers about them.
struct Case<'a> {
    directory: &'a Path,
    history: &'a History,
    sights: Vec<Sight<'a>>,
}

/// What answers say wrongly of a story: the verb, and what.
pub(super) fn disagreements(story: &Story, told: &mut Told) -> Vec<String> {
    let history = History::of(story);
    let directory = match tempfile::tempdir().map_err(anyhow::Error::from) {
        Ok(directory) => directory,
        Err(error) => return vec![format!("write: {error:#}")],
    };
    if let Err(error) = history.write(directory.path()) {
        return vec![format!("write: {error:#}")];
    }
    let case = Case { directory: directory.path(), history: &history, sights: history.sights() };
    let checked = [
        case.changes(told),
        case.in_time(),
        case.versions(told),
        case.of_inode(),
        case.lookup(),
        case.lookup_in_time(),
        case.rare(told),
        case.rare_in_time(),
        case.sides(told),
        case.before_and_after(),
        case.tree(told),
    ];
    checked.into_iter().filter_map(Checked::err).collect()
}

fn count(told: &mut Told, what: &str) {
    *told.entry(what.to_owned()).or_default() += 1;
}

/// Of objects some fields.
fn only(row: &Value, fields: &[&str]) -> Value {
    fields.iter().map(|field| ((*field).to_owned(), row[*field].clone())).collect()
}

/// Whether an answer says what is expected. A count that is open may be null.
pub(super) fn agrees(answered: &Value, expected: &Value) -> bool {
    match (answered, expected) {
        (Value::Object(answered), Value::Object(expected)) => {
            let has = |(name, value): (&String, &Value)| answered.get(name).is_some_and(|told| agrees(told, value));
            answered.len() == expected.len() && expected.iter().all(has)
        }
        (_, Value::Object(open)) if open.contains_key("open") => answered.is_null() || *answered == open["open"],
        _ => answered == expected,
    }
}

/// Which answer says which of what is expected, or what one side has and the other has not.
fn pairs(verb: &str, answered: &[Value], expected: &[Value]) -> std::result::Result<Vec<(usize, usize)>, String> {
    let mut left: Vec<usize> = (0..expected.len()).collect();
    let (mut pairs, mut others) = (Vec::new(), Vec::new());
    for (number, row) in answered.iter().enumerate() {
        match left.iter().position(|of| agrees(row, &expected[*of])) {
            Some(at) => pairs.push((number, left.remove(at))),
            None => others.push(row),
        }
    }
    if others.is_empty() && left.is_empty() {
        return Ok(pairs);
    }
    let texts = |rows: Vec<&Value>| rows.into_iter().map(sorted).collect::<Vec<_>>().join("\n  ");
    let lacking = left.iter().map(|of| &expected[*of]).collect();
    Err(format!("{verb}: answered\n  {}\nexpected\n  {}", texts(others), texts(lacking)))
}

fn same(verb: &str, answered: &[Value], expected: &[Value]) -> Checked {
    pairs(verb, answered, expected).map(drop)
}

fn check(verb: &str, holds: bool, what: impl FnOnce() -> String) -> Checked {
    if holds { Ok(()) } else { Err(format!("{verb}: {}", what())) }
}

impl Case<'_> {
    /// The rows of an answer and its summary.
    fn ask_at(&self, archives: &[String], line: &[&str]) -> std::result::Result<(Vec<Value>, Value), String> {
        let mut words = vec!["hashtrail".to_owned()];
        words.extend(line.iter().map(|word| (*word).to_owned()));
        words.extend(["--format", "json"].map(str::to_owned));
        words.extend(archives.iter().cloned());
        let ask = || -> Result<Vec<Value>> {
            let (problems, mut written) = (Problems::default(), Vec::new());
            Cli::try_parse_from(&words)?.run(&problems, &mut written)?;
            let text = String::from_utf8(written)?;
            text.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
        };
        let mut rows = ask().map_err(|error| format!("{}: {error:#}", line[0]))?;
        let summary = rows.pop().filter(|last| last["type"] == "summary");
        summary.map(|summary| (rows, summary)).ok_or_else(|| format!("{}: no summary", line[0]))
    }

    fn ask(&self, line: &[&str]) -> std::result::Result<(Vec<Value>, Value), String> {
        self.ask_at(&["--archive".into(), self.directory.join("*").display().to_string()], line)
    }

    fn has_losses(&self, of_changes: bool) -> bool {
        let lacks = |machine: &super::machine::Machine| {
            machine.recordings.len() > 1
                || machine.recordings.iter().any(|recorded| recorded.losses(of_changes).next().is_some())
        };
        self.history.machines.iter().any(lacks)
    }

    fn recordings(&self) -> impl Iterator<Item = &Recorded> {
        self.history.machines.iter().flat_map(|machine| &machine.recordings)
    }

    /// Whether the clock was set, so that times say nothing of the order.
    fn has_steps(&self) -> bool {
        self.history.machines.iter().any(super::machine::Machine::has_steps)
    }

    fn is_doubtful(&self) -> bool {
        self.sights.iter().any(|sight| sight.has_digest() && !sight.is_certain() || sight.is_lacking())
    }

    /// No answer may call itself complete where something is missing.
    fn check_complete(&self, verb: &str, summary: &Value, is_complete: bool) -> Checked {
        let says = summary["complete"] == true;
        check(verb, !says || is_complete, || format!("is not complete, and says so not: {summary}"))
    }

    /// A time in which a part of it all happened.
    fn time(&self) -> Option<(Micros, Micros)> {
        let mut times: Vec<Micros> = self.sights.iter().map(Sight::time).collect();
        times.sort();
        let (since, until) = times.get(times.len() / 3).zip(times.get(times.len() * 2 / 3))?;
        Some((*since, *until)).filter(|(since, until)| since < until)
    }

    fn tree(&self, told: &mut Told) -> Checked {
        let (rows, summary) = self.ask(&["tree"])?;
        let recordings = self.history.machines.iter().flat_map(|machine| {
            let host = self.history.host(machine);
            machine.recordings.iter().map(move |recorded| {
                let tells_runs = recorded.settings.commits == super::recorded::Covered::All;
                (host.clone(), recorded.events(), tells_runs)
            })
        });
        let expected = naive_tree(&recordings.collect::<Vec<_>>());
        rows.iter().for_each(|_| count(told, "processes"));
        let answered: Vec<Value> = rows.iter().map(crate::tests::tree::told).collect();
        let wrong = answered.iter().zip(&expected).find(|(answered, expected)| answered != expected);
        let wrong = wrong.map(|(answered, expected)| format!("answered {answered}\nexpected {expected}"));
        check("tree", wrong.is_none(), || wrong.unwrap_or_default())?;
        check("tree", answered.len() == expected.len(), || format!("there are {}: {rows:#?}", expected.len()))?;
        self.check_complete("tree", &summary, !self.has_losses(false))
    }
}

/// The same text for the same object.
fn sorted(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let fields: BTreeMap<&String, String> = fields.iter().map(|(name, value)| (name, sorted(value))).collect();
            let fields: Vec<String> = fields.iter().map(|(name, text)| format!("{}:{text}", json!(name))).collect();
            format!("{{{}}}", fields.join(","))
        }
        other => other.to_string(),
    }
}
