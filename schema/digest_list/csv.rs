//! Tables with a header: the dumps of abuse.ch, exports of MISP, and others that name their columns.

mod records;

use super::fields::{Typed, context_only, digest, label, typed};
use super::intake::Intake;
use super::lines::{HASHDEEP, says_separator};
use super::names::{Found, Meaning, Word, holds_digest, is_none, is_other_hash, meaning, shortened, word};
use anyhow::Result;
use records::{Record, Records, fields};
use std::io::BufRead;

const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// Columns that name a file or say what is bad about it.
const LABELS: [&str; 15] = [
    "file_name",
    "filename",
    "file name",
    "name",
    "path",
    "signature",
    "malware",
    "malware_printable",
    "threat",
    "family",
    "comment",
    "description",
    "label",
    "event_info",
    "note",
];

pub(super) fn fits(head: &str) -> bool {
    Header::find(head).is_some()
}

pub(super) fn read(head: &str, text: &mut dyn BufRead, intake: &mut Intake<'_>) -> Result<()> {
    let Some(header) = Header::find(head) else { return Ok(()) };
    let mut records = Records::new(text, header.delimiter);
    if let Some(others) = header.other_hashes() {
        intake.leave_out(header.line, &others);
    }
    while let Some(record) = records.next_entry()? {
        if record.line > header.line {
            header.take(&record, intake)?;
        }
    }
    Ok(())
}

/// What each column holds.
#[derive(Debug)]
struct Header {
    delimiter: u8,
    line: u64,
    names: Vec<String>,
    digests: Vec<(usize, Option<String>)>,
    /// The columns of a type, a value, and whether it is for detection.
    typed: Option<(usize, usize)>,
    to_ids: Option<usize>,
    labels: Vec<usize>,
}

impl Header {
    /// The first line that is no comment, or the last comment before it whose fields are those of that line.
    fn find(head: &str) -> Option<Self> {
        let mut commented: Option<(u64, &str)> = None;
        for (number, line) in (1..).zip(head.lines()) {
            match line.trim().strip_prefix('#').or_else(|| line.strip_prefix(HASHDEEP)) {
                Some(comment) => {
                    let comment = comment.trim_start_matches('#').trim();
                    let is_header = DELIMITERS.iter().any(|delimiter| Self::of(comment, *delimiter, number).is_some());
                    commented = if is_header { Some((number, comment)) } else { commented };
                }
                None if line.trim().is_empty() || number == 1 && says_separator(line) => {}
                None => {
                    let fits = |header: &Self| {
                        header.names.len() == fields(line, header.delimiter).len()
                            && header.names.iter().all(|name| is_plain(name))
                    };
                    let of_comment = commented.and_then(|(number, comment)| {
                        DELIMITERS.iter().filter_map(|delimiter| Self::of(comment, *delimiter, number)).find(fits)
                    });
                    return of_comment
                        .or_else(|| DELIMITERS.iter().find_map(|delimiter| Self::of(line, *delimiter, number)));
                }
            }
        }
        None
    }

    fn of(line: &str, delimiter: u8, number: u64) -> Option<Self> {
        let names: Vec<String> = fields(line, delimiter).iter().map(|name| name.trim().to_ascii_lowercase()).collect();
        let place = |wanted: &[&str]| names.iter().position(|name| wanted.contains(&name.as_str()));
        let digest_of = |(place, name): (usize, &String)| match meaning(name) {
            Meaning::Algorithm(algorithm) => Some((place, Some(algorithm))),
            Meaning::AnyDigest => Some((place, None)),
            Meaning::Other => None,
        };
        let digests: Vec<_> = names.iter().enumerate().filter_map(digest_of).collect();
        let typed = place(&["type", "ioc_type", "indicator type", "indicator_type"]).zip(place(&[
            "value",
            "ioc_value",
            "indicator",
            "ioc",
        ]));
        if names.len() < 2 || names.iter().any(|name| holds_digest(name)) || digests.is_empty() && typed.is_none() {
            return None;
        }
        let is_label = |place: &usize| LABELS.contains(&names[*place].as_str());
        let labels: Vec<usize> = (0..names.len()).filter(is_label).collect();
        let to_ids = place(&["to_ids"]);
        Some(Self { delimiter, line: number, digests, typed, to_ids, labels, names })
    }

    /// The columns of digests that are none of a file's content.
    fn other_hashes(&self) -> Option<String> {
        let others: Vec<&str> = self.names.iter().map(String::as_str).filter(|name| is_other_hash(name)).collect();
        (!others.is_empty()).then(|| format!("column(s) {}", others.join(", ")))
    }

    fn take(&self, record: &Record, intake: &mut Intake<'_>) -> Result<()> {
        if record.is_cut {
            intake
                .fault(record.line, "the record is too long for a list of digests: see whether a quote is not closed");
            return Ok(());
        }
        let field = |place: usize| record.fields.get(place).map_or("", String::as_str);
        let mut found: Vec<Found> = Vec::new();
        let mut faults: Vec<String> = Vec::new();
        let mut name = String::new();
        let mut is_other = false;
        let mut taken = |value: Typed| match value {
            Typed::Digest(one, its_name) => {
                found.push(one);
                name = its_name;
            }
            Typed::Fault(fault) => faults.push(fault),
            Typed::Other => is_other = true,
        };
        for (place, algorithm) in &self.digests {
            if !is_none(field(*place)) {
                taken(digest(field(*place), algorithm.as_deref(), ""));
            }
        }
        if let Some((kind, value)) = self.typed.filter(|_| self.digests.is_empty()) {
            taken(typed(&field(kind).trim().to_ascii_lowercase(), field(value)));
        }
        if let Some(swallowed) = self.swallowed(record) {
            faults.push(swallowed);
        }
        found.dedup();
        for (place, one) in record.fields.iter().enumerate().filter(|(place, _)| !self.reads(*place)) {
            if let Word::Digest(other) = word(one.trim(), None)
                && !found.iter().any(|known| known.digest == other.digest)
            {
                let name = self.names.get(place).map_or("without a name", String::as_str);
                intake.leave_out(record.line, &format!("column {}", shortened(name)));
            }
        }
        if !found.is_empty() {
            let context = context_only(self.to_ids.map(|place| field(place).trim()));
            intake.take(record.line, &found, &label([name.as_str(), &self.label(record), context]))?;
        } else if is_other {
            intake.leave_out(record.line, field(self.typed.map_or(0, |(kind, _)| kind)).trim());
        } else if faults.is_empty() {
            let names: Vec<&str> = self.digests.iter().map(|(place, _)| self.names[*place].as_str()).collect();
            faults.push(format!("there is no digest in {}", names.join(", ")));
        }
        if !faults.is_empty() {
            intake.fault(record.line, &faults.join("; "));
        }
        Ok(())
    }

    /// Whether a column is one of digests, or is told as one of others.
    fn reads(&self, place: usize) -> bool {
        let is_typed = self.typed.is_some_and(|(_, value)| value == place) && self.digests.is_empty();
        is_typed
            || self.digests.iter().any(|(digest, _)| *digest == place)
            || self.names.get(place).is_some_and(|name| is_other_hash(name))
    }

    /// The columns that say what it is, else all that are none of digests.
    fn label(&self, record: &Record) -> String {
        let is_of_digest = |place: &usize| self.digests.iter().any(|(digest, _)| digest == place);
        let is_of_type = |place: &usize| self.typed.is_some_and(|(kind, value)| *place == kind || *place == value);
        let is_other = |place: &usize| self.names.get(*place).is_some_and(|name| is_other_hash(name));
        let rest =
            (0..record.fields.len()).filter(|place| !is_of_digest(place) && !is_of_type(place) && !is_other(place));
        let places: Vec<usize> = if self.labels.is_empty() { rest.collect() } else { self.labels.clone() };
        label(places.iter().filter_map(|place| record.fields.get(*place)).map(String::as_str))
    }

    /// A quote that was closed too late holds the lines up to it: their digests were not read.
    fn swallowed(&self, record: &Record) -> Option<String> {
        let is_digest = |one: &str| !matches!(word(one, None), Word::Other);
        let holds = |field: &&String| {
            // The quote may stand before the digest of its own line.
            field.contains(['\n', '\r']) && field.split(|letter: char| !letter.is_ascii_alphanumeric()).any(is_digest)
        };
        let field = record.fields.iter().find(holds)?;
        Some(format!(
            "`{}` goes over several lines with digests, which are not read: see whether a quote is missing",
            shortened(field)
        ))
    }
}

/// A name of a column, as no sentence of a comment is one.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.len() < 40 && name.split(' ').count() < 4
}
