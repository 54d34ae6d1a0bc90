//! What users write, read: times, digests, files by their inode. A parser says what is wrong with a text.

pub(crate) mod digest;
pub(crate) mod inode;
pub(crate) mod time;
