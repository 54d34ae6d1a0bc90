//! What the longest row of a list column takes, item by item. The longest list and the longest item mostly stand in different
//! rows: whoever runs two programs can have both.

use anyhow::Result;
use parquet::column::page::PageReader;
use parquet::column::reader::ColumnReaderImpl;
use parquet::data_type::ByteArrayType;
use parquet::schema::types::ColumnDescPtr;

/// Items that are decoded at once, of about 40 bytes each: their texts stay where they are.
const MOST_ITEMS: u64 = 1 << 16;

/// Bytes of the longest row of a chunk, with `value_bytes` beside each item; `None` where a row has too many items to be looked
/// at. `row_items`: in the longest list.
///
/// # Errors
/// When the chunk is damaged.
pub(super) fn longest_row_bytes(
    column: ColumnDescPtr,
    pages: Box<dyn PageReader>,
    row_items: u64,
    value_bytes: u64,
) -> Result<Option<u64>> {
    let rows = usize::try_from(MOST_ITEMS / row_items.max(1))?;
    if rows == 0 {
        return Ok(None);
    }
    let item_level = column.max_def_level();
    let mut reader = ColumnReaderImpl::<ByteArrayType>::new(column, pages);
    let (mut definition, mut repetition, mut values) = (Vec::new(), Vec::new(), Vec::new());
    let (mut row_bytes, mut longest_bytes) = (0, 0);
    loop {
        definition.clear();
        repetition.clear();
        values.clear();
        let (read, ..) = reader.read_records(rows, Some(&mut definition), Some(&mut repetition), &mut values)?;
        if read == 0 {
            return Ok(Some(longest_bytes));
        }
        let mut texts = values.iter();
        for (level, goes_on) in definition.iter().zip(&repetition) {
            if *goes_on == 0 {
                row_bytes = 0;
            }
            let text = if *level == item_level { texts.next() } else { None };
            row_bytes += value_bytes + text.map_or(0, |text| text.len() as u64);
            longest_bytes = longest_bytes.max(row_bytes);
        }
    }
}
