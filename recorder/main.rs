//! `hashtrail-recorder`: from the kernel's hooks to a sealed archive. The way of one event:
//! [`sensor`] (rings) → [`pipeline`] → [`journal`] ([`segment`]s of [`frame`]s) → [`sealer`] ([`rows`], by [`decode`])
//! → `hashtrail::seal` (Parquet, manifest).

mod accounting;
mod btf;
mod cli;
mod decode;
mod drain;
mod frame;
mod hasher;
mod hooks;
mod host;
mod identity;
mod journal;
mod keygen;
mod loadtest;
mod lock;
mod measurements;
mod mounts;
#[cfg(test)]
#[path = "../tests/mutate.rs"]
mod mutate;
mod own_row;
mod pipeline;
mod policy;
mod preflight;
mod processes;
mod record;
mod recovery;
mod reload;
mod reserve;
mod rows;
mod say;
mod sealer;
mod segment;
mod sensor;
mod session;
mod signals;
mod skipped;
mod status;
mod store;
mod syncer;
mod tables;
mod units;
mod watch;
mod wire;

use crate::say::say;
use clap::Parser;
use cli::{Cli, Command, DoctorFormat, DoctorOptions, RecoverOptions};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    run(&Cli::parse()).unwrap_or_else(|error| {
        say!("error: {error:#}");
        ExitCode::from(2)
    })
}

fn run(cli: &Cli) -> anyhow::Result<ExitCode> {
    match &cli.command {
        Command::Record(options) => record::run(options),
        Command::Reload { archive } => reload::run(archive.as_deref()),
        Command::Doctor(options) => doctor(options),
        Command::CheckPolicy { files } => check_policy(files),
        Command::Recover(options) => recover(options),
        Command::Keygen { out } => keygen::run(out),
        Command::Loadtest(options) => loadtest::run(options),
    }
}

/// Exit 0 when nothing was damaged, 1 when something was.
fn recover(options: &RecoverOptions) -> anyhow::Result<ExitCode> {
    hashtrail::archive::Archive::open(&options.archive)?;
    let (_lock, store, recovered) = store::open(&options.archive, options.sign_key.as_deref())?;
    say!("head {}", store.manifest.head());
    Ok(if recovered.damages.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Exit 0 when this host can record, 1 when it cannot.
fn doctor(options: &DoctorOptions) -> anyhow::Result<ExitCode> {
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

fn check_policy(files: &[PathBuf]) -> anyhow::Result<ExitCode> {
    let policies = policy::load(files)?;
    std::io::stdout().lock().write_all(policy::describe(&policies).as_bytes())?;
    Ok(ExitCode::SUCCESS)
}
