//! The recording: its rows, columns, files and manifest.
//!
//! An archive is one directory per host:
//!
//! ```text
//! DIR/manifest.jsonl                                             one chained line per sealed file and per start and stop
//! DIR/events/host=<name>/date=YYYY-MM-DD/<recording>-<segment>.parquet   one row per event
//! DIR/events/host=<name>/date=YYYY-MM-DD/<recording>-<first segment>-<last segment>.parquet   several of them, merged
//! DIR/files/host=…/date=…/<recording>-<segment>.parquet          one row per run of one file version
//! DIR/ledger/host=…/date=…/<recording>-<segment>.parquet         coverage: starts, stops, loss, policies
//! DIR/packages/host=…/date=…/<recording>-<snapshot>.parquet   the files that the package manager owns
//! DIR/manifest.jsonl.minisig                                     signature over it, with `--sign-key`
//! DIR/ima/<recording>-<number>.measurements                      the kernel's measurement list, as it grew
//! DIR/.journal/                                                  not yet sealed
//! ```
//!
//! Both the recorder and the query tool depend on this crate, and never on each other.
#![forbid(unsafe_code)]

pub mod archive;
pub mod cell;
pub mod chunks;
pub mod clock;
pub mod columns;
pub mod compact;
pub mod digest;
pub mod digest_list;
pub mod escape;
pub mod event;
pub mod execs;
mod hash;
pub mod hooks;
pub mod ledger;
pub mod manifest;
pub mod packages;
pub mod reader;
pub mod row_digest;
pub mod seal;
pub mod signature;
pub mod sqlite;
pub mod text;
pub mod versions;
pub mod writer;

#[cfg(test)]
#[path = "../tests/support/mutate.rs"]
mod mutate;
