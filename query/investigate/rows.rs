//! The rows of versions that an answer is made from: read once, noted for what is asked beside them, and sorted by series.

use crate::archives::patterns::PathPatterns;
use crate::archives::{Archives, Scan, Scope};
use crate::caveats::mapped::MappedFiles;
use crate::caveats::undigested::Bounds;
use crate::recordings::Spans;
use crate::recordings::clock::ClockSteps;
use crate::sorter::Sorter;
use crate::versions::series::{self, names_its_file};
use anyhow::Result;
use hashtrail::reader::rows;
use hashtrail::versions::FileVersion;
use several::Several;
use std::ops::ControlFlow;
use std::sync::Arc;

mod several;

/// What is told of the rows that were read.
pub(crate) struct Rows {
    /// In which recordings, and when.
    pub(crate) spans: Spans,
    /// Around the asked time.
    pub(crate) bounds: Bounds,
    /// Of files that were written while they were mapped.
    pub(crate) mapped: MappedFiles,
    /// The patterns that none has yet, with their texts.
    pub(crate) unseen: Vec<(String, PathPatterns)>,
    pub(crate) is_empty: bool,
    pub(crate) sorter: Sorter<FileVersion>,
}

impl Rows {
    /// Reads the rows of a scan that are wanted.
    ///
    /// # Errors
    /// When a scan cannot be made, or the rows cannot be sorted; files that cannot be read are problems.
    pub(crate) fn read(
        archives: &Archives<'_>,
        scope: &Scope,
        patterns: &PathPatterns,
        scan: &Scan,
        is_wanted: fn(&FileVersion) -> bool,
    ) -> Result<Self> {
        let mut found = Self::new(archives, scope, patterns)?;
        found.sort(archives, scan, is_wanted)?;
        Ok(found)
    }

    /// Notes all rows that have the path of their file, and sorts only those of files that can have changed.
    ///
    /// # Errors
    /// As [`Rows::read`].
    pub(crate) fn read_changed(archives: &Archives<'_>, scope: &Scope) -> Result<Self> {
        let mut found = Self::new(archives, scope, &PathPatterns::default())?;
        let mut several = Several::default();
        let scan = Scan { columns: several::COLUMNS.to_vec(), ..Scan::default() };
        archives.scan::<FileVersion>(&scan, |batch| {
            for row in rows::<FileVersion>(batch) {
                match row {
                    Ok(row) => {
                        several.see(&row);
                        found.note(&archives.hosts().named(row), names_its_file);
                    }
                    Err(error) => archives.problems().error(&error),
                }
            }
            Ok(ControlFlow::Continue(()))
        })?;
        let predicates = vec![Arc::new(several).predicate(found.mapped.inodes())];
        found.sort(archives, &Scan { predicates, ..Scan::default() }, names_its_file)?;
        Ok(found)
    }

    fn new(archives: &Archives<'_>, scope: &Scope, patterns: &PathPatterns) -> Result<Self> {
        Ok(Self {
            spans: Spans::default(),
            bounds: Bounds::new(scope, ClockSteps::read_for(archives, scope)?),
            mapped: MappedFiles::look(archives, scope)?,
            unseen: patterns.each().map(|(text, pattern)| (text.to_owned(), pattern)).collect(),
            is_empty: true,
            sorter: series::sorter(),
        })
    }

    fn sort(&mut self, archives: &Archives<'_>, scan: &Scan, is_wanted: fn(&FileVersion) -> bool) -> Result<()> {
        archives.each_row_until(scan, |row: FileVersion| {
            if self.note(&row, is_wanted) {
                self.mapped.see(&row);
                self.unseen.retain(|(_, pattern)| !row.path.as_ref().is_some_and(|path| pattern.matches(path)));
                self.is_empty = false;
                self.sorter.push(row)?;
            }
            Ok(ControlFlow::Continue(()))
        })
    }

    /// Notes what even rows that are read in part tell; says whether this one is wanted.
    fn note(&mut self, row: &FileVersion, is_wanted: fn(&FileVersion) -> bool) -> bool {
        self.spans.see(row);
        let is_wanted = is_wanted(row);
        if is_wanted {
            self.bounds.see(row);
        }
        is_wanted
    }
}
