//! The record: how it stands in bytes between kernel and user space, and what its rows need beside it.

pub(crate) mod decode;
pub(crate) mod header;
pub(crate) mod key;
pub(crate) mod own_row;
pub(crate) mod programs;
pub(crate) mod session;
pub(crate) mod wire;
