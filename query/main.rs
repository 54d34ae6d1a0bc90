//! `hashtrail`: answers questions from archives, anywhere and offline.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

mod archives;
mod arguments;
mod caveats;
mod cli;
mod commands;
mod contract;
mod evidence;
mod export;
mod folder;
mod import;
mod investigate;
mod known;
#[path = "../manual.rs"]
mod manual;
#[cfg(test)]
#[path = "../tests/support/mutate.rs"]
mod mutate;
mod output;
mod packages;
mod processes;
mod recordings;
mod redact;
mod report;
#[cfg(test)]
#[path = "../tests/support/rows.rs"]
mod rows;
mod sorter;
mod sql;
mod suspects;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod versions;

use anyhow::{Result, anyhow};
use clap::Parser;
use cli::Cli;
use hashtrail::escape::escape_lines;
use output::problems::Problems;
use output::screen::Screen;
use std::io::{BufWriter, ErrorKind, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::Mutex;

/// Where and why the last panic happened: panics of the decoder on damaged files are contained and must not reach the
/// terminal by themselves.
static LAST_PANIC: Mutex<Option<String>> = Mutex::new(None);

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) if error.use_stderr() => {
            let words: Vec<String> = std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
            let why = cli::why_refused(&error, &words).map(|why| format!("hint: {why}\n")).unwrap_or_default();
            let _ = write!(std::io::stderr(), "{}{why}", escape_lines(&error.render().to_string()));
            return ExitCode::from(2);
        }
        Err(help) => {
            let _ = help.print();
            return ExitCode::SUCCESS;
        }
    };
    std::panic::set_hook(Box::new(|panic| {
        if let Ok(mut last) = LAST_PANIC.lock() {
            *last = Some(panic.to_string());
        }
    }));
    let problems = Problems::default();
    let mut screen = Screen::new(cli.output.no_pager);
    let found = catch_unwind(AssertUnwindSafe(|| run(&cli, &problems, &mut screen))).unwrap_or_else(|_| {
        let last = LAST_PANIC.lock().ok().and_then(|last| last.clone()).unwrap_or_default();
        Err(anyhow!("internal error: {last}"))
    });
    let is_left = found.as_ref().is_err_and(is_broken_pipe);
    if let Err(error) = &found
        && !is_left
    {
        problems.error(error);
    }
    problems.finish();
    let closed = screen.close();
    if let Err(error) = &closed {
        problems.error(error);
    }
    match found {
        Err(_) if is_left && closed.is_ok() => ExitCode::SUCCESS,
        Err(_) => ExitCode::from(2),
        Ok(_) if problems.any() => ExitCode::from(2),
        Ok(found) => ExitCode::from(u8::from(!found)),
    }
}

/// Runs the command; says whether it found something.
fn run(cli: &Cli, problems: &Problems, screen: &mut Screen) -> Result<bool> {
    let mut output = BufWriter::new(screen);
    let found = cli.run(problems, &mut output)?;
    output.flush()?;
    Ok(found)
}

/// The reader of our output has seen enough: that is no error.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let is_broken = |cause: &std::io::Error| cause.kind() == ErrorKind::BrokenPipe;
    error.chain().any(|cause| cause.downcast_ref::<std::io::Error>().is_some_and(is_broken))
}
