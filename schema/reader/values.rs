//! Which values a column chunk holds, without its rows: a row group that has none of those that are asked for is not read.
//! Only what is exact counts, because answers rest on what is not there: the dictionary that all data pages refer to, and
//! truth values themselves. Bounds and filters may lie. What cannot be told so, or is damaged, is read, and its damage told.

use super::bits::{ones, ones_packed, take_length};
use super::input::Input;
use super::pages::each_page;
use anyhow::{Context, Result, bail, ensure};
use parquet::basic::{Encoding, Type};
use parquet::file::metadata::{ColumnChunkMetaData, RowGroupMetaData};
use std::fmt;
use std::sync::Arc;

/// What a row group must have at least one of, or it has no row that is looked for: values of a column, in lists too, that
/// pass a test.
#[derive(Clone)]
pub struct Need {
    column: &'static str,
    test: Test,
}

#[derive(Clone)]
enum Test {
    Text(Arc<dyn Fn(&str) -> bool + Send + Sync>),
    True,
}

impl Need {
    /// A text that passes the test.
    pub fn text(column: &'static str, test: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        Self { column, test: Test::Text(Arc::new(test)) }
    }

    /// True.
    #[must_use]
    pub fn is_true(column: &'static str) -> Self {
        Self { column, test: Test::True }
    }

    /// Whether a row group can have such a value.
    pub(super) fn may_be_met(&self, input: &Input, group: &RowGroupMetaData) -> bool {
        let is_asked =
            |chunk: &&ColumnChunkMetaData| chunk.column_path().parts().first().is_some_and(|name| name == self.column);
        let Some(chunk) = group.columns().iter().find(is_asked) else { return true };
        let has = match &self.test {
            Test::Text(test) => has_text(input, chunk, &**test),
            Test::True => has_true(input, chunk),
        };
        has.unwrap_or(true)
    }
}

impl fmt::Debug for Need {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Need").field("column", &self.column).finish_non_exhaustive()
    }
}

/// Whether the dictionary of a chunk has a text that passes the test.
///
/// # Errors
/// When that cannot be told.
fn has_text(input: &Input, chunk: &ColumnChunkMetaData, test: &dyn Fn(&str) -> bool) -> Result<bool> {
    ensure!(chunk.column_type() == Type::BYTE_ARRAY);
    let (mut dictionary, mut others) = (None, Vec::new());
    let pages = each_page(input, chunk, |page| match page.is_dictionary {
        true => dictionary = Some(page),
        false => others.push(page),
    })?;
    ensure!(!pages.is_plain);
    let dictionary = dictionary.context("there is no dictionary")?;
    let bytes = input.page(&dictionary)?;
    let mut rest = &bytes[..];
    for _ in 0..dictionary.values {
        let (length, values) = take_length(rest)?;
        let (value, left) = values.split_at_checked(length).context("a dictionary ends within a value")?;
        if test(std::str::from_utf8(value)?) {
            return Ok(true);
        }
        rest = left;
    }
    ensure!(rest.is_empty());
    // Damage there is told where the group is read.
    for page in &others {
        ensure!(page.bytes > 0 || page.values == 0);
        input.page(page)?;
    }
    Ok(false)
}

/// Whether any of a chunk's truth values is true.
///
/// # Errors
/// When that cannot be told.
fn has_true(input: &Input, chunk: &ColumnChunkMetaData) -> Result<bool> {
    ensure!(chunk.column_type() == Type::BOOLEAN && chunk.column_descr().max_rep_level() == 0);
    let mut pages = Vec::new();
    each_page(input, chunk, |page| pages.push(page))?;
    for page in &pages {
        ensure!(!page.is_dictionary);
        let bytes = input.page(page)?;
        let (mut values, mut rest) = (page.values, &bytes[..]);
        if chunk.column_descr().max_def_level() > 0 {
            values = ones(take_part(&mut rest)?, values)?;
        }
        let trues = match page.encoding {
            encoding if encoding == Encoding::RLE as i64 => ones(take_part(&mut rest)?, values)?,
            encoding if encoding == Encoding::PLAIN as i64 => ones_packed(rest, values)?,
            encoding => bail!("the encoding {encoding} is not supported"),
        };
        if trues > 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The part of a page that begins with its length.
fn take_part<'a>(bytes: &mut &'a [u8]) -> Result<&'a [u8]> {
    let (length, rest) = take_length(bytes)?;
    let (part, rest) = rest.split_at_checked(length).context("a page ends within a part")?;
    *bytes = rest;
    Ok(part)
}
