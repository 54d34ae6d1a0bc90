//! Archives that hold the same files, such as copies of one: each is read once. A file that was merged into another one is the same
//! there as where it still stands by itself.

use crate::archives::OpenArchive;
use crate::problems::note;
use anyhow::{Error, anyhow};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::Path;

/// A file as a segment was sealed to it: path and digest.
type Origin<'a> = (&'a Path, &'a str);

/// A file that stands in an archive, with those that it was made of.
struct Held<'a> {
    archive: usize,
    path: &'a Path,
    origins: HashSet<Origin<'a>>,
}

/// Marks what another archive holds too as doubled, and says so: the first archive that has all of it is read, where one has
/// more than others that one. Gives what cannot be told apart: files that share only some of what they were made of.
pub(crate) fn double_across(archives: &mut [OpenArchive]) -> Vec<Error> {
    let all = held(archives);
    let (mut doubled, mut problems) = (BTreeMap::new(), Vec::new());
    let mut holders: HashMap<Origin<'_>, usize> = HashMap::new();
    for (number, held) in all.iter().enumerate() {
        let known: HashSet<usize> = held.origins.iter().filter_map(|origin| holders.get(origin).copied()).collect();
        let is_whole = held.origins.iter().all(|origin| holders.contains_key(origin));
        if is_whole {
            doubled.extend(known.iter().map(|other| (number, *other)));
            continue;
        }
        for other in known {
            if all[other].origins.is_subset(&held.origins) {
                doubled.insert(other, number);
            } else {
                let name =
                    |held: &Held<'_>| archives[held.archive].archive.root().join(held.path).display().to_string();
                let (name, other) = (name(held), name(&all[other]));
                problems.push(anyhow!("`{name}` and `{other}` share some of their rows, which count twice"));
            }
        }
        holders.extend(held.origins.iter().map(|origin| (*origin, number)));
    }
    let name = |held: usize| archives[all[held].archive].archive.root().display().to_string();
    let twins: BTreeSet<_> = doubled.iter().map(|(held, other)| (name(*held), name(*other))).collect();
    for (name, twin) in twins {
        note(&format!("`{name}` holds files that `{twin}` holds too: they are read once"));
    }
    let doubled: Vec<_> = doubled.keys().map(|held| (all[*held].archive, all[*held].path.to_owned())).collect();
    for (archive, path) in doubled {
        archives[archive].doubled.insert(path);
    }
    problems
}

/// All files that stand, in the order of the archives.
fn held(archives: &[OpenArchive]) -> Vec<Held<'_>> {
    let mut all = Vec::new();
    for (archive, opened) in archives.iter().enumerate() {
        let mut files: BTreeMap<&Path, HashSet<Origin<'_>>> = BTreeMap::new();
        for (file, holder) in opened.standing.origins().filter(|(_, holder)| opened.present.contains(*holder)) {
            files.entry(holder).or_default().insert((&file.path, &file.content.sha256));
        }
        all.extend(files.into_iter().map(|(path, origins)| Held { archive, path, origins }));
    }
    all
}
