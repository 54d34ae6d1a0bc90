//! The file that a record is about, opened again through the process that has it.

use crate::content::identity::{is_file_of, is_unchanged, is_written_here};
use crate::record::wire;
use rustix::fs::{Mode, OFlags, ResolveFlags, open, openat2};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// A look-up in memory alone fails too where others change the same directories just then.
const ATTEMPTS: usize = 3;

/// Opens the file for reading if it is still the one, and as it was when the record was made.
///
/// # Errors
/// `DIGEST_MOVED` when it is another or has changed, `DIGEST_UNREADABLE` when it is not to be found or read.
pub(super) fn open_recorded(head: &wire::event, path: &[u8]) -> Result<File, wire::digest_status> {
    let held = held_by_process(head.pid).find(|handle| is_file_of(handle, head));
    let handle = held.or_else(|| handle_at(head.pid, path)).ok_or(wire::digest_status::DIGEST_UNREADABLE)?;
    if !is_file_of(&handle, head) || !is_unchanged(&handle, head) {
        return Err(wire::digest_status::DIGEST_MOVED);
    }
    // IMA would count a violation.
    if is_written_here(&handle) {
        return Err(wire::digest_status::DIGEST_UNREADABLE);
    }
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = open(format!("/proc/self/fd/{}", handle.as_raw_fd()), flags, Mode::empty());
    file.map(File::from).map_err(|_| wire::digest_status::DIGEST_UNREADABLE)
}

/// What the process has: its executable, its descriptors, its mappings. Handles only: nothing is opened by them, so a
/// device or FIFO among them does not notice.
fn held_by_process(pid: u32) -> impl Iterator<Item = File> {
    let listed = ["fd", "map_files"].into_iter().flat_map(move |directory| {
        let entries = fs::read_dir(format!("/proc/{pid}/{directory}"));
        entries.into_iter().flatten().flatten().map(|entry| entry.path())
    });
    std::iter::once(format!("/proc/{pid}/exe").into()).chain(listed).filter_map(|link| handle(&link))
}

fn handle(link: &Path) -> Option<File> {
    open(link, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).ok().map(File::from)
}

/// What stands at the path now, below the process's root or, when the process is gone, below this one's.
fn handle_at(pid: u32, path: &[u8]) -> Option<File> {
    let directory = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = open(format!("/proc/{pid}/root"), directory, Mode::empty());
    let root = root.or_else(|_| open("/", directory, Mode::empty())).ok()?;
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    // Only what the kernel has in memory: a filesystem that a user mounted on the way may never answer.
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS | ResolveFlags::CACHED;
    let attempt = |_| openat2(&root, OsStr::from_bytes(path), flags, Mode::empty(), resolve).ok().map(File::from);
    (0..ATTEMPTS).find_map(attempt)
}
