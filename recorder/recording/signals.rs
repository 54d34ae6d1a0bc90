//! What ends a recording, and who sent it.

use anyhow::{Context, Result};
use serde::Serialize;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::iterator::SignalsInfo;
use signal_hook::iterator::exfiltrator::WithOrigin;
use signal_hook::low_level::signal_name;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Why a recording ends.
#[derive(Debug, Clone, Default)]
pub(crate) struct StopCause {
    /// The signal's name, or `duration`.
    pub(crate) cause: String,
    /// Who sent the signal; `None` for the kernel, such as for Ctrl-C on the terminal.
    pub(crate) sender: Option<Sender>,
}

/// The process that sent a signal, as far as it can still be asked.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Sender {
    pid: i32,
    uid: u32,
    comm: Option<String>,
    exe: Option<String>,
}

/// What a signal asks for.
#[derive(Debug, Clone)]
pub(crate) enum Signal {
    /// SIGINT, SIGTERM: end the recording.
    Stop(StopCause),
    /// SIGHUP: read the policies again.
    Reload(Option<Sender>),
}

/// The signals that a recording heeds.
pub(crate) struct Signals(SignalsInfo<WithOrigin>);

impl Signals {
    /// Takes the signals from their defaults.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub(crate) fn watch() -> Result<Self> {
        SignalsInfo::new([SIGINT, SIGTERM, SIGHUP]).map(Self).context("cannot watch signals")
    }

    /// Signals end this process again, as before it recorded.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub(crate) fn heed_no_more() -> Result<()> {
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            flag::register_conditional_default(signal, Arc::new(AtomicBool::new(true)))
                .context("cannot give signals back")?;
        }
        Ok(())
    }

    /// The first signal that came since the last question.
    pub(crate) fn came(&mut self) -> Option<Signal> {
        let origin = self.0.pending().next()?;
        let sender = origin.process.filter(|process| process.pid > 0).map(|process| Sender {
            pid: process.pid,
            uid: process.uid,
            comm: crate::host::read_line(&format!("/proc/{}/comm", process.pid)),
            exe: std::fs::read_link(format!("/proc/{}/exe", process.pid)).ok().map(|path| path.display().to_string()),
        });
        if origin.signal == SIGHUP {
            return Some(Signal::Reload(sender));
        }
        Some(Signal::Stop(StopCause { cause: signal_name(origin.signal).unwrap_or("signal").to_owned(), sender }))
    }
}
