//! What the rows need and the records do not hold: it stands once in a segment, or beside each frame.

use hashtrail::cell::Micros;
use hashtrail::clock::ClockAnchor;
use hashtrail::versions::VersionContext;
use serde::{Deserialize, Serialize};

/// All that the rows of a segment need and its records do not hold.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct SegmentHeader {
    /// Recording that writes the segment.
    pub(crate) recording_id: String,
    /// Label of the host.
    pub(crate) host: String,
    /// Boot of the host.
    pub(crate) boot_id: String,
    /// Number of the segment in the recording.
    pub(crate) segment: u32,
    /// The loaded policies' hook entries, by the number that records carry.
    pub(crate) entries: Vec<EntryName>,
    /// What the files index needs.
    pub(crate) versions: VersionContext,
}

/// What a record's `entry` and `selector` numbers stand for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct EntryName {
    /// Name of the policy.
    pub(crate) policy: String,
    /// Hook that the policy names.
    pub(crate) hook: String,
    /// Message of the hook entry.
    pub(crate) message: Option<String>,
    /// Tags of the hook entry.
    pub(crate) tags: Vec<String>,
    /// Labels of its selectors, or their places.
    pub(crate) selectors: Vec<String>,
    /// Whether it has each call recorded, at whatever path.
    #[serde(default)]
    pub(crate) is_whole: bool,
}

/// What holds at the time of a frame and stands in no record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Surroundings {
    /// CLOCK_REALTIME minus CLOCK_BOOTTIME, nanoseconds.
    pub(crate) utc_offset_ns: i64,
    /// Whether an IMA policy is loaded.
    pub(crate) ima_policy: Option<bool>,
}

impl Surroundings {
    /// The UTC time of a moment since boot.
    pub(crate) fn time(&self, boot_ns: i64) -> Micros {
        ClockAnchor { boot_ns: 0, utc_ns: self.utc_offset_ns }.time(boot_ns)
    }
}
