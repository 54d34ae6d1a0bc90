//! Templates: what a policy is made from by `helm template` and its like. To a YAML parser they are only confusing.

use super::super::report::{Position, quoted};
use super::Fault;
use super::part::Part;

/// How an expression of a template begins and ends: Helm, Go and Jinja; statements of Jinja.
const EXPRESSIONS: [(&str, &str); 2] = [("{{", "}}"), ("{%", "%}")];

/// The first expression of a template in a part of a file, outside of comments.
///
/// What stands behind a `#` in quotes is not found here, but when the quoted text is read.
pub(super) fn find(part: &Part<'_>) -> Option<Fault> {
    first(part, |line, _| expression_in(line, line))
}

/// The same, where an expression may go over several lines: for what no YAML parser could make sense of.
pub(super) fn find_over_lines(part: &Part<'_>) -> Option<Fault> {
    // What does not end behind one line ends behind no later one, and need not be looked for again.
    let mut has_end = true;
    first(part, |line, rest| {
        let found = has_end.then(|| expression_in(line, rest)).flatten();
        has_end &= found.is_some() || !EXPRESSIONS.iter().any(|(open, _)| line.contains(open));
        found
    })
}

/// The fault of a text that holds an expression of a template.
pub(super) fn in_text(text: &str, at: Position) -> Option<Fault> {
    expression_in(text, text).map(|(_, expression)| fault(at, expression))
}

/// Looks into each line, which is given with all that follows it.
fn first<'a>(part: &Part<'a>, mut look: impl FnMut(&'a str, &'a str) -> Option<(usize, &'a str)>) -> Option<Fault> {
    let mut offset = 0;
    for (number, line) in part.text.split_inclusive('\n').enumerate() {
        if let Some((start, expression)) = look(without_comment(line), &part.text[offset..]) {
            let column = line[..start].chars().count() + 1;
            return Some(fault(Position { line: part.first_line + number, column }, expression));
        }
        offset += line.len();
    }
    None
}

/// Where the first expression begins that begins in `line` and ends in `rest`, which begins with the line.
fn expression_in<'a>(line: &str, rest: &'a str) -> Option<(usize, &'a str)> {
    let found = EXPRESSIONS.into_iter().filter_map(|(open, close)| {
        let start = line.find(open)?;
        let end = rest[start..].find(close)?;
        Some((start, &rest[start..start + end + close.len()]))
    });
    found.min_by_key(|(start, _)| *start)
}

/// A comment begins with a `#` at the start of a line or behind a space.
fn without_comment(line: &str) -> &str {
    let is_comment = |(index, _): &(usize, &str)| line[..*index].chars().next_back().is_none_or(char::is_whitespace);
    line.match_indices('#').find(is_comment).map_or(line, |(index, _)| &line[..index])
}

fn fault(at: Position, expression: &str) -> Fault {
    let expression = quoted(expression);
    let reason = format!(
        "this is a template, not a policy: {expression} is still to be filled in; render it first, with \
         `helm template` or what else it was written for, and use the result"
    );
    Fault { at, reason }
}
