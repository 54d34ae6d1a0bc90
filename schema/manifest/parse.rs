//! The lines of a manifest, from bytes that may be damaged or hostile: what can be read is read, the rest is named.

use super::checksum::Checksum;
use super::{GENESIS, VERSION, hex};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::fmt;

/// Larger lines are not decoded. Ours hold at most the texts of the policies.
const MAX_LINE_BYTES: usize = 1 << 20;
/// Memory that all decoded lines together may take: a hostile line takes thirty times its size.
const MAX_DECODED_BYTES: usize = 192 << 20;

/// One line of a manifest.
#[derive(Debug, Clone)]
pub struct Line {
    /// Number in the file, from 1.
    pub number: usize,
    /// Its first byte in the file.
    pub offset: usize,
    /// SHA-256 over its bytes with the newline.
    pub digest: String,
    /// Whether it ends in a checksum of itself. Lines of recorders before manifest version 2 do not.
    pub has_checksum: bool,
    /// What it says.
    pub fields: Map<String, Value>,
}

impl Line {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.text("kind").unwrap_or_default()
    }

    /// A field that is text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.fields.get(name)?.as_str()
    }

    /// The version that a start line states; 1 where nothing is stated. `None` when it is no number.
    fn version(&self) -> Option<u64> {
        self.fields.get("manifest_version").map_or(Some(1), Value::as_u64)
    }

    /// The line as one of the types of this module.
    ///
    /// # Errors
    /// Names the field that is missing or wrong.
    pub fn read<T: DeserializeOwned>(&self) -> serde_json::Result<T> {
        serde_json::from_value(Value::Object(self.fields.clone()))
    }
}

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
    let mut prev = Some(GENESIS.to_owned());
    let mut must_have_checksum = false;
    let (mut offset, mut decoded) = (0, 0);
    for (index, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let mut damage = |reason: String| parsed.damages.push(Damage { line: index + 1, offset, reason });
        let digest = hex(&Sha256::digest(line));
        if line.last() != Some(&b'\n') {
            damage("it has no end: a crash or a cut".into());
        }
        match fields_of(line, &mut decoded) {
            Ok(fields) => {
                let checksum = Checksum::of(line);
                let has_checksum = checksum != Checksum::Missing;
                let line = Line { number: index + 1, offset, digest: digest.clone(), has_checksum, fields };
                let version = line.version();
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
                if let Some(prev) = prev.filter(|prev| line.text("prev") != Some(prev)) {
                    damage(format!("the line before has the digest {prev}, which this one does not name"));
                }
                parsed.lines.push(line);
            }
            Err(reason) => damage(reason),
        }
        prev = Some(digest);
        offset += line.len();
    }
    parsed
}

fn fields_of(line: &[u8], decoded_bytes: &mut usize) -> Result<Map<String, Value>, String> {
    if line.len() > MAX_LINE_BYTES || *decoded_bytes > MAX_DECODED_BYTES {
        return Err(format!("its {} bytes are more than is decoded", line.len()));
    }
    let fields: Map<String, Value> =
        serde_json::from_slice(line).map_err(|error| format!("it is no JSON object: {error}"))?;
    *decoded_bytes += fields.iter().map(|(name, value)| name.len() + memory_of(value)).sum::<usize>();
    Ok(fields)
}

/// Memory that a value takes, roughly.
fn memory_of(value: &Value) -> usize {
    const NODE_BYTES: usize = 64;
    NODE_BYTES
        + match value {
            Value::String(text) => text.len(),
            Value::Array(items) => items.iter().map(memory_of).sum(),
            Value::Object(fields) => fields.iter().map(|(name, value)| name.len() + memory_of(value)).sum(),
            _ => 0,
        }
}
