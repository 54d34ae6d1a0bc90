//! The archives of one query, read as one.

pub(crate) mod act_filter;
pub(crate) mod copy;
pub(crate) mod filter;
pub(crate) mod hosts;
mod open;
pub(crate) mod patterns;
mod places;
mod scan;
mod scope;
pub(crate) mod text_filter;
mod twins;
pub(crate) mod user_digests;
mod whole_digests;
mod with_digest;

pub(crate) use open::OpenArchive;
pub(crate) use scan::Scan;
pub(crate) use scope::Scope;
pub(crate) use whole_digests::whole_digests;
pub(crate) use with_digest::user_digests_among;

use crate::output::problems::{Problems, note};
use anyhow::{Context, Result, anyhow, bail};
use arrow::array::RecordBatch;
use hashtrail::archive::host_label;
use hashtrail::columns::Row;
use hashtrail::event::Event;
use hashtrail::reader::{SealedPath, SealedTable, rows};
use hosts::{Hosted, Hosts};
use open::{LACKS, is_archive};
use places::Places;
use scan::{SealedFile, each_batch};
use scope::is_date;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs;
use std::io::ErrorKind;
use std::ops::ControlFlow;
use std::path::PathBuf;

/// All archives of a query.
pub(crate) struct Archives<'a> {
    pub(crate) list: Vec<OpenArchive>,
    /// Names of hosts that were asked for.
    asked: Vec<String>,
    hosts: Hosts,
    problems: &'a Problems,
}

impl<'a> Archives<'a> {
    /// Opens those of a question.
    pub(crate) fn open(scope: &Scope, problems: &'a Problems) -> Result<Self> {
        let mut list = Vec::new();
        let mut seen = HashSet::new();
        for path in archive_paths(&scope.archive, problems)? {
            // The same archive by two names would count everything twice.
            if fs::canonicalize(&path).map_or(true, |canonical| seen.insert(canonical)) {
                list.push(OpenArchive::open(&path, problems)?);
            }
        }
        twins::check_redacted(&list)?;
        twins::double_across(&mut list).iter().for_each(|error| problems.error(error));
        let asked = scope.host.iter().map(|host| host_label(host)).collect();
        let hosts = Hosts::of(&list);
        hosts.notes().for_each(|text| note(&text));
        list.iter().flat_map(OpenArchive::notes).for_each(|text| note(&text));
        let archives = Self { list, asked, hosts, problems };
        archives.name_unknown_hosts();
        Ok(archives)
    }

    /// A host that was asked for and that no archive has is a problem: that nothing of it is found says nothing.
    fn name_unknown_hosts(&self) {
        let started = self.list.iter().flat_map(OpenArchive::starts).filter_map(|line| line.text("host"));
        let mut known: BTreeSet<String> = started.map(|host| host_label(&host)).collect();
        for archive in &self.list {
            known.extend(archive.found.files(Event::TABLE).iter().map(|file| file.host.clone()));
        }
        for host in self.asked.iter().filter(|host| !known.contains(*host)) {
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            self.problems.error(&anyhow!("no archive here has the host `{host}`; they have {}", known.join(", ")));
        }
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
            let files = self.files::<R>(archive, scan.dates.as_ref()).into_iter();
            let files = files.map(|file| SealedFile { stated_rows: archive.stated_rows(&file), path: file.path });
            if each_batch::<R>(&files.collect::<Vec<_>>(), scan, self.problems, &mut each)?.is_break() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Hands each row of a table to `each`. Rows that cannot be read are a problem.
    pub(crate) fn each_row<R: Row + Hosted>(&self, scan: &Scan, mut each: impl FnMut(R)) -> Result<()> {
        self.each_row_until(scan, |row| {
            each(row);
            Ok(ControlFlow::Continue(()))
        })
    }

    /// As `each_row`, until `each` wants no more.
    pub(crate) fn each_row_until<R: Row + Hosted>(
        &self,
        scan: &Scan,
        mut each: impl FnMut(R) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        self.scan::<R>(scan, |batch| {
            for row in rows::<R>(batch) {
                match row {
                    Ok(row) => {
                        if each(self.hosts.named(row))?.is_break() {
                            return Ok(ControlFlow::Break(()));
                        }
                    }
                    Err(error) => self.problems.error(&error),
                }
            }
            Ok(ControlFlow::Continue(()))
        })
    }

    /// The sealed files of a table in one archive, for each host in the order in which they were sealed.
    pub(crate) fn files<R: Row>(&self, archive: &OpenArchive, dates: Option<&(String, String)>) -> Vec<SealedPath> {
        let is_asked = |file: &&SealedPath| {
            let date = file.date.as_str();
            (self.asked.is_empty() || self.asked.contains(&file.host))
                && dates.is_none_or(|(first, last)| !is_date(date) || (first.as_str()..=last.as_str()).contains(&date))
        };
        let mut files: Vec<SealedPath> = archive.found.files(R::TABLE).iter().filter(is_asked).cloned().collect();
        files.retain(|file| !archive.doubled.contains(archive.relative(file)));
        let place = |file: &SealedPath| archive.standing.place(archive.relative(file)).unwrap_or(usize::MAX);
        files.sort_by_cached_key(|file| (file.host.clone(), place(file), file.path.clone()));
        files
    }

    /// Which machines the host names mean.
    pub(crate) fn hosts(&self) -> &Hosts {
        &self.hosts
    }

    /// Numbers of events by the start of the recording's id. Copies of an archive hold the same ones: the one with the most is
    /// the most whole.
    pub(crate) fn event_rows(&self) -> HashMap<String, u64> {
        let mut most: HashMap<String, u64> = HashMap::new();
        for archive in &self.list {
            let mut rows: HashMap<String, u64> = HashMap::new();
            for file in self.files::<Event>(archive, None) {
                let name = file.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
                // What cannot be read is named where it is read.
                let open = || SealedTable::<Event>::open(&file.path).map_or(0, |table| table.rows());
                *rows.entry(copy::recording_of(&name).to_owned()).or_default() +=
                    archive.stated_rows(&file).unwrap_or_else(open);
            }
            for (recording, rows) in rows {
                let most = most.entry(recording).or_default();
                *most = rows.max(*most);
            }
        }
        most
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

/// The directories that paths and globs name. What a glob finds and is no archive is passed over with a note; what cannot be
/// read is a problem.
pub(crate) fn archive_paths(arguments: &[PathBuf], problems: &Problems) -> Result<Vec<PathBuf>> {
    if arguments.is_empty() {
        if fs::metadata("manifest.jsonl").is_ok() {
            return Ok(vec![PathBuf::from(".")]);
        }
        bail!("which archive? Name it with --archive DIR, or change into its directory");
    }
    let mut paths = Vec::new();
    for argument in arguments {
        let name = argument.display();
        match fs::symlink_metadata(argument) {
            Ok(_) => {
                paths.push(argument.clone());
                continue;
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error).with_context(|| format!("cannot look at `{name}`")),
        }
        let places = Places::find(argument.to_str().with_context(|| format!("archive `{name}` does not exist"))?)?;
        if places.paths.is_empty() && places.errors.is_empty() {
            bail!("archive `{name}` does not exist");
        }
        places.errors.iter().for_each(|error| problems.error(error));
        for path in places.paths {
            match is_archive(&path) {
                Ok(true) => paths.push(path),
                Ok(false) => note(&format!("skipped: `{}` is no archive: {LACKS}", path.display())),
                Err(error) => problems.error(&error),
            }
        }
    }
    if paths.is_empty() {
        bail!("there is no archive to read");
    }
    Ok(paths)
}
