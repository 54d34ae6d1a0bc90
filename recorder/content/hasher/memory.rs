//! Digests of files that were hashed before and cannot have changed since: known by what the kernel recorded of a file.
//!
//! The kernel gives a changed file another ctime before its content changes, so content is the same between two events
//! with one ctime that lay in the past at both, while nobody had the file open for writing at either: a shared mapping
//! that is open already can change content and no ctime. A step of the wall clock can bring a ctime again, so it forgets
//! all. What changes content behind the filesystem, as a write to its block device does, is not seen here, so that a digest
//! is remembered for as long as the kernel's programs keep one.

use super::clock::ClockSteps;
use crate::host;
use crate::record::wire;
use std::collections::HashMap;

/// Files that are remembered at most: with their digests about a megabyte.
pub(super) const REMEMBERED_MAX: usize = 4096;
/// How long before an event the ctime must lie: a later change gets the time of a clock that ticks every 10 ms at worst.
const SETTLED_NS: i64 = 1_000_000_000;
/// The filesystem where each change of content changes the ctime, also through a mapping, which tmpfs and overlayfs do not
/// promise, nor xfs for who has a file handle, and where one number is one file, which it is not in the subvolumes of btrfs.
const TRUSTED: &str = "ext4";
/// As `DIGEST_CACHE_NS` of bpf/digest_cache.bpf.h.
pub(super) const REMEMBERED_NS: i64 = 10_000_000_000;

/// A digest, by the kernel's number of its algorithm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) algorithm: i32,
    pub(super) digest: Vec<u8>,
    /// When the content began to be read, nanoseconds since boot.
    pub(super) read_ns: i64,
}

/// What the kernel recorded of a file, and the algorithm that is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Identity {
    dev: u32,
    ino: u64,
    ino_generation: u32,
    size_bytes: u64,
    mtime: (i64, u32),
    ctime: (i64, u32),
    i_version_raw: u64,
    algorithm: i32,
}

/// The digests, those that were not used for longest given up first.
pub(super) struct Memory {
    digests: HashMap<Identity, (Taken, u64)>,
    uses: u64,
    steps: Option<ClockSteps>,
    /// Nanoseconds since boot: events before the last step of the clock are neither remembered nor answered.
    since_ns: i64,
    max: usize,
}

impl Memory {
    /// Remembers this many files; none where the system does not tell of the clock's steps.
    pub(super) fn new(max: usize) -> Self {
        let steps = ClockSteps::watch().ok();
        let max = if steps.is_some() { max } else { 0 };
        Self { digests: HashMap::new(), uses: 0, steps, since_ns: host::clock_anchor().boot_ns, max }
    }

    /// The digest of this file, if it is remembered.
    pub(super) fn recall(&mut self, head: &wire::event) -> Option<Taken> {
        self.forget_at_a_step();
        let identity = self.settled(head)?;
        let (taken, used) = self.digests.get_mut(&identity)?;
        if head.boot_ns.cast_signed().saturating_sub(taken.read_ns) >= REMEMBERED_NS {
            return None;
        }
        self.uses += 1;
        *used = self.uses;
        Some(taken.clone())
    }

    /// Takes the digest of a file that was hashed since its event and is as it was then.
    pub(super) fn remember(&mut self, head: &wire::event, taken: &Taken) {
        self.forget_at_a_step();
        let Some(identity) = self.settled(head) else { return };
        if self.max == 0 {
            return;
        }
        if self.digests.len() >= self.max
            && let Some(oldest) = self.digests.iter().min_by_key(|(_, (_, used))| *used).map(|(key, _)| key.clone())
        {
            self.digests.remove(&oldest);
        }
        self.uses += 1;
        self.digests.insert(identity, (taken.clone(), self.uses));
    }

    fn forget_at_a_step(&mut self) {
        if self.steps.as_ref().is_some_and(ClockSteps::has_stepped) {
            self.forget();
        }
    }

    fn forget(&mut self) {
        self.digests.clear();
        self.since_ns = host::clock_anchor().boot_ns;
    }

    /// What identifies the content at this event; `None` where nothing does.
    fn settled(&self, head: &wire::event) -> Option<Identity> {
        let boot_ns = head.boot_ns.cast_signed();
        let utc_ns = boot_ns.saturating_add(host::clock_anchor().offset_ns());
        let ctime_ns = head.ctime_s.saturating_mul(1_000_000_000).saturating_add(i64::from(head.ctime_ns));
        let is_trusted = TRUSTED.as_bytes() == wire::c_text(&head.fs_type) && head.image_dev == 0;
        let is_settled = ctime_ns.saturating_add(SETTLED_NS) <= utc_ns;
        let is_still = head.writers <= 0 && head.writable_mappings <= 0;
        let is_known = is_trusted && is_settled && is_still && boot_ns >= self.since_ns;
        is_known.then_some(Identity {
            dev: head.dev,
            ino: head.ino,
            ino_generation: head.ino_generation,
            size_bytes: head.size_bytes,
            mtime: (head.mtime_s, head.mtime_ns),
            ctime: (head.ctime_s, head.ctime_ns),
            i_version_raw: head.i_version_raw,
            algorithm: head.digest_algorithm,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALGORITHM: i32 = 4;

    /// An event of a file that changed long ago, at a moment that is still to come.
    fn head(ino: u64) -> wire::event {
        let clock = host::clock_anchor();
        let mut head = wire::event {
            boot_ns: (clock.boot_ns + 1_000_000_000).cast_unsigned(),
            dev: 8,
            ino,
            ino_generation: 3,
            size_bytes: 100,
            mtime_s: 7,
            mtime_ns: 8,
            ctime_s: 1_000,
            ctime_ns: 9,
            i_version_raw: 11,
            digest_algorithm: ALGORITHM,
            writers: -1,
            ..wire::event::default()
        };
        head.fs_type[..4].copy_from_slice(&b"ext4".map(u8::cast_signed));
        head
    }

    fn taken(byte: u8) -> Taken {
        Taken { algorithm: ALGORITHM, digest: vec![byte; 32], read_ns: host::clock_anchor().boot_ns }
    }

    /// Whether the digest that was taken for one event answers another.
    fn answers(first: &wire::event, second: &wire::event) -> bool {
        let mut memory = Memory::new(8);
        memory.remember(first, &taken(1));
        memory.recall(second).is_some_and(|known| known.digest == taken(1).digest)
    }

    #[test]
    fn a_file_is_the_same_only_if_all_that_the_kernel_recorded_is() {
        let head = head(12);
        assert!(answers(&head, &wire::event { boot_ns: head.boot_ns + 5, pid: 9, writers: 0, ..head }));
        for other in [
            wire::event { dev: 9, ..head },
            wire::event { ino: 13, ..head },
            wire::event { ino_generation: 4, ..head },
            wire::event { size_bytes: 101, ..head },
            wire::event { mtime_s: 8, ..head },
            wire::event { mtime_ns: 9, ..head },
            wire::event { ctime_s: head.ctime_s + 1, ..head },
            wire::event { ctime_ns: 10, ..head },
            wire::event { i_version_raw: 13, ..head },
            wire::event { digest_algorithm: 2, ..head },
        ] {
            assert!(!answers(&head, &other) && !answers(&other, &head));
        }
    }

    #[test]
    fn what_may_have_changed_unseen_is_neither_remembered_nor_answered() {
        let head = head(12);
        let now = host::clock_anchor();
        let mut on_tmpfs = head;
        on_tmpfs.fs_type[..5].copy_from_slice(&b"tmpfs".map(u8::cast_signed));
        let just_changed = wire::event { ctime_s: now.utc_ns / 1_000_000_000 + 1, ..head };
        let before_the_watch = wire::event { boot_ns: (now.boot_ns - 1_000_000_000).cast_unsigned(), ..head };
        let on_loop = wire::event { image_dev: 7, ..head };
        let mapped = wire::event { writable_mappings: 1, ..head };
        let written = wire::event { writers: 1, ..head };
        for doubtful in [on_tmpfs, on_loop, just_changed, before_the_watch, mapped, written] {
            assert!(!answers(&doubtful, &doubtful) && !answers(&head, &doubtful) && !answers(&doubtful, &head));
        }
    }

    #[test]
    fn what_was_not_used_for_longest_is_given_up() {
        let mut memory = Memory::new(2);
        memory.remember(&head(1), &taken(1));
        memory.remember(&head(2), &taken(2));
        assert_eq!(memory.recall(&head(1)).map(|known| known.digest), Some(taken(1).digest));
        memory.remember(&head(3), &taken(3));
        assert_eq!([1, 2, 3].map(|ino| memory.recall(&head(ino)).is_some()), [true, false, true]);
        assert_eq!(memory.digests.len(), 2);
    }

    #[test]
    fn a_digest_is_remembered_for_ten_seconds_from_its_reading() {
        let at = |elapsed_ns: i64| wire::event { boot_ns: (taken(1).read_ns + elapsed_ns).cast_unsigned(), ..head(1) };
        assert!(answers(&head(1), &at(REMEMBERED_NS - 1_000_000_000)));
        assert!(!answers(&head(1), &at(REMEMBERED_NS + 1_000_000_000)));
    }

    #[test]
    fn a_step_of_the_clock_forgets_all_before_it() {
        let mut memory = Memory::new(2);
        let before = wire::event { boot_ns: host::clock_anchor().boot_ns.cast_unsigned(), ..head(1) };
        memory.remember(&before, &taken(1));
        assert!(memory.recall(&before).is_some());
        memory.forget();
        memory.remember(&before, &taken(1));
        assert!(memory.recall(&before).is_none());
        memory.remember(&head(1), &taken(1));
        assert!(memory.recall(&head(1)).is_some());
    }
}
