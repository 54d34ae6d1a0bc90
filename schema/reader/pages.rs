//! The page headers of a column chunk, read before the decoder reads them: it allocates what a header claims.

use super::checked_pages::{CheckedPage, Pages};
use super::footer::check_encoding;
use super::input::Input;
use super::shapes::PAGE;
use super::thrift::walk;
use anyhow::{Context, Result, bail};
use parquet::basic::{Encoding, Type};
use parquet::file::metadata::ColumnChunkMetaData;

/// Nearly all headers are shorter.
const USUAL_HEADER_BYTES: u64 = 512;
/// A header holds up to four bounds of the page's values.
const MAX_HEADER_BYTES: u64 = 512 << 10;
/// The writer ends a row group when its dictionaries take 24 MiB, but looks only after each 64 rows, which may have paths and
/// arguments of 100 KiB together.
const MAX_PAGE_BYTES: i64 = 48 << 20;

/// Pages of a chunk. Ours have one for 20,480 rows or more, of which a row group has a million at most, or for 64 rows that are all
/// lists.
const MAX_PAGES: u64 = 1 << 14;

#[derive(Default)]
struct Header {
    kind: i64,
    uncompressed: i64,
    compressed: i64,
    values: Option<i64>,
    encoding: i64,
    /// Encoding of the levels of nulls and lists.
    levels: [i64; 2],
    dictionary_values: Option<i64>,
    dictionary_encoding: i64,
}

const DATA_PAGE: i64 = 0;
const DICTIONARY_PAGE: i64 = 2;

/// Walks all pages of a chunk, whose place in the file has been checked.
pub(super) fn walk_pages(input: &Input, chunk: &ColumnChunkMetaData) -> Result<Pages> {
    if let Some(pages) = input.walked(chunk) {
        return Ok(pages);
    }
    let pages = each_page(input, chunk, |_| {})?;
    input.add_walked(chunk, pages);
    Ok(pages)
}

/// The same with each page handed on.
pub(super) fn each_page(
    input: &Input,
    chunk: &ColumnChunkMetaData,
    mut each: impl FnMut(CheckedPage),
) -> Result<Pages> {
    let (start, length) = chunk.byte_range();
    let end = start.checked_add(length).context("the chunk has no end")?;
    let (mut offset, mut pages, mut uncompressed) = (start, Pages::default(), 0_u64);
    input.load(chunk);
    while offset < end {
        let (header, header_bytes) = read_header(input, offset, end)?;
        let body = offset + header_bytes;
        let is_compressed = input.is_compressed(chunk);
        let sizes =
            check_page(&header, end - body, is_compressed, chunk).and_then(|()| pages.add(&header, offset == start));
        sizes.with_context(|| format!("the page at offset {offset}"))?;
        let page = header.page(body)?;
        input.add_page(chunk, &page)?;
        each(page);
        uncompressed += header_bytes + u64::try_from(header.uncompressed)?;
        offset = body + u64::try_from(header.compressed)?;
    }
    let (claimed, values) = (chunk.uncompressed_size(), chunk.num_values());
    if u64::try_from(claimed)? != uncompressed {
        bail!("the pages expand to {uncompressed} bytes, not to {claimed}");
    }
    if u64::try_from(values)? != pages.values {
        bail!("the pages hold {} values, not {values}", pages.values);
    }
    Ok(pages)
}

fn read_header(input: &Input, offset: u64, end: u64) -> Result<(Header, u64)> {
    let read = |most: u64| -> Result<(Header, u64)> {
        let bytes = input.bytes(offset, usize::try_from(most.min(end - offset))?)?;
        let mut header = Header::default();
        let taken = walk(&bytes, offset, &PAGE, |fields, value| header.take(fields, value))?;
        Ok((header, u64::try_from(taken)?))
    };
    read(USUAL_HEADER_BYTES).or_else(|_| read(MAX_HEADER_BYTES)).context("a page header is damaged")
}

impl Header {
    fn page(&self, body: u64) -> Result<CheckedPage> {
        let is_dictionary = self.kind == DICTIONARY_PAGE;
        let values = if is_dictionary { self.dictionary_values } else { self.values };
        Ok(CheckedPage {
            is_dictionary,
            body,
            compressed_bytes: usize::try_from(self.compressed)?,
            bytes: usize::try_from(self.uncompressed)?,
            values: u64::try_from(values.unwrap_or(0))?,
            encoding: self.encoding,
        })
    }

    fn take(&mut self, fields: &[i16], value: i64) {
        match fields {
            [1] => self.kind = value,
            [2] => self.uncompressed = value,
            [3] => self.compressed = value,
            [5, 1] => self.values = Some(value),
            [5, 2] => self.encoding = value,
            [5, 3] => self.levels[0] = value,
            [5, 4] => self.levels[1] = value,
            [7, 1] => self.dictionary_values = Some(value),
            [7, 2] => self.dictionary_encoding = value,
            _ => {}
        }
    }
}

impl Pages {
    fn add(&mut self, header: &Header, is_first: bool) -> Result<()> {
        let bytes = u64::try_from(header.uncompressed)?;
        self.count += 1;
        if self.count > MAX_PAGES {
            bail!("the chunk has more than {MAX_PAGES} pages");
        }
        if header.kind == DICTIONARY_PAGE {
            if !is_first {
                bail!("it is a dictionary behind other pages");
            }
            self.dictionary_bytes = bytes;
            return Ok(());
        }
        self.values += u64::try_from(header.values.unwrap_or(0))?;
        self.largest_bytes = self.largest_bytes.max(bytes);
        if header.encoding != Encoding::RLE_DICTIONARY as i64 {
            self.is_plain = true;
            self.plain_bytes += bytes;
            self.largest_plain_bytes = self.largest_plain_bytes.max(bytes);
        }
        Ok(())
    }
}

fn check_page(header: &Header, left: u64, is_compressed: bool, chunk: &ColumnChunkMetaData) -> Result<()> {
    let Header { kind, uncompressed, compressed, .. } = *header;
    if !(0..=MAX_PAGE_BYTES).contains(&uncompressed) {
        bail!("it claims to expand to {uncompressed} bytes");
    }
    if u64::try_from(compressed).ok().is_none_or(|compressed| compressed > left) {
        bail!("it claims {compressed} bytes, of which {left} are there");
    }
    // What is not compressed is as large as it is. Compressors add little to what they cannot make smaller.
    let most = if is_compressed { uncompressed + uncompressed / 128 + 1024 } else { uncompressed };
    if compressed > most || (!is_compressed && compressed < most) {
        bail!("it claims {compressed} bytes that expand to {uncompressed}");
    }
    match kind {
        DATA_PAGE => check_data_page(header, chunk),
        DICTIONARY_PAGE => check_dictionary(header),
        kind => bail!("it has the unknown type {kind}"),
    }
}

fn check_data_page(header: &Header, chunk: &ColumnChunkMetaData) -> Result<()> {
    let values = header.values.context("it does not say how many values it holds")?;
    if !(0..=chunk.num_values()).contains(&values) {
        bail!("it claims {values} values of {}", chunk.num_values());
    }
    if header.levels != [Encoding::RLE as i64; 2] {
        bail!("its levels have the encodings {:?}", header.levels);
    }
    let encoding = Encoding::VARIANTS.iter().find(|encoding| **encoding as i64 == header.encoding);
    let Some(encoding) = encoding else { bail!("it has the unknown encoding {}", header.encoding) };
    let fits = match encoding {
        Encoding::RLE => chunk.column_type() == Type::BOOLEAN,
        Encoding::DELTA_BINARY_PACKED => matches!(chunk.column_type(), Type::INT32 | Type::INT64),
        _ => true,
    };
    if !fits {
        bail!("the encoding {encoding} is not supported for {}", chunk.column_type());
    }
    check_encoding(*encoding)
}

fn check_dictionary(header: &Header) -> Result<()> {
    let values = header.dictionary_values.context("its dictionary does not say how many values it holds")?;
    // A text takes at least its length, a number its own size.
    if values < 0 || values.saturating_mul(4) > header.uncompressed {
        bail!("its dictionary claims {values} values in {} bytes", header.uncompressed);
    }
    if header.dictionary_encoding != Encoding::PLAIN as i64 {
        bail!("its dictionary has the encoding {}", header.dictionary_encoding);
    }
    Ok(())
}
