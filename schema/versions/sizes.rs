//! Digests that a file cannot have.

use crate::event::EventView;
use crate::hash::HashMap;
use crate::text::Numbers;

/// Finds digests that a file has already had at another size: without a collision, one of the two is old.
#[derive(Debug, Default)]
pub(crate) struct Sizes {
    texts: Numbers,
    /// By device, inode, generation and digest.
    first: HashMap<(u32, i64, i64, u32), i64>,
}

impl Sizes {
    /// Marks an event; they come in event order.
    pub(crate) fn mark(&mut self, event: &mut EventView<'_>) {
        let (Some(dev), Some(ino), Some(generation), Some(digest), Some(size)) =
            (&event.dev, event.ino, event.ino_generation, &event.digest, event.size_bytes)
        else {
            return;
        };
        let key = (self.texts.number(dev), ino, generation, self.texts.number(digest));
        if *self.first.entry(key).or_insert(size) != size {
            event.digest_doubt.to_mut().push("same_digest_other_size".into());
        }
    }
}
