//! A process in the table: the lines of its tree, and its programs.

use crate::investigate::tree::Branch;
use crate::output::{Row, object};
use crate::processes::life::Program;
use crate::processes::sight::Credentials;
use serde_json::{Value, json};

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
        row.insert("program".into(), branch.without_program().into());
        rows.push(row);
    }
    if life.omitted > 0 {
        rows.push(object(json!({"program": format!("{} more program(s)", life.omitted)})));
    }
    for (number, row) in rows.iter_mut().enumerate() {
        let program = row.get("program").and_then(Value::as_str).unwrap_or_default();
        let mark = if number == 0 { branch.mark() } else { "then " };
        let text = format!("{}{mark}{program}", drawn(branch.siblings_follow, number == 0));
        let last_seen = process.seen.filter(|_| number == 0).map(|seen| seen.last_time.rfc3339());
        row.extend(object(json!({
            "host": boot.host, "pid": process.key.pid, "last_seen": last_seen, "program": text,
        })));
    }
    rows
}

fn line_of(of: Option<&Credentials>) -> Row {
    let container = of.and_then(|of| of.container_id.as_deref());
    let container: Option<String> = container.map(|id| id.chars().take(CONTAINER_CHARACTERS).collect());
    object(json!({"uid": of.map(|of| of.uid), "container_id": container}))
}

fn line(branch: &Branch<'_>, program: &Program) -> Row {
    let mut row = line_of(Some(&program.credentials));
    row.extend(object(json!({
        "time": program.time.rfc3339(), "program": branch.program(program), "argv": program.argv,
        "digest": program.file().and_then(|file| file.digest.digest.as_deref()),
    })));
    row
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
