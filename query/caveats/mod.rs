//! What must be said beside an answer, because its rows do not show it: what was asked for and cannot be compared, was not
//! recorded, has no digest, was written while it ran, stood elsewhere, or was never seen.

pub(crate) mod asked_digest;
pub(crate) mod asked_hooks;
pub(crate) mod event_set;
pub(crate) mod mapped;
pub(crate) mod mounts;
pub(crate) mod observed;
pub(crate) mod undigested;
