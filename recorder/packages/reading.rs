//! One file of a package, read once: the digest that the database states another of, and SHA-256 of the same bytes.

use crate::content::identity::{attributes, number_in};
use crate::host::mounts::device_of_mount;
use hashtrail::cell::Micros;
use hashtrail::digest::Digest;
use hashtrail::packages::{DIFFERS, OK};
use rustix::fs::{FileType, Mode, OFlags, Statx, fstatfs, open};
use sha2::digest::DynDigest;
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::os::fd::AsRawFd;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// What is read at once.
const CHUNK_BYTES: usize = 128 << 10;
/// `statfs` numbers of filesystems whose server may never answer: nfs, fuse, cifs, smb2, ceph, afs, 9p, autofs.
const REMOTE: [i64; 8] = [0x6969, 0x6573_5546, 0xff53_4d42, 0xfe53_4d42, 0x00c3_6400, 0x5346_414f, 0x0102_1997, 0x0187];

/// How long may be read, and what.
pub(super) struct Limits<'a> {
    /// `None`: nothing is read.
    pub(super) deadline: Option<Instant>,
    pub(super) max_bytes: u64,
    /// Whether the recording ends.
    pub(super) is_stopping: &'a AtomicBool,
}

/// What was found at a path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) status: &'static str,
    /// Of a regular file with a stated digest.
    pub(super) dev: Option<String>,
    pub(super) ino: Option<i64>,
    /// SHA-256 in hex, and what else is known of a file that was read.
    pub(super) digest: Option<String>,
    pub(super) size_bytes: Option<i64>,
    pub(super) mtime: Option<Micros>,
}

/// Reads files, and remembers which device a mount has.
#[derive(Debug, Default)]
pub(super) struct Reader {
    devices: HashMap<u64, Option<u32>>,
    pub(super) read_bytes: u64,
}

impl Limits<'_> {
    /// Why nothing more may be read.
    fn ended(&self) -> Option<&'static str> {
        if self.is_stopping.load(Ordering::Relaxed) {
            return Some("stopped");
        }
        self.deadline.is_none_or(|deadline| Instant::now() >= deadline).then_some("budget")
    }
}

impl Reader {
    /// Looks at a path without following a link in its place, and reads what is a regular file with a stated digest. `None`
    /// for a directory, which packages share.
    pub(super) fn look(&mut self, path: &Path, stated: Option<Digest>, limits: &Limits<'_>) -> Option<Reading> {
        let of = |status| Some(Reading { status, ..Reading::default() });
        // By this nothing is opened: a device or a FIFO does not notice.
        let handle = match open(path, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty()) {
            Ok(handle) => File::from(handle),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return of("missing");
            }
            Err(_) => return of("unreadable"),
        };
        let Some(before) = attributes(&handle) else { return of("unreadable") };
        match FileType::from_raw_mode(before.stx_mode.into()) {
            FileType::Directory => return None,
            FileType::Symlink => return of("link"),
            FileType::RegularFile => {}
            _ => return of("other_type"),
        }
        let Some(stated) = stated else { return of("no_digest") };
        let (dev, ino) = self.identity(&handle);
        let unread = |status| Reading { status, ..Reading::default() };
        let reading = if let Some(ended) = limits.ended() {
            unread(ended)
        } else if before.stx_size > limits.max_bytes {
            unread("too_large")
        } else if fstatfs(&handle).map_or(true, |found| REMOTE.contains(&found.f_type)) {
            unread("remote")
        } else {
            self.read(&handle, &before, stated, limits)
        };
        Some(Reading { dev, ino, ..reading })
    }

    /// Reads a regular file to its end. What grows meanwhile is read no further than it was long.
    fn read(&mut self, handle: &File, before: &Statx, stated: Digest, limits: &Limits<'_>) -> Reading {
        let of = |status| Reading { status, ..Reading::default() };
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::NOATIME | OFlags::CLOEXEC;
        let path = format!("/proc/self/fd/{}", handle.as_raw_fd());
        // Only its owner and root may read without a trace.
        let opened = open(&path, flags, Mode::empty()).or_else(|_| open(&path, flags - OFlags::NOATIME, Mode::empty()));
        let Ok(mut file) = opened.map(File::from) else { return of("unreadable") };
        let (mut other, mut sha256, mut bytes) = (other_than_sha256(&stated), Sha256::new(), 0);
        let mut chunk = vec![0; CHUNK_BYTES];
        while bytes <= before.stx_size {
            if let Some(ended) = limits.ended() {
                return of(ended);
            }
            match file.read(&mut chunk) {
                Ok(0) => break,
                Ok(read) => {
                    if let Some(other) = &mut other {
                        other.update(&chunk[..read]);
                    }
                    sha2::Digest::update(&mut sha256, &chunk[..read]);
                    bytes += read as u64;
                    self.read_bytes += read as u64;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return of("unreadable"),
            }
        }
        let sha256 = Digest::from_bytes(&sha256.finalize());
        let found = match other {
            Some(mut other) => {
                let mut bytes = vec![0; other.output_size()];
                other.finalize_into_reset(&mut bytes).ok().and_then(|()| Digest::from_bytes(&bytes))
            }
            None => sha256,
        };
        let is_stated = found == Some(stated);
        let key = |found: &Statx| {
            (
                found.stx_size,
                found.stx_mtime.tv_sec,
                found.stx_mtime.tv_nsec,
                found.stx_ctime.tv_sec,
                found.stx_ctime.tv_nsec,
            )
        };
        let is_still = attributes(&file).is_some_and(|now| key(&now) == key(before)) && bytes == before.stx_size;
        if !is_stated && !is_still {
            return of("changed");
        }
        let mtime = before.stx_mtime;
        Reading {
            status: if is_stated { OK } else { DIFFERS },
            digest: sha256.map(|sha256| sha256.to_string()),
            size_bytes: i64::try_from(bytes).ok(),
            mtime: Some(Micros(mtime.tv_sec.saturating_mul(1_000_000).saturating_add(i64::from(mtime.tv_nsec / 1000)))),
            ..Reading::default()
        }
    }

    /// Device and inode as the kernel's own records have them; `fstat` tells others on btrfs and overlayfs.
    fn identity(&mut self, file: &File) -> (Option<String>, Option<i64>) {
        let information = fs::read_to_string(format!("/proc/self/fdinfo/{}", file.as_raw_fd())).unwrap_or_default();
        let ino = number_in(&information, "ino:").map(u64::cast_signed);
        let device = number_in(&information, "mnt_id:").and_then(|mount| {
            *self.devices.entry(mount).or_insert_with(|| {
                fs::read("/proc/self/mountinfo").ok().and_then(|table| device_of_mount(&table, mount))
            })
        });
        (device.map(|device| format!("{}:{}", device >> 20, device & 0xf_ffff)), ino)
    }
}

/// What computes the digest that is compared with the stated one; `None` where that is SHA-256, which is computed anyway.
fn other_than_sha256(stated: &Digest) -> Option<Box<dyn DynDigest>> {
    Some(match stated.name_by_length() {
        "md5" => Box::new(md5::Md5::new()),
        "sha1" => Box::new(sha1::Sha1::new()),
        "sha224" => Box::new(sha2::Sha224::new()),
        "sha384" => Box::new(sha2::Sha384::new()),
        "sha512" => Box::new(sha2::Sha512::new()),
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
