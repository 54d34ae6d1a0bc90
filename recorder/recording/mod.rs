//! A recording that runs: from the rings into the journal, and what is told of it.

pub(crate) mod accounting;
pub(crate) mod drain;
mod listed;
pub(crate) mod pipeline;
pub(crate) mod policies;
pub(crate) mod processes;
pub(crate) mod signals;
pub(crate) mod status;
pub(crate) mod watch;
