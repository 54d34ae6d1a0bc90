//! The parts of a file between its `---` lines.
//!
//! No document can hold such a line, not even in a text over several lines, so a fault in one part cannot reach the next.

/// A piece of a file, which holds whole documents.
pub(super) struct Part<'a> {
    /// The line of the file with which it begins, from 1.
    pub(super) first_line: usize,
    /// Its text.
    pub(super) text: &'a str,
}

/// The parts of a file, in order.
pub(super) fn split(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let (mut first_line, mut start, mut offset) = (1, 0, 0);
    let mut has_content = false;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        if is_marker(line) && has_content {
            parts.push(Part { first_line, text: &text[start..offset] });
            (first_line, start, has_content) = (number + 1, offset, false);
        }
        // A directive belongs to the document behind the marker that follows it.
        has_content |= is_marker(line) || !is_directive(line);
        offset += line.len();
    }
    parts.push(Part { first_line, text: &text[start..] });
    parts
}

fn is_marker(line: &str) -> bool {
    line.strip_prefix("---").is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace))
}

fn is_directive(line: &str) -> bool {
    line.trim().is_empty() || line.starts_with(['%', '#'])
}
