//! Processes as they were recorded: which there were, whose children they are, and what each ran.

pub(crate) mod covered;
pub(crate) mod doubts;
mod ends;
pub(crate) mod family;
mod in_ticks;
pub(crate) mod life;
pub(crate) mod recorded;
pub(crate) mod sight;
pub(crate) mod sights;

use crate::recordings::Position;
use hashtrail::cell::Micros;
use hashtrail::event::Event;

/// One boot of one machine.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Boot {
    pub(crate) host: String,
    pub(crate) boot_id: String,
}

impl Boot {
    fn of(event: &Event) -> Self {
        Self { host: event.host.clone(), boot_id: event.boot_id.clone() }
    }
}

/// Who a process is. Pids are used again, also within a boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ProcessKey {
    /// Place of its boot in [`recorded::Processes::boots`].
    pub(crate) boot: u32,
    /// Nanoseconds since boot.
    pub(crate) start_ns: i64,
    pub(crate) pid: i32,
}

/// What tells whose child a process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ParentSource {
    /// The fork itself.
    Fork,
    /// A later row: its parent at that moment, which may have got it from one that had ended.
    Later,
}

impl ParentSource {
    pub(crate) const ALL: [Self; 2] = [Self::Fork, Self::Later];

    /// As users see it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Fork => "fork",
            Self::Later => "later_row",
        }
    }
}

/// The parent of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Parent {
    /// `None`: it has none, as the first processes of a boot.
    pub(crate) key: Option<ProcessKey>,
    pub(crate) source: ParentSource,
}

/// When rows of a process were recorded: the first and the last of them, and the earliest and the latest time that one has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) first: Position,
    pub(crate) first_time: Micros,
    pub(crate) last: Position,
    pub(crate) last_time: Micros,
}

/// One process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) key: ProcessKey,
    /// `None`: it has no row of its own, and is known as the parent of another one.
    pub(crate) seen: Option<Seen>,
    /// `None`: not known.
    pub(crate) parent: Option<Parent>,
    /// Whether it ran when a recording began, and no fork says since when.
    pub(crate) ran_before: bool,
    /// Whether rows say more of it than that it was there.
    is_told: bool,
    /// Whether its start is known to a tick of the clock only.
    pub(crate) is_in_ticks: bool,
}
