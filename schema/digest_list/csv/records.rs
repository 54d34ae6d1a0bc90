//! Records of a table, each with its first line.
//!
//! What is published is not always CSV by the letter: fields stand quoted behind a space, the header in a comment, and a quote
//! that nobody closed would swallow the rest. So they are read here, within a bound.

use crate::digest_list::lines::HASHDEEP;
use anyhow::Result;
use std::io::BufRead;

/// Longer records are no entries of a list.
const MAX_RECORD_BYTES: usize = 1 << 20;

/// The fields of one line.
pub(super) fn fields(line: &str, delimiter: u8) -> Vec<String> {
    let mut bytes = line.as_bytes();
    let record = Records::new(&mut bytes, delimiter).record();
    record.ok().flatten().map(|record| record.fields).unwrap_or_default()
}

/// One record, which may go over several lines.
#[derive(Debug, Default)]
pub(super) struct Record {
    /// Where it begins.
    pub(super) line: u64,
    pub(super) fields: Vec<String>,
    /// Whether it is longer than a record may be: its fields are not whole.
    pub(super) is_cut: bool,
    is_comment: bool,
}

/// The records of a table.
pub(super) struct Records<'a> {
    text: &'a mut dyn BufRead,
    delimiter: u8,
    line: u64,
}

impl<'a> Records<'a> {
    pub(super) fn new(text: &'a mut dyn BufRead, delimiter: u8) -> Self {
        Self { text, delimiter, line: 1 }
    }

    /// The next one that is neither empty nor a comment.
    pub(super) fn next_entry(&mut self) -> Result<Option<Record>> {
        while let Some(record) = self.record()? {
            let is_empty = record.fields.len() == 1 && record.fields[0].trim().is_empty();
            let is_head = record.fields.first().is_some_and(|field| field.starts_with(HASHDEEP));
            if !is_empty && !record.is_comment && !is_head {
                return Ok(Some(record));
            }
        }
        Ok(None)
    }

    fn record(&mut self) -> Result<Option<Record>> {
        let mut record = Record { line: self.line, ..Record::default() };
        let mut reading = Reading::default();
        loop {
            let held = self.text.fill_buf()?;
            if held.is_empty() {
                break;
            }
            let mut used = 0;
            let mut is_end = false;
            for byte in held {
                used += 1;
                self.line += u64::from(*byte == b'\n');
                is_end = reading.take(*byte, self.delimiter, &mut record);
                if is_end {
                    break;
                }
            }
            self.text.consume(used);
            if is_end {
                return Ok(Some(record));
            }
        }
        let has_more = reading.bytes > 0;
        if has_more {
            reading.end_field(&mut record);
        }
        Ok(has_more.then_some(record))
    }
}

/// Where in a record a reading stands.
#[derive(Debug, Default)]
struct Reading {
    field: Vec<u8>,
    /// Anything but blanks.
    has_text: bool,
    is_quoted: bool,
    /// Behind a quote that ended the field, or is doubled by the next.
    is_behind_quote: bool,
    bytes: usize,
}

impl Reading {
    /// Takes the next byte; says whether the record ends with it.
    fn take(&mut self, byte: u8, delimiter: u8, record: &mut Record) -> bool {
        self.bytes += 1;
        let is_blank = !self.has_text && !self.is_quoted;
        record.is_comment |= byte == b'#' && record.fields.is_empty() && is_blank;
        match byte {
            b'"' if self.is_quoted && !self.is_behind_quote => self.is_behind_quote = true,
            b'"' if self.is_behind_quote => {
                self.is_behind_quote = false;
                self.push(byte, record);
            }
            b'"' if is_blank && !record.is_comment => {
                self.is_quoted = true;
                self.field.clear();
            }
            b'\n' if !self.is_quoted || self.is_behind_quote => {
                self.end_field(record);
                return true;
            }
            _ if byte == delimiter && !record.is_comment && (!self.is_quoted || self.is_behind_quote) => {
                self.end_field(record)
            }
            _ => self.push(byte, record),
        }
        false
    }

    fn push(&mut self, byte: u8, record: &mut Record) {
        // What stands behind a closed quote belongs to the field, and is not quoted.
        self.is_quoted &= !self.is_behind_quote;
        self.is_behind_quote = false;
        self.has_text |= self.is_quoted || byte != b' ';
        record.is_cut |= self.bytes > MAX_RECORD_BYTES;
        if !record.is_cut {
            self.field.push(byte);
        }
    }

    fn end_field(&mut self, record: &mut Record) {
        record.is_cut |= self.bytes > MAX_RECORD_BYTES;
        if !record.is_cut {
            record.fields.push(String::from_utf8_lossy(&self.field).trim_end_matches('\r').to_owned());
        }
        (self.is_quoted, self.is_behind_quote, self.has_text) = (false, false, false);
        self.field.clear();
    }
}
