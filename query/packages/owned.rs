//! Which paths packages own, as the package managers of the asked hosts say.

use super::looks::Looks;
use crate::archives::filter::text_test;
use crate::archives::patterns::PathPatterns;
use crate::archives::{Archives, Scan, Scope};
use crate::output::Row;
use crate::recordings::{Recordings, Spans};
use anyhow::Result;
use hashtrail::packages::PackageFile;
use std::collections::HashSet;

/// The paths of the packages that a question names.
#[derive(Debug, Default)]
pub(crate) struct Owned {
    names: Vec<String>,
    paths: HashSet<String>,
    /// Recordings whose databases do not say it, and why.
    unknown: Vec<String>,
}

impl Owned {
    /// Looks for them at each look of the recordings in the time that is asked about.
    ///
    /// # Errors
    /// When a scan cannot be made; files that cannot be read are problems.
    pub(crate) fn find(names: &[String], archives: &Archives<'_>, scope: &Scope) -> Result<Self> {
        if names.is_empty() {
            return Ok(Self::default());
        }
        let recordings = Recordings::load(archives, &Spans::default())?;
        let looks = Looks::read(archives, &recordings)?;
        let asked = recordings.list.iter().zip(&looks).filter(|(recording, _)| recording.is_asked(scope));
        let unknown = asked.filter_map(|(recording, looks)| Some((recording.in_words(), looks.lacks()?)));
        let redacted = archives.list.iter().filter(|archive| archive.lacks_paths());
        let redacted =
            redacted.map(|archive| format!("{}: paths were taken out of it", archive.archive.root().display()));
        let unknown = unknown.map(|(recording, why)| format!("{recording}: {why}")).chain(redacted).collect();
        let mut paths = HashSet::new();
        let wanted = names.to_vec();
        let of_names = text_test("package", move |package| wanted.iter().any(|name| name == package));
        let columns = vec!["recording_id", "package", "real_path", "status"];
        archives.each_row(&Scan { columns, predicates: vec![of_names], ..Scan::default() }, |row: PackageFile| {
            if row.is_owned() {
                paths.extend(row.real_path);
            }
        })?;
        Ok(Self { names: names.to_vec(), paths, unknown })
    }

    /// With those of another side.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.paths.extend(other.paths);
        self.unknown.extend(other.unknown);
        self
    }

    /// Patterns that match no other paths, where packages were asked for.
    pub(crate) fn narrow(&self, patterns: PathPatterns) -> PathPatterns {
        if self.names.is_empty() { patterns } else { patterns.within(self.paths.clone()) }
    }

    /// Whether all databases said it.
    pub(crate) fn is_whole(&self) -> bool {
        self.unknown.is_empty()
    }

    /// Fields of the summary, where packages were asked for.
    pub(crate) fn fields(&self) -> Row {
        let fields = [("package_paths", self.paths.len().into()), ("packages_unknown", self.unknown.clone().into())];
        let fields = fields.into_iter().filter(|_| !self.names.is_empty());
        fields.map(|(name, value): (&str, serde_json::Value)| (name.to_owned(), value)).collect()
    }

    /// The same for people.
    pub(crate) fn notes(&self) -> Vec<String> {
        let names = self.names.join(", ");
        let none = (!self.names.is_empty() && self.paths.is_empty())
            .then(|| format!("no package database here gives a path to {names}"));
        let unknown = self.unknown.iter();
        let unknown = unknown.map(|why| format!("not complete: which paths {names} owns is not known of {why}"));
        none.into_iter().chain(unknown).collect()
    }
}
