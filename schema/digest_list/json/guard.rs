//! JSON on its way to the parser: lines are counted, long texts are cut, which is told, and what is too deep ends it.

use std::cell::Cell;
use std::io::{self, BufRead, Read};
use std::rc::Rc;

/// What is read of one text: no digest is longer, and few patterns. MISP has samples in its attributes.
pub(super) const MAX_TEXT_BYTES: usize = 1 << 20;
/// A text that cannot be cut in so many bytes more.
const MORE_TEXT_BYTES: usize = 1 << 20;
/// Of each level a few texts may be held.
const MAX_DEPTH: usize = 32;
/// A text is cut only so far behind a backslash: two escapes may make one letter.
const ESCAPE_BYTES: usize = 12;

/// Reads JSON for the parser.
pub(super) struct Guard<'a> {
    json: &'a mut dyn BufRead,
    position: Position,
    is_text: bool,
    is_escaped: bool,
    /// What a text has, and what of it stands behind its last backslash.
    text_bytes: usize,
    plain_bytes: usize,
    is_cutting: bool,
    depth: usize,
}

/// Where the parser is.
#[derive(Debug, Clone, Default)]
pub(super) struct Position {
    line: Rc<Cell<u64>>,
    is_cut: Rc<Cell<bool>>,
}

impl Position {
    pub(super) fn line(&self) -> u64 {
        self.line.get() + 1
    }

    /// Whether the text that was just read is cut.
    pub(super) fn take_cut(&self) -> bool {
        self.is_cut.take()
    }
}

impl<'a> Guard<'a> {
    /// Keeps where the parser is.
    pub(super) fn new(json: &'a mut dyn BufRead, position: Position) -> Self {
        Self {
            json,
            position,
            is_text: false,
            is_escaped: false,
            text_bytes: 0,
            plain_bytes: 0,
            is_cutting: false,
            depth: 0,
        }
    }

    /// Takes a byte; says whether the parser gets it.
    fn pass(&mut self, byte: u8) -> io::Result<bool> {
        let is_escaped = std::mem::take(&mut self.is_escaped);
        self.position.line.set(self.position.line.get() + u64::from(byte == b'\n'));
        match byte {
            b'\\' if self.is_text => (self.is_escaped, self.plain_bytes) = (!is_escaped, 0),
            b'"' if !is_escaped => {
                self.is_text = !self.is_text;
                (self.text_bytes, self.plain_bytes, self.is_cutting) = (0, 0, false);
            }
            b'[' | b'{' if !self.is_text => self.depth += 1,
            b']' | b'}' if !self.is_text => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        if self.depth > MAX_DEPTH {
            return Err(io::Error::other(format!("the JSON is deeper than {MAX_DEPTH} levels")));
        }
        self.text_bytes += 1;
        self.plain_bytes += 1;
        if self.is_text && self.text_bytes > MAX_TEXT_BYTES && !self.is_cutting {
            self.cut(byte)?;
        }
        Ok(!self.is_cutting)
    }

    /// Cuts a long text where that makes no half a letter.
    fn cut(&mut self, next: u8) -> io::Result<()> {
        let is_start = next & 0xc0 != 0x80;
        self.is_cutting = self.plain_bytes > ESCAPE_BYTES && is_start;
        self.position.is_cut.set(self.position.is_cut.get() || self.is_cutting);
        if self.text_bytes > MAX_TEXT_BYTES + MORE_TEXT_BYTES {
            return Err(io::Error::other(format!("a text of the JSON is longer than {MAX_TEXT_BYTES} bytes")));
        }
        Ok(())
    }
}

impl Read for Guard<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // The parser asks for one byte at a time.
        let Some(first) = buffer.first_mut() else { return Ok(0) };
        while let Some(byte) = self.json.fill_buf()?.first().copied() {
            self.json.consume(1);
            if self.pass(byte)? {
                *first = byte;
                return Ok(1);
            }
        }
        Ok(0)
    }
}
