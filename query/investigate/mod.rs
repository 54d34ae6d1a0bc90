//! What a question finds, as data. Commands make rows of it; nothing here knows how an answer is shown.

pub(crate) mod changes;
pub(crate) mod diff;
pub(crate) mod events;
mod investigated;
pub(crate) mod people;
pub(crate) mod rare;
mod rows;
pub(crate) mod timeline;
pub(crate) mod tree;
pub(crate) mod verdicts;
pub(crate) mod versions;
pub(crate) mod wanted;
pub(crate) mod who;
