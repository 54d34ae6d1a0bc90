//! Options that say what the user vouches for: a key, a head, the host's own measurement lists.

use crate::arguments::digest;
use crate::evidence::verify::Anchors;
use anyhow::{Context as _, Result, anyhow, bail};
use clap::Args;
use hashtrail::signature::VerifyingKey;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

/// Key files and measurement lists above these sizes are refused.
const MAX_KEY_BYTES: u64 = 4096;
const MAX_LIST_BYTES: u64 = 128 << 20;

/// What comes from elsewhere than the archive.
#[derive(Debug, Default, Args)]
pub(crate) struct AnchorOptions {
    /// Public key that signed the manifest: the file, or the key in base64
    #[arg(long, value_name = "PUB")]
    pub(crate) key: Option<String>,
    /// Head of the manifest, as the recorder printed it at the end
    #[arg(long, value_name = "HEX", value_parser = digest::parse_head)]
    pub(crate) head: Option<String>,
    /// Measurement list of the host, binary or ASCII, besides those that the archive holds; repeatable
    #[arg(long, value_name = "FILE")]
    pub(crate) ima_log: Vec<PathBuf>,
}

impl AnchorOptions {
    /// Reads the files that they name.
    ///
    /// # Errors
    /// When one cannot be read or is not what it should be.
    pub(super) fn read(&self) -> Result<Anchors> {
        let mut anchors = Anchors { head: self.head.clone(), ..Anchors::default() };
        if let Some(key) = &self.key {
            anchors.key = Some(verifying_key(key).with_context(|| format!("--key `{key}`"))?);
        }
        for path in &self.ima_log {
            anchors.measurement_lists.push((path.clone(), read(path, MAX_LIST_BYTES)?));
        }
        Ok(anchors)
    }
}

/// The key itself, or that of the file that holds it.
fn verifying_key(key: &str) -> Result<VerifyingKey> {
    match std::fs::metadata(key) {
        Ok(_) => {
            let text = String::from_utf8(read(Path::new(key), MAX_KEY_BYTES)?).context("it is no text")?;
            VerifyingKey::parse(&text)
        }
        Err(error) => VerifyingKey::parse(key).map_err(|_| match error.kind() {
            ErrorKind::NotFound => anyhow!("there is no such file, and it is no public key in base64"),
            _ => anyhow!("the file cannot be read ({error}), and it is no public key in base64"),
        }),
    }
}

fn read(path: &Path, max_bytes: u64) -> Result<Vec<u8>> {
    let named = || format!("cannot read `{}`", path.display());
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(max_bytes + 1).read_to_end(&mut bytes)).with_context(named)?;
    if bytes.len() as u64 > max_bytes {
        bail!("{}: it has more than {max_bytes} bytes", named());
    }
    Ok(bytes)
}
