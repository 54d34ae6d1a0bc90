//! The lines of a manifest, from bytes that may be damaged or hostile: what can be read is read, the rest is named.

use super::checksum::Checksum;
use super::extent::{MAX_DAMAGES, MAX_LINE_BYTES, MAX_LINES};
use super::line::Line;
use super::{GENESIS, VERSION, hex};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::fmt;
use std::sync::Arc;

/// One place of a manifest that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// Number of the line, from 1.
    pub line: usize,
    /// Its first byte in the file.
    pub offset: usize,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for Damage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {} (byte {}): {}", self.line, self.offset, self.reason)
    }
}

/// All of a manifest.
#[derive(Debug, Clone, Default)]
pub struct Parsed {
    /// The lines that could be read, in order.
    pub lines: Vec<Line>,
    /// What is wrong.
    pub damages: Vec<Damage>,
}

/// Reads a manifest and checks its chain and the checksum of each line. Once a line has one, or a start line says that
/// lines have one, each line from there on must.
#[must_use]
pub fn parse(bytes: &[u8]) -> Parsed {
    let mut parsed = Parsed::default();
    let mut prev = GENESIS.to_owned();
    let mut must_have_checksum = false;
    let manifest: Arc<[u8]> = bytes.into();
    let mut offset = 0;
    for (index, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let is_over = index == MAX_LINES || parsed.damages.len() >= MAX_DAMAGES;
        let mut damage = |reason: String| parsed.damages.push(Damage { line: index + 1, offset, reason });
        if is_over {
            damage(format!("from here on nothing is read, after {MAX_LINES} lines or {MAX_DAMAGES} damages"));
            break;
        }
        let digest = hex(&Sha256::digest(line));
        if line.last() != Some(&b'\n') {
            damage("it has no end: a crash or a cut".into());
        }
        match fields_of(line) {
            Ok(fields) => {
                let checksum = Checksum::of(line);
                let has_checksum = checksum != Checksum::Missing;
                // What a start line states; where nothing is stated it is the first.
                let version = fields.get("manifest_version").map_or(Some(1), Value::as_u64);
                let text = |name: &str| fields.get(name).and_then(Value::as_str);
                must_have_checksum |= has_checksum || version.is_none_or(|version| version > 1);
                if version.is_none_or(|version| version > VERSION) {
                    damage(format!("its manifest_version is none that this program reads, 1 to {VERSION}"));
                }
                match checksum {
                    Checksum::Wrong => damage("it does not have the checksum that it states of itself".into()),
                    Checksum::Missing if must_have_checksum => {
                        damage("it has no checksum of itself, as the lines of this manifest have".into());
                    }
                    Checksum::Right | Checksum::Missing => {}
                }
                if text("prev") != Some(prev.as_str()) {
                    damage(format!("the line before has the digest {prev}, which this one does not name"));
                }
                let kind = shortened(text("kind").unwrap_or_default()).into();
                let (number, digest, bytes) = (index + 1, digest.clone(), offset..offset + line.len());
                parsed.lines.push(Line { number, digest, has_checksum, kind, bytes, manifest: manifest.clone() });
            }
            Err(reason) => damage(reason),
        }
        prev = digest;
        offset += line.len();
    }
    parsed
}

/// The beginning of a text that somebody may have made long.
pub(super) fn shortened(text: &str) -> &str {
    const MOST_CHARACTERS: usize = 200;
    text.char_indices().nth(MOST_CHARACTERS).map_or(text, |(end, _)| &text[..end])
}

fn fields_of(line: &[u8]) -> Result<Map<String, Value>, String> {
    if line.len() > MAX_LINE_BYTES {
        return Err(format!("its {} bytes are more than is decoded", line.len()));
    }
    serde_json::from_slice(line).map_err(|error| format!("it is no JSON object: {}", shortened(&error.to_string())))
}
