//! The look at the binaries of all that runs: after it calls are refused at once where nobody runs a binary that the policies
//! ask for. Until a look was complete, and where the kernel refuses it, each call's process is looked at.

use super::Sensor;
use super::iterators::each_chunk;
use crate::host::say::say;
use std::time::{Duration, Instant};

/// The iterator. Not attached: it runs when it is read.
pub(super) const RUNNING_BINARIES: &str = "running_binaries";

/// Between two looks, and from a reload to the first: what the programs before took is noted by then. An exec between two
/// of them is in none that counts those in progress.
const LOOK_INTERVAL: Duration = Duration::from_secs(10);

/// When to look.
pub(super) enum Look {
    /// Not before then.
    Due(Instant),
    /// Never again.
    Done,
}

impl Look {
    /// The first one of new programs.
    pub(super) fn first(is_reload: bool) -> Self {
        Self::Due(Instant::now() + if is_reload { LOOK_INTERVAL } else { Duration::ZERO })
    }
}

impl Sensor {
    /// Looks, if it is time to: a look that began while an exec was under way, say, is not complete.
    pub(crate) fn look_at_running(&mut self) {
        let is_due = matches!(self.look, Look::Due(due) if due <= Instant::now());
        if !is_due || !self.programs.contains(RUNNING_BINARIES) {
            return;
        }
        let mut is_complete = false;
        let looked = each_chunk(&mut self.skeleton, RUNNING_BINARIES, |chunk| is_complete |= !chunk.is_empty());
        if let Err(error) = &looked {
            say!("warning: filters on binaries cannot be made cheap: {error:#}");
        }
        self.look = if is_complete || looked.is_err() { Look::Done } else { Look::Due(Instant::now() + LOOK_INTERVAL) };
    }
}
