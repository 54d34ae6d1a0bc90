//! Lists of known files: which recorded digests they have, and which they cannot tell.
//!
//! The distinct digests of the archives are the smaller side: they are held, and each list is asked for them or read past them
//! once. So no list is loaded, whatever its size, and none needs an index. That a file is known says that somebody published its
//! digest, not that it does no harm.

mod bloom;
mod database;
mod form;
mod list;
mod mark;
mod plain;
mod recorded;

use crate::archives::Archives;
use crate::output::{Format, Row};
use anyhow::Result;
use clap::Args;
use list::List;
use mark::{Mark, State};
use recorded::Recorded;
use serde_json::Value;
use std::path::PathBuf;

/// Options of commands that mark known digests.
#[derive(Debug, Default, Args)]
pub(crate) struct KnownOptions {
    /// Mark digests of known files: NSRL's RDSv3 (SQLite), a Bloom filter of hashlookup (SHA-1), or a list as `lookup --ioc`
    /// reads them; repeatable. Known is not harmless
    #[arg(long, value_name = "FILE")]
    pub(crate) known_good: Vec<PathBuf>,
}

/// The words of what lists can say of a digest.
pub(crate) fn states() -> [&'static str; 4] {
    State::ALL.map(State::name)
}

/// What lists say of the recorded digests.
#[derive(Debug, Default)]
pub(crate) struct Known {
    lists: Vec<List>,
    recorded: Recorded,
}

impl Known {
    /// Asks each list for all that the archives recorded.
    ///
    /// # Errors
    /// When a list cannot be read or is damaged; lines of a plain list that cannot be used are problems.
    pub(crate) fn find(options: &KnownOptions, archives: &Archives<'_>) -> Result<Self> {
        if options.known_good.is_empty() {
            return Ok(Self::default());
        }
        let mut recorded = Recorded::read(archives)?;
        let mut lists = Vec::new();
        for path in &options.known_good {
            lists.push(form::ask(path, lists.len(), &mut recorded, archives.problems())?);
        }
        Ok(Self { lists, recorded })
    }

    /// Whether any list was asked.
    pub(crate) fn is_asked(&self) -> bool {
        !self.lists.is_empty()
    }

    /// What table and csv show of it.
    pub(crate) fn columns(&self) -> &'static [&'static str] {
        if self.is_asked() { &["known"] } else { &[] }
    }

    /// A row with an algorithm and a digest, with what the lists say of that: an object, or words for a cell. Where none was
    /// asked, it stays as it is.
    pub(crate) fn marked(&self, mut row: Row, format: Format) -> Row {
        if self.is_asked() {
            let text = |name| row.get(name).and_then(Value::as_str).unwrap_or_default();
            let (algorithm, digest) = (text("algorithm"), text("digest"));
            let mark = Mark::of(&self.lists, algorithm, self.recorded.lists_with(algorithm, digest));
            row.insert("known".into(), if format == Format::Json { mark.to_json() } else { mark.text().into() });
        }
        row
    }

    /// Fields of the summary.
    pub(crate) fn fields(&self) -> Row {
        let lists: Vec<Value> = self.lists.iter().map(|list| list.to_json(&self.recorded)).collect();
        let fields = self.is_asked().then(|| ("known_good".to_owned(), Value::from(lists)));
        fields.into_iter().collect()
    }

    /// What the rows do not show.
    pub(crate) fn notes(&self) -> Vec<String> {
        let mut notes: Vec<String> = self.lists.iter().flat_map(|list| list.notes(&self.recorded)).collect();
        if self.is_asked() {
            notes.push("known means that a list has the digest, not that the file is harmless: lists have tools of attackers too".into());
        }
        notes
    }
}

#[cfg(test)]
mod tests;
