//! Records as the kernel sent them to rows. Pure, and tested without a kernel.

mod digest;
mod keys;
mod names;
mod policy;
mod scratch;
mod undecoded;

pub(crate) use names::algorithm_number;
pub(crate) use scratch::Scratch;
pub(crate) use undecoded::Undecoded;

use digest::Digest;
use names::{ATTRIBUTES, PATH_FLAGS, has_entry, hook_name, names_of};
use policy::{Hook, action, unenforced};

use crate::record::header::{EntryName, SegmentHeader, Surroundings};
use crate::record::key::RecordKey;
use crate::record::wire::{self, flag};
use anyhow::{Context, Result, bail};
use hashtrail::cell::Micros;
use hashtrail::event::{EventSource, EventView, PARTS};
use hashtrail::text::{self, Text};
use std::borrow::Cow;
use std::mem::offset_of;

const SHORT: &str = "the record is shorter than its head";

/// What can be told of a record that will be a row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Checked<'a> {
    /// Its key.
    pub(crate) key: RecordKey,
    /// The hook that the policy names.
    pub(crate) hook: &'a str,
}

/// Finds out whether a record becomes a row, without making it.
///
/// # Errors
/// When the record is shorter than it says, or holds a number that this recorder does not know.
pub(crate) fn check<'a>(record: &[u8], header: &'a SegmentHeader) -> Result<Checked<'a>> {
    let raw: wire::event = wire::read(record).context(SHORT)?;
    Tail::of(record, &raw)?;
    let Hook { name, .. } = Hook::of(&raw, header)?;
    action(&raw)?;
    unenforced(&raw)?;
    Digest::of(&raw)?;
    Ok(Checked { key: RecordKey::of(&raw), hook: name })
}

/// The hook of a record as its policy names it, and the policy's entry, where one asked for the row.
pub(crate) fn asked_by<'a>(raw: &wire::event, entries: &'a [EntryName]) -> (&'a str, Option<&'a EntryName>) {
    let hook = wire::hook(u32::from(raw.hook));
    let entry = entries.get(usize::from(raw.entry)).filter(|_| has_entry(hook));
    (entry.map_or(hook_name(hook).unwrap_or("unknown"), |entry| &entry.hook), entry)
}

/// The digest of a record with its algorithm, where it has one of an algorithm that has a name here.
pub(crate) fn digest_of(raw: &wire::event) -> Option<(&'static str, &[u8])> {
    let digest @ Digest::Taken(number, _) = Digest::of(raw).ok()? else { return None };
    names::ALGORITHMS.get(number).map(|(name, _)| (*name, digest.bytes(raw)))
}

/// Makes the row of one record. What the record has no text for is written to `scratch`.
///
/// # Errors
/// As [`check`].
pub(crate) fn decode<'a>(
    record: &'a [u8],
    header: &'a SegmentHeader,
    surroundings: &Surroundings,
    scratch: &'a mut Scratch,
) -> Result<EventView<'a>> {
    let mut event = EventView::default();
    Undecoded::new(record, header, surroundings, scratch)?.fill(&mut event, [false; PARTS])?;
    Ok(event)
}

/// The head, and the texts that stand behind it, in this order.
pub(crate) struct Tail<'a> {
    head: &'a [u8; size_of::<wire::event>()],
    pub(crate) path: &'a [u8],
    pub(crate) exe: &'a [u8],
    argv: &'a [u8],
    target: &'a [u8],
    pub(crate) container: &'a [u8],
}

impl<'a> Tail<'a> {
    /// Takes a record apart.
    ///
    /// # Errors
    /// When its lengths disagree.
    pub(crate) fn of(record: &'a [u8], raw: &wire::event) -> Result<Self> {
        let (head, rest) = record.split_first_chunk().context(SHORT)?;
        let lengths = [raw.path_bytes, raw.exe_bytes, raw.argv_bytes, raw.target_bytes, raw.container_bytes];
        let lengths = lengths.map(usize::from);
        if raw.record_bytes as usize != record.len() || lengths.iter().sum::<usize>() != rest.len() {
            let (bytes, stated) = (record.len(), raw.record_bytes);
            bail!("the record's lengths disagree: {bytes} bytes, {stated} stated, tail {lengths:?}");
        }
        let (path, rest) = rest.split_at(lengths[0]);
        let (exe, rest) = rest.split_at(lengths[1]);
        let (argv, rest) = rest.split_at(lengths[2]);
        let (target, container) = rest.split_at(lengths[3]);
        Ok(Self { head, path, exe, argv, target, container })
    }

    /// The text in a `char` array of the head that begins at this offset.
    fn characters(&self, offset: usize, length: usize) -> Cow<'a, str> {
        let characters = &self.head[offset..offset + length];
        let end = characters.iter().position(|byte| *byte == 0).unwrap_or(length);
        text::from_bytes(&characters[..end]).text
    }
}

/// The id of 64 hexadecimal digits in the name of a container's cgroup. The helper that watches a container runs beside it.
pub(crate) fn container_id(name: &[u8]) -> Option<Cow<'_, str>> {
    /// Digits of an id.
    const DIGITS: usize = 64;
    let mut parts = name.split(|byte| !byte.is_ascii_hexdigit());
    let mut start = 0;
    let id = parts.find(|part| {
        let is_id = part.len() == DIGITS && !name[..start].ends_with(b"-conmon-");
        start += part.len() + 1;
        is_id
    })?;
    let id = String::from_utf8_lossy(id);
    let is_upper = id.bytes().any(|byte| byte.is_ascii_uppercase());
    Some(if is_upper { id.to_ascii_lowercase().into() } else { id })
}

fn has_file(raw: &wire::event) -> bool {
    raw.flags & flag(wire::event_flag::EVENT_HAS_FILE.0) != 0
}

fn fill_process<'a>(event: &mut EventView<'a>, raw: &wire::event, tail: &Tail<'a>) {
    event.pid = raw.pid.cast_signed();
    event.tid = raw.tid.cast_signed();
    event.ppid = raw.ppid.cast_signed();
    event.process_start_ns = raw.process_start_ns.cast_signed();
    event.parent_start_ns = raw.parent_start_ns.cast_signed();
    event.exec_id = (raw.exec_id != 0).then_some(raw.exec_id.cast_signed());
    event.uid = raw.uid.into();
    event.gid = raw.gid.into();
    event.euid = raw.euid.into();
    event.auid = unless_unset(raw.auid);
    event.session_id = unless_unset(raw.session_id);
    event.comm = tail.characters(offset_of!(wire::event, comm), raw.comm.len());
    event.parent_comm = tail.characters(offset_of!(wire::event, parent_comm), raw.parent_comm.len());
    if !tail.exe.is_empty() {
        let Text { text, bytes } = text::from_bytes(tail.exe);
        event.exe = Some(text);
        event.exe_bytes = bytes.map(Cow::from);
    }
    event.cgroup_id = raw.cgroup_id.cast_signed();
    event.container_id = container_id(tail.container);
    event.pid_ns = raw.pid_ns.into();
}

/// Where the process looks from, and the name, which can stand in a row before there is a file of it.
fn fill_place<'a>(event: &mut EventView<'a>, raw: &wire::event, path: &'a [u8], scratch: &'a Scratch) {
    event.mnt_ns = raw.mnt_ns.into();
    event.root_dev = scratch.root_dev.text().into();
    event.root_ino = raw.root_ino.cast_signed();
    if !path.is_empty() {
        let Text { text, bytes } = text::from_bytes(if is_memfd(raw) { memfd_name(path) } else { path });
        event.path = Some(text);
        event.path_bytes = bytes.map(Cow::from);
    }
}

fn fill_file<'a>(event: &mut EventView<'a>, raw: &wire::event, tail: &Tail<'a>, scratch: &'a Scratch) {
    event.dev = Some(scratch.dev.text().into());
    event.ino = Some(raw.ino.cast_signed());
    event.ino_generation = Some(raw.ino_generation.into());
    event.parent_ino = Some(raw.parent_ino.cast_signed());
    event.fs_type = Some(tail.characters(offset_of!(wire::event, fs_type), raw.fs_type.len()));
    event.mode = Some(raw.mode.cast_signed());
    event.owner_uid = Some(raw.owner_uid.into());
    event.owner_gid = Some(raw.owner_gid.into());
    event.nlink = Some(raw.nlink.into());
    event.size_bytes = Some(raw.size_bytes.cast_signed());
    event.mtime = Some(micros(raw.mtime_s, raw.mtime_ns));
    event.ctime = Some(micros(raw.ctime_s, raw.ctime_ns));
    event.i_version_raw = Some(raw.i_version_raw.cast_signed());
    event.writers = Some(raw.writers);
    event.writable_mappings = Some(raw.writable_mappings);
    if raw.image_ino != 0 {
        event.image_dev = Some(scratch.image_dev.text().into());
        event.image_ino = Some(raw.image_ino.cast_signed());
    }
    if raw.real_ino != 0 {
        event.real_dev = Some(scratch.real_dev.text().into());
        event.real_ino = Some(raw.real_ino.cast_signed());
        event.real_fs_type = Some(tail.characters(offset_of!(wire::event, real_fs_type), raw.real_fs_type.len()));
    }
}

/// Whether the row is an open for writing or a truncation.
fn is_written(raw: &wire::event) -> bool {
    /// `O_ACCMODE`
    const ACCESS: u32 = 3;
    match wire::hook(u32::from(raw.hook)) {
        wire::hook::HOOK_FILE_OPEN | wire::hook::HOOK_FILE_POST_OPEN => raw.open_flags & ACCESS != 0,
        wire::hook::HOOK_INODE_SETATTR => raw.attributes & wire::attribute::ATTRIBUTE_SIZE.0 != 0,
        hook => hook == wire::hook::HOOK_PATH_TRUNCATE,
    }
}

/// Change hooks are about names, not open files.
fn has_open_file(raw: &wire::event) -> bool {
    let hook = u32::from(raw.hook);
    !(wire::hook::HOOK_INODE_RENAME.0..=wire::hook::HOOK_SB_UMOUNT.0).contains(&hook)
}

/// What belongs to no part: flags and lists.
fn fill_flags(event: &mut EventView<'_>, raw: &wire::event, tail: &Tail<'_>) {
    let hook = wire::hook(u32::from(raw.hook));
    if has_file(raw) || !tail.path.is_empty() {
        event.path_flags = names_of(&PATH_FLAGS, raw.path_flags);
    }
    if has_file(raw) && is_written(raw) {
        event.mapped_executable = Some(raw.flags & flag(wire::event_flag::EVENT_MAPPED_EXECUTABLE.0) != 0);
    }
    if hook == wire::hook::HOOK_INODE_SETXATTR {
        event.attributes = vec![text::from_bytes(tail.target).text.into_owned()].into();
    } else {
        event.attributes = names_of(&ATTRIBUTES, raw.attributes);
    }
    if hook == wire::hook::HOOK_BPRM_COMMITTED_CREDS {
        fill_arguments(event, raw, tail.argv);
    }
}

fn fill_access<'a>(event: &mut EventView<'a>, raw: &wire::event, target: &'a [u8]) {
    let hook = wire::hook(u32::from(raw.hook));
    let is_mapping = hook == wire::hook::HOOK_OPEN_DESCRIPTOR && raw.mmap_prot != 0;
    event.open_flags = (has_file(raw) && has_open_file(raw)).then_some(raw.open_flags.cast_signed());
    if [wire::hook::HOOK_MMAP_FILE, wire::hook::HOOK_FILE_MPROTECT].contains(&hook) || is_mapping {
        event.mmap_prot = Some(raw.mmap_prot.cast_signed());
    }
    if hook == wire::hook::HOOK_BPRM_COMMITTED_CREDS {
        event.argc = Some(raw.argc);
    }
    if hook != wire::hook::HOOK_INODE_SETXATTR {
        fill_target(event, raw, target);
    }
    if hook == wire::hook::HOOK_USER_DIGEST {
        event.ref_cpu = Some(raw.ref_cpu.cast_signed());
        event.ref_seq = Some(raw.ref_seq.cast_signed());
    }
}

fn fill_target<'a>(event: &mut EventView<'a>, raw: &wire::event, target: &'a [u8]) {
    if !target.is_empty() {
        let Text { text, bytes } = text::from_bytes(target);
        event.target_path = Some(text);
        event.target_path_bytes = bytes.map(Cow::from);
    }
    if raw.flags & flag(wire::event_flag::EVENT_HAS_TARGET.0) != 0 {
        event.target_ino = Some(raw.target_ino.cast_signed());
    }
}

fn fill_arguments(event: &mut EventView<'_>, raw: &wire::event, argv: &[u8]) {
    event.argv_truncated = Some(raw.flags & flag(wire::event_flag::EVENT_ARGV_TRUNCATED.0) != 0);
    if argv.is_empty() {
        event.argv = (raw.argc == 0).then(Cow::default);
        return;
    }
    let arguments: Vec<&[u8]> = argv.strip_suffix(&[0]).unwrap_or(argv).split(|byte| *byte == 0).collect();
    let texts: Vec<Text<'_>> = arguments.iter().map(|argument| text::from_bytes(argument)).collect();
    if texts.iter().any(|text| text.bytes.is_some()) {
        event.argv_bytes = Some(arguments.into_iter().map(<[u8]>::to_vec).collect());
    }
    event.argv = Some(texts.into_iter().map(|text| text.text.into_owned()).collect());
}

fn is_memfd(raw: &wire::event) -> bool {
    raw.path_flags & wire::path_flag::PATH_MEMFD.0 != 0
}

/// Kernels print `/memfd:name (deleted)` or parts of it; the name is what the program chose.
fn memfd_name(path: &[u8]) -> &[u8] {
    let path = path.strip_prefix(b"/").unwrap_or(path);
    path.strip_suffix(b" (deleted)").unwrap_or(path)
}

fn unless_unset(id: u32) -> Option<i64> {
    (id != u32::MAX).then_some(id.into())
}

fn micros(seconds: i64, nanoseconds: u32) -> Micros {
    Micros(seconds.saturating_mul(1_000_000).saturating_add(i64::from(nanoseconds / 1000)))
}

#[cfg(test)]
mod tests;
