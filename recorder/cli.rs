//! The command line.

use crate::units::{parse_duration, parse_size};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;

/// Records LSM events with IMA digests into a Parquet archive.
#[derive(Debug, Parser)]
#[command(name = "hashtrail-recorder", version, max_term_width = 100)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What the recorder can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Record until SIGINT, SIGTERM or the end of --duration, then seal
    Record(RecordOptions),
    /// Let the running recorder read its policy files again, without losing an event (as SIGHUP does)
    Reload {
        /// Archive of the recorder, where several run
        #[arg(long, value_name = "DIR")]
        archive: Option<PathBuf>,
    },
    /// Say what this host can record; each lack with its reason and its fix
    Doctor(DoctorOptions),
    /// Check policies without loading anything, and say in words what they record and do
    #[command(after_help = "Exit codes: 0 all can be used, 2 refused: each fault with file, line and reason.")]
    CheckPolicy {
        /// Tetragon TracingPolicy files
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Seal what a crash left behind; `record` does the same at its start
    Recover(RecoverOptions),
    /// Make a key that signs manifests: FILE, secret, and FILE.pub, which `hashtrail verify --key` takes
    Keygen {
        /// Where the secret key is written; keep it off the host that is recorded
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Send synthetic events through the real rings, journal and writer: what can this host sustain?
    Loadtest(LoadtestOptions),
}

/// Options of `record`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  hashtrail-recorder record --archive /mnt/evidence/web-1 --case 2026-117 --operator mk
  hashtrail-recorder record --archive ./archive --policy samples/policies/one-binary.yaml --duration 10m

Exit codes: 0 recorded and sealed, 1 sealed, but the programs did not run for some time, 2 error.")]
pub(crate) struct RecordOptions {
    #[command(flatten)]
    pub(crate) store: ArchiveOptions,
    /// Tetragon TracingPolicy file; repeats. Without one the built-in policy records execs, executable mappings and
    /// module reads with digests, and opens for writing
    #[arg(long = "policy", value_name = "FILE")]
    pub(crate) policies: Vec<PathBuf>,
    /// Stop after this time
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub(crate) duration: Option<Duration>,
    /// Do not hash files above this size
    #[arg(long = "max-hash-size", value_name = "SIZE", default_value = "4GiB", value_parser = parse_size)]
    pub(crate) max_hash_bytes: u64,
    /// Hash a file at every event that asks for its digest. Without it, the digest of a larger file that the kernel's change
    /// counter shows unchanged, and that is wholly in memory, is used for up to ten seconds
    #[arg(long)]
    pub(crate) no_digest_cache: bool,
    /// Carry out what policies ask for beside recording: denials (Override) and signals (Signal, Sigkill). Without it the
    /// recorder changes nothing on the host and notes what it would have done
    #[arg(long)]
    pub(crate) enforce: bool,
    /// Case that the recording belongs to; kept in the manifest
    #[arg(long, value_name = "TEXT")]
    pub(crate) case: Option<String>,
    /// Who records; kept in the manifest
    #[arg(long, value_name = "TEXT")]
    pub(crate) operator: Option<String>,
    /// Host name in the archive, in place of the node name
    #[arg(long, value_name = "NAME")]
    pub(crate) host: Option<String>,
}

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
}

/// Options of `recover`.
#[derive(Debug, Args)]
#[command(after_help = "Exit codes: 0 nothing to do or all recovered, 1 recovered and something was damaged, 2 error.")]
pub(crate) struct RecoverOptions {
    /// Directory of the archive
    #[arg(long, value_name = "DIR")]
    pub(crate) archive: PathBuf,
    /// Sign the manifest with this secret key, `-` for stdin
    #[arg(long, value_name = "FILE")]
    pub(crate) sign_key: Option<PathBuf>,
}

/// Options of `doctor`.
#[derive(Debug, Args)]
pub(crate) struct DoctorOptions {
    /// Look at the space for this archive too
    #[arg(long, value_name = "DIR")]
    pub(crate) archive: Option<PathBuf>,
    /// Form of the output
    #[arg(long, value_enum, default_value_t = DoctorFormat::Text)]
    pub(crate) format: DoctorFormat,
}

/// Forms of `doctor`'s output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DoctorFormat {
    /// For people
    Text,
    /// One JSON object a line
    Json,
}

/// Options of `loadtest`.
#[derive(Debug, Args)]
pub(crate) struct LoadtestOptions {
    #[command(flatten)]
    pub(crate) store: ArchiveOptions,
    /// Events per second over all CPUs; without it as many as the kernel can produce
    #[arg(long, value_name = "N")]
    pub(crate) rate: Option<u64>,
    /// How long to produce
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = parse_duration)]
    pub(crate) duration: Duration,
    /// Beside the flood, this many events per second on each CPU that rank as execs do, while the flood ranks as opens
    #[arg(long, value_name = "N")]
    pub(crate) exec_rate: Option<u64>,
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
