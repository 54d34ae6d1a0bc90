//! The files that the lines of a manifest name.

use super::Content;
use chrono::DateTime;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// A file that holds the rows of others has at most so many.
pub const MAX_MERGED_ROWS: u64 = 1 << 20;

/// One sealed file, as its manifest line has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedFile {
    /// Path relative to the archive.
    pub path: PathBuf,
    /// The content.
    #[serde(flatten)]
    pub content: Content,
    /// Rows in the file.
    pub rows: u64,
    /// Earliest `time` of a row, RFC 3339.
    pub from: String,
    /// Latest `time` of a row, RFC 3339.
    pub to: String,
    /// Recording that wrote it.
    pub recording_id: String,
    /// Journal segment that it was made from.
    pub segment: u32,
    /// Sequence numbers in the file, for each CPU; empty for other tables than events.
    pub sequences: Vec<SequenceRange>,
}

impl SealedFile {
    /// The table that it belongs to, by its folder.
    #[must_use]
    pub fn table(&self) -> &str {
        self.path.iter().next().and_then(|folder| folder.to_str()).unwrap_or_default()
    }
}

/// One file that holds the rows of others, which it replaces, as its manifest line has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompactedFile {
    /// The file itself; `segment` is the first one that it holds.
    #[serde(flatten)]
    pub file: SealedFile,
    /// Digest of the rows, in whatever order they stand ([`crate::row_digest::RowDigest`]): that of the inputs' rows too.
    pub rows_sha256: String,
    /// What it was made of, in the order in which it was sealed.
    pub inputs: Vec<Input>,
}

impl CompactedFile {
    /// The line of the file that holds the rows of these, in the order in which they were sealed; its content is not known yet.
    /// `None` where no file can hold them: there are none, too many rows, or several recordings.
    #[must_use]
    pub fn of(inputs: &[&SealedFile], path: PathBuf, rows_sha256: String) -> Option<Self> {
        let first = inputs.first()?;
        let rows = inputs.iter().try_fold(0_u64, |rows, file| rows.checked_add(file.rows))?;
        let is_one = inputs.iter().all(|file| file.recording_id == first.recording_id);
        if rows > MAX_MERGED_ROWS || !is_one {
            return None;
        }
        let time = |text: &String| DateTime::parse_from_rfc3339(text).ok();
        let mut sequences: BTreeMap<i32, SequenceRange> = BTreeMap::new();
        for range in inputs.iter().flat_map(|file| &file.sequences) {
            sequences.entry(range.cpu).and_modify(|known| known.join(range)).or_insert_with(|| range.clone());
        }
        let file = SealedFile {
            path,
            content: Content::default(),
            rows,
            from: inputs.iter().map(|file| &file.from).min_by_key(|from| time(from)).cloned()?,
            to: inputs.iter().map(|file| &file.to).max_by_key(|to| time(to)).cloned()?,
            recording_id: first.recording_id.clone(),
            segment: first.segment,
            sequences: sequences.into_values().collect(),
        };
        let input = |file: &&SealedFile| Input { path: file.path.clone(), sha256: file.content.sha256.clone() };
        Some(Self { file, rows_sha256, inputs: inputs.iter().map(input).collect() })
    }
}

/// A file whose rows stand in another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// Path relative to the archive.
    pub path: PathBuf,
    /// SHA-256 of the file, as the line that sealed it has it.
    pub sha256: String,
}

/// The sequence numbers of one CPU in one file. `count` is smaller than the span where events were lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SequenceRange {
    /// CPU.
    pub cpu: i32,
    /// Lowest sequence number.
    pub first: i64,
    /// Highest sequence number.
    pub last: i64,
    /// Number of events.
    pub count: u64,
}

impl SequenceRange {
    /// Of a CPU of which one number is known, and no event counted yet.
    #[must_use]
    pub fn new(cpu: i32, seq: i64) -> Self {
        Self { cpu, first: seq, last: seq, count: 0 }
    }

    /// Counts an event.
    pub fn add(&mut self, seq: i64) {
        self.join(&Self { count: 1, ..Self::new(self.cpu, seq) });
    }

    /// Takes the range of another file.
    pub fn join(&mut self, other: &Self) {
        (self.first, self.last) = (self.first.min(other.first), self.last.max(other.last));
        self.count = self.count.saturating_add(other.count);
    }
}

/// One piece of the kernel's measurement list, as its manifest line has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeasurementList {
    /// Path relative to the archive.
    pub path: PathBuf,
    /// The content.
    #[serde(flatten)]
    pub content: Content,
    /// Recording that stored it.
    pub recording_id: String,
    /// Boot that the list belongs to.
    pub boot_id: String,
    /// Byte of the kernel's list at which this piece begins; 0 begins a list anew.
    pub from_byte: u64,
    /// Violations that the kernel had counted.
    pub violations: Option<u64>,
    /// PCR 10 of the TPM just before the list was read: bank and hex. Empty without a TPM.
    pub pcr10: Vec<(String, String)>,
}
