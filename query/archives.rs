//! The archives of one query, read as one.

use crate::cli::SharedOptions;
use crate::problems::{Problems, note};
use anyhow::{Context, Result, anyhow, bail};
use arrow::array::RecordBatch;
use hashtrail::archive::{Archive, host_label};
use hashtrail::columns::Row;
use hashtrail::manifest;
use hashtrail::reader::{Predicate, Prune, SealedPath, SealedTable, discover, rows};
use serde_json::{Map, Value};
use std::collections::{HashMap, HashSet};
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// What is read of a table.
#[derive(Clone, Default)]
pub(crate) struct Scan {
    /// Which row groups.
    pub(crate) prune: Prune,
    /// First and last date of the partitions.
    pub(crate) dates: Option<(String, String)>,
    /// Which columns; none means all.
    pub(crate) columns: Vec<&'static str>,
    /// Which rows.
    pub(crate) predicate: Option<Predicate>,
}

/// One archive with the lines of its manifest.
pub(crate) struct OpenArchive {
    pub(crate) archive: Archive,
    pub(crate) manifest: Vec<Map<String, Value>>,
    /// Line of each sealed file: the order in which they were sealed.
    places: HashMap<PathBuf, usize>,
}

/// All archives of a query.
pub(crate) struct Archives<'a> {
    pub(crate) list: Vec<OpenArchive>,
    hosts: Vec<String>,
    problems: &'a Problems,
}

impl<'a> Archives<'a> {
    /// Opens what `--archive` names.
    pub(crate) fn open(options: &SharedOptions, problems: &'a Problems) -> Result<Self> {
        let mut list = Vec::new();
        let mut seen = HashSet::new();
        for path in archive_paths(&options.archive)? {
            // The same archive by two names would count everything twice.
            if fs::canonicalize(&path).map_or(true, |canonical| seen.insert(canonical)) {
                list.push(OpenArchive::open(&path, problems)?);
            }
        }
        let hosts = options.host.iter().map(|host| host_label(host)).collect();
        Ok(Self { list, hosts, problems })
    }

    pub(crate) fn problems(&self) -> &'a Problems {
        self.problems
    }

    /// Hands each batch of a table to `each` until that wants no more. A file that cannot be read is a problem, and
    /// the scan goes on with the next; only an error of `each` ends it.
    pub(crate) fn scan<R: Row>(
        &self,
        scan: &Scan,
        mut each: impl FnMut(&RecordBatch) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        for archive in &self.list {
            for file in self.files::<R>(archive, scan.dates.as_ref()) {
                if self.scan_file::<R>(&file.path, scan, &mut each)?.is_break() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn scan_file<R: Row>(
        &self,
        path: &Path,
        scan: &Scan,
        each: &mut impl FnMut(&RecordBatch) -> Result<ControlFlow<()>>,
    ) -> Result<ControlFlow<()>> {
        let open = || SealedTable::<R>::open(path)?.batches(&scan.prune, &scan.columns, scan.predicate.as_ref());
        let batches = match open() {
            Ok(batches) => batches,
            Err(error) => {
                self.problems.error(&error);
                return Ok(ControlFlow::Continue(()));
            }
        };
        for batch in batches {
            match batch {
                Ok(batch) if each(&batch)?.is_break() => return Ok(ControlFlow::Break(())),
                Ok(_) => {}
                Err(error) => self.problems.error(&error),
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Hands each row of a table to `each`. Rows that cannot be read are a problem.
    pub(crate) fn each_row<R: Row>(&self, scan: &Scan, mut each: impl FnMut(R)) -> Result<()> {
        self.scan::<R>(scan, |batch| {
            for row in rows::<R>(batch) {
                match row {
                    Ok(row) => each(row),
                    Err(error) => self.problems.error(&error),
                }
            }
            Ok(ControlFlow::Continue(()))
        })
    }

    /// All rows that a scan finds.
    pub(crate) fn rows<R: Row>(&self, scan: &Scan) -> Result<Vec<R>> {
        let mut found = Vec::new();
        self.each_row(scan, |row| found.push(row))?;
        Ok(found)
    }

    /// The sealed files of a table in one archive, for each host in the order in which they were sealed.
    pub(crate) fn files<R: Row>(&self, archive: &OpenArchive, dates: Option<&(String, String)>) -> Vec<SealedPath> {
        let (mut files, errors) = discover::<R>(&archive.archive, |host, date| {
            (self.hosts.is_empty() || self.hosts.iter().any(|wanted| wanted == host))
                && dates.is_none_or(|(first, last)| (first.as_str()..=last.as_str()).contains(&date))
        });
        errors.iter().for_each(|error| self.problems.error(error));
        let place = |file: &SealedPath| {
            let relative = file.path.strip_prefix(archive.archive.root()).unwrap_or(&file.path);
            archive.places.get(relative).copied().unwrap_or(usize::MAX)
        };
        files.sort_by_cached_key(|file| (file.host.clone(), place(file), file.path.clone()));
        files
    }

    /// Number of journal segments in all archives.
    pub(crate) fn unsealed(&self) -> usize {
        self.list.iter().map(OpenArchive::unsealed).sum()
    }

    /// Says on stderr what the answer cannot know of.
    pub(crate) fn note_unsealed(&self) {
        for archive in &self.list {
            let segments = archive.unsealed();
            if segments > 0 {
                let name = archive.archive.root().display();
                note(&format!("`{name}` has {segments} journal segment(s) that are not sealed yet and not read here"));
            }
        }
    }
}

impl OpenArchive {
    fn open(path: &Path, problems: &Problems) -> Result<Self> {
        let archive = Archive::open(path)?;
        let tables = ["events", "files", "ledger"];
        let manifest_path = archive.manifest();
        let has_manifest = fs::symlink_metadata(&manifest_path).is_ok_and(|metadata| metadata.is_file());
        if !has_manifest && !tables.iter().any(|table| path.join(table).is_dir()) {
            bail!("`{}` is no archive: it has no manifest.jsonl and no folder events, files or ledger", path.display());
        }
        let bytes = if has_manifest { manifest::read(&manifest_path) } else { Ok(Vec::new()) };
        let parsed = manifest::parse(&bytes.unwrap_or_else(|error| {
            problems.error(&error);
            Vec::new()
        }));
        for damage in &parsed.damages {
            problems.error(&anyhow!("`{}` is damaged: {damage}", manifest_path.display()));
        }
        let manifest: Vec<_> = parsed.lines.into_iter().map(|line| line.fields).collect();
        let place = |(line, fields): (usize, &Map<String, Value>)| Some((fields.get("path")?.as_str()?.into(), line));
        let places = manifest.iter().enumerate().filter_map(place).collect();
        Ok(Self { archive, manifest, places })
    }

    /// Number of journal segments.
    pub(crate) fn unsealed(&self) -> usize {
        self.segments().count()
    }

    /// Whether a recording has journal segments; their names begin with the first 8 characters of its id.
    pub(crate) fn has_unsealed(&self, recording_id: &str) -> bool {
        let begin = recording_id.get(..8).unwrap_or(recording_id);
        self.segments().any(|name| name.split('-').next() == Some(begin))
    }

    /// Names of the journal segments.
    fn segments(&self) -> impl Iterator<Item = String> {
        let entries = fs::read_dir(self.archive.journal()).into_iter().flatten().flatten();
        let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        names.filter(|name| name.ends_with(".journal"))
    }
}

/// The directories that paths and globs name.
pub(crate) fn archive_paths(arguments: &[PathBuf]) -> Result<Vec<PathBuf>> {
    if arguments.is_empty() {
        if Path::new("manifest.jsonl").is_file() {
            return Ok(vec![PathBuf::from(".")]);
        }
        bail!("which archive? Name it with --archive DIR, or change into its directory");
    }
    let mut paths = Vec::new();
    for argument in arguments {
        if argument.exists() {
            paths.push(argument.clone());
            continue;
        }
        let name = argument.display();
        let pattern = argument.to_str().with_context(|| format!("archive `{name}` does not exist"))?;
        let matches = glob::glob(pattern).with_context(|| format!("`{name}` is no path and no glob"))?;
        let matched: Vec<PathBuf> = matches.flatten().filter(|path| path.is_dir()).collect();
        if matched.is_empty() {
            bail!("archive `{name}` does not exist");
        }
        paths.extend(matched);
    }
    Ok(paths)
}
