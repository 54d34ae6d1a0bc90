//! The columns of a row group, as they are collected and encoded.

mod bounds;
mod dictionary;
pub mod distinct;
mod pages;
pub mod plain;
pub mod press;
mod runs;

use anyhow::Result;
use parquet::file::writer::SerializedRowGroupWriter;
use parquet::schema::types::ColumnDescPtr;
use press::Press;
use std::fs::File;

/// How a column is laid out in Parquet; the figures behind each choice stand in [`crate::writer`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Values that repeat: a dictionary.
    Dictionary,
    /// Values that grow by small steps: differences, without a dictionary.
    Delta,
    /// What users look up: a dictionary, a bloom filter and statistics in the page headers.
    LookUp,
}

/// One column of a row group.
pub trait Chunk {
    /// An empty one.
    fn new(leaf: &ColumnDescPtr, layout: Layout) -> Self
    where
        Self: Sized;
    /// Adds null.
    fn absent(&mut self);
    /// Values so far, those that are absent and the items of lists included.
    fn values(&self) -> usize;
    /// Those of them that are items of lists, or lists without any.
    fn items(&self) -> usize {
        0
    }
    /// Memory that it takes.
    fn bytes(&self) -> usize;
    /// What its dictionary takes of that.
    fn dictionary_bytes(&self) -> usize {
        0
    }
    /// Ends a page of this many rows.
    ///
    /// # Errors
    /// When the page cannot be made.
    fn end_page(&mut self, rows: usize, press: &mut Press) -> Result<()>;
    /// Writes all pages, the last of which has ended, and is empty then.
    ///
    /// # Errors
    /// When the file cannot be written.
    fn write(&mut self, group: &mut SerializedRowGroupWriter<'_, File>, press: &mut Press) -> Result<()>;
}

/// A column whose values have codes.
pub(crate) trait Coded: Chunk {
    /// The code of the last value: null is 0.
    fn last(&self) -> u32;
    /// Adds the value with this code once more.
    fn repeat(&mut self, code: u32);
}
