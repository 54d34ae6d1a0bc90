//! What stood in a file at a moment: who it is, and the digest that user space takes where the kernel could not.

pub(crate) mod hasher;
pub(crate) mod identity;
