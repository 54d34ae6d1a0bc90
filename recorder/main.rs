//! `hashtrail-recorder`: from the kernel's hooks to a sealed archive. The way of one event:
//! [`sensor`] (rings) → [`recording::pipeline`] → [`journal`] (segments of frames) → [`journal::sealer`]
//! ([`journal::segment_rows`], by [`record::decode`]) → `hashtrail::seal` (Parquet, manifest).

mod btf;
mod cli;
mod commands;
mod content;
mod host;
mod journal;
#[cfg(test)]
#[path = "../tests/mutate.rs"]
mod mutate;
mod policy;
mod record;
mod recording;
mod sensor;

use crate::host::say::say_error;
use clap::Parser;
use cli::Cli;
use std::process::ExitCode;

fn main() -> ExitCode {
    Cli::parse().run().unwrap_or_else(|error| {
        say_error("error: ", &error);
        ExitCode::from(2)
    })
}
