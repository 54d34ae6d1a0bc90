//! `manifest.jsonl`: what the archive holds, each line chained to the one before.
//!
//! A line is one JSON object. Its last member `crc32c` is the CRC32C of the bytes before that member's comma, in 8 hex digits:
//! it shows damage to the last line too, which no other line names. A `start` line says so by `manifest_version` 2; version 1
//! had no checksums. Its `prev` is the SHA-256 over the exact bytes of the line before, with its newline; the
//! first has 64 zeros. The head of a manifest is the same over its last line. Kinds: `start` (a recording begins, with all
//! that is known about it), `file` (one sealed file), `compact` (one file that took the place of others), `ima` (a piece of the
//! kernel's measurement list), `cut` (the start of a line that a crash cut off), `signed_later` (lines that no signature covered
//! when the manifest was opened again), and an end of the recording: `stop` (state SEALED) or `recovered` (state RECOVERED). A
//! recording without an end is OPEN.

use crate::archive::{Archive, open_own, open_regular, replace_file, sync_directory};
use crate::signature::SigningKey;
use anyhow::{Context, Result, bail, ensure};
use extent::{Extent, MAX_BYTES};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

mod checksum;
mod content;
mod extent;
mod files;
mod line;
mod parse;
mod standing;
pub use content::{BLOCK_BYTES, Content};
pub use files::{CompactedFile, Input, MAX_MERGED_ROWS, MeasurementList, SealedFile, SequenceRange};
pub use line::Line;
pub use parse::{Damage, Parsed, parse};
pub use standing::Standing;

/// What the chain begins with, in place of a previous line's digest.
pub(crate) const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";
/// What start lines state: lines carry a checksum of themselves since version 2.
const VERSION: u64 = 2;

/// The manifest of an archive, open for appending.
#[derive(Debug)]
pub struct Manifest {
    file: File,
    archive: Archive,
    bytes: Vec<u8>,
    /// Whether the file holds these bytes and nothing else.
    is_as_written: bool,
    extent: Extent,
    head: String,
    key: Option<SigningKey>,
    torn: Option<Vec<u8>>,
    named: HashSet<PathBuf>,
    fault: Option<String>,
}

impl Manifest {
    /// Opens or creates the manifest and checks its chain. A line that a crash cut off is removed; [`Self::torn`] has it.
    /// With a key, the signature is written anew now and after each append: no line ever stands without one.
    ///
    /// # Errors
    /// When it cannot be read, is damaged, or has lines that were not signed with this key: an archive that was changed is
    /// not continued.
    pub fn open(archive: &Archive, key: Option<SigningKey>) -> Result<Self> {
        let path = archive.manifest();
        let (file, mut bytes) = open_for_append(&path)?;
        let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
        let torn = (end < bytes.len()).then(|| bytes.split_off(end));
        if torn.is_some() {
            file.set_len(end as u64).with_context(|| format!("cannot cut the torn end of `{}`", path.display()))?;
        }
        let Parsed { lines, damages } = parse(&bytes);
        if let Some(damage) = damages.first() {
            bail!(
                "`{}` is damaged: {damage}; `hashtrail verify` says more. Record to another directory",
                path.display()
            );
        }
        let signed = key.as_ref().map(|key| signed_bytes(archive, Some(key), &bytes, &lines)).transpose()?;
        let unsigned = signed.filter(|signed| *signed < bytes.len()).map(|signed| (signed, bytes.len() - signed));
        let mut manifest = Self {
            file,
            archive: archive.clone(),
            is_as_written: true,
            extent: Extent::of(&bytes),
            head: lines.last().map_or_else(|| GENESIS.to_owned(), |line| line.digest.clone()),
            named: lines.iter().filter_map(|line| Some(line.text("path")?.into())).collect(),
            bytes,
            key,
            torn,
            fault: None,
        };
        match unsigned {
            // A crash came between lines and their signature, or somebody added them: nobody can tell, and it must stay known.
            Some((from, bytes)) => manifest.append(&[("signed_later", json!({"from_byte": from, "bytes": bytes}))])?,
            None => manifest.sign()?,
        }
        Ok(manifest)
    }

    /// Its lines.
    #[must_use]
    pub fn lines(&self) -> Vec<Line> {
        parse(&self.bytes).lines
    }

    /// Whether it is time for another archive: no more is written than is read.
    #[must_use]
    pub fn is_nearly_full(&self) -> bool {
        self.extent.is_nearly_full()
    }

    /// The start of a line that a crash had cut off, which is no longer in the file.
    #[must_use]
    pub fn torn(&self) -> Option<&[u8]> {
        self.torn.as_deref()
    }

    /// SHA-256 over the exact bytes of the last line with its newline.
    #[must_use]
    pub fn head(&self) -> &str {
        &self.head
    }

    /// Whether a line names this path: such a file is sealed and is never written again.
    #[must_use]
    pub fn names(&self, path: &Path) -> bool {
        self.named.contains(path)
    }

    /// The public key that checks the signature, in base64.
    #[must_use]
    pub fn public_key(&self) -> Option<String> {
        self.key.as_ref().map(SigningKey::public_base64)
    }

    /// What failed in the last append beside the lines: a sync that was made good by a new file, or the signature, which
    /// the next append writes.
    pub fn take_fault(&mut self) -> Option<String> {
        self.fault.take()
    }

    /// Appends lines, each chained to the one before, syncs them, and signs.
    ///
    /// # Errors
    /// When they cannot be written or synced, or no reader would read them; then none of them stands.
    pub fn append(&mut self, lines: &[(&str, Value)]) -> Result<()> {
        let before = self.bytes.len();
        let (added, extent, head) = self.chained(lines)?;
        self.bytes.extend(added);
        if let Err(error) = self.write_from(before) {
            self.bytes.truncate(before);
            return Err(error).with_context(|| self.cannot_append());
        }
        (self.extent, self.head) = (extent, head);
        self.named.extend(lines.iter().filter_map(|(_, fields)| Some(fields.get("path")?.as_str()?.into())));
        if let Err(error) = self.sign() {
            self.fault = Some(format!("{error:#}"));
        }
        Ok(())
    }

    /// Whether readers would still read the manifest with this line at its end.
    ///
    /// # Errors
    /// When they would not.
    pub fn check_fits(&self, kind: &str, fields: &Value) -> Result<()> {
        self.chained(&[(kind, fields.clone())]).map(drop)
    }

    /// The bytes of further lines, how large the manifest is with them, and its head.
    fn chained(&self, lines: &[(&str, Value)]) -> Result<(Vec<u8>, Extent, String)> {
        let (mut bytes, mut extent, mut head) = (Vec::new(), self.extent, self.head.clone());
        for (kind, fields) in lines {
            let line = chained_line(&head, kind, fields)?;
            extent = extent.with(&line).with_context(|| self.cannot_append())?;
            head = hex(&Sha256::digest(&line));
            bytes.extend(line);
        }
        Ok((bytes, extent, head))
    }

    fn cannot_append(&self) -> String {
        format!("cannot append to `{}`", self.archive.manifest().display())
    }

    /// Brings the file to hold all bytes, of which it has so many. What an error leaves it with is known only where it can be cut
    /// back, else the next append writes a new one.
    fn write_from(&mut self, before: usize) -> Result<()> {
        if std::mem::take(&mut self.is_as_written) {
            if let Err(error) = self.file.write_all(&self.bytes[before..]) {
                self.is_as_written = self.file.set_len(before as u64).is_ok();
                return Err(error.into());
            }
            match self.file.sync_data() {
                Ok(()) => {
                    self.is_as_written = true;
                    return Ok(());
                }
                // It may have dropped what was written: only a new file can be trusted.
                Err(error) => {
                    self.fault = Some(format!("the manifest could not be synced and was written anew: {error}"))
                }
            }
        }
        let temporary = self.archive.journal().join("manifest.tmp");
        self.file = replace_file(&temporary, &self.archive.manifest(), &self.bytes)?;
        self.is_as_written = true;
        Ok(())
    }

    fn sign(&self) -> Result<()> {
        let Some(key) = &self.key else { return Ok(()) };
        let signature = key.sign(&self.bytes, &self.head)?;
        let temporary = self.archive.journal().join("signature.tmp");
        replace_file(&temporary, &self.archive.signature(), signature.as_bytes()).map(drop)
    }
}

fn chained_line(prev: &str, kind: &str, fields: &Value) -> Result<Vec<u8>> {
    let mut line = Map::new();
    line.insert("prev".into(), prev.into());
    line.insert("kind".into(), kind.into());
    if kind == "start" {
        line.insert("manifest_version".into(), VERSION.into());
    }
    if let Value::Object(fields) = fields {
        line.extend(fields.clone());
    }
    let mut bytes = serde_json::to_vec(&line)?;
    bytes.pop();
    checksum::end_line(&mut bytes);
    Ok(bytes)
}

/// How many bytes of a manifest are signed. Where a key is given, nothing may stand that was taken for signed or never was: it
/// would be signed from now on.
///
/// # Errors
/// When the signature cannot be read, is not this key's, or was taken away; or a key is given for lines that were never signed.
pub fn signed_bytes(archive: &Archive, key: Option<&SigningKey>, bytes: &[u8], lines: &[Line]) -> Result<usize> {
    let path = archive.signature();
    if !path.exists() {
        if lines.iter().any(|line| line.text("public_key").is_some()) {
            bail!("a recording was signed, and there is no signature: it was taken away, `hashtrail verify` says more");
        }
        // Whoever took the signature away may have taken its traces too.
        if key.is_some() && !lines.is_empty() {
            bail!(
                "the manifest was never signed, and its lines would be now: leave --sign-key out, or take another directory"
            );
        }
        return Ok(0);
    }
    let Some(key) = key else { bail!("the manifest is signed, and what is added to it must be: give --sign-key") };
    let text = String::from_utf8(read(&path)?).context("the signature is no text")?;
    let valid = key.verifying_key().check(&text, bytes).with_context(|| {
        format!("`{}` is not this key's signature of this manifest: record to another directory", path.display())
    })?;
    // A recorder signs the line that begins a recording before it adds another.
    let unsigned: Vec<&Line> = lines.iter().filter(|line| line.offset() >= valid.bytes).collect();
    if unsigned.len() > 1 && unsigned.iter().any(|line| line.kind() == "start") {
        bail!(
            "`{}` does not cover the {} lines from line {} on, with a whole recording that was never signed: record to another \
             directory",
            path.display(),
            unsigned.len(),
            unsigned[0].number
        );
    }
    Ok(valid.bytes)
}

/// Opens the manifest for appending, makes it where it is missing, and reads it.
fn open_for_append(path: &Path) -> Result<(File, Vec<u8>)> {
    let context = || format!("cannot open `{}`", path.display());
    match OpenOptions::new().append(true).create_new(true).mode(0o600).open(path) {
        Ok(file) => {
            sync_directory(path.parent().unwrap_or(path))?;
            return Ok((file, Vec::new()));
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error).with_context(context),
    }
    let file = open_own(path, OpenOptions::new().read(true).append(true)).with_context(context)?;
    let bytes = read_all(&file).with_context(context)?;
    Ok((file, bytes))
}

/// Reads the bytes of a manifest, which may be hostile.
///
/// # Errors
/// When it is not a regular file, too large, or cannot be read.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    let file = open_regular(path, OpenOptions::new().read(true));
    file.and_then(|file| read_all(&file)).with_context(|| format!("cannot read `{}`", path.display()))
}

fn read_all(file: &File) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    ensure!(bytes.len() <= MAX_BYTES, "it has more than {MAX_BYTES} bytes");
    Ok(bytes)
}

/// Lower-case hex.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    let mut digits = Vec::new();
    put_hex(bytes, &mut digits);
    String::from_utf8(digits).unwrap_or_default()
}

/// Appends bytes as lower-case hex.
pub fn put_hex(bytes: &[u8], digits: &mut Vec<u8>) {
    digits.reserve(2 * bytes.len());
    bytes.iter().for_each(|byte| digits.extend_from_slice(&HEX[usize::from(*byte)]));
}

/// The two digits of each byte.
const HEX: [[u8; 2]; 256] = {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut pairs = [[0; 2]; 256];
    let mut byte = 0;
    while byte < pairs.len() {
        pairs[byte] = [DIGITS[byte >> 4], DIGITS[byte & 0xf]];
        byte += 1;
    }
    pairs
};

#[cfg(test)]
mod tests;
