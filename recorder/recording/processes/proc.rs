//! Processes as `/proc` tells of them.

use crate::content::identity::{attributes, attributes_at, device_of, flags_in};
use crate::host;
use crate::record::decode::container_id;
use crate::record::own_row::OwnRow;
use crate::record::wire;
use rustix::fs::{Mode, OFlags, Statx, open};
use std::fs::{self, File};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// `S_IFMT` and `S_IFREG`
const FILE_TYPE: u32 = 0o170_000;
const REGULAR: u32 = 0o100_000;

pub(super) fn pids() -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

pub(super) fn root_of(pid: u32) -> Vec<u8> {
    fs::read_link(format!("/proc/{pid}/root")).map_or_else(|_| b"/".to_vec(), |root| root.into_os_string().into_vec())
}

/// A handle of the executable, which opens nothing.
pub(super) fn exe_handle(pid: u32) -> Option<File> {
    open(format!("/proc/{pid}/exe"), OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).ok().map(File::from)
}

pub(super) fn is_unlinked(file: &File) -> bool {
    attributes(file).is_some_and(|file| file.stx_nlink == 0)
}

/// What is known of a process where the kernel's iterators are missing.
pub(super) fn process(pid: u32) -> Option<OwnRow> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let mut head = wire::event {
        boot_ns: host::clock_anchor().boot_ns.cast_unsigned(),
        hook: u16::try_from(wire::hook::HOOK_RUNNING_PROCESS.0).ok()?,
        pid,
        tid: pid,
        ppid: field_of_stat(&stat, 4)?.try_into().ok()?,
        process_start_ns: start_ns(&stat)?,
        auid: number(pid, "loginuid").unwrap_or(u32::MAX),
        session_id: number(pid, "sessionid").unwrap_or(u32::MAX),
        mnt_ns: namespace(pid, "mnt"),
        pid_ns: namespace(pid, "pid"),
        ..wire::event::default()
    };
    (head.uid, head.euid) = ids(&status, "Uid:")?;
    (head.gid, _) = ids(&status, "Gid:")?;
    set_name(&mut head.comm, comm(&stat)?);
    if let Ok(parent) = fs::read_to_string(format!("/proc/{}/stat", head.ppid)) {
        head.parent_start_ns = start_ns(&parent)?;
        set_name(&mut head.parent_comm, comm(&parent)?);
    }
    if let Some(root) = attributes_at(Path::new(&format!("/proc/{pid}/root"))) {
        (head.root_dev, head.root_ino) = (device_of(&root), root.stx_ino);
    }
    if let Some(exe) = attributes_at(Path::new(&format!("/proc/{pid}/exe"))) {
        fill_file(&mut head, &exe);
    }
    Some(OwnRow { head, container: container(pid).unwrap_or_default(), ..OwnRow::default() })
}

/// The name of the innermost cgroup that holds a container's id, as the kernel's programs look for it.
fn container(pid: u32) -> Option<Vec<u8>> {
    let cgroups = fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
    let path = cgroups.lines().find_map(|line| line.strip_prefix("0::"))?;
    path.rsplit('/').find(|name| container_id(name.as_bytes()).is_some()).map(|name| name.as_bytes().to_vec())
}

/// The regular files that a process has open for writing.
pub(super) fn writers(process: &OwnRow) -> Vec<OwnRow> {
    let pid = process.head.pid;
    if pid == std::process::id() {
        return Vec::new();
    }
    let descriptors = fs::read_dir(format!("/proc/{pid}/fdinfo")).into_iter().flatten().flatten();
    descriptors.filter_map(|entry| writer(process, &entry.file_name().to_string_lossy())).collect()
}

fn writer(process: &OwnRow, descriptor: &str) -> Option<OwnRow> {
    /// `O_ACCMODE`
    const ACCESS: u32 = 3;
    let pid = process.head.pid;
    let information = fs::read_to_string(format!("/proc/{pid}/fdinfo/{descriptor}")).ok()?;
    let flags = flags_in(&information).filter(|flags| flags & ACCESS != 0)?;
    let link = format!("/proc/{pid}/fd/{descriptor}");
    let file = attributes_at(Path::new(&link)).filter(|file| u32::from(file.stx_mode) & FILE_TYPE == REGULAR)?;
    let mut head = wire::event {
        hook: u16::try_from(wire::hook::HOOK_OPEN_DESCRIPTOR.0).ok()?,
        open_flags: flags,
        path_flags: 0,
        ..process.head
    };
    fill_file(&mut head, &file);
    let mut path = fs::read_link(link).ok()?.into_os_string().into_vec();
    if file.stx_nlink == 0 && path.ends_with(super::DELETED) {
        path.truncate(path.len() - super::DELETED.len());
    }
    Some(OwnRow { head, path, ..process.clone() })
}

fn fill_file(head: &mut wire::event, file: &Statx) {
    head.flags |= wire::event_flag::EVENT_HAS_FILE.0.to_le_bytes()[0];
    head.dev = device_of(file);
    head.ino = file.stx_ino;
    head.mode = file.stx_mode.into();
    (head.owner_uid, head.owner_gid) = (file.stx_uid, file.stx_gid);
    head.nlink = file.stx_nlink;
    head.size_bytes = file.stx_size;
    (head.mtime_s, head.mtime_ns) = (file.stx_mtime.tv_sec, file.stx_mtime.tv_nsec);
    (head.ctime_s, head.ctime_ns) = (file.stx_ctime.tv_sec, file.stx_ctime.tv_nsec);
    if file.stx_nlink == 0 {
        head.path_flags |= wire::path_flag::PATH_DELETED.0;
    }
}

/// The start, nanoseconds since boot, as exact as a tick.
fn start_ns(stat: &str) -> Option<u64> {
    let ticks = rustix::param::clock_ticks_per_second().max(1);
    Some(field_of_stat(stat, 22)?.saturating_mul(1_000_000_000 / ticks))
}

/// A field by its number in proc(5), from 3 on. The name, which may hold anything, ends with the last parenthesis.
fn field_of_stat(stat: &str, field: usize) -> Option<u64> {
    stat.rsplit_once(')')?.1.split_whitespace().nth(field - 3)?.parse().ok()
}

fn comm(stat: &str) -> Option<&str> {
    Some(stat.split_once('(')?.1.rsplit_once(')')?.0)
}

/// Real and effective id.
fn ids(status: &str, label: &str) -> Option<(u32, u32)> {
    let line = status.lines().find_map(|line| line.strip_prefix(label))?;
    let mut ids = line.split_whitespace().filter_map(|id| id.parse().ok());
    Some((ids.next()?, ids.next()?))
}

fn number(pid: u32, file: &str) -> Option<u32> {
    fs::read_to_string(format!("/proc/{pid}/{file}")).ok()?.trim().parse().ok()
}

fn namespace(pid: u32, name: &str) -> u32 {
    let inode = fs::metadata(format!("/proc/{pid}/ns/{name}")).map(|namespace| namespace.ino());
    inode.ok().and_then(|inode| u32::try_from(inode).ok()).unwrap_or_default()
}

fn set_name(place: &mut [i8; 16], name: &str) {
    for (place, byte) in place.iter_mut().take(15).zip(name.bytes()) {
        *place = byte.cast_signed();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_and_what_it_writes_are_told() {
        let own = process(std::process::id()).expect("this process runs");
        let metadata = std::env::current_exe().expect("a test file").metadata().expect("a test file");
        assert_eq!((own.head.ino, own.head.size_bytes), (metadata.ino(), metadata.size()));
        assert_eq!(own.head.uid, rustix::process::getuid().as_raw());
        let now_ns = host::clock_anchor().boot_ns.cast_unsigned();
        assert!(own.head.process_start_ns > 0 && own.head.process_start_ns <= now_ns);

        let directory = tempfile::tempdir().expect("a test file");
        let path = directory.path().join("written");
        let mut writer_process = std::process::Command::new("sleep")
            .arg("60")
            .stdout(File::create(&path).expect("a test file"))
            .spawn()
            .expect("sleep can be run");
        std::fs::remove_file(&path).expect("a test file");
        let child = process(writer_process.id()).expect("the child runs");
        let writers = writers(&child);
        writer_process.kill().expect("a test file");
        writer_process.wait().expect("a test file");
        let found = writers.iter().find(|row| row.path == path.as_os_str().as_encoded_bytes());
        assert_eq!(found.map(|row| row.head.path_flags), Some(wire::path_flag::PATH_DELETED.0));
    }

    #[test]
    fn a_name_may_hold_parentheses() {
        let stat = "7 (a) (b) S 3 7 7 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 250 0";
        assert_eq!((comm(stat), field_of_stat(stat, 4), field_of_stat(stat, 22)), (Some("a) (b"), Some(3), Some(250)));
    }
}
