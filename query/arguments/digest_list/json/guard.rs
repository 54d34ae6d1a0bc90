//! JSON on its way to the parser: lines are counted, and what would take the parser memory without a bound ends it.

use std::cell::Cell;
use std::io::{self, BufRead, Read};
use std::rc::Rc;

/// What stands in one text. MISP has samples in its attributes.
const MAX_TEXT_BYTES: usize = 64 << 20;
const MAX_DEPTH: usize = 100;

/// Reads JSON for the parser.
pub(super) struct Guard<'a> {
    json: &'a mut dyn BufRead,
    line: Rc<Cell<u64>>,
    is_text: bool,
    is_escaped: bool,
    text_bytes: usize,
    depth: usize,
}

impl<'a> Guard<'a> {
    /// Keeps the number of the line that the parser is in.
    pub(super) fn new(json: &'a mut dyn BufRead, line: Rc<Cell<u64>>) -> Self {
        Self { json, line, is_text: false, is_escaped: false, text_bytes: 0, depth: 0 }
    }

    fn pass(&mut self, byte: u8) -> io::Result<()> {
        let is_escaped = std::mem::take(&mut self.is_escaped);
        match byte {
            b'\n' => self.line.set(self.line.get() + 1),
            b'\\' if self.is_text => self.is_escaped = !is_escaped,
            b'"' if !is_escaped => (self.is_text, self.text_bytes) = (!self.is_text, 0),
            b'[' | b'{' if !self.is_text => self.depth += 1,
            b']' | b'}' if !self.is_text => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        self.text_bytes += 1;
        if self.is_text && self.text_bytes > MAX_TEXT_BYTES {
            return Err(io::Error::other(format!("a text of the JSON is longer than {MAX_TEXT_BYTES} bytes")));
        }
        if self.depth > MAX_DEPTH {
            return Err(io::Error::other(format!("the JSON is deeper than {MAX_DEPTH} levels")));
        }
        Ok(())
    }
}

impl Read for Guard<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let held = self.json.fill_buf()?;
        let count = held.len().min(buffer.len());
        buffer[..count].copy_from_slice(&held[..count]);
        self.json.consume(count);
        buffer[..count].iter().try_for_each(|byte| self.pass(*byte))?;
        Ok(count)
    }
}
