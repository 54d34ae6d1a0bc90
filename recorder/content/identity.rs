//! Whether a descriptor's file is the one that a record is about, and still as it was then.

use crate::host::mounts;
use crate::record::wire;
use rustix::fs::{AtFlags, CWD, Statx, StatxFlags, statx};
#[cfg(test)]
use rustix::fs::{major, minor};
use std::fs::{self, File};
use std::os::fd::AsRawFd;
use std::path::Path;

/// The attributes of a file as the kernel knows them: the server of a filesystem, which may never answer, is not asked.
pub(crate) fn attributes(file: &File) -> Option<Statx> {
    statx(file, "", AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC, StatxFlags::BASIC_STATS).ok()
}

/// The same of what a link in `/proc` leads to.
pub(crate) fn attributes_at(link: &Path) -> Option<Statx> {
    statx(CWD, link, AtFlags::STATX_DONT_SYNC, StatxFlags::BASIC_STATS).ok()
}

/// The device of a file, in the kernel's own form.
pub(crate) fn device_of(file: &Statx) -> u32 {
    file.stx_dev_major << 20 | file.stx_dev_minor
}

/// Whether the file is the record's. `fstat` tells an inode of btrfs or overlayfs by other numbers than the kernel's own
/// in the record, so these come from where the kernel shows them. A number that was used again has a later ctime, which
/// [`is_unchanged`] sees.
pub(crate) fn is_file_of(file: &File, head: &wire::event) -> bool {
    let Ok(information) = fs::read_to_string(format!("/proc/self/fdinfo/{}", file.as_raw_fd())) else { return false };
    number_in(&information, "ino:") == Some(head.ino)
        && (device_by_stat(file) == Some(head.dev) || device_by_mount(&information, head.pid) == Some(head.dev))
}

/// Whether size and ctime are those of the record. Whatever changes content or owner of a file changes its ctime.
pub(crate) fn is_unchanged(file: &File, head: &wire::event) -> bool {
    attributes(file).is_some_and(|now| {
        let ctime = now.stx_ctime;
        (now.stx_size, ctime.tv_sec, ctime.tv_nsec) == (head.size_bytes, head.ctime_s, head.ctime_ns)
    })
}

/// Whether this process has the file open for writing.
pub(crate) fn is_written_here(file: &File) -> bool {
    let (Some(wanted), Ok(own)) = (attributes(file), fs::read_dir("/proc/self/fd")) else { return false };
    let key = |file: &Statx| (device_of(file), file.stx_ino);
    own.flatten().any(|entry| {
        let same = attributes_at(&entry.path()).is_some_and(|one| key(&one) == key(&wanted));
        same && is_writing(&entry.file_name().to_string_lossy())
    })
}

fn is_writing(descriptor: &str) -> bool {
    /// `O_ACCMODE`
    const ACCESS: u32 = 3;
    let information = fs::read_to_string(format!("/proc/self/fdinfo/{descriptor}")).unwrap_or_default();
    flags_in(&information).is_some_and(|flags| flags & ACCESS != 0)
}

/// The flags of a descriptor, from its `fdinfo`.
pub(crate) fn flags_in(information: &str) -> Option<u32> {
    u32::from_str_radix(field(information, "flags:")?, 8).ok()
}

fn device_by_stat(file: &File) -> Option<u32> {
    Some(device_of(&attributes(file)?))
}

/// The kernel's form of a device number of user space.
#[cfg(test)]
pub(crate) fn kernel_device(dev: u64) -> u32 {
    major(dev) << 20 | minor(dev)
}

/// By the mount, as the process sees it or, when it is gone, as this one does.
fn device_by_mount(information: &str, pid: u32) -> Option<u32> {
    let mount = number_in(information, "mnt_id:")?;
    let tables = [format!("/proc/{pid}/mountinfo"), "/proc/self/mountinfo".to_owned()];
    tables.iter().filter_map(|table| fs::read(table).ok()).find_map(|table| mounts::device_of_mount(&table, mount))
}

/// The number behind a label of an `fdinfo`.
pub(crate) fn number_in(information: &str, label: &str) -> Option<u64> {
    field(information, label)?.parse().ok()
}

fn field<'a>(information: &'a str, label: &str) -> Option<&'a str> {
    information.lines().find_map(|line| line.strip_prefix(label)).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::unix::fs::MetadataExt;

    fn head_of(file: &File) -> wire::event {
        let metadata = file.metadata().expect("a test file");
        wire::event {
            dev: kernel_device(metadata.dev()),
            ino: metadata.ino(),
            size_bytes: metadata.size(),
            ctime_s: metadata.ctime(),
            ctime_ns: u32::try_from(metadata.ctime_nsec()).expect("a test file"),
            pid: std::process::id(),
            ..wire::event::default()
        }
    }

    #[test]
    fn a_file_is_known_by_its_numbers_and_its_change_by_size_and_ctime() {
        let directory = tempfile::tempdir().expect("a test file");
        let mut file = File::create(directory.path().join("one")).expect("a test file");
        let other = File::create(directory.path().join("other")).expect("a test file");
        let head = head_of(&file);
        assert!(is_file_of(&file, &head) && is_unchanged(&file, &head));
        assert!(!is_file_of(&other, &head));
        file.write_all(b"more").expect("a test file");
        assert!(is_file_of(&file, &head) && !is_unchanged(&file, &head));
    }

    #[test]
    fn own_writing_is_known() {
        let directory = tempfile::tempdir().expect("a test file");
        let path = directory.path().join("one");
        let writer = File::create(&path).expect("a test file");
        let reader = File::open(&path).expect("a test file");
        assert!(is_written_here(&reader));
        drop(writer);
        assert!(!is_written_here(&reader));
    }
}
