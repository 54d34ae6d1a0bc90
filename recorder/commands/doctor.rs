//! The `doctor` command: what this host can record.

use crate::sensor::preflight;
use clap::{Args, ValueEnum};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// Options of `doctor`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  hashtrail-recorder doctor --archive /mnt/evidence/web-1")]
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

/// Exit 0 when this host can record, 1 when it cannot.
pub(crate) fn run(options: &DoctorOptions) -> anyhow::Result<ExitCode> {
    let checks = preflight::examine(options.archive.as_deref());
    let mut output = std::io::stdout().lock();
    match options.format {
        DoctorFormat::Text => output.write_all(preflight::to_text(&checks).as_bytes())?,
        DoctorFormat::Json => {
            for check in &checks {
                writeln!(output, "{}", serde_json::to_string(check)?)?;
            }
        }
    }
    let possible = checks.iter().all(|check| check.verdict != preflight::Verdict::Missing);
    Ok(if possible { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
