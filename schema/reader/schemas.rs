//! Schemas that were decoded: the files of a table have the same one, and it takes a third of what a footer takes to decode.

use super::shapes::FOOTER;
use super::thrift::walk_up_to;
use crate::chunks::Layout;
use crate::columns::Row;
use anyhow::{Context, Result};
use parquet::file::metadata::{ParquetMetaDataOptions, ParquetMetaDataReader, ParquetStatisticsPolicy};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// More than there are tables and versions of them; others are decoded each time.
const MOST: usize = 16;
/// Ours take 4 KiB; one that was made to be large is not held.
const LONGEST_BYTES: usize = 64 << 10;
/// The field of a footer that is its schema; before it stands only a version.
const SCHEMA: i16 = 2;

/// How footers are decoded that begin with these bytes.
struct Known {
    table: &'static str,
    beginning: Vec<u8>,
    options: Arc<ParquetMetaDataOptions>,
}

static KNOWN: Mutex<Vec<Known>> = Mutex::new(Vec::new());

fn lock() -> MutexGuard<'static, Vec<Known>> {
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How to decode a footer that was walked: with its schema, and with the bounds of those columns alone that files are chosen by.
///
/// # Errors
/// When it has no schema, or one that is damaged.
pub(super) fn options_of<R: Row>(footer: &[u8], start: u64) -> Result<Arc<ParquetMetaDataOptions>> {
    let is_of = |known: &&Known| known.table == R::TABLE && footer.starts_with(&known.beginning);
    if let Some(known) = lock().iter().find(is_of) {
        return Ok(Arc::clone(&known.options));
    }
    let beginning = footer.get(..walk_up_to(footer, start, &FOOTER, SCHEMA)?).unwrap_or(footer).to_vec();
    let schema = ParquetMetaDataReader::decode_schema(footer).context("the schema is damaged")?;
    let columns = R::columns();
    let is_bounded =
        |name: &str| columns.iter().any(|column| column.name == name && column.layout != Layout::Dictionary);
    let leaves = schema.columns().iter().enumerate();
    let bounded: Vec<usize> =
        leaves.filter(|(_, leaf)| is_bounded(&leaf.path().string())).map(|(place, _)| place).collect();
    let bounds = ParquetStatisticsPolicy::skip_except(&bounded);
    let options = Arc::new(ParquetMetaDataOptions::new().with_schema(schema).with_column_stats_policy(bounds));
    let mut known = lock();
    if known.len() < MOST && beginning.len() <= LONGEST_BYTES {
        known.push(Known { table: R::TABLE, beginning, options: Arc::clone(&options) });
    }
    Ok(options)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::footer;
    use crate::reader::tests::{version, write};
    use crate::versions::FileVersion;
    use std::fs::File;

    #[test]
    fn a_schema_is_shared_by_footers_that_begin_alike() -> Result<()> {
        let (first, second) = (tempfile::tempdir()?, tempfile::tempdir()?);
        let decode = |folder: &tempfile::TempDir, row| {
            let path = write(folder.path(), &[version("/a", "aa", row)])?;
            let file = File::open(&path)?;
            let size_bytes = file.metadata()?.len();
            let (start, bytes) = footer::read(&file, size_bytes)?;
            let (metadata, _) = footer::decode::<FileVersion>(start, &bytes, size_bytes)?;
            let options = options_of::<FileVersion>(&bytes, start)?;
            let mut other = bytes.clone();
            let name = other.windows(7).position(|name| name == b"boot_id").context("a name")?;
            other[name] = b'c';
            let other = options_of::<FileVersion>(&other, start)?;
            Ok::<_, anyhow::Error>((metadata, options, other))
        };
        let (first, options, other) = decode(&first, 1)?;
        let (second, ..) = decode(&second, 2)?;
        let schema_of = |options: &ParquetMetaDataOptions| options.schema().cloned().context("a schema");
        assert!(Arc::ptr_eq(&first.file_metadata().schema_descr_ptr(), &second.file_metadata().schema_descr_ptr()));
        assert!(Arc::ptr_eq(&schema_of(&options)?, &second.file_metadata().schema_descr_ptr()));
        let names = schema_of(&other)?.columns().iter().map(|leaf| leaf.path().string()).collect::<Vec<String>>();
        assert!(names.contains(&"coot_id".to_owned()), "{names:?}");
        let has_bounds = |name: &str| {
            let chunk = second.row_group(0).columns().iter().find(|chunk| chunk.column_path().string() == name);
            chunk.is_some_and(|chunk| chunk.statistics().is_some())
        };
        assert!(has_bounds("path") && has_bounds("first_boot_ns") && !has_bounds("ino"));
        Ok(())
    }
}
