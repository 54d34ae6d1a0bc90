//! Texts as the file has them: each row's place in a dictionary. Most rows are not wanted, and what tells that says the same of
//! every row with the same text; only the texts of rows that are handed on are written out.

use anyhow::{Context, Result, ensure};
use arrow::array::{Array, AsArray, DictionaryArray, Int32Array, RecordBatch, StringArray};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, Int32Type, Schema};
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use std::sync::Arc;

/// So many are made room for in every batch, however few rows it has.
const FEW_TEXTS: usize = 4096;

/// The same footer, with the texts of columns as dictionaries.
pub(super) fn coded(metadata: &ArrowReaderMetadata) -> Result<ArrowReaderMetadata> {
    let coded = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let code = |field: &Arc<Field>| match field.data_type() {
        DataType::Utf8 => Arc::new(field.as_ref().clone().with_data_type(coded.clone())),
        _ => Arc::clone(field),
    };
    let fields: Vec<Arc<Field>> = metadata.schema().fields().iter().map(code).collect();
    let schema = Schema::new_with_metadata(fields, metadata.schema().metadata().clone());
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true).with_schema(Arc::new(schema));
    Ok(ArrowReaderMetadata::try_new(Arc::clone(metadata.metadata()), options)?)
}

fn codes_of(column: &dyn Array) -> Option<&DictionaryArray<Int32Type>> {
    column.as_dictionary_opt::<Int32Type>()
}

/// Memory of a batch without its dictionaries, which all batches of a row group share. The decoder does not check codes of an
/// empty dictionary.
pub(super) fn check(batch: &RecordBatch) -> Result<usize> {
    let bytes = |column: &Arc<dyn Array>| {
        let Some(codes) = codes_of(column) else { return Ok(column.get_array_memory_size()) };
        ensure!(
            !codes.values().is_empty() || codes.keys().null_count() == codes.len(),
            "the data is damaged: texts of an empty dictionary"
        );
        Ok(codes.keys().get_array_memory_size())
    };
    batch.columns().iter().map(bytes).sum()
}

/// The batch with its texts written out.
pub(super) fn write_out(batch: &RecordBatch) -> Result<RecordBatch> {
    if batch.columns().iter().all(|column| codes_of(column).is_none()) {
        return Ok(batch.clone());
    }
    let (mut fields, mut columns) = (Vec::new(), Vec::new());
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        let written = codes_of(column).map(|codes| take(codes.values(), codes.keys(), None)).transpose()?;
        fields.push(match written {
            Some(_) => Arc::new(field.as_ref().clone().with_data_type(DataType::Utf8)),
            None => Arc::clone(field),
        });
        columns.push(written.unwrap_or_else(|| Arc::clone(column)));
    }
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?)
}

/// The texts of a column, and what is said of them: once of each text of a dictionary, however many rows have it.
pub struct Judged<'a, T> {
    texts: &'a StringArray,
    /// Place of each row's text; without it, each row has its own.
    codes: Option<&'a Int32Array>,
    /// By code; empty where there are many more texts than rows.
    judged: Vec<Option<T>>,
}

impl<'a, T: Copy> Judged<'a, T> {
    /// # Errors
    /// When the batch has no such column, or it has no texts.
    pub fn of(batch: &'a RecordBatch, name: &str) -> Result<Self> {
        let column = batch.column_by_name(name).with_context(|| format!("column `{name}` is missing"))?;
        let codes = codes_of(column);
        let texts = codes.map_or(column, |codes| codes.values());
        let texts = texts.as_string_opt().with_context(|| format!("`{name}` is no text"))?;
        let most = batch.num_rows().saturating_mul(2).max(FEW_TEXTS);
        let judged = codes.map_or(0, |codes| codes.values().len());
        let judged = vec![None; if judged <= most { judged } else { 0 }];
        Ok(Self { texts, codes: codes.map(DictionaryArray::keys), judged })
    }

    /// Whether all rows are known to have the same text.
    #[must_use]
    pub fn are_alike(&self) -> bool {
        self.codes.is_some_and(|codes| {
            codes.null_count() == 0
                && codes.values().first().is_some_and(|first| codes.values().iter().all(|code| code == first))
        })
    }

    /// What `judge` says of a row's text; `None` where there is none.
    pub fn of_row(&mut self, row: usize, judge: impl FnOnce(&'a str) -> T) -> Option<T> {
        let Some(codes) = self.codes else {
            return self.texts.is_valid(row).then(|| judge(self.texts.value(row)));
        };
        let code = codes.is_valid(row).then(|| usize::try_from(codes.value(row)).ok())??;
        let texts = self.texts;
        Some(match self.judged.get_mut(code) {
            Some(judged) => *judged.get_or_insert_with(|| judge(texts.value(code))),
            None => judge(texts.value(code)),
        })
    }
}
