//! An archive that is ready to be written to: locked, its manifest checked, and what a crash left behind recovered.

use crate::host::lock::Lock;
use crate::host::say::say;
use crate::journal::recovery::{Recovered, journal_files, open_recordings, recover};
use crate::journal::segment::{NEW_SUFFIX, SEGMENT_SUFFIX};
use anyhow::{Context, Result, bail};
use hashtrail::archive::Archive;
use hashtrail::manifest::{self, Manifest};
use hashtrail::signature::SigningKey;
use std::io::Read;
use std::path::Path;

/// Largest key file that is read.
const MAX_KEY_BYTES: u64 = 64 << 10;

/// What the sealing thread works on.
#[derive(Debug)]
pub(crate) struct Store {
    /// The archive.
    pub(crate) archive: Archive,
    /// Its manifest.
    pub(crate) manifest: Manifest,
}

/// Locks an archive, which is made where it is missing, and recovers it.
///
/// # Errors
/// When it cannot be written, another recorder holds it, or its manifest was changed.
pub(crate) fn open(root: &Path, sign_key: Option<&Path>) -> Result<(Lock, Store, Recovered)> {
    let key = sign_key.map(read_key).transpose()?;
    let archive = Archive::create(root)?;
    let lock = Lock::take(&archive)?;
    let mut manifest = Manifest::open(&archive, key)?;
    if let Some(torn) = manifest.torn() {
        say!("warning: the manifest ended in the middle of a line ({} bytes), which was cut off", torn.len());
    }
    let recovered = recover(&archive, &mut manifest)?;
    for id in &recovered.recordings {
        say!("recovered: recording {id} had no end");
    }
    if recovered.segments > 0 {
        say!("recovered: {} journal segment(s) with {} event(s)", recovered.segments, recovered.events);
    }
    for damage in &recovered.damages {
        say!("warning: damaged: {damage}");
    }
    Ok((lock, Store { archive, manifest }, recovered))
}

/// Locks an archive to which nothing is added any more. What is left to be recovered is not touched.
///
/// # Errors
/// When it is not there, a recorder holds it, something is to be recovered first, or its manifest was changed.
pub(crate) fn open_settled(root: &Path, sign_key: Option<&Path>) -> Result<(Lock, Store)> {
    let key = sign_key.map(read_key).transpose()?;
    // A folder that is no archive must stay as it is.
    if !Archive::open(root)?.manifest().exists() {
        bail!("`{}` has no manifest", root.display());
    }
    let archive = Archive::create(root)?;
    let lock = Lock::take(&archive)?;
    if let Some(reason) = unsettled(&archive, key.as_ref())? {
        bail!("{reason}: run `hashtrail-recorder recover --archive {}` first", root.display());
    }
    let manifest = Manifest::open(&archive, key)?;
    Ok((lock, Store { archive, manifest }))
}

/// Why something is to be recovered first.
fn unsettled(archive: &Archive, key: Option<&SigningKey>) -> Result<Option<String>> {
    let bytes = manifest::read(&archive.manifest())?;
    if bytes.last().is_some_and(|last| *last != b'\n') {
        return Ok(Some("the manifest ends in the middle of a line".to_owned()));
    }
    let segments = journal_files(archive, SEGMENT_SUFFIX)?.len() + journal_files(archive, NEW_SUFFIX)?.len();
    if segments > 0 {
        return Ok(Some(format!("{segments} journal segment(s) are not sealed yet")));
    }
    let lines = manifest::parse(&bytes).lines;
    let open = open_recordings(&lines).len();
    if open > 0 {
        return Ok(Some(format!("{open} recording(s) have no end")));
    }
    let signed = manifest::signed_bytes(archive, key, &bytes, &lines)?;
    // Lines that were never signed would be from now on.
    let unsigned = if key.is_some() { bytes.len() - signed } else { 0 };
    Ok((unsigned > 0).then(|| format!("{unsigned} bytes at the end of the manifest are not signed")))
}

/// Reads a secret key from a file, or from stdin where the name is `-`.
fn read_key(path: &Path) -> Result<SigningKey> {
    let context = || format!("--sign-key `{}`", path.display());
    let mut text = String::new();
    let bytes = if path == Path::new("-") {
        std::io::stdin().lock().take(MAX_KEY_BYTES).read_to_string(&mut text)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(MAX_KEY_BYTES).read_to_string(&mut text))
    };
    if bytes.with_context(context)? == 0 {
        bail!("{}: it is empty", context());
    }
    SigningKey::parse(&text).with_context(context)
}
