//! The footer of a sealed file. Nothing of it is believed before it is checked: the decoder allocates what a footer
//! claims, and an allocation that fails ends the process.

use super::schemas::options_of;
use super::shapes::{BLOOM_FILTER, FOOTER, MAX_SCHEMA_NODES};
use super::thrift::walk;
use crate::columns::Row;
use anyhow::{Context, Result, bail};
use parquet::basic::{Compression, Encoding};
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData};
use std::collections::HashSet;
use std::fs::File;
use std::os::unix::fs::FileExt;

/// A row group takes about 10 KiB of our footers, so this holds more than the row groups that a footer may have.
const MAX_FOOTER_BYTES: u64 = 8 << 20;
/// Length and magic at the end of a Parquet file.
const TAIL_BYTES: u64 = 8;
const MAGIC_BYTES: u64 = 4;
/// Nodes of the schema with children: the root, and two for each list column. They could all be nested.
const MAX_SCHEMA_GROUPS: usize = 64;
/// Four times the groups that are planned for merged files.
const MAX_GROUP_ROWS: i64 = 4 << 20;
/// Rows differ at least in their times, to the nanosecond, and take two bytes or more. A file that claims more rows
/// than this for each of its bytes was made to keep readers busy.
const MAX_ROWS_PER_BYTE: u64 = 4;
/// What a small file may hold nevertheless: a group whose rows are all alike.
const FREE_ROWS: u64 = 4096;
/// The same for bytes of pages: dictionaries and differences leave zstd little, a factor of ten mostly.
const MAX_BYTES_PER_BYTE: u64 = 64;
/// Anybody can run programs with long arguments that are nearly alike and no UTF-8: each byte of a journal segment, of 64 MiB,
/// is five then, of which zstd leaves next to nothing.
const FREE_BYTES: u64 = 512 << 20;
/// Items of all lists in a row group. Each takes 16 bytes or more while it is decoded.
const MAX_GROUP_ITEMS: i64 = 8 << 20;
/// Head and bits of a bloom filter for the rows of a group at the writer's rate of errors take less than 1 MiB.
const MAX_BLOOM_FILTER_BYTES: usize = 4 << 20;
/// A bloom filter is a list of blocks of 32 bytes.
const BLOOM_BLOCK_BYTES: usize = 32;

/// Checks and decodes the footer. Its chunks stand there as if they were not compressed; the begins of those that are, beside
/// it.
pub(super) fn decode<R: Row>(start: u64, bytes: &[u8], size_bytes: u64) -> Result<(ParquetMetaData, HashSet<u64>)> {
    check_shape(bytes, start)?;
    let options = options_of::<R>(bytes, start).context("the footer is damaged")?;
    let metadata = ParquetMetaDataReader::decode_metadata_with_options(bytes, Some(&options));
    let metadata = metadata.context("the footer is damaged")?;
    check_rows(&metadata, size_bytes)?;
    for (index, group) in metadata.row_groups().iter().enumerate() {
        for chunk in group.columns() {
            check_chunk(chunk, group, start)
                .with_context(|| format!("row group {index}, column `{}`", chunk.column_path().string()))?;
        }
    }
    check_totals(&metadata, size_bytes)?;
    without_codecs(metadata)
}

fn without_codecs(metadata: ParquetMetaData) -> Result<(ParquetMetaData, HashSet<u64>)> {
    let mut compressed = HashSet::new();
    let mut builder = metadata.into_builder();
    for group in builder.take_row_groups() {
        let mut group = group.into_builder();
        for chunk in group.take_columns() {
            if chunk.compression() != Compression::UNCOMPRESSED {
                compressed.insert(chunk.byte_range().0);
            }
            let chunk = chunk.into_builder().set_compression(Compression::UNCOMPRESSED).build()?;
            group = group.add_column_metadata(chunk);
        }
        builder = builder.add_row_group(group.build()?);
    }
    Ok((builder.build(), compressed))
}

/// The footer and its offset.
pub(super) fn read(file: &File, size_bytes: u64) -> Result<(u64, Vec<u8>)> {
    if size_bytes < MAGIC_BYTES + TAIL_BYTES {
        bail!("{size_bytes} bytes are too few for a Parquet file");
    }
    let mut tail = [0; 8];
    file.read_exact_at(&mut tail, size_bytes - TAIL_BYTES)?;
    let [length @ .., a, b, c, d] = tail;
    match &[a, b, c, d] {
        b"PAR1" => {}
        b"PARE" => bail!("it is encrypted"),
        _ => bail!("the end of a Parquet file is missing"),
    }
    let length = u64::from(u32::from_le_bytes(length));
    let room = size_bytes - TAIL_BYTES - MAGIC_BYTES;
    if length > MAX_FOOTER_BYTES.min(room) {
        bail!("the footer claims {length} bytes");
    }
    let start = size_bytes - TAIL_BYTES - length;
    let mut bytes = vec![0; usize::try_from(length)?];
    file.read_exact_at(&mut bytes, start).context("the footer cannot be read")?;
    Ok((start, bytes))
}

/// Checks what the decoder will build from the footer. It makes room for as many children as a node of the schema
/// claims, and goes as deep as nodes are nested.
fn check_shape(bytes: &[u8], start: u64) -> Result<()> {
    let (mut groups, mut most_children) = (0, 0);
    let children = |fields: &[i16], value: i64| {
        if fields == [2, 5] {
            groups += 1;
            most_children = most_children.max(value);
        }
    };
    walk(bytes, start, &FOOTER, children).context("the footer is damaged")?;
    if usize::try_from(most_children)? > MAX_SCHEMA_NODES {
        bail!("the footer is damaged: a node of the schema claims {most_children} children");
    }
    if groups > MAX_SCHEMA_GROUPS {
        bail!("the footer is damaged: {groups} nodes of the schema have children");
    }
    Ok(())
}

fn check_rows(metadata: &ParquetMetaData, size_bytes: u64) -> Result<()> {
    let mut sum = 0_i64;
    for (index, group) in metadata.row_groups().iter().enumerate() {
        let rows = group.num_rows();
        if !(0..=MAX_GROUP_ROWS).contains(&rows) {
            bail!("row group {index} claims {rows} rows");
        }
        sum += rows;
    }
    let rows = metadata.file_metadata().num_rows();
    if rows != sum {
        bail!("the footer claims {rows} rows, its row groups {sum}");
    }
    if u64::try_from(rows)? > FREE_ROWS.saturating_add(size_bytes.saturating_mul(MAX_ROWS_PER_BYTE)) {
        bail!("the footer claims {rows} rows in {size_bytes} bytes");
    }
    Ok(())
}

fn check_chunk(chunk: &ColumnChunkMetaData, group: &RowGroupMetaData, footer_start: u64) -> Result<()> {
    if !matches!(chunk.compression(), Compression::UNCOMPRESSED | Compression::ZSTD(_)) {
        bail!("the codec {} is not supported", chunk.compression());
    }
    for encoding in chunk.encodings() {
        check_encoding(encoding)?;
    }
    let (rows, values) = (group.num_rows(), chunk.num_values());
    let is_list = chunk.column_descr().max_rep_level() > 0;
    if values < rows || (values > rows && !is_list) {
        bail!("{values} values for {rows} rows");
    }
    let start = chunk.dictionary_page_offset().unwrap_or(chunk.data_page_offset());
    let inside = |what: &str, offset: i64, length: i64| check_extent(what, offset, length, footer_start);
    inside("the data", start, chunk.compressed_size())?;
    if chunk.data_page_offset() < start {
        bail!("the data begins before its dictionary");
    }
    match (chunk.bloom_filter_offset(), chunk.bloom_filter_length()) {
        (Some(offset), Some(length)) => inside("the bloom filter", offset, length.into())?,
        (None, None) => {}
        // Without a length the decoder would believe that of the filter itself.
        _ => bail!("the bloom filter has no length"),
    }
    for (offset, length) in [
        (chunk.column_index_offset(), chunk.column_index_length()),
        (chunk.offset_index_offset(), chunk.offset_index_length()),
    ] {
        if offset.is_some() || length.is_some() {
            inside("the page index", offset.unwrap_or(-1), length.unwrap_or(-1).into())?;
        }
    }
    Ok(())
}

/// Refuses what the writer never writes: other encodings expand without bound or are not tested.
pub(super) fn check_encoding(encoding: Encoding) -> Result<()> {
    let known = [Encoding::PLAIN, Encoding::RLE, Encoding::RLE_DICTIONARY, Encoding::DELTA_BINARY_PACKED];
    if !known.contains(&encoding) {
        bail!("the encoding {encoding} is not supported");
    }
    Ok(())
}

fn check_extent(what: &str, offset: i64, length: i64, footer_start: u64) -> Result<()> {
    let begin = u64::try_from(offset).ok().filter(|begin| *begin >= MAGIC_BYTES);
    let end = begin.zip(u64::try_from(length).ok()).and_then(|(begin, length)| begin.checked_add(length));
    match end {
        Some(end) if end <= footer_start => Ok(()),
        _ => bail!("{what} would take {length} bytes at offset {offset}, but the footer begins at {footer_start}"),
    }
}

/// Each chunk may be small enough, and their sum not: a small file must not keep a reader busy for long.
fn check_totals(metadata: &ParquetMetaData, size_bytes: u64) -> Result<()> {
    let (mut bytes, mut compressed) = (0_u64, 0_u64);
    for (index, group) in metadata.row_groups().iter().enumerate() {
        let mut items = 0_i64;
        for chunk in group.columns() {
            let size = chunk.uncompressed_size();
            let size = u64::try_from(size).with_context(|| format!("row group {index} has a chunk of {size} bytes"))?;
            bytes = bytes.saturating_add(size);
            compressed = compressed.saturating_add(u64::try_from(chunk.compressed_size())?);
            if chunk.column_descr().max_rep_level() > 0 {
                items = items.saturating_add(chunk.num_values());
            }
        }
        if items > MAX_GROUP_ITEMS {
            bail!("row group {index} claims {items} items in lists");
        }
    }
    if compressed > size_bytes {
        bail!("the columns claim {compressed} of {size_bytes} bytes: they overlap");
    }
    if bytes > FREE_BYTES.saturating_add(size_bytes.saturating_mul(MAX_BYTES_PER_BYTE)) {
        bail!("the footer claims that {size_bytes} bytes expand to {bytes}");
    }
    Ok(())
}

/// Checks the head of a chunk's bloom filter, which the decoder is about to read.
pub(super) fn check_bloom_filter(file: &File, chunk: &ColumnChunkMetaData) -> Result<()> {
    let (Some(offset), Some(length)) = (chunk.bloom_filter_offset(), chunk.bloom_filter_length()) else {
        return Ok(());
    };
    let (offset, length) = (u64::try_from(offset)?, usize::try_from(length)?);
    if length > MAX_BLOOM_FILTER_BYTES {
        bail!("the bloom filter at offset {offset} claims {length} bytes");
    }
    let mut head = vec![0; length.min(64)];
    file.read_exact_at(&mut head, offset)?;
    let mut claimed = 0;
    let visit = |fields: &[i16], value| {
        if fields == [1] {
            claimed = value;
        }
    };
    let head_bytes = walk(&head, offset, &BLOOM_FILTER, visit).context("the bloom filter is damaged")?;
    let bits = length - head_bytes;
    if usize::try_from(claimed).ok() != Some(bits) || bits == 0 || bits % BLOOM_BLOCK_BYTES != 0 {
        bail!("the bloom filter at offset {offset} claims {claimed} bytes and has {bits}");
    }
    Ok(())
}
