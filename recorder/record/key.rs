//! The key of a record: what can be told of it without decoding it.

use crate::record::wire::{self, flag};

/// All that the drain needs to know of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RecordKey {
    /// CPU that sent it.
    pub(crate) cpu: u32,
    /// Its sequence number on that CPU.
    pub(crate) seq: u64,
    /// Nanoseconds since boot.
    pub(crate) boot_ns: i64,
    /// Whether it ranks behind execs and modules where space is short.
    pub(crate) is_bulk: bool,
}

impl RecordKey {
    /// The key in the head of a record.
    pub(crate) fn of(head: &wire::event) -> Self {
        let is_bulk = head.flags & flag(wire::event_flag::EVENT_BULK.0) != 0;
        Self { cpu: head.cpu, seq: head.seq, boot_ns: head.boot_ns.cast_signed(), is_bulk }
    }
}

/// Reads the key of a record; `None` when it is too short.
pub(crate) fn record_key(record: &[u8]) -> Option<RecordKey> {
    wire::read(record).map(|head| RecordKey::of(&head))
}
