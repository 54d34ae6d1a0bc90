//! How large a manifest may be, for those who write one as for those who read it: no recorder makes one that nobody reads.

use anyhow::{Result, ensure};

/// A recording on 128 CPUs that seals every 5 minutes takes a hundred days to this.
pub(super) const MAX_BYTES: usize = 256 << 20;
/// Longer lines are not decoded, which takes thirty times their size. Ours hold at most the texts of the policies.
pub(super) const MAX_LINE_BYTES: usize = 1 << 20;
pub(super) const MAX_LINES: usize = 1 << 20;
/// What is more damaged is not read to its end.
pub(super) const MAX_DAMAGES: usize = 1 << 16;

/// How large a manifest is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) bytes: usize,
    pub(super) lines: usize,
}

impl Extent {
    /// Of the lines that these bytes are.
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self { bytes: bytes.len(), lines: bytes.iter().filter(|byte| **byte == b'\n').count() }
    }

    /// That of a manifest with one more line.
    ///
    /// # Errors
    /// When no reader would read it.
    pub(super) fn with(self, line: &[u8]) -> Result<Self> {
        let all = Self { bytes: self.bytes + line.len(), lines: self.lines + 1 };
        ensure!(line.len() <= MAX_LINE_BYTES, "a line of {} bytes is longer than what is decoded", line.len());
        ensure!(all.is_read(), "it is full: more than {MAX_BYTES} bytes or {MAX_LINES} lines are not read");
        Ok(all)
    }

    fn is_read(self) -> bool {
        self.bytes <= MAX_BYTES && self.lines <= MAX_LINES
    }

    /// Whether three quarters are used: time for another archive.
    pub(super) fn is_nearly_full(self) -> bool {
        self.bytes > MAX_BYTES / 4 * 3 || self.lines > MAX_LINES / 4 * 3
    }
}
