//! The commands: options, and the way through the rooms below.

mod archive_options;
pub(crate) mod check_policy;
pub(crate) mod compact;
pub(crate) mod doctor;
pub(crate) mod keygen;
pub(crate) mod loadtest;
pub(crate) mod record;
pub(crate) mod recover;
pub(crate) mod reload;
