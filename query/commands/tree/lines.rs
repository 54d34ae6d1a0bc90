//! A process in the table: the lines of its tree, and its programs.

use super::ran;
use crate::investigate::tree::Branch;
use crate::output::{Row, object};
use crate::processes::ParentSource;
use crate::processes::family::Root;
use crate::processes::life::Program;
use crate::processes::sight::Credentials;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Lines of ancestors that are drawn; deeper processes say how many more there are.
const LINES_MAX: usize = 32;
/// Enough of a container's id to tell it from others.
const CONTAINER_CHARACTERS: usize = 12;

/// The lines of a process in the table: each has a program, and the first says until when the process was seen.
pub(crate) fn of(branch: &Branch<'_>) -> Vec<Row> {
    let Branch { process, boot, life, .. } = branch;
    let mut rows: Vec<Row> = life.programs.iter().map(|program| line(branch, program)).collect();
    if rows.is_empty() {
        let mut row = line_of(life.credentials.as_ref());
        row.insert("time".into(), process.seen.map(|seen| seen.first_time.rfc3339()).into());
        row.insert("program".into(), without_program(branch).into());
        rows.push(row);
    }
    if life.omitted > 0 {
        rows.push(object(json!({"program": format!("{} more program(s)", life.omitted)})));
    }
    for (number, row) in rows.iter_mut().enumerate() {
        let program = row.get("program").and_then(Value::as_str).unwrap_or_default();
        let mark = if number == 0 { mark(branch) } else { "then " };
        let text = format!("{}{mark}{program}", drawn(branch.siblings_follow, number == 0));
        let last_seen = process.seen.filter(|_| number == 0).map(|seen| seen.last_time.rfc3339());
        row.extend(object(json!({
            "host": boot.host, "pid": process.key.pid, "last_seen": last_seen, "program": text,
        })));
    }
    rows
}

/// What is told before the first program of a process.
fn mark(branch: &Branch<'_>) -> &'static str {
    match branch.root {
        Some(Root::Unknown) => "(parent unknown) ",
        Some(Root::Circle) => "(ancestor of itself) ",
        _ => "",
    }
}

fn line_of(of: Option<&Credentials>) -> Row {
    let container = of.and_then(|of| of.container_id.as_deref());
    let container: Option<String> = container.map(|id| id.chars().take(CONTAINER_CHARACTERS).collect());
    object(json!({"uid": of.map(|of| of.uid), "container_id": container}))
}

fn line(branch: &Branch<'_>, program: &Program) -> Row {
    let mut row = line_of(Some(&program.credentials));
    let paths = program.files.iter().map(|file| file.path.as_deref().unwrap_or("?"));
    let mut text = paths.collect::<Vec<&str>>().join(" by ");
    text.push_str(match ran(branch, program) {
        Some(true) if program.was_running => " (ran already)",
        Some(true) => "",
        Some(false) => " (attempt)",
        None => " (run or attempt)",
    });
    let doubts = program.files.iter().filter(|file| file.digest.is_doubtful()).flat_map(|file| &file.digest.doubt);
    let doubts: BTreeSet<&str> = doubts.map(String::as_str).collect();
    if !doubts.is_empty() {
        text += &format!(" (digest doubtful: {})", doubts.into_iter().collect::<Vec<&str>>().join(", "));
    }
    row.extend(object(json!({
        "time": program.time.rfc3339(), "program": text, "argv": program.argv,
        "digest": program.file().and_then(|file| file.digest.digest.as_deref()),
    })));
    row
}

/// A process that ran no program of its own: that of its parent goes on, or it is one of the kernel's.
fn without_program(branch: &Branch<'_>) -> String {
    let is_forked = branch.process.parent.is_some_and(|parent| parent.source == ParentSource::Fork);
    match (&branch.life.exe_before, &branch.life.comm) {
        (Some(exe), _) => format!("{exe} ({})", if is_forked { "forked" } else { "ran already" }),
        (None, Some(comm)) => format!("[{comm}]"),
        (None, None) => "(no row)".to_owned(),
    }
}

/// The lines of a tree that stand before a process, and before what follows in its own row.
fn drawn(siblings_follow: &[bool], is_first: bool) -> String {
    let Some((own, above)) = siblings_follow.split_last() else { return String::new() };
    let hidden = above.len().saturating_sub(LINES_MAX);
    let mut text = if hidden > 0 { format!("+{hidden} ") } else { String::new() };
    above[hidden..].iter().for_each(|follows| text.push_str(if *follows { "│  " } else { "   " }));
    text.push_str(match (is_first, own) {
        (true, true) => "├─ ",
        (true, false) => "└─ ",
        (false, true) => "│  ",
        (false, false) => "   ",
    });
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deep_processes_say_how_many_lines_are_not_drawn() {
        assert_eq!(drawn(&[], true), "");
        assert_eq!((drawn(&[true, false], true), drawn(&[false, true], false)), ("│  └─ ".into(), "   │  ".into()));
        let deep = drawn(&[true; 1_000_000], true);
        assert!(deep.starts_with("+999967 │  │  ") && deep.ends_with("│  ├─ "), "{deep}");
        assert_eq!(deep.chars().count(), "+999967 ".len() + 33 * 3);
    }
}
