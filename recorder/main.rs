//! `hashtrail-recorder`: from the kernel's hooks to a sealed archive. The way of one event:
//! [`sensor`] (rings) → [`recording::pipeline`] → [`journal`] (segments of frames) → [`journal::sealer`]
//! ([`journal::segment_rows`], by [`record::decode`]) → `hashtrail::seal` (Parquet, manifest).

mod btf;
mod cli;
mod commands;
mod content;
mod host;
mod journal;
mod lists;
#[path = "../manual.rs"]
mod manual;
#[cfg(test)]
#[path = "../tests/support/mutate.rs"]
mod mutate;
mod packages;
mod policy;
mod record;
mod recording;
mod sensor;

use crate::host::say::say_error;
use clap::Parser;
use cli::Cli;
use hashtrail::escape::escape_lines;
use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) if error.use_stderr() => {
            let _ = write!(std::io::stderr(), "{}", escape_lines(&error.render().to_string()));
            return ExitCode::from(2);
        }
        Err(help) => help.exit(),
    };
    cli.run().unwrap_or_else(|error| {
        say_error("error: ", &error);
        ExitCode::from(2)
    })
}
