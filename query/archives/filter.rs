//! What users ask for, as tests on rows.

use super::act_filter::ActFilter;
use super::patterns::PathPatterns;
use super::user_digests::{UserDigests, keys};
use anyhow::{Context, Result};
use arrow::array::{AsArray, BooleanArray, RecordBatch};
use arrow::datatypes::{DataType, Int32Type, Int64Type, TimestampMicrosecondType};
use hashtrail::cell::Micros;
use hashtrail::reader::{Need, Predicate};
use std::collections::HashSet;
use std::sync::Arc;

impl PathPatterns {
    /// The test on rows; none where all rows pass.
    pub(crate) fn predicates(&self) -> Vec<Predicate> {
        let filter = RowFilter { paths: self.clone(), ..RowFilter::default() };
        filter.predicates()
    }
}

/// Tests on single columns; all must pass. Works on every table that has the columns.
#[derive(Debug, Clone, Default)]
pub(crate) struct RowFilter {
    pub(crate) since: Option<Micros>,
    pub(crate) until: Option<Micros>,
    pub(crate) paths: PathPatterns,
    pub(crate) acts: ActFilter,
    /// Device and inode, of the file itself or of the one beneath it.
    pub(crate) inode: Option<(String, i64)>,
    pub(crate) digests: HashSet<String>,
    /// Events that have one of the digests by another row.
    pub(crate) user_digests: Arc<UserDigests>,
}

impl RowFilter {
    /// The test for the reader; none where all rows pass.
    pub(crate) fn predicates(self) -> Vec<Predicate> {
        let acts = &self.acts;
        let used = [
            ("time", self.since.is_some() || self.until.is_some()),
            ("hook", !acts.hooks.is_empty()),
            ("path", !self.paths.is_empty()),
            ("pid", !acts.pids.is_empty()),
            ("process_start_ns", !acts.process_starts.is_empty()),
            ("uid", !acts.uids.is_empty()),
            ("dev", self.inode.is_some()),
            ("ino", self.inode.is_some()),
            ("real_dev", self.inode.is_some()),
            ("real_ino", self.inode.is_some()),
            ("digest", !self.digests.is_empty()),
            ("recording_id", !self.user_digests.is_empty()),
            ("cpu", !self.user_digests.is_empty()),
            ("seq", !self.user_digests.is_empty()),
        ];
        let texts = acts.texts.iter().map(|text| text.column);
        let columns: Vec<&'static str> =
            used.iter().filter(|(_, used)| *used).map(|(name, _)| *name).chain(texts).collect();
        if columns.is_empty() {
            return Vec::new();
        }
        let needs = self.needs();
        vec![Predicate::new(columns, move |batch| self.keep(batch)).needing(needs)]
    }

    /// What each row that passes has.
    fn needs(&self) -> Vec<Need> {
        let (hooks, paths) = (self.acts.hooks.clone(), self.paths.clone());
        let hook =
            (!hooks.is_empty()).then(|| Need::text("hook", move |hook| hooks.iter().any(|wanted| wanted == hook)));
        let path = (!paths.is_empty()).then(|| Need::text("path", move |path| paths.matches(path)));
        let texts =
            self.acts.texts.iter().cloned().map(|wanted| Need::text(wanted.column, move |text| wanted.matches(text)));
        hook.into_iter().chain(path).chain(texts).collect()
    }

    fn keep(&self, batch: &RecordBatch) -> Result<BooleanArray> {
        let mut kept = vec![true; batch.num_rows()];
        if self.since.is_some() || self.until.is_some() {
            let in_time =
                |time| self.since.is_none_or(|since| since.0 <= time) && self.until.is_none_or(|until| time < until.0);
            narrow_numbers(batch, "time", &mut kept, in_time)?;
        }
        narrow_acts(batch, &self.acts, &mut kept)?;
        if let Some((dev, ino)) = &self.inode {
            let mut beneath = kept.clone();
            narrow_numbers(batch, "ino", &mut kept, |number| number == *ino)?;
            narrow_texts(batch, "dev", &mut kept, |text| text == dev)?;
            // Files of version 1 do not say what lies beneath.
            if batch.column_by_name("real_ino").is_some() {
                narrow_numbers(batch, "real_ino", &mut beneath, |number| number == *ino)?;
                narrow_texts(batch, "real_dev", &mut beneath, |text| text == dev)?;
                kept.iter_mut().zip(beneath).for_each(|(kept, beneath)| *kept |= beneath);
            }
        }
        if !self.digests.is_empty() {
            let mut own = kept.clone();
            narrow_texts(batch, "digest", &mut own, |digest| self.digests.contains(digest))?;
            if self.user_digests.is_empty() {
                kept = own;
            } else {
                let answered = keys(batch)?.into_iter().map(|key| self.user_digests.has(&key));
                kept.iter_mut().zip(own.into_iter().zip(answered)).for_each(|(kept, (own, answered))| {
                    *kept = own || (*kept && answered);
                });
            }
        }
        if !self.paths.is_empty() {
            narrow_texts(batch, "path", &mut kept, |path| self.paths.matches(path))?;
        }
        Ok(BooleanArray::from(kept))
    }
}

/// Drops the rows of other acts.
fn narrow_acts(batch: &RecordBatch, acts: &ActFilter, kept: &mut [bool]) -> Result<()> {
    let ActFilter { hooks, pids, process_starts, uids, texts } = acts;
    for (column, numbers) in [("pid", pids), ("process_start_ns", process_starts), ("uid", uids)] {
        if !numbers.is_empty() {
            narrow_numbers(batch, column, kept, |number| numbers.contains(&number))?;
        }
    }
    if !hooks.is_empty() {
        narrow_texts(batch, "hook", kept, |hook| hooks.iter().any(|wanted| wanted == hook))?;
    }
    texts.iter().try_for_each(|wanted| narrow_texts(batch, wanted.column, kept, |text| wanted.matches(text)))
}

/// The test on the texts of one column; a null fails it.
pub(crate) fn text_test(column: &'static str, test: impl Fn(&str) -> bool + Send + Sync + 'static) -> Predicate {
    Predicate::new(vec![column], move |batch| {
        let mut kept = vec![true; batch.num_rows()];
        narrow_texts(batch, column, &mut kept, &test)?;
        Ok(BooleanArray::from(kept))
    })
}

/// Drops the rows whose text fails the test or is null.
fn narrow_texts(batch: &RecordBatch, name: &str, kept: &mut [bool], test: impl Fn(&str) -> bool) -> Result<()> {
    let column = batch.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
    let column = column.with_context(|| format!("column `{name}` is no text"))?;
    for (kept, value) in kept.iter_mut().zip(column) {
        *kept = *kept && value.is_some_and(&test);
    }
    Ok(())
}

/// Drops the rows whose number or time fails the test or is null.
fn narrow_numbers(batch: &RecordBatch, name: &str, kept: &mut [bool], test: impl Fn(i64) -> bool) -> Result<()> {
    let column = batch.column_by_name(name).with_context(|| format!("column `{name}` is missing"))?;
    let wrong_type = || format!("column `{name}` is no number");
    let mut narrow = |values: &mut dyn Iterator<Item = Option<i64>>| {
        for (kept, value) in kept.iter_mut().zip(values) {
            *kept = *kept && value.is_some_and(&test);
        }
    };
    match column.data_type() {
        DataType::Int32 => {
            let values = column.as_primitive_opt::<Int32Type>().with_context(wrong_type)?;
            narrow(&mut values.iter().map(|value| value.map(i64::from)));
        }
        DataType::Int64 => narrow(&mut column.as_primitive_opt::<Int64Type>().with_context(wrong_type)?.iter()),
        _ => narrow(&mut column.as_primitive_opt::<TimestampMicrosecondType>().with_context(wrong_type)?.iter()),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use hashtrail::event::Event;

    #[test]
    fn every_filter_narrows() -> Result<()> {
        let event = |pid: i32, path: Option<&str>| Event {
            pid,
            path: path.map(str::to_owned),
            hook: "h".into(),
            ..Event::default()
        };
        let batch = crate::testing::batch(&[event(1, Some("/a")), event(2, Some("/a")), event(1, None)])?;
        let filter = RowFilter {
            paths: PathPatterns::new(&["/a".to_owned()])?,
            acts: ActFilter { pids: vec![1], hooks: vec!["h".into()], ..ActFilter::default() },
            until: Some(Micros(1)),
            ..RowFilter::default()
        };
        assert_eq!(filter.keep(&batch)?, BooleanArray::from(vec![true, false, false]));
        assert!(RowFilter::default().predicates().is_empty());
        Ok(())
    }
}
