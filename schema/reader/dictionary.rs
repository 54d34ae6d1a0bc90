//! A column chunk that is a dictionary with places in it, as most are: of the rows that are not wanted nothing is decoded.

use super::bits::take_length;
use super::checked_pages::CheckedPage;
use super::input::Input;
use super::numbers::Numbers;
use super::pages::each_page;
use anyhow::{Context, Result, bail, ensure};
use arrow::array::{ArrayRef, DictionaryArray, Int32Array, PrimitiveArray, StringArray};
use arrow::buffer::{BooleanBuffer, NullBuffer, OffsetBuffer};
use arrow::datatypes::{ArrowPrimitiveType, DataType, Int32Type, Int64Type};
use bytes::Bytes;
use parquet::basic::Type;
use parquet::file::metadata::ColumnChunkMetaData;
use std::collections::VecDeque;
use std::sync::Arc;

/// Where more than one row of so many is wanted, all are decoded: passing over few takes longer.
const PASSED_OVER: usize = 8;
/// Place of a value that is null. No dictionary has so many values.
const NULL: u32 = u32::MAX;

/// A chunk that is being read.
pub(super) struct Column {
    input: Input,
    is_nullable: bool,
    dictionary: Values,
    /// Pages to come.
    pages: VecDeque<CheckedPage>,
    open: Option<Page>,
    /// Room for one batch.
    codes: Vec<u32>,
    levels: Vec<u32>,
}

/// The dictionary.
enum Values {
    Texts(Arc<StringArray>),
    Ints(Vec<i32>),
    Longs(Vec<i64>),
}

/// A page that is being read.
struct Page {
    left_rows: usize,
    /// 1 for a row with a value; `None` where all rows have one.
    levels: Option<Numbers>,
    codes: Numbers,
}

impl Column {
    /// Begins with a chunk of `rows` rows; `None` where it is of another kind.
    ///
    /// # Errors
    /// When it is damaged.
    pub(super) fn open(
        input: &Input,
        chunk: &ColumnChunkMetaData,
        data_type: &DataType,
        rows: usize,
    ) -> Result<Option<Self>> {
        let descriptor = chunk.column_descr();
        let is_flat = descriptor.max_rep_level() == 0 && descriptor.max_def_level() <= 1;
        let is_known = matches!(
            (chunk.column_type(), data_type),
            (Type::BYTE_ARRAY, DataType::Utf8) | (Type::INT32, DataType::Int32) | (Type::INT64, DataType::Int64)
        );
        if !is_flat || !is_known || usize::try_from(chunk.num_values())? != rows {
            return Ok(None);
        }
        let mut pages = VecDeque::new();
        let summary = each_page(input, chunk, |page| pages.push_back(page))?;
        let dictionary = pages.pop_front().filter(|page| page.is_dictionary && !summary.is_plain);
        let Some(dictionary) = dictionary else { return Ok(None) };
        Ok(Some(Self {
            input: input.clone(),
            is_nullable: descriptor.max_def_level() == 1,
            dictionary: Values::read(&input.page(&dictionary)?, dictionary.values, chunk.column_type())?,
            pages,
            open: None,
            codes: Vec::new(),
            levels: Vec::new(),
        }))
    }

    /// Goes on by as many rows as there are bits, and gives the values of those whose bit is set.
    ///
    /// # Errors
    /// When the chunk is damaged or ends.
    pub(super) fn next(&mut self, rows: usize, wanted: Option<&BooleanBuffer>) -> Result<ArrayRef> {
        self.codes.clear();
        match wanted {
            Some(wanted) if wanted.count_set_bits() < rows / PASSED_OVER => {
                let mut at = 0;
                for (first, end) in wanted.set_slices() {
                    self.pass(first - at, false)?;
                    self.pass(end - first, true)?;
                    at = end;
                }
                self.pass(rows - at, false)?;
            }
            Some(wanted) => {
                self.pass(rows, true)?;
                let picked: Vec<u32> = wanted.set_indices().map(|row| self.codes[row]).collect();
                return self.dictionary.array(&picked);
            }
            None => self.pass(rows, true)?,
        }
        self.dictionary.array(&self.codes)
    }

    /// Goes on by so many rows, and takes their codes or does not.
    fn pass(&mut self, mut rows: usize, takes: bool) -> Result<()> {
        while rows > 0 {
            let Some(page) = self.open.as_mut().filter(|page| page.left_rows > 0) else {
                let page = self.pages.pop_front().context("a column ends before its rows do")?;
                self.open = Some(Page::open(&self.input, &page, self.is_nullable)?);
                continue;
            };
            let of_page = rows.min(page.left_rows);
            if takes {
                page.take(of_page, &mut self.levels, &mut self.codes)?;
            } else {
                page.skip(of_page)?;
            }
            page.left_rows -= of_page;
            rows -= of_page;
        }
        Ok(())
    }
}

impl Page {
    fn open(input: &Input, page: &CheckedPage, is_nullable: bool) -> Result<Self> {
        let left_rows = usize::try_from(page.values)?;
        let mut bytes = input.page(page)?;
        let levels = match is_nullable {
            true => {
                let (length, rest) = take_length(&bytes)?;
                ensure!(length <= rest.len(), "a page ends within its levels");
                drop(bytes.split_to(size_of::<u32>()));
                Some(Numbers::new(bytes.split_to(length), 1)?)
            }
            false => None,
        };
        // Without a value there may be no width.
        let width_bits = if bytes.is_empty() { 0 } else { bytes.split_to(1)[0] };
        ensure!(width_bits < 32, "places of {width_bits} bits");
        Ok(Self { left_rows, levels, codes: Numbers::new(bytes, width_bits)? })
    }

    fn take(&mut self, mut rows: usize, levels: &mut Vec<u32>, codes: &mut Vec<u32>) -> Result<()> {
        let Some(of_rows) = &mut self.levels else { return self.codes.read(rows, codes) };
        while rows > 0 {
            let (level, run) = of_rows.run()?;
            let taken = rows.min(run);
            rows -= taken;
            match level {
                Some(0) => {
                    of_rows.skip(taken)?;
                    codes.resize(codes.len() + taken, NULL);
                }
                Some(_) => {
                    of_rows.skip(taken)?;
                    self.codes.read(taken, codes)?;
                }
                None => {
                    levels.clear();
                    of_rows.read(taken, levels)?;
                    let present = levels.iter().filter(|level| **level > 0).count();
                    let first = codes.len();
                    self.codes.read(present, codes)?;
                    spread(&mut *codes, first, levels);
                }
            }
        }
        Ok(())
    }

    fn skip(&mut self, rows: usize) -> Result<()> {
        let values = match &mut self.levels {
            Some(levels) => levels.skip_levels(rows)?,
            None => rows,
        };
        self.codes.skip(values)
    }
}

/// Gives the codes from `first` on their places: those of the rows that have a value.
fn spread(codes: &mut Vec<u32>, first: usize, levels: &[u32]) {
    let mut value = codes.len();
    codes.resize(first + levels.len(), NULL);
    for (row, level) in levels.iter().enumerate().rev() {
        codes[first + row] = match level {
            0 => NULL,
            _ => {
                value -= 1;
                codes[value]
            }
        };
    }
}

impl Values {
    fn read(bytes: &Bytes, count: u64, of: Type) -> Result<Self> {
        let count = usize::try_from(count)?;
        ensure!(i32::try_from(count).is_ok(), "a dictionary of {count} values");
        Ok(match of {
            Type::INT32 => Self::Ints(numbers(bytes, count, i32::from_le_bytes)?),
            Type::INT64 => Self::Longs(numbers(bytes, count, i64::from_le_bytes)?),
            Type::BYTE_ARRAY => Self::Texts(Arc::new(texts(bytes, count)?)),
            other => bail!("a dictionary of {other}"),
        })
    }

    /// The values of some places.
    fn array(&self, codes: &[u32]) -> Result<ArrayRef> {
        let nulls = || {
            let has_null = codes.contains(&NULL);
            has_null.then(|| NullBuffer::new(BooleanBuffer::collect_bool(codes.len(), |row| codes[row] != NULL)))
        };
        Ok(match self {
            Self::Texts(texts) => {
                let key = |code: &u32| if *code == NULL { 0 } else { code.cast_signed() };
                let keys = Int32Array::new(codes.iter().map(key).collect::<Vec<i32>>().into(), nulls());
                Arc::new(DictionaryArray::<Int32Type>::try_new(keys, Arc::clone(texts) as ArrayRef)?)
            }
            Self::Ints(values) => Arc::new(numbers_of::<Int32Type>(values, codes, nulls())?),
            Self::Longs(values) => Arc::new(numbers_of::<Int64Type>(values, codes, nulls())?),
        })
    }
}

fn numbers_of<T: ArrowPrimitiveType>(
    values: &[T::Native],
    codes: &[u32],
    nulls: Option<NullBuffer>,
) -> Result<PrimitiveArray<T>> {
    let is_known = |code: &u32| (*code as usize) < values.len() || *code == NULL;
    ensure!(codes.iter().all(is_known), "a value is not in its dictionary");
    let value = |code: &u32| values.get(*code as usize).copied().unwrap_or_default();
    Ok(PrimitiveArray::new(codes.iter().map(value).collect::<Vec<T::Native>>().into(), nulls))
}

fn numbers<N, const BYTES: usize>(bytes: &[u8], count: usize, read: fn([u8; BYTES]) -> N) -> Result<Vec<N>> {
    let (chunks, rest) = bytes.as_chunks::<BYTES>();
    ensure!(chunks.len() == count && rest.is_empty(), "a dictionary has {} bytes for {count} values", bytes.len());
    Ok(chunks.iter().copied().map(read).collect())
}

fn texts(bytes: &[u8], count: usize) -> Result<StringArray> {
    let (mut offsets, mut values, mut rest) = (vec![0_i32], Vec::new(), bytes);
    for _ in 0..count {
        let (length, behind) = take_length(rest)?;
        let (value, left) = behind.split_at_checked(length).context("a dictionary ends within a value")?;
        values.extend_from_slice(value);
        offsets.push(i32::try_from(values.len())?);
        rest = left;
    }
    ensure!(rest.is_empty(), "a dictionary has more than {count} values");
    Ok(StringArray::try_new(OffsetBuffer::new(offsets.into()), values.into(), None)?)
}
