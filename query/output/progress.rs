//! One line on a terminal while many files are read.

use hashtrail::escape::escape;
use std::io::{IsTerminal, Write, stderr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// What takes no longer needs no line.
const BEFORE: Duration = Duration::from_secs(1);
const BETWEEN: Duration = Duration::from_millis(200);
/// Goes to the begin of the line and clears it.
const CLEAR: &str = "\r\x1b[K";

/// Whether the line stands on the terminal.
static IS_SHOWN: AtomicBool = AtomicBool::new(false);
/// Whether data stands there: a line among its rows would be taken for one.
static HAS_DATA: AtomicBool = AtomicBool::new(false);

/// Takes the line away, for what is to be told now.
pub(super) fn clear() {
    if IS_SHOWN.swap(false, Ordering::Relaxed) {
        // The line is only a courtesy.
        let _ = write!(stderr(), "{CLEAR}");
    }
}

/// From now on none is shown.
pub(super) fn end() {
    HAS_DATA.store(true, Ordering::Relaxed);
    clear();
}

/// How far a reading is.
pub(crate) struct Progress {
    what: String,
    /// When it began, or was shown last.
    since: Instant,
    every: Duration,
}

impl Progress {
    pub(crate) fn new(what: &str) -> Self {
        Self { what: escape(what).into_owned(), since: Instant::now(), every: BEFORE }
    }

    /// So many of all files are done.
    pub(crate) fn at(&mut self, done: usize, all: usize) {
        if self.since.elapsed() >= self.every && !HAS_DATA.load(Ordering::Relaxed) && stderr().is_terminal() {
            let _ = write!(stderr(), "{CLEAR}{}: {done} of {all} files", self.what);
            IS_SHOWN.store(true, Ordering::Relaxed);
            (self.since, self.every) = (Instant::now(), BETWEEN);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        clear();
    }
}
