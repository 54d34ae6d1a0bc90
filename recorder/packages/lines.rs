//! Lines of a file that a stranger may have written, in bounded memory.

use std::io::{BufRead, BufReader, Read, Result};

/// What is kept of a line: room for the longest path, with a digest and what else stands beside it.
pub(super) const MAX_LINE_BYTES: usize = 8 << 10;

/// A file, line by line.
pub(super) struct Lines<R> {
    reader: BufReader<R>,
    line: Vec<u8>,
}

/// A line without its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line<'a> {
    pub(super) bytes: &'a [u8],
    /// Whether it was longer than what is kept.
    pub(super) is_cut: bool,
}

impl<R: Read> Lines<R> {
    pub(super) fn of(file: R) -> Self {
        Self { reader: BufReader::new(file), line: Vec::new() }
    }

    /// The next one; the last needs no end.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(super) fn next(&mut self) -> Result<Option<Line<'_>>> {
        self.line.clear();
        let (mut is_cut, mut is_any) = (false, false);
        loop {
            let read = self.reader.fill_buf()?;
            if read.is_empty() {
                break;
            }
            is_any = true;
            let end = read.iter().position(|byte| *byte == b'\n');
            let part = &read[..end.unwrap_or(read.len())];
            let kept = part.len().min(MAX_LINE_BYTES - self.line.len());
            self.line.extend_from_slice(&part[..kept]);
            is_cut |= kept < part.len();
            let used = part.len() + usize::from(end.is_some());
            self.reader.consume(used);
            if end.is_some() {
                break;
            }
        }
        Ok(is_any.then_some(Line { bytes: &self.line, is_cut }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(bytes: &[u8]) -> Vec<(usize, bool)> {
        let mut lines = Lines::of(bytes);
        std::iter::from_fn(|| lines.next().expect("bytes").map(|line| (line.bytes.len(), line.is_cut))).collect()
    }

    #[test]
    fn long_lines_are_cut_and_say_so_and_the_last_needs_no_end() {
        assert_eq!(lines(b""), []);
        assert_eq!(lines(b"\n"), [(0, false)]);
        assert_eq!(lines(b"ab\n\nc"), [(2, false), (0, false), (1, false)]);
        let long = [&vec![b'x'; 3 * MAX_LINE_BYTES][..], b"\nab\n", &vec![b'y'; MAX_LINE_BYTES]].concat();
        assert_eq!(lines(&long), [(MAX_LINE_BYTES, true), (2, false), (MAX_LINE_BYTES, false)]);
    }
}
