//! A record, and which parts of its row are made.

use super::digest::{Digest, fill_digest};
use super::keys;
use super::policy::{Hook, fill_action, fill_entry, fill_policy};
use super::scratch::Scratch;
use super::{SHORT, Tail, fill_access, fill_file, fill_flags, fill_place, fill_process, has_file};
use crate::record::header::{SegmentHeader, Surroundings};
use crate::record::wire;
use anyhow::{Context, Result};
use hashtrail::cell::Micros;
use hashtrail::event::{ACCESS, DIGEST, EventSource, EventView, FILE, PARTS, POLICY, PROCESS};
use std::mem::offset_of;

/// A record that is not a row yet.
pub(crate) struct Undecoded<'a> {
    tail: Tail<'a>,
    header: &'a SegmentHeader,
    surroundings: Surroundings,
    scratch: &'a mut Scratch,
}

impl<'a> Undecoded<'a> {
    /// Takes a record apart.
    ///
    /// # Errors
    /// When the record is shorter than it says.
    #[inline]
    pub(crate) fn new(
        record: &'a [u8],
        header: &'a SegmentHeader,
        surroundings: &Surroundings,
        scratch: &'a mut Scratch,
    ) -> Result<Self> {
        let raw: wire::event = wire::read(record).context(SHORT)?;
        Ok(Self { tail: Tail::of(record, &raw)?, header, surroundings: *surroundings, scratch })
    }
}

impl<'a> EventSource<'a> for Undecoded<'a> {
    fn time(&self) -> Micros {
        const PLACE: usize = offset_of!(wire::event, boot_ns);
        let bytes = self.tail.head[PLACE..].first_chunk().copied();
        self.surroundings.time(bytes.map_or(0, i64::from_le_bytes))
    }

    #[inline]
    fn put_key(&self, part: usize, key: &mut Vec<u8>) {
        keys::put_key(part, &self.tail, key);
    }

    fn fill(self, event: &mut EventView<'a>, is_known: [bool; PARTS]) -> Result<()> {
        let Self { tail, header, surroundings, scratch } = self;
        let raw: wire::event = wire::read(tail.head).context(SHORT)?;
        let (hook, digest) = (Hook::of(&raw, header)?, Digest::of(&raw)?);
        let has_digest = matches!(digest, Digest::Taken(..));
        let is_needed = |part: usize| has_digest || !is_known[part];
        let scratch = scratch.fill(&raw, digest.bytes(&raw));
        (event.cpu, event.seq, event.boot_ns) =
            (raw.cpu.cast_signed(), raw.seq.cast_signed(), raw.boot_ns.cast_signed());
        event.time = surroundings.time(event.boot_ns);
        event.ima_policy = surroundings.ima_policy;
        fill_entry(event, &raw, &hook);
        fill_flags(event, &raw, &tail);
        if is_needed(POLICY) {
            (event.recording_id, event.host) = ((&header.recording_id).into(), (&header.host).into());
            event.boot_id = (&header.boot_id).into();
            fill_policy(event, &raw, &hook);
            fill_action(event, &raw)?;
        }
        if !is_known[PROCESS] {
            fill_process(event, &raw, &tail);
        }
        if is_needed(FILE) {
            fill_place(event, &raw, tail.path, scratch);
            if has_file(&raw) {
                fill_file(event, &raw, &tail, scratch);
            }
        }
        if is_needed(ACCESS) {
            fill_access(event, &raw, tail.target);
        }
        if is_needed(DIGEST) {
            fill_digest(event, &raw, digest, scratch);
        }
        Ok(())
    }
}
