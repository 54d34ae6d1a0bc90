//! The `keygen` command: a key pair that signs manifests.

use crate::host::say::say;
use anyhow::{Context, Result};
use hashtrail::signature::SigningKey;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Writes the secret key to `out` (mode 0600) and the public key to `out.pub`; neither may exist.
///
/// # Errors
/// Names the file that could not be written.
pub(crate) fn run(out: &Path) -> Result<ExitCode> {
    let key = SigningKey::generate()?;
    let mut public = out.to_owned().into_os_string();
    public.push(".pub");
    let public = PathBuf::from(public);
    write_new(out, &key.secret_text()?)?;
    write_new(&public, &key.public_text()?)?;
    say!("secret key `{}`, public key `{}`: {}", out.display(), public.display(), key.public_base64());
    Ok(ExitCode::SUCCESS)
}

fn write_new(path: &Path, text: &str) -> Result<()> {
    let attempt = || -> std::io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    attempt().with_context(|| format!("cannot write `{}`", path.display()))
}
