//! The `compact` command: the small files of a sealed archive become large ones.

use crate::host::say::say;
use crate::journal::store;
use anyhow::Result;
use clap::Args;
use hashtrail::archive::Archive;
use hashtrail::compact::{Merged, Outcome, compact};
use hashtrail::manifest::Manifest;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

const AFTER_HELP: &str = "\
Each file that is sealed every few minutes repeats what the others say too. Those of one table, host, date and recording
become one of up to a million rows, compressed harder; every question is answered as before. The manifest names what was
merged into what, and the old files are deleted only when the new one was read back, named there and put in place. The head
of the manifest is another one then: it is printed, note it as you noted the one before.

Example:
  hashtrail-recorder compact --archive /mnt/evidence/web-1

Exit codes: 0 merged or nothing to do, 1 something is not as it was sealed or was left as it is, 2 error.";

/// Options of `compact`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct CompactOptions {
    /// Directory of the archive
    #[arg(long, value_name = "DIR")]
    pub(crate) archive: PathBuf,
    /// Sign the manifest with this secret key, `-` for stdin; needed where it was signed
    #[arg(long, value_name = "FILE")]
    pub(crate) sign_key: Option<PathBuf>,
}

/// Merges; exit 0 when the archive is as it was sealed, 1 when it is not.
pub(crate) fn run(options: &CompactOptions) -> Result<ExitCode> {
    let (_lock, mut store) = store::open_settled(&options.archive, options.sign_key.as_deref())?;
    let is_whole = merge(&store.archive, &mut store.manifest)?;
    Ok(if is_whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Merges, and says what was done; gives whether nothing spoke against it.
///
/// # Errors
/// As [`compact`].
pub(crate) fn merge(archive: &Archive, manifest: &mut Manifest) -> Result<bool> {
    let mut outcome = Outcome::default();
    let result = compact(archive, manifest, &mut outcome, progress);
    if std::io::stderr().is_terminal() {
        let _ = write!(std::io::stderr(), "\x1b[K");
    }
    let is_whole = tell(&outcome, result.is_ok());
    say!("head {}", manifest.head());
    result.map(|()| is_whole)
}

/// Says what was done; gives whether nothing spoke against it.
fn tell(outcome: &Outcome, is_done: bool) -> bool {
    let Outcome { damages, ended, removed, merged, refused } = outcome;
    for path in ended {
        say!("put in place: `{}`, of a compaction that was cut short", path.display());
    }
    for path in removed {
        say!("removed: `{}`, which a compaction that was cut short had merged", path.display());
    }
    for Merged { path, inputs, rows, bytes_before, bytes } in merged {
        let path = path.display();
        say!("merged: {inputs} files of {bytes_before} bytes into `{path}`, {rows} row(s) in {bytes} bytes");
    }
    damages.iter().for_each(|damage| say!("damaged: {damage}"));
    refused.iter().for_each(|reason| say!("warning: {reason}"));
    if !damages.is_empty() {
        say!("nothing was merged: `hashtrail verify` says more");
    } else if is_done && ended.is_empty() && removed.is_empty() && merged.is_empty() && refused.is_empty() {
        say!("nothing to merge");
    }
    damages.is_empty() && refused.is_empty()
}

/// One line on a terminal that is written over.
fn progress(what: &str, done: usize, all: usize) {
    let mut error = std::io::stderr();
    if error.is_terminal() {
        // The line is only a courtesy.
        let _ = write!(error, "\r{done} of {all} files {what}\x1b[K\r");
    }
}
