//! Sealed files to rows. Archives may be damaged or hostile: every error names its file, files are opened without
//! following links and without blocking, and a panic of the decoder ends only the file that caused it. An allocation
//! that fails would end the process, so what a file claims is checked and its memory bounded before it is decoded:
//! `footer` and `pages` walk the structures of the file, and `memory` chooses how many rows are decoded at once.

mod batches;
mod bits;
mod checked_pages;
mod coded;
mod decoding;
mod dictionary;
mod discover;
mod footer;
mod input;
mod kept;
mod longest_row;
mod memory;
mod numbers;
mod pages;
mod prune;
mod schemas;
mod shapes;
mod thrift;
mod values;

pub use batches::Batches;
use batches::Reading;
pub use coded::Judged;
pub use discover::{SealedPath, discover, is_sealed_path};
use input::Input;
use kept::Checked;
pub use prune::{PathRule, Prune, Span};
pub use values::Need;

use crate::cell::Micros;
use crate::columns::{ADDED_IN_VERSION_2, Row};
use crate::writer::SCHEMA_VERSION;
use anyhow::{Context, Result, anyhow, bail};
use arrow::array::{BooleanArray, RecordBatch};
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::file::metadata::SortingColumn;
use std::cell::OnceCell;
use std::fs::{self, File, OpenOptions};
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Decides for each row of a batch that holds only the named columns whether the other columns are decoded. It is asked once about
/// each row that the predicates before it keep.
#[derive(Clone)]
pub struct Predicate {
    /// Columns that `keep` looks at.
    pub columns: Vec<&'static str>,
    /// One value for each row.
    pub keep: Keep,
    /// What `keep` keeps no row without: row groups that lack any of it are not read. The first decides most.
    pub needs: Vec<Need>,
    /// Whether `keep` takes texts as [`Judged`] does.
    pub is_coded: bool,
}

impl Predicate {
    /// Without needs.
    pub fn new(
        columns: Vec<&'static str>,
        keep: impl Fn(&RecordBatch) -> Result<BooleanArray> + Send + Sync + 'static,
    ) -> Self {
        Self { columns, keep: Arc::new(keep), needs: Vec::new(), is_coded: false }
    }

    /// Of one that takes texts as [`Judged`] does: as codes of a dictionary, which are not written out for it.
    #[must_use]
    pub fn coded(self) -> Self {
        Self { is_coded: true, ..self }
    }

    /// With these.
    #[must_use]
    pub fn needing(self, needs: impl IntoIterator<Item = Need>) -> Self {
        Self { needs: needs.into_iter().collect(), ..self }
    }
}

/// The decision of a [`Predicate`].
pub type Keep = Arc<dyn Fn(&RecordBatch) -> Result<BooleanArray> + Send + Sync>;

/// A sealed file of table `R`, its footer read and checked.
#[derive(Debug)]
pub struct SealedTable<R: Row> {
    path: PathBuf,
    input: Input,
    size_bytes: u64,
    metadata: ArrowReaderMetadata,
    row: PhantomData<R>,
}

impl<R: Row> SealedTable<R> {
    /// Opens a sealed file and checks that it holds the table's columns.
    ///
    /// # Errors
    /// Names the file and what is wrong with it.
    pub fn open(path: &Path) -> Result<Self> {
        contain(|| {
            let (file, size_bytes) = open_regular(path)?;
            let (start, bytes) = footer::read(&file, size_bytes)?;
            let checked = match kept::find(path, R::TABLE, size_bytes, &bytes) {
                Some(checked) => checked,
                None => {
                    let checked = Self::check(start, &bytes, size_bytes)?;
                    kept::keep(path, R::TABLE, size_bytes, bytes, &checked);
                    checked
                }
            };
            let Checked { metadata, compressed } = checked;
            let input = Input::new(file, compressed);
            Ok(Self { path: path.to_owned(), input, size_bytes, metadata, row: PhantomData })
        })
        .with_context(|| format!("cannot read `{}`", path.display()))
    }

    /// Decodes a footer and checks that it is of the table.
    fn check(start: u64, bytes: &[u8], size_bytes: u64) -> Result<Checked> {
        let (metadata, compressed) = footer::decode::<R>(start, bytes, size_bytes)?;
        // An embedded Arrow schema is not needed and not trusted.
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let metadata = ArrowReaderMetadata::try_new(Arc::new(metadata), options).context("the footer is damaged")?;
        check_columns::<R>(&metadata, checked_version(&metadata)?)?;
        Ok(Checked { metadata, compressed: Arc::new(compressed) })
    }

    /// Number of rows, as the footer says.
    #[must_use]
    pub fn rows(&self) -> u64 {
        u64::try_from(self.metadata.metadata().file_metadata().num_rows()).unwrap_or(0)
    }

    /// Size of the file.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// Whether the file says that each of its row groups is in the order of this column.
    pub(crate) fn is_sorted_by(&self, name: &str) -> bool {
        let column = self.metadata.schema().index_of(name).ok().and_then(|place| i32::try_from(place).ok());
        let is_first = |sorting: &SortingColumn| Some(sorting.column_idx) == column && !sorting.descending;
        let groups = self.metadata.metadata().row_groups();
        groups.iter().all(|group| group.sorting_columns().and_then(|columns| columns.first()).is_some_and(is_first))
    }

    /// A column that this version does not know, which it would not read.
    pub(crate) fn unknown_column(&self) -> Option<&str> {
        let known: Vec<&str> = R::columns().iter().map(|column| column.name).collect();
        self.metadata.schema().fields().iter().map(|field| field.name().as_str()).find(|name| !known.contains(name))
    }

    /// Lowest value of `first` and highest of `last`, two columns of times, as the statistics say.
    #[must_use]
    pub fn times(&self, first: &str, last: &str) -> Option<(Micros, Micros)> {
        let metadata = self.metadata.metadata();
        let low = metadata.row_groups().iter().filter_map(|group| prune::integers(group, first)).map(|(low, _)| low);
        let high = metadata.row_groups().iter().filter_map(|group| prune::integers(group, last)).map(|(_, high)| high);
        Some((Micros(low.min()?), Micros(high.max()?)))
    }

    /// Reads what `prune` does not exclude: whole row groups are skipped, and with predicates also single rows. Each predicate
    /// sees only the rows that those before it keep. `columns` narrows what is decoded; an empty list means all columns of the
    /// table.
    ///
    /// # Errors
    /// Names the file when a page header or a bloom filter is damaged or claims too much.
    pub fn batches<'p>(
        &self,
        prune: &Prune,
        columns: &[&str],
        predicates: impl IntoIterator<Item = &'p Predicate>,
    ) -> Result<Batches> {
        self.batches_in_turn(prune, columns, predicates, None)
    }

    /// As `batches`, beside other files: `wait` is called before more memory is taken than is left for two at once.
    ///
    /// # Errors
    /// As `batches`.
    pub fn batches_in_turn<'p>(
        &self,
        prune: &Prune,
        columns: &[&str],
        predicates: impl IntoIterator<Item = &'p Predicate>,
        wait: Option<&(dyn Fn() + Sync)>,
    ) -> Result<Batches> {
        let predicates: Vec<Predicate> = predicates.into_iter().cloned().collect();
        contain(|| {
            let groups = self.groups(prune, &predicates)?;
            let names: Vec<&str> = match columns {
                [] => R::columns().iter().map(|column| column.name).collect(),
                columns => columns.to_vec(),
            };
            let columns = places(&self.metadata, &names)?;
            let (input, metadata) = (self.input.clone(), self.metadata.clone());
            let reading = Reading { input, metadata, coded: OnceCell::new(), columns, predicates };
            if reading.measure(&groups)?.is_large()
                && let Some(wait) = wait
            {
                wait();
            }
            Ok(Batches::new(self.path.clone(), self.size_bytes, reading, groups))
        })
        .with_context(|| format!("cannot read `{}`", self.path.display()))
    }

    /// The row groups that can hold a row that is looked for.
    fn groups(&self, prune: &Prune, predicates: &[Predicate]) -> Result<Vec<usize>> {
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(self.input.clone(), self.metadata.clone());
        let mut groups = prune.row_groups(&builder, self.input.file())?;
        groups.retain(|group| {
            let group = self.metadata.metadata().row_group(*group);
            let mut needs = predicates.iter().flat_map(|predicate| &predicate.needs);
            needs.all(|need| need.may_be_met(&self.input, group))
        });
        Ok(groups)
    }
}

/// Where columns stand in a file; those that files of schema version 1 lack are left out there.
fn places(metadata: &ArrowReaderMetadata, names: &[&str]) -> Result<Vec<usize>> {
    let schema = metadata.schema();
    let is_here = |name: &&&str| schema.index_of(name).is_ok() || !ADDED_IN_VERSION_2.contains(name);
    let place = |name: &&str| schema.index_of(name).map_err(|_| anyhow!("column `{name}` is missing"));
    names.iter().filter(is_here).map(place).collect()
}

/// The rows of a batch. A column that was not asked for is as in a row without values, and so is one that files of schema
/// version 1 do not have.
pub fn rows<R: Row>(batch: &RecordBatch) -> impl Iterator<Item = Result<R>> {
    // `index_of` would put what there is into words for each column that is not.
    let place = |name: &&str| batch.schema_ref().fields().find(name).map(|(place, _)| place);
    let places: Vec<Option<usize>> = R::NAMES.iter().map(place).collect();
    (0..batch.num_rows()).map(move |row| R::read(batch, &places, row))
}

/// Runs a step of decoding: its panics become errors.
fn contain<T>(step: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(step)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
        Err(anyhow!("the data is damaged: the decoder stopped with `{text}`"))
    })
}

/// Opens a regular file that is not a link. A FIFO that takes its place in between is opened without waiting.
fn open_regular(path: &Path) -> Result<(File, u64)> {
    let named = fs::symlink_metadata(path)?;
    if !named.is_file() {
        bail!("it is not a regular file");
    }
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(target_os = "linux")]
    {
        /// The same on all architectures that the recorder supports.
        const O_NONBLOCK: i32 = 0o4000;
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, O_NONBLOCK);
    }
    let file = options.open(path)?;
    let opened = file.metadata()?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        if (opened.dev(), opened.ino()) != (named.dev(), named.ino()) {
            bail!("it was replaced while it was opened");
        }
    }
    Ok((file, opened.len()))
}

/// The version of the schema that the file was written by.
fn checked_version(metadata: &ArrowReaderMetadata) -> Result<u32> {
    let pairs = metadata.metadata().file_metadata().key_value_metadata();
    let version = pairs.and_then(|pairs| pairs.iter().find(|pair| pair.key == "hashtrail.schema_version"));
    let version = version.and_then(|pair| pair.value.as_deref()).unwrap_or(SCHEMA_VERSION);
    let number: u32 = version.parse().with_context(|| format!("schema version `{version}` is no number"))?;
    if number > SCHEMA_VERSION.parse()? {
        bail!("it has schema version {number}, newer than {SCHEMA_VERSION}: read it with a newer hashtrail");
    }
    Ok(number)
}

fn check_columns<R: Row>(metadata: &ArrowReaderMetadata, version: u32) -> Result<()> {
    for column in R::columns() {
        let name = column.name;
        if version < 2 && ADDED_IN_VERSION_2.contains(&name) && metadata.schema().index_of(name).is_err() {
            continue;
        }
        let field = metadata.schema().field_with_name(name).map_err(|_| anyhow!("column `{name}` is missing"))?;
        if !field.data_type().equals_datatype(&column.data_type) {
            bail!("column `{name}` has type {}, not {}", field.data_type(), column.data_type);
        }
        if field.is_nullable() && !column.nullable {
            bail!("column `{name}` may be null");
        }
    }
    Ok(())
}

#[cfg(test)]
mod attacks;
#[cfg(test)]
mod craft;
#[cfg(test)]
mod tests;
