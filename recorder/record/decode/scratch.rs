//! Texts of a row that its record holds as numbers.

use crate::record::wire;

/// Where such texts stand while a row is written; one serves all rows of a segment.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    pub(super) root_dev: Device,
    pub(super) dev: Device,
    pub(super) image_dev: Device,
    pub(super) real_dev: Device,
    digest: Vec<u8>,
}

impl Scratch {
    /// The texts of this record.
    pub(super) fn fill(&mut self, raw: &wire::event, digest: &[u8]) -> &Self {
        self.root_dev.set(raw.root_dev);
        self.dev.set(raw.dev);
        self.image_dev.set(raw.image_dev);
        self.real_dev.set(raw.real_dev);
        self.digest.clear();
        hashtrail::manifest::put_hex(digest, &mut self.digest);
        self
    }

    /// The digest as lower-case hex.
    pub(super) fn digest(&self) -> &str {
        std::str::from_utf8(&self.digest).unwrap_or_default()
    }
}

/// A device as `major:minor`, mostly that of the row before.
#[derive(Debug, Default)]
pub(super) struct Device {
    number: u32,
    text: String,
}

impl Device {
    /// The kernel's `dev_t` has 20 bits of minor number.
    fn set(&mut self, number: u32) {
        if self.number == number && !self.text.is_empty() {
            return;
        }
        let (mut major, mut minor) = (itoa::Buffer::new(), itoa::Buffer::new());
        self.number = number;
        self.text.clear();
        self.text.extend([major.format(number >> 20), ":", minor.format(number & 0xf_ffff)]);
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }
}
