//! How an archive is written: options of all commands that record.

use crate::commands::compact;
use crate::host::lock::Lock;
use crate::host::say::say;
use crate::host::{
    self,
    units::{parse_duration, parse_size},
};
use crate::journal::JournalOptions;
use crate::journal::store::{self, Store};
use crate::recording::drain::report;
use crate::recording::pipeline::Outcome;
use crate::recording::signals::Signals;
use anyhow::{Context, Result};
use clap::Args;
use hashtrail::archive::Archive;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// How an archive is written; shared by all commands that record.
#[derive(Debug, Args)]
pub(crate) struct ArchiveOptions {
    /// Directory of the archive; made where it is missing
    #[arg(long, value_name = "DIR")]
    pub(crate) archive: PathBuf,
    /// Ring buffer of each CPU, a power of two; all together at most 1/32 of memory
    #[arg(long = "ring-size", value_name = "SIZE", default_value = "8MiB", value_parser = parse_ring_size)]
    pub(crate) ring_bytes: u64,
    /// Seal a file at least this often
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = parse_duration)]
    pub(crate) seal_interval: Duration,
    /// Sync the journal this often: what a power cut can cost
    #[arg(long, value_name = "TIME", default_value = "250ms", value_parser = parse_duration)]
    pub(crate) sync_interval: Duration,
    /// Bound of the journal; beyond it events are dropped and counted
    #[arg(long = "journal-size", value_name = "SIZE", default_value = "1GiB", value_parser = parse_journal_size)]
    pub(crate) journal_bytes: u64,
    /// Sign the manifest with this secret key, `-` for stdin; `keygen` makes one
    #[arg(long, value_name = "FILE")]
    pub(crate) sign_key: Option<PathBuf>,
    /// Merge the small files of the archive once everything is sealed, as `compact` does
    #[arg(long)]
    pub(crate) compact: bool,
}

impl ArchiveOptions {
    /// Locks the archive, which is made where it is missing, and recovers it.
    ///
    /// # Errors
    /// As [`store::open`].
    pub(crate) fn open(&self) -> Result<(Lock, Store)> {
        let (lock, store, _) = store::open(&self.archive, self.sign_key.as_deref())?;
        Ok((lock, store))
    }

    /// Says what the recording amounts to, and merges what was sealed, where that is asked for.
    ///
    /// # Errors
    /// When a file cannot be merged or removed. The recording is sealed in any case.
    pub(crate) fn end(&self, mut outcome: Outcome, was_blind: bool) -> Result<ExitCode> {
        let code = report(&outcome, was_blind);
        if !self.compact || !outcome.errors.is_empty() {
            return Ok(code);
        }
        Signals::heed_no_more()?;
        say!("merging; whatever ends it, everything is sealed, and `hashtrail-recorder compact` goes on");
        let archive = Archive::open(&self.archive)?;
        let is_whole = compact::merge(&archive, &mut outcome.manifest)
            .context("the recording is sealed, and not all of it is merged")?;
        Ok(if is_whole { code } else { ExitCode::FAILURE })
    }

    /// Bytes of each ring: those of all CPUs together take at most 1/32 of memory.
    pub(crate) fn capped_ring_bytes(&self) -> u64 {
        let wanted = self.ring_bytes;
        let share = host::memory_bytes() / 32 / (host::online_cpus().len() as u64).max(1);
        let cap = if share.is_power_of_two() { share } else { share.next_power_of_two() / 2 };
        if wanted > cap {
            say!("warning: rings of {wanted} bytes would take more than 1/32 of memory; {cap} bytes are used");
        }
        wanted.min(cap.max(4096))
    }

    /// How the journal is written; `measurements`: whether the kernel's measurement list is stored.
    pub(crate) fn journal(&self, measurements: bool) -> JournalOptions {
        JournalOptions {
            seal_interval: self.seal_interval,
            sync_interval: self.sync_interval,
            journal_bytes: self.journal_bytes,
            measurements,
        }
    }
}

/// The kernel takes rings of whole pages that are a power of two.
fn parse_ring_size(text: &str) -> anyhow::Result<u64> {
    let bytes = parse_size(text)?;
    if !bytes.is_power_of_two() || !(rustix::param::page_size() as u64..=1 << 30).contains(&bytes) {
        anyhow::bail!("a ring is a power of two from {} bytes to 1GiB", rustix::param::page_size());
    }
    Ok(bytes)
}

fn parse_journal_size(text: &str) -> anyhow::Result<u64> {
    let bytes = parse_size(text)?;
    if bytes < 4 << 20 {
        anyhow::bail!("a journal needs at least 4MiB");
    }
    Ok(bytes)
}
