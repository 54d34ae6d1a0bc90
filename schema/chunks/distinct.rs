//! A column chunk with a dictionary. The values of most columns come again and again: one that is the same as in the row
//! before costs a comparison, and only one that is new is copied.

use super::bounds::Bounds;
use super::dictionary::Dictionary;
use super::pages::Pages;
use super::press::Press;
use super::runs::{Runs, width_of};
use super::{Chunk, Coded, Layout};
use anyhow::Result;
use bytes::Bytes;
use parquet::basic::{BoundaryOrder, Compression, Encoding, LogicalType, PageType, ZstdLevel};
use parquet::bloom_filter::Sbbf;
use parquet::column::page::Page;
use parquet::column::writer::ColumnCloseResult;
use parquet::file::metadata::{ColumnChunkMetaData, ColumnIndexBuilder, PageEncodingStats};
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use parquet::file::writer::{SerializedRowGroupWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;
use std::fs::File;

/// Part of wrong answers of a bloom filter.
const BLOOM_FILTER_FPP: f64 = 0.01;

/// A column chunk with a dictionary.
pub struct Distinct {
    leaf: ColumnDescPtr,
    layout: Layout,
    /// Whether there are levels that say where no value stands.
    is_optional: bool,
    dictionary: Dictionary,
    /// The last integer and its number.
    last_integer: Option<(i64, u32)>,
    /// Of the page that has not ended: numbers of the values, and the levels that say where none stand.
    numbers: Runs,
    definition: Runs,
    repetition: Runs,
    /// The pages that have ended.
    pages: Pages,
}

impl Distinct {
    /// Adds a value.
    #[inline]
    pub(crate) fn value(&mut self, value: &[u8]) {
        let number = self.dictionary.number(value);
        self.add(number);
    }

    /// Adds a value of an INT32 column.
    #[inline]
    pub(crate) fn integer(&mut self, value: i32) {
        self.integer_or_long(value.into(), &value.to_le_bytes());
    }

    /// Adds a value of an INT64 column.
    #[inline]
    pub(crate) fn long(&mut self, value: i64) {
        self.integer_or_long(value, &value.to_le_bytes());
    }

    #[inline]
    fn integer_or_long(&mut self, value: i64, bytes: &[u8]) {
        let number = match self.last_integer {
            Some((last, number)) if last == value => number,
            _ => self.dictionary.number(bytes),
        };
        self.last_integer = Some((value, number));
        self.add(number);
    }

    /// Adds the value with this number.
    #[inline]
    fn add(&mut self, number: u32) {
        if self.is_optional {
            self.definition.push(1);
        }
        self.numbers.push(number);
    }

    /// Adds a list.
    pub(crate) fn list<'a>(&mut self, items: impl IntoIterator<Item = &'a [u8]>) {
        let item_level = level(self.leaf.max_def_level());
        let mut is_first = true;
        for item in items {
            let number = self.dictionary.number(item);
            self.numbers.push(number);
            self.definition.push(item_level);
            self.repetition.push(u32::from(!is_first));
            is_first = false;
        }
        if is_first {
            self.definition.push(item_level - 1);
            self.repetition.push(0);
        }
    }

    /// Values, absent ones and empty lists of the page that has not ended.
    fn open_values(&self) -> usize {
        if self.is_optional { self.definition.len() } else { self.numbers.len() }
    }

    fn is_text(&self) -> bool {
        matches!(self.leaf.logical_type_ref(), Some(LogicalType::String))
    }

    /// The page that has not ended: levels, and numbers of the width that the dictionary has now.
    fn body(&self) -> Vec<u8> {
        let mut body = Vec::new();
        for (levels, highest) in
            [(&self.repetition, self.leaf.max_rep_level()), (&self.definition, self.leaf.max_def_level())]
        {
            if highest > 0 {
                let start = body.len();
                body.extend_from_slice(&[0; size_of::<u32>()]);
                levels.encode(width_of(level(highest)), &mut body);
                let bytes = u32::try_from(body.len() - start - size_of::<u32>()).unwrap_or(u32::MAX);
                body[start..start + size_of::<u32>()].copy_from_slice(&bytes.to_le_bytes());
            }
        }
        // Whole bytes: what comes again, a process or what it opens one after another, is the same bytes again.
        let width = width_of(self.dictionary.len().saturating_sub(1)).next_multiple_of(u8::BITS);
        body.push(width.to_le_bytes()[0]);
        self.numbers.encode(width, &mut body);
        body
    }

    fn bloom_filter(&self) -> Result<Option<Sbbf>> {
        if self.layout != Layout::LookUp || self.dictionary.len() == 0 {
            return Ok(None);
        }
        let mut filter = Sbbf::new_with_ndv_fpp(self.dictionary.len().into(), BLOOM_FILTER_FPP)?;
        self.dictionary.values().for_each(|value| filter.insert(value));
        filter.fold_to_target_fpp(BLOOM_FILTER_FPP);
        Ok(Some(filter))
    }

    fn metadata(&self) -> Result<ColumnChunkMetaData> {
        let bounds = Bounds::of(&self.dictionary, self.is_text(), 0..self.dictionary.len());
        let nulls = self.pages.nulls as u64;
        let encoding_of = |page_type, encoding, count| PageEncodingStats { page_type, encoding, count };
        let metadata = ColumnChunkMetaData::builder(self.leaf.clone())
            // The level is not on record.
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_encodings(vec![Encoding::PLAIN, Encoding::RLE, Encoding::RLE_DICTIONARY])
            .set_page_encoding_stats(vec![
                encoding_of(PageType::DICTIONARY_PAGE, Encoding::PLAIN, 1),
                encoding_of(PageType::DATA_PAGE, Encoding::RLE_DICTIONARY, self.pages.count),
            ])
            .set_num_values(i64::try_from(self.pages.values)?)
            .set_statistics(Bounds::statistics(bounds.as_ref(), self.leaf.physical_type(), nulls));
        Ok(metadata.build()?)
    }

    fn column_index(&self) -> Result<Option<ColumnIndexMetaData>> {
        if self.layout != Layout::LookUp {
            return Ok(None);
        }
        let mut index = ColumnIndexBuilder::new(self.leaf.physical_type());
        for (bounds, nulls) in &self.pages.bounds {
            let (low, high) = bounds.clone().map_or_else(Default::default, |bounds| (bounds.low.0, bounds.high.0));
            index.append(bounds.is_none(), low, high, i64::try_from(*nulls)?, None);
        }
        let order = |left: &[u8], right: &[u8]| self.dictionary.order(left, right).is_le();
        let stated: Vec<&Bounds> = self.pages.bounds.iter().filter_map(|(bounds, _)| bounds.as_ref()).collect();
        let is_sorted =
            stated.is_sorted_by(|left, right| order(&left.low.0, &right.low.0) && order(&left.high.0, &right.high.0));
        index.set_boundary_order(if is_sorted { BoundaryOrder::ASCENDING } else { BoundaryOrder::UNORDERED });
        Ok(Some(index.build()?))
    }
}

impl Coded for Distinct {
    fn last(&self) -> u32 {
        let is_absent = self.is_optional && self.definition.last() == 0;
        if is_absent { 0 } else { self.numbers.last() + 1 }
    }

    #[inline]
    fn repeat(&mut self, code: u32) {
        match code.checked_sub(1) {
            Some(number) => self.add(number),
            None => self.definition.push(0),
        }
    }
}

impl Chunk for Distinct {
    fn new(leaf: &ColumnDescPtr, layout: Layout) -> Self {
        Self {
            leaf: leaf.clone(),
            layout,
            dictionary: Dictionary::new(leaf.physical_type()),
            is_optional: leaf.max_def_level() > 0,
            last_integer: None,
            numbers: Runs::default(),
            definition: Runs::default(),
            repetition: Runs::default(),
            pages: Pages::new(),
        }
    }

    #[inline]
    fn absent(&mut self) {
        self.definition.push(0);
        if self.leaf.max_rep_level() > 0 {
            self.repetition.push(0);
        }
    }

    fn values(&self) -> usize {
        self.pages.values + self.open_values()
    }

    fn items(&self) -> usize {
        if self.leaf.max_rep_level() > 0 { self.values() } else { 0 }
    }

    fn bytes(&self) -> usize {
        let open = self.numbers.bytes() + self.definition.bytes() + self.repetition.bytes();
        self.dictionary.bytes() + open + self.pages.written.bytes_written()
    }

    fn dictionary_bytes(&self) -> usize {
        self.dictionary.bytes()
    }

    fn end_page(&mut self, rows: usize, press: &mut Press) -> Result<()> {
        let values = self.open_values();
        let nulls = values - self.numbers.len();
        let is_looked_up = self.layout == Layout::LookUp;
        let bounds = if is_looked_up {
            let mut seen = vec![false; self.dictionary.len() as usize];
            let is_new = |number: &u32| !std::mem::replace(&mut seen[*number as usize], true);
            Bounds::of(&self.dictionary, self.is_text(), self.numbers.runs().map(|(number, _)| number).filter(is_new))
        } else {
            None
        };
        let statistics =
            bounds.as_ref().map(|bounds| Bounds::statistics(Some(bounds), self.leaf.physical_type(), nulls as u64));
        let num_values = u32::try_from(values)?;
        let body = self.body();
        let page = press.append(&mut self.pages.written, &body, |body| Page::DataPage {
            buf: body.into(),
            num_values,
            encoding: Encoding::RLE_DICTIONARY,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics,
        })?;
        self.pages.offsets.append_offset_and_size(i64::try_from(page.offset)?, i32::try_from(page.bytes)?);
        self.pages.offsets.append_row_count(i64::try_from(rows)?);
        if is_looked_up {
            self.pages.bounds.push((bounds, nulls));
        }
        self.pages.count += 1;
        self.pages.rows += rows;
        self.pages.values += values;
        self.pages.nulls += nulls;
        self.pages.plain_bytes += page.plain_bytes;
        [&mut self.numbers, &mut self.definition, &mut self.repetition].into_iter().for_each(Runs::clear);
        Ok(())
    }

    fn write(&mut self, group: &mut SerializedRowGroupWriter<'_, File>, press: &mut Press) -> Result<()> {
        let (metadata, bloom_filter, column_index) = (self.metadata()?, self.bloom_filter()?, self.column_index()?);
        let Self { dictionary, pages, .. } = std::mem::replace(self, Self::new(&self.leaf, self.layout));
        let mut chunk = TrackedWrite::new(Vec::new());
        let first = press.append(&mut chunk, dictionary.page(), |body| Page::DictionaryPage {
            buf: body.into(),
            num_values: dictionary.len(),
            encoding: Encoding::PLAIN,
            is_sorted: false,
        })?;
        let mut bytes = chunk.into_inner()?;
        bytes.append(&mut pages.written.into_inner()?);
        let metadata = metadata
            .into_builder()
            .set_total_compressed_size(i64::try_from(bytes.len())?)
            .set_total_uncompressed_size(i64::try_from(first.plain_bytes + pages.plain_bytes)?);
        let closed = ColumnCloseResult {
            bytes_written: bytes.len() as u64,
            rows_written: pages.rows as u64,
            metadata: metadata.build()?,
            bloom_filter,
            column_index,
            offset_index: Some(pages.offsets.build()),
        };
        let closed = closed.update_dictionary_location(first.bytes)?;
        Ok(group.append_column(&Bytes::from(bytes), closed)?)
    }
}

/// Levels are not negative.
fn level(level: i16) -> u32 {
    u32::try_from(level).unwrap_or_default()
}
