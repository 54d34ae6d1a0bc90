//! `manifest.jsonl`: what the archive holds, each line chained to the one before.

use crate::archive::Archive;
use anyhow::{Context, Result, bail};
use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// What the chain begins with, in place of a previous line's digest.
const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// One sealed file, as its manifest line has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct SealedFile {
    /// Path relative to the archive.
    pub path: PathBuf,
    /// SHA-256 of the file, lower-case hex.
    pub sha256: String,
    /// Size of the file.
    pub size_bytes: u64,
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

/// The sequence numbers of one CPU in one file. `count` is smaller than the span where events were lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize)]
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

/// The manifest of an archive, open for appending.
#[derive(Debug)]
pub struct Manifest {
    file: File,
    path: PathBuf,
    head: String,
}

impl Manifest {
    /// Opens or creates the manifest and finds its head.
    ///
    /// # Errors
    /// When it cannot be read, or its last line has no end.
    pub fn open(archive: &Archive) -> Result<Self> {
        let path = archive.manifest();
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&path)
            .with_context(|| format!("cannot open `{}`", path.display()))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).with_context(|| format!("cannot read `{}`", path.display()))?;
        let head = match bytes.split_last() {
            None => GENESIS.to_owned(),
            Some((b'\n', lines)) => {
                let start = lines.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
                hex(&Sha256::digest(&bytes[start..]))
            }
            Some(_) => bail!("`{}` ends in the middle of a line", path.display()),
        };
        Ok(Self { file, path, head })
    }

    /// SHA-256 over the exact bytes of the last line with its newline.
    #[must_use]
    pub fn head(&self) -> &str {
        &self.head
    }

    /// Appends one line of this kind, chained to the last one, and syncs it.
    ///
    /// # Errors
    /// When the line cannot be written or synced.
    pub fn append<T: Serialize>(&mut self, kind: &str, fields: &T) -> Result<()> {
        let mut line = Map::new();
        line.insert("prev".into(), Value::String(self.head.clone()));
        line.insert("kind".into(), Value::String(kind.into()));
        if let Value::Object(fields) = serde_json::to_value(fields)? {
            line.extend(fields);
        }
        let mut bytes = serde_json::to_vec(&line)?;
        bytes.push(b'\n');
        self.file
            .write_all(&bytes)
            .and_then(|()| self.file.sync_data())
            .with_context(|| format!("cannot append to `{}`", self.path.display()))?;
        self.head = hex(&Sha256::digest(&bytes));
        Ok(())
    }
}

/// Reads the lines of a manifest, each as one JSON object.
///
/// # Errors
/// When it cannot be read, or a line is not a JSON object: names the line.
pub fn read(path: &Path) -> Result<Vec<Map<String, Value>>> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    text.lines()
        .enumerate()
        .map(|(index, line)| serde_json::from_str(line).with_context(|| format!("{}:{}", path.display(), index + 1)))
        .collect()
}

/// Lower-case hex.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_chained_over_restarts() -> Result<()> {
        let directory = tempfile::tempdir()?;
        let archive = Archive::create(directory.path())?;
        Manifest::open(&archive)?.append("start", &serde_json::json!({"case": "7"}))?;
        let mut manifest = Manifest::open(&archive)?;
        manifest.append("stop", &serde_json::json!({}))?;
        let text = fs::read_to_string(archive.manifest())?;
        let (first, second) = text.split_once('\n').context("two lines")?;
        assert!(first.starts_with(&format!("{{\"prev\":\"{GENESIS}\",\"kind\":\"start\"")));
        let digest = hex(&Sha256::digest(format!("{first}\n")));
        assert!(second.starts_with(&format!("{{\"prev\":\"{digest}\"")));
        assert_eq!(manifest.head(), hex(&Sha256::digest(second)));
        Ok(())
    }
}
