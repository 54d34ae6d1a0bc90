//! The command line.

use crate::commands::{check_policy, compact, doctor, keygen, loadtest, record, recover, reload};
use crate::manual;
use clap::{CommandFactory, Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

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
    Record(record::RecordOptions),
    /// Let the running recorder read its policy files again, without losing an event (as SIGHUP does)
    #[command(after_help = "Example:\n  hashtrail-recorder reload --archive /mnt/evidence/web-1")]
    Reload {
        /// Archive of the recorder, where several run
        #[arg(long, value_name = "DIR")]
        archive: Option<PathBuf>,
    },
    /// Say what this host can record; each lack with its reason and its fix
    Doctor(doctor::DoctorOptions),
    /// Check policies without loading anything, and say in words what they record and do
    #[command(after_help = "Example:
  hashtrail-recorder check-policy samples/policies/*.yaml

Exit codes: 0 all can be used, 2 refused: each fault with file, line and reason.")]
    CheckPolicy {
        /// Tetragon TracingPolicy files
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Lists that `digests: {ioc: true}` takes its digests from, as for `record`; repeats
        #[arg(long, value_name = "FILE")]
        ioc: Vec<PathBuf>,
    },
    /// Seal what a crash left behind; `record` does the same at its start
    Recover(recover::RecoverOptions),
    /// Merge the small files of a sealed archive into large ones; the manifest keeps the proof
    Compact(compact::CompactOptions),
    /// Make a key that signs manifests: FILE, secret, and FILE.pub, which `hashtrail verify --key` takes
    #[command(after_help = "Example:\n  hashtrail-recorder keygen --out /media/keys/case")]
    Keygen {
        /// Where the secret key is written; keep it off the host that is recorded
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Send synthetic events through the real rings, journal and writer: what can this host sustain?
    Loadtest(loadtest::LoadtestOptions),
    /// Write completions for bash, fish and zsh, and pages for man
    #[command(after_help = "Example:\n  hashtrail-recorder generate /tmp/hashtrail")]
    Generate {
        /// Where `completions/` and `man/` are made
        directory: PathBuf,
    },
}

impl Cli {
    /// Does what was asked for.
    ///
    /// # Errors
    /// Those of the command; the exit code is 2 then.
    pub(crate) fn run(&self) -> anyhow::Result<ExitCode> {
        match &self.command {
            Command::Record(options) => record::run(options),
            Command::Reload { archive } => reload::run(archive.as_deref()),
            Command::Doctor(options) => doctor::run(options),
            Command::CheckPolicy { files, ioc } => check_policy::run(files, ioc),
            Command::Recover(options) => recover::run(options),
            Command::Compact(options) => compact::run(options),
            Command::Keygen { out } => keygen::run(out),
            Command::Loadtest(options) => loadtest::run(options),
            Command::Generate { directory } => manual::generate(Self::command(), directory).map(|()| ExitCode::SUCCESS),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_command_shows_examples_that_it_takes() {
        for example in manual::examples(&Cli::command()) {
            Cli::try_parse_from(&example).unwrap_or_else(|error| panic!("{example:?}: {error}"));
        }
    }
}
