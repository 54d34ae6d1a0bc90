//! The status line of a recording, on terminals only.

use crate::host::say::say;
use crate::recording::accounting::CpuTotals;
use std::io::{IsTerminal, Write};
use std::time::Instant;

/// One line that is written over once a second.
pub(crate) struct StatusLine {
    on_terminal: bool,
    started: Instant,
    before: u64,
    lost: u64,
}

impl StatusLine {
    /// A line on stderr if that is a terminal.
    pub(crate) fn new() -> Self {
        Self { on_terminal: std::io::stderr().is_terminal(), started: Instant::now(), before: 0, lost: 0 }
    }

    /// Shows the totals; new losses are said on their own line, on a terminal or not.
    pub(crate) fn show(&mut self, totals: &[CpuTotals]) {
        let sum = |of: fn(&CpuTotals) -> u64| totals.iter().map(of).sum::<u64>();
        let (produced, lost) = (sum(|cpu| cpu.produced), sum(|cpu| cpu.dropped));
        let rate = produced.saturating_sub(self.before);
        self.before = produced;
        if self.on_terminal {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
        if lost > self.lost {
            say!("warning: {} events lost in the last second", lost - self.lost);
            self.lost = lost;
        }
        if self.on_terminal {
            let _ = write!(
                std::io::stderr(),
                "{rate} events/s, {} stored, {lost} lost, {} digests, {} MiB hashed, {} s",
                sum(|cpu| cpu.stored),
                sum(|cpu| cpu.digests),
                sum(|cpu| cpu.hashed_bytes) >> 20,
                self.started.elapsed().as_secs()
            );
            let _ = std::io::stderr().flush();
        }
    }

    /// Leaves the line.
    pub(crate) fn end(&self) {
        if self.on_terminal {
            say!("");
        }
    }
}
