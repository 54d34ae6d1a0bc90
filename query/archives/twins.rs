//! Archives that hold the same files, such as copies of one: each is read once. A file that was merged into another one is the same
//! there as where it still stands by itself.

use super::open::OpenArchive;
use crate::output::problems::note;
use anyhow::{Context, Error, Result, anyhow, bail};
use hashtrail::manifest::SealedFile;
use hashtrail::row_digest::RowSet;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::Path;

/// A file as a segment was sealed to it: path, digest, size and rows.
type Origin<'a> = (&'a Path, &'a str, u64, u64);

/// A file that stands in an archive, with those that it was made of.
struct Held<'a> {
    archive: usize,
    file: &'a SealedFile,
    origins: HashSet<Origin<'a>>,
}

/// What is read, and what is not because that holds it too.
#[derive(Default)]
struct Reading<'a> {
    holders: HashMap<Origin<'a>, usize>,
    doubled: BTreeMap<usize, usize>,
    problems: Vec<Error>,
}

/// A redacted archive has the rows of its parent with something taken out: beside that, or another that was made of it, each event
/// would count twice.
///
/// # Errors
/// Which archives have the same recording.
pub(crate) fn check_redacted(archives: &[OpenArchive]) -> Result<()> {
    let mut holders: HashMap<String, &OpenArchive> = HashMap::new();
    for archive in archives {
        let is_redacted = |archive: &OpenArchive| archive.starts().any(|line| line.field("redacted").is_some());
        for id in archive.starts().filter_map(|line| line.text("recording_id")) {
            let Some(other) = holders.insert(id, archive).filter(|other| !std::ptr::eq(*other, archive)) else {
                continue;
            };
            if is_redacted(archive) != is_redacted(other) || is_redacted(archive) && !is_copy(archive, other) {
                let names = [other, archive].map(|archive| archive.archive.root().display().to_string());
                bail!(
                    "`{}` and `{}` are one archive, of which something was taken out: ask one of them",
                    names[0],
                    names[1]
                );
            }
        }
    }
    Ok(())
}

/// Whether both have the same lines as far as the shorter one goes.
fn is_copy(one: &OpenArchive, other: &OpenArchive) -> bool {
    one.starts().zip(other.starts()).all(|(one, other)| one.digest == other.digest)
}

/// Marks what another archive holds too as doubled, and says so. What stands as it was sealed is read, from the first archive
/// that has it; a merged file where not all of what it was made of stands elsewhere. Gives what cannot be told apart.
pub(crate) fn double_across(archives: &mut [OpenArchive]) -> Vec<Error> {
    let all = held(archives);
    let mut reading = Reading::default();
    let (merged, sealed): (Vec<usize>, Vec<usize>) = (0..all.len()).partition(|number| all[*number].is_merged());
    for number in sealed.into_iter().chain(merged) {
        reading.take(archives, &all, number);
    }
    let name = |held: usize| archives[all[held].archive].archive.root().display().to_string();
    let twins: BTreeSet<_> = reading.doubled.iter().map(|(held, other)| (name(*held), name(*other))).collect();
    for (name, twin) in twins {
        note(&format!("`{name}` holds files that `{twin}` holds too: they are read once"));
    }
    let doubled = reading.doubled.keys().map(|held| (all[*held].archive, all[*held].file.path.clone()));
    let (doubled, problems) = (doubled.collect::<Vec<_>>(), reading.problems);
    for (archive, path) in doubled {
        archives[archive].doubled.insert(path);
    }
    problems
}

impl<'a> Reading<'a> {
    /// Reads a file, or what holds its rows. Lines alone, which may be anybody's, hide no file behind a merged one: that must
    /// have its rows.
    fn take(&mut self, archives: &[OpenArchive], all: &[Held<'a>], number: usize) {
        let held = &all[number];
        let others: BTreeSet<usize> =
            held.origins.iter().filter_map(|origin| self.holders.get(origin).copied()).collect();
        let is_known = held.origins.iter().all(|origin| self.holders.contains_key(origin));
        let mut rows = Rows::default();
        let (mut displaced, mut problems) = (BTreeSet::new(), Vec::new());
        for other in others.iter().copied() {
            // Either what was there before is as good as this one, or this one has more.
            let (kept, left) = if is_known { (other, number) } else { (number, other) };
            match rows.of_hold(archives, (kept, &all[kept]), &all[left]) {
                Ok(true) => _ = displaced.insert(left),
                Ok(false) => problems.push(shared(archives, held, &all[other])),
                Err(error) => problems.push(error.context(shared(archives, held, &all[other]).to_string())),
            }
        }
        if is_known && problems.is_empty() {
            self.doubled.extend(others.iter().map(|other| (number, *other)));
            return;
        }
        self.problems.extend(problems);
        displaced.remove(&number);
        self.doubled.extend(displaced.iter().map(|other| (*other, number)));
        for origin in &held.origins {
            let holder = self.holders.entry(*origin).or_insert(number);
            if displaced.contains(holder) {
                *holder = number;
            }
        }
    }
}

/// The rows of the merged file that was asked for last: it is mostly the same.
#[derive(Default)]
struct Rows {
    of: Option<(usize, RowSet)>,
}

impl Rows {
    /// Whether a file makes another one needless: as its lines say where it stands as it was sealed; a merged one that is not
    /// the same file must have the rows.
    fn of_hold(&mut self, archives: &[OpenArchive], holder: (usize, &Held<'_>), other: &Held<'_>) -> Result<bool> {
        let (number, merged) = holder;
        if !merged.is_merged() || merged.file.content == other.file.content {
            return Ok(true);
        }
        if !other.origins.is_subset(&merged.origins) {
            return Ok(false);
        }
        let path = |held: &Held<'_>| archives[held.archive].archive.root().join(&held.file.path);
        if self.of.as_ref().is_none_or(|(of, _)| *of != number) {
            self.of = Some((number, RowSet::of_file(merged.file.table(), &path(merged), merged.file.rows)?));
        }
        let rows = self.of.as_mut().map(|(_, rows)| rows).context("its rows were read")?;
        rows.take_file(other.file.table(), &path(other), other.file.rows)
    }
}

fn shared(archives: &[OpenArchive], left: &Held<'_>, right: &Held<'_>) -> Error {
    let name = |held: &Held<'_>| archives[held.archive].archive.root().join(&held.file.path).display().to_string();
    anyhow!("`{}` and `{}` share some of their rows by their lines, and both are read", name(left), name(right))
}

impl Held<'_> {
    fn is_merged(&self) -> bool {
        self.origins.iter().all(|(path, ..)| *path != self.file.path)
    }
}

/// All files that stand, in the order of the archives.
fn held(archives: &[OpenArchive]) -> Vec<Held<'_>> {
    let mut all = Vec::new();
    for (archive, opened) in archives.iter().enumerate() {
        let mut files: BTreeMap<&Path, HashSet<Origin<'_>>> = BTreeMap::new();
        for (file, holder) in opened.standing.origins().filter(|(_, holder)| opened.present.contains(*holder)) {
            let origin = (file.path.as_path(), file.content.sha256.as_str(), file.content.size_bytes, file.rows);
            files.entry(holder).or_default().insert(origin);
        }
        let file = |(path, origins)| Some(Held { archive, file: opened.standing.file(path)?, origins });
        all.extend(files.into_iter().filter_map(file));
    }
    all
}
