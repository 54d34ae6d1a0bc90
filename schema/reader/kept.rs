//! Footers that were checked: a query asks most files several times, and a footer with the same bytes, of a file of the same
//! size, is the same.

use parquet::arrow::arrow_reader::ArrowReaderMetadata;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

/// What they may take. Those that came first stay: files are read in one order, so that the last ones would not be found again.
const MOST_BYTES: usize = 24 << 20;

/// A footer, decoded and checked.
#[derive(Debug, Clone)]
pub(super) struct Checked {
    pub(super) metadata: ArrowReaderMetadata,
    /// Begins of the chunks that are compressed.
    pub(super) compressed: Arc<HashSet<u64>>,
}

/// Those of all files.
#[derive(Default)]
struct Kept {
    footers: HashMap<PathBuf, Footer>,
    bytes: usize,
}

struct Footer {
    /// The table that it was checked for.
    table: &'static str,
    size_bytes: u64,
    bytes: Vec<u8>,
    checked: Checked,
}

static KEPT: LazyLock<Mutex<Kept>> = LazyLock::new(Mutex::default);

fn lock() -> MutexGuard<'static, Kept> {
    KEPT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The footer of a file as it was checked for a table, where it still has these bytes.
pub(super) fn find(path: &Path, table: &str, size_bytes: u64, bytes: &[u8]) -> Option<Checked> {
    let kept = lock();
    let footer = kept.footers.get(path)?;
    let is_same = (footer.table, footer.size_bytes, &footer.bytes[..]) == (table, size_bytes, bytes);
    is_same.then(|| footer.checked.clone())
}

/// Keeps a footer, where there is room.
pub(super) fn keep(path: &Path, table: &'static str, size_bytes: u64, bytes: Vec<u8>, checked: &Checked) {
    let mut kept = lock();
    let needed = bytes.len() + checked.metadata.metadata().memory_size();
    if kept.bytes + needed > MOST_BYTES || kept.footers.contains_key(path) {
        return;
    }
    kept.bytes += needed;
    let footer = Footer { table, size_bytes, bytes, checked: checked.clone() };
    kept.footers.insert(path.to_owned(), footer);
}
