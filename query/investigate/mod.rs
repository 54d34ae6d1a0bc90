//! What a question finds, as data. Commands make rows of it; nothing here knows how an answer is shown.

pub(crate) mod changes;
pub(crate) mod events;
mod rows;
pub(crate) mod timeline;
pub(crate) mod tree;
pub(crate) mod versions;
pub(crate) mod who;
