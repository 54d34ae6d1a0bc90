//! Cells within the width of a terminal.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// What stands between two columns.
pub(super) const BETWEEN: usize = 2;
/// A cell that is shortened keeps so much: with less, one path looks like another.
const LEAST: usize = 16;
const LEFT_OUT: char = '…';

/// A column of cells below its header.
struct Column {
    /// Of its widest cell.
    width: usize,
    /// What it cannot be shortened below.
    least: usize,
}

/// Shortens the widest cells, unless they are to stay whole, until the rows fit below their headers; false where they
/// cannot.
pub(super) fn fit(headers: &[String], rows: &mut [Vec<String>], width: usize, are_whole: bool) -> bool {
    let mut columns: Vec<Column> = (0..headers.len()).map(|index| column(&headers[index], rows, index)).collect();
    if are_whole {
        columns.iter_mut().for_each(|column| column.least = column.width);
    }
    let between = BETWEEN * columns.len().saturating_sub(1);
    let width_of = |column: &Column, cap: usize| column.width.min(cap).max(column.least);
    let total = |cap: usize| columns.iter().map(|column| width_of(column, cap)).sum::<usize>() + between;
    let widest = columns.iter().map(|column| column.width).max().unwrap_or_default();
    let Some(cap) = (0..=widest.min(width)).rev().find(|cap| total(*cap) <= width) else { return false };
    for row in rows {
        for (cell, column) in row.iter_mut().zip(&columns) {
            shorten(cell, width_of(column, cap));
        }
    }
    true
}

fn column(header: &str, rows: &[Vec<String>], index: usize) -> Column {
    let cells = || rows.iter().filter_map(|row| row.get(index));
    let width = cells().map(|cell| cell.width()).chain([header.width()]).max().unwrap_or_default();
    let is_whole = cells().any(|cell| is_time(cell));
    Column { width, least: if is_whole { width } else { LEAST.max(header.width()).min(width) } }
}

/// A time says nothing without its end, or another thing.
fn is_time(cell: &str) -> bool {
    let bytes = cell.as_bytes();
    bytes.len() >= 20 && bytes[..4].iter().all(u8::is_ascii_digit) && bytes[4] == b'-' && bytes[10] == b'T'
}

/// Leaves out the middle of a path, whose ends tell it from others, and the end of another text.
fn shorten(cell: &mut String, width: usize) {
    if cell.width() <= width {
        return;
    }
    let kept = width.saturating_sub(1);
    let tail = if cell.contains('/') && !cell.contains(", ") { kept - kept / 3 } else { 0 };
    let start: String = within(cell.chars(), kept - tail).collect();
    let mut end: Vec<char> = within(cell.chars().rev(), tail).collect();
    end.reverse();
    *cell = start.chars().chain([LEFT_OUT]).chain(end).collect();
}

/// As many characters as fit.
fn within(characters: impl Iterator<Item = char>, width: usize) -> impl Iterator<Item = char> {
    characters.scan(0, move |taken, character| {
        *taken += character.width().unwrap_or_default();
        (*taken <= width).then_some(character)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fitted(width: usize, rows: &[&[&str]]) -> Option<Vec<String>> {
        let mut rows: Vec<Vec<String>> =
            rows.iter().map(|row| row.iter().map(|cell| (*cell).to_owned()).collect()).collect();
        let headers = ["PATH", "TIME", "WHO"].map(str::to_owned);
        fit(&headers, &mut rows, width, false).then(|| rows.into_iter().map(|row| row.join("  ")).collect())
    }

    const TIME: &str = "2026-11-24T16:20:51.964153Z";

    #[test]
    fn the_widest_cells_give_way_and_times_do_not() {
        let path = "/usr/lib/x86_64-linux-gnu/security/pam_unix.so";
        let row = [path, TIME, "sshd"];
        assert_eq!(fitted(81, &[&row]).expect("it fits"), [format!("{path}  {TIME}  sshd")]);
        let narrow = fitted(60, &[&row]).expect("it fits");
        assert_eq!(narrow, [format!("/usr/lib…rity/pam_unix.so  {TIME}  sshd")]);
        assert_eq!(narrow[0].width(), 60);
        assert_eq!(fitted(50, &[&row]), None);
    }

    #[test]
    fn a_text_loses_its_end_and_wide_characters_count_twice() {
        let text = "writes by sh, and by vi";
        assert_eq!(fitted(51, &[&["/a", TIME, text]]).expect("it fits"), [format!("/a  {TIME}  writes by sh, a…")]);
        let wide = "漢".repeat(30);
        let cut = fitted(60, &[&[&wide, TIME, "sh"]]).expect("it fits");
        assert!(cut[0].width() <= 60, "{}", cut[0]);
    }
}
