//! Digests whose content was read long ago, which IMA's memory gives: user space reads the file again, once in that time.

use super::memory::{REMEMBERED_MAX, REMEMBERED_NS};
use crate::record::wire;
use std::collections::HashMap;

/// Files that were asked for, and when, in nanoseconds since boot.
#[derive(Debug, Default)]
pub(super) struct Rereads {
    asked_ns: HashMap<(u32, u64, u32), i64>,
}

impl Rereads {
    /// Whether the file of this record is to be read again.
    pub(super) fn are_due(&mut self, head: &wire::event) -> bool {
        let boot_ns = head.boot_ns.cast_signed();
        let is_old = |since_ns: i64| boot_ns.saturating_sub(since_ns) >= REMEMBERED_NS;
        let is_read = u32::from(head.digest_status) == wire::digest_status::DIGEST_OK.0 && head.content_read_ns > 0;
        if !is_read || !is_old(head.content_read_ns.cast_signed()) {
            return false;
        }
        let file = (head.dev, head.ino, head.ino_generation);
        if self.asked_ns.get(&file).is_some_and(|asked_ns| !is_old(*asked_ns)) {
            return false;
        }
        if self.asked_ns.len() >= REMEMBERED_MAX {
            self.asked_ns.retain(|_, asked_ns| !is_old(*asked_ns));
        }
        // With more files than that in so short a time, each of them is read more often.
        if self.asked_ns.len() >= REMEMBERED_MAX {
            self.asked_ns.clear();
        }
        self.asked_ns.insert(file, boot_ns);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_reading_is_due_once_in_its_time() {
        let at = |boot_ns: i64, ino| wire::event {
            boot_ns: boot_ns.cast_unsigned(),
            content_read_ns: 1,
            ino,
            digest_status: u8::try_from(wire::digest_status::DIGEST_OK.0).expect("a small number"),
            ..wire::event::default()
        };
        let mut rereads = Rereads::default();
        assert!(!rereads.are_due(&at(REMEMBERED_NS, 1)), "not yet");
        assert!(rereads.are_due(&at(REMEMBERED_NS + 1, 1)));
        assert!(!rereads.are_due(&at(2 * REMEMBERED_NS, 1)), "asked for");
        assert!(rereads.are_due(&at(2 * REMEMBERED_NS, 2)), "another file");
        assert!(rereads.are_due(&at(2 * REMEMBERED_NS + 1, 1)), "again");
        assert!(!rereads.are_due(&wire::event { content_read_ns: 0, ..at(4 * REMEMBERED_NS, 3) }), "doubted anyway");
        for ino in 0..2 * REMEMBERED_MAX as u64 {
            assert!(rereads.are_due(&at(9 * REMEMBERED_NS, 10 + ino)));
        }
        assert!(rereads.asked_ns.len() <= REMEMBERED_MAX);
    }
}
