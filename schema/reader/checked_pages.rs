//! Pages whose headers were checked, and what those of a chunk will take.

/// What the pages of a chunk will take.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Pages {
    /// How many there are.
    pub(super) count: u64,
    /// Whether a data page does not refer to the dictionary.
    pub(super) is_plain: bool,
    /// Uncompressed size of the dictionary.
    pub(super) dictionary_bytes: u64,
    /// Uncompressed size of the largest data page.
    pub(super) largest_bytes: u64,
    /// Uncompressed size of the data pages that do not refer to the dictionary.
    pub(super) plain_bytes: u64,
    /// Uncompressed size of the largest of these.
    pub(super) largest_plain_bytes: u64,
    /// Values, nulls and items of lists included.
    pub(super) values: u64,
}

/// A page of a chunk, its header checked.
pub(super) struct CheckedPage {
    pub(super) is_dictionary: bool,
    /// Where its compressed bytes begin.
    pub(super) body: u64,
    pub(super) compressed_bytes: usize,
    pub(super) bytes: usize,
    /// Values, or those of the dictionary.
    pub(super) values: u64,
    /// Number of the encoding, as the format has it.
    pub(super) encoding: i64,
}
