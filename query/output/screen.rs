//! Where data goes: to stdout, through a pager where that is a terminal, as git does it.

use super::progress;
use anyhow::{Result, bail};
use rustix::io::dup;
use rustix::stdio::dup2_stderr;
use signal_hook::consts::SIGINT;
use std::io::{self, ErrorKind, IsTerminal, Stdout, Write, stderr, stdout};
use std::os::fd::OwnedFd;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What a shell says where there is no such program.
const NOT_FOUND: i32 = 127;

/// Stdout, or what shows it in pages. Nothing is started before there is something to show.
pub(crate) struct Screen {
    no_pager: bool,
    to: Option<To>,
}

enum To {
    Stdout(Stdout),
    Pager(Pager),
}

impl Screen {
    pub(crate) fn new(no_pager: bool) -> Self {
        Self { no_pager, to: None }
    }

    /// Waits for who reads the pages; the last thing to do.
    ///
    /// # Errors
    /// When there was no such pager.
    pub(crate) fn close(self) -> Result<()> {
        match self.to {
            Some(To::Pager(pager)) => pager.close(),
            _ => Ok(()),
        }
    }

    fn to(&mut self) -> &mut dyn Write {
        let no_pager = self.no_pager;
        let to = self.to.get_or_insert_with(|| {
            progress::end();
            let pager = if no_pager || !stdout().is_terminal() { None } else { Pager::start() };
            pager.map_or_else(|| To::Stdout(stdout()), To::Pager)
        });
        match to {
            To::Stdout(stdout) => stdout,
            To::Pager(pager) => pager,
        }
    }
}

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.to().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.to.is_some() { self.to().flush() } else { Ok(()) }
    }
}

/// A running pager.
struct Pager {
    name: String,
    child: Child,
    input: ChildStdin,
    /// The terminal, where stderr goes into the pages too: elsewhere it would be written over them.
    stderr: Option<OwnedFd>,
    /// Ctrl-C is the pager's: it would be left without a terminal if this process ended first.
    is_interrupted: Arc<AtomicBool>,
}

impl Pager {
    /// The one that `HASHTRAIL_PAGER` or `PAGER` names, else `less`; none where that is empty or `cat`, or is not there.
    fn start() -> Option<Self> {
        let named = ["HASHTRAIL_PAGER", "PAGER"].iter().find_map(|name| std::env::var(name).ok());
        let name = named.unwrap_or_else(|| "less".to_owned());
        if ["", "cat"].contains(&name.trim()) {
            return None;
        }
        let mut command = command(&name);
        if std::env::var_os("LESS").is_none() {
            // It ends at once where all fits on the screen, and leaves that there.
            command.env("LESS", "FX");
        }
        let is_interrupted = Arc::new(AtomicBool::new(false));
        signal_hook::flag::register(SIGINT, Arc::clone(&is_interrupted)).ok()?;
        let mut child = command.stdin(Stdio::piped()).spawn().ok()?;
        let input = child.stdin.take()?;
        let terminal = stderr().is_terminal().then(|| dup(stderr()).ok()).flatten();
        let stderr = terminal.filter(|_| dup2_stderr(&input).is_ok());
        Some(Self { name, child, input, stderr, is_interrupted })
    }

    fn close(mut self) -> Result<()> {
        if let Some(terminal) = self.stderr {
            dup2_stderr(terminal)?;
        }
        drop(self.input);
        if self.child.wait()?.code() == Some(NOT_FOUND) {
            bail!("there is no pager `{}`: set PAGER, or give --no-pager", self.name);
        }
        Ok(())
    }
}

/// A line for a shell needs one; else what cannot be started is known at once.
fn command(name: &str) -> Command {
    if name.contains(|character: char| "|&;<>()$`\\\"'*?[#~=%".contains(character)) {
        let mut command = Command::new("sh");
        command.args(["-c", name]);
        return command;
    }
    let mut words = name.split_whitespace();
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words);
    command
}

impl Write for Pager {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.is_interrupted.load(Ordering::Relaxed) {
            return Err(ErrorKind::BrokenPipe.into());
        }
        self.input.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.input.flush()
    }
}
