//! Columns that may go without a dictionary: truth values, and numbers that grow by small steps.

use super::distinct::Distinct;
use super::press::Press;
use super::{Chunk, Coded, Layout};
use anyhow::{Context, Result};
use parquet::data_type::{BoolType, DataType, Int64Type};
use parquet::file::writer::SerializedRowGroupWriter;
use parquet::schema::types::ColumnDescPtr;
use std::fs::File;

/// Values that stand as they are until the group is written.
pub struct Plain<T: DataType> {
    values: Vec<T::T>,
    /// For each row whether it has a value; none where all have.
    levels: Option<Vec<i16>>,
}

/// A column of truth values, which have no dictionary.
pub type Flags = Plain<BoolType>;

impl<T: DataType> Plain<T> {
    #[inline]
    pub(crate) fn value(&mut self, value: T::T) {
        self.values.push(value);
        if let Some(levels) = &mut self.levels {
            levels.push(1);
        }
    }
}

impl<T: DataType> Chunk for Plain<T> {
    fn new(leaf: &ColumnDescPtr, _: Layout) -> Self {
        Self { values: Vec::new(), levels: (leaf.max_def_level() > 0).then(Vec::new) }
    }

    #[inline]
    fn absent(&mut self) {
        if let Some(levels) = &mut self.levels {
            levels.push(0);
        }
    }

    fn values(&self) -> usize {
        self.levels.as_ref().map_or(self.values.len(), Vec::len)
    }

    fn bytes(&self) -> usize {
        self.values.capacity() * size_of::<T::T>() + self.levels.as_ref().map_or(0, Vec::capacity) * size_of::<i16>()
    }

    fn end_page(&mut self, _: usize, _: &mut Press) -> Result<()> {
        Ok(())
    }

    fn write(&mut self, group: &mut SerializedRowGroupWriter<'_, File>, _: &mut Press) -> Result<()> {
        let mut column = group.next_column()?.context("the group has all its columns")?;
        column.typed::<T>().write_batch(&self.values, self.levels.as_deref(), None)?;
        column.close()?;
        self.values.clear();
        self.levels.iter_mut().for_each(Vec::clear);
        Ok(())
    }
}

/// A column of INT64.
#[expect(clippy::large_enum_variant, reason = "a table has few, and each value goes through one")]
pub enum Longs {
    /// Values that repeat.
    Distinct(Distinct),
    /// Values that grow by small steps.
    Delta(Plain<Int64Type>),
}

impl Longs {
    #[inline]
    pub(crate) fn value(&mut self, value: i64) {
        match self {
            Self::Distinct(chunk) => chunk.long(value),
            Self::Delta(chunk) => chunk.value(value),
        }
    }

    fn chunk(&self) -> &dyn Chunk {
        match self {
            Self::Distinct(chunk) => chunk,
            Self::Delta(chunk) => chunk,
        }
    }

    fn chunk_mut(&mut self) -> &mut dyn Chunk {
        match self {
            Self::Distinct(chunk) => chunk,
            Self::Delta(chunk) => chunk,
        }
    }
}

impl Coded for Longs {
    fn last(&self) -> u32 {
        match self {
            Self::Distinct(chunk) => chunk.last(),
            Self::Delta(_) => 0,
        }
    }

    #[inline]
    fn repeat(&mut self, code: u32) {
        match self {
            Self::Distinct(chunk) => chunk.repeat(code),
            Self::Delta(chunk) => chunk.absent(),
        }
    }
}

impl Chunk for Longs {
    fn new(leaf: &ColumnDescPtr, layout: Layout) -> Self {
        match layout {
            Layout::Delta => Self::Delta(Plain::new(leaf, layout)),
            Layout::Dictionary | Layout::LookUp => Self::Distinct(Distinct::new(leaf, layout)),
        }
    }

    #[inline]
    fn absent(&mut self) {
        match self {
            Self::Distinct(chunk) => chunk.absent(),
            Self::Delta(chunk) => chunk.absent(),
        }
    }

    fn values(&self) -> usize {
        self.chunk().values()
    }

    fn bytes(&self) -> usize {
        self.chunk().bytes()
    }

    fn dictionary_bytes(&self) -> usize {
        self.chunk().dictionary_bytes()
    }

    fn end_page(&mut self, rows: usize, press: &mut Press) -> Result<()> {
        self.chunk_mut().end_page(rows, press)
    }

    fn write(&mut self, group: &mut SerializedRowGroupWriter<'_, File>, press: &mut Press) -> Result<()> {
        self.chunk_mut().write(group, press)
    }
}
