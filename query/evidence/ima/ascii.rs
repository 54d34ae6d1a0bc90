//! `ascii_runtime_measurements`: a line for each entry, with raw bytes in the names.
//!
//! ```text
//! 10 <template hash> ima-ng sha256:<digest> /usr/bin/tool
//! ```
//!
//! A newline in a name splits a line, and nothing tells such a line from damage: reading ends there. A copy whose line ends
//! were made CRLF is read without them.

use super::bank::Bank;
use super::bytes::{Order, from_hex};
use super::entry::{Damage, Entry, PCRS, Place};
use super::template::{self, Contents, OLD};

/// A list that is being read.
#[derive(Debug)]
pub(super) struct Ascii<'a> {
    rest: &'a [u8],
    /// Number of the line that `rest` begins with, from 1.
    line: usize,
    /// Whether each line ends so: then they were made so, also where no hash tells.
    all_crlf: bool,
    /// Whether a line was read without its CR.
    pub(super) has_crlf: bool,
}

/// The part of a line that all templates share.
struct Head<'a> {
    pcr: u32,
    stated_hash: Vec<u8>,
    template: &'a str,
    fields: &'a [u8],
}

impl<'a> Ascii<'a> {
    pub(super) fn open(bytes: &'a [u8]) -> Self {
        let mut lines = bytes.split_inclusive(|byte| *byte == b'\n').peekable();
        let all_crlf = lines.peek().is_some() && lines.all(|line| line.ends_with(b"\r\n") || !line.ends_with(b"\n"));
        Self { rest: bytes, line: 1, all_crlf, has_crlf: false }
    }

    /// The next line, and whether a newline ends it.
    fn take_line(&mut self) -> (&'a [u8], bool) {
        let end = self.rest.iter().position(|byte| *byte == b'\n');
        let (line, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest.get(1..).unwrap_or_default();
        self.line += 1;
        (line, end.is_some())
    }

    fn entry(&mut self) -> Result<Entry, String> {
        let place = Place::Line(self.line);
        let (mut line, is_ended) = self.take_line();
        let mut entry = parse(line, place);
        // A hash that is right says that the line is whole.
        if is_right(&entry) {
            return entry;
        }
        if let Some(without) = line.strip_suffix(b"\r") {
            let entry_without = parse(without, place);
            if is_right(&entry_without) || self.all_crlf {
                self.has_crlf = true;
                (line, entry) = (without, entry_without);
            }
        }
        if is_right(&entry) {
            return entry;
        }
        if !is_ended {
            return entry.and(Err("a line that may be cut off: no newline ends it and its hash does not fit".into()));
        }
        let next = self.rest.split(|byte| *byte == b'\n').next().unwrap_or_default();
        if !self.rest.is_empty() && head(line).is_ok() && head(next).is_err() {
            let reason = entry.err().unwrap_or_else(|| "a line that is not whole".into());
            return Err(format!("{reason}; a newline in a name may split it: the binary list has it whole"));
        }
        entry
    }
}

impl Iterator for Ascii<'_> {
    type Item = Result<Entry, Damage>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let place = Place::Line(self.line);
        Some(self.entry().map_err(|reason| Damage { place, reason }))
    }
}

fn is_right(entry: &Result<Entry, String>) -> bool {
    entry.as_ref().is_ok_and(|entry| entry.is_stated_hash_right() == Some(true))
}

fn head(line: &[u8]) -> Result<Head<'_>, String> {
    let mut words = line.trim_ascii_start().splitn(4, |byte| *byte == b' ');
    let mut text = || words.next().and_then(|word| std::str::from_utf8(word).ok()).unwrap_or_default();
    let pcr = text().parse().ok().filter(|pcr| *pcr < PCRS).ok_or("no PCR at the start of the line")?;
    let stated_hash = from_hex(text().as_bytes())
        .filter(|hash| Bank::of_size(hash.len()).is_some())
        .ok_or("no template hash after the PCR")?;
    let template = text();
    if template.is_empty() {
        return Err("no template after the hash".into());
    }
    Ok(Head { pcr, stated_hash, template, fields: words.next().unwrap_or_default() })
}

fn parse(line: &[u8], place: Place) -> Result<Entry, String> {
    let Head { pcr, stated_hash, template, fields } = head(line)?;
    let entry = |hashed, contents| Entry {
        place,
        pcr,
        template: template.to_owned(),
        stated_hash: stated_hash.clone(),
        hashed,
        contents,
    };
    if template == OLD {
        let (digest, name) = fields.split_at(fields.iter().position(|byte| *byte == b' ').unwrap_or(fields.len()));
        let digest = from_hex(digest).ok_or("no digest")?;
        let (hashed, contents) = template::old(&digest, name.get(1..).unwrap_or_default())?;
        return Ok(entry(Some(hashed), contents));
    }
    let in_order = |order| -> Result<Entry, String> {
        let Some(data) = template::encode(template, order, fields)? else {
            return Ok(entry(None, Contents::default()));
        };
        template::check_size(template, data.len())?;
        let contents = template::decode(template, order, &data)?;
        Ok(entry(Some(data), contents))
    };
    // The hash is over numbers in the host's order, which only the hash tells.
    let little = in_order(Order::Little)?;
    if little.is_stated_hash_right() == Some(false) {
        let big = in_order(Order::Big)?;
        if big.is_stated_hash_right() == Some(true) {
            return Ok(big);
        }
    }
    Ok(little)
}
