//! All processes in their trees, read once for several questions.

use crate::archives::Archives;
use crate::processes::family::Family;
use crate::processes::recorded::Processes;
use crate::recordings::{Recordings, Spans};
use anyhow::Result;

/// The processes of all archives.
pub(crate) struct People {
    pub(crate) recordings: Recordings,
    pub(super) processes: Processes,
    pub(super) family: Family,
}

impl People {
    /// # Errors
    /// When a scan cannot be made or there are too many processes; files that cannot be read are problems.
    pub(crate) fn read(archives: &Archives<'_>) -> Result<Self> {
        let recordings = Recordings::load(archives, &Spans::default())?;
        let processes = Processes::read(archives, &recordings)?;
        let family = Family::of(&processes);
        Ok(Self { recordings, processes, family })
    }
}
