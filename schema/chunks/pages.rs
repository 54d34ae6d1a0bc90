//! The data pages of a chunk, and what its footer says of them.

use super::bounds::Bounds;
use parquet::file::metadata::OffsetIndexBuilder;
use parquet::file::writer::TrackedWrite;

/// The pages that have ended.
pub(super) struct Pages {
    pub(super) written: TrackedWrite<Vec<u8>>,
    pub(super) count: i32,
    pub(super) rows: usize,
    pub(super) values: usize,
    pub(super) nulls: usize,
    pub(super) plain_bytes: usize,
    pub(super) offsets: OffsetIndexBuilder,
    /// Bounds of each page, in a column that users look up.
    pub(super) bounds: Vec<(Option<Bounds>, usize)>,
}

impl Pages {
    pub(super) fn new() -> Self {
        Self {
            written: TrackedWrite::new(Vec::new()),
            count: 0,
            rows: 0,
            values: 0,
            nulls: 0,
            plain_bytes: 0,
            offsets: OffsetIndexBuilder::new(),
            bounds: Vec::new(),
        }
    }
}
