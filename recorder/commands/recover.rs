//! The `recover` command: what a crash left behind becomes sealed files, without a new recording.

use crate::host::say::say;
use crate::journal::store;
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

/// Options of `recover`.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  hashtrail-recorder recover --archive /mnt/evidence/web-1

Exit codes: 0 nothing to do or all recovered, 1 recovered and something was damaged, 2 error.")]
pub(crate) struct RecoverOptions {
    /// Directory of the archive
    #[arg(long, value_name = "DIR")]
    pub(crate) archive: PathBuf,
    /// Sign the manifest with this secret key, `-` for stdin
    #[arg(long, value_name = "FILE")]
    pub(crate) sign_key: Option<PathBuf>,
}

/// Recovers; exit 0 when nothing was damaged, 1 when something was.
pub(crate) fn run(options: &RecoverOptions) -> anyhow::Result<ExitCode> {
    hashtrail::archive::Archive::open(&options.archive)?;
    let (_lock, store, recovered) = store::open(&options.archive, options.sign_key.as_deref())?;
    say!("head {}", store.manifest.head());
    Ok(if recovered.damages.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
