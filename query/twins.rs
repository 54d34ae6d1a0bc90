//! Archives that hold the same files, such as copies of one: each is read once. A file that was merged into another one is the same
//! there as where it still stands by itself.

use crate::archives::OpenArchive;
use crate::problems::note;
use anyhow::{Context, Error, Result, anyhow};
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

/// Marks what another archive holds too as doubled, and says so. What stands as it was sealed is read, from the first archive
/// that has it; a merged file where not all of what it was made of stands elsewhere. Gives what cannot be told apart.
pub(crate) fn double_across(archives: &mut [OpenArchive]) -> Vec<Error> {
    let all = held(archives);
    let mut reading = Reading::default();
    let (merged, sealed): (Vec<usize>, Vec<usize>) = (0..all.len()).partition(|number| all[*number].is_merged());
    for number in sealed.into_iter().chain(merged) {
        let others: BTreeSet<usize> =
            all[number].origins.iter().filter_map(|origin| reading.holders.get(origin).copied()).collect();
        if all[number].origins.iter().all(|origin| reading.holders.contains_key(origin)) {
            reading.doubled.extend(others.iter().map(|other| (number, *other)));
            continue;
        }
        if let Err(error) = reading.displace(archives, &all, number, &others) {
            reading.problems.push(error);
        }
        reading.holders.extend(all[number].origins.iter().map(|origin| (*origin, number)));
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

impl Reading<'_> {
    /// A merged file takes the place of files of other archives that it was made of too, where it really holds their rows: its
    /// line alone, which may be another's, must not hide them.
    fn displace(
        &mut self,
        archives: &[OpenArchive],
        all: &[Held<'_>],
        number: usize,
        others: &BTreeSet<usize>,
    ) -> Result<()> {
        let path = |held: &Held<'_>| archives[held.archive].archive.root().join(&held.file.path);
        if others.is_empty() {
            return Ok(());
        }
        let (merged, name) = (&all[number], path(&all[number]).display().to_string());
        let mut rows = RowSet::of_file(merged.file.table(), &path(merged), merged.file.rows)
            .with_context(|| format!("`{name}` is said to hold rows of other archives"))?;
        for other in others {
            let held = &all[*other];
            let is_held = held.origins.is_subset(&merged.origins)
                && rows.take_file(held.file.table(), &path(held), held.file.rows)?;
            if is_held {
                self.doubled.insert(*other, number);
            } else {
                let other = path(held);
                let other = other.display();
                self.problems.push(anyhow!("`{name}` and `{other}` share some of their rows, which count twice"));
            }
        }
        Ok(())
    }
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
