//! An archive without some of what another one holds: each of its files has the same rows in the same order, and columns that were
//! taken out are empty in them. Its manifest names the lines of its parent, so that whoever has both can compare them row by row.

mod compare;
mod names;
mod rows;
mod taken;
mod veil;
mod write;

pub(crate) use compare::compare;
pub(crate) use taken::{Redaction, plain};
pub(crate) use write::{Written, write};
