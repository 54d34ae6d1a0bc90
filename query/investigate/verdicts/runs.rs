//! From which places the new content ran.

use super::elsewhere::Sight;
use super::evidence::Evidence;
use super::{Case, Verdict, places, was};
use serde_json::json;

pub(super) const RAN_FROM_MEMFD: &str = "ran_from_memfd";
pub(super) const RAN_DELETED: &str = "ran_deleted";
pub(super) const RAN_FROM_TMPFS: &str = "ran_from_tmpfs";
pub(super) const RAN_FROM_HIDDEN: &str = "ran_from_hidden";

/// Filesystems that lie in memory alone.
const IN_MEMORY: [&str; 3] = ["tmpfs", "devtmpfs", "ramfs"];
const UNKNOWN: &str = "whether an exec succeeded is not known";

/// The new content ran from a file that never had a name.
pub(super) fn ran_from_memfd(case: &Case<'_>) -> Option<Verdict> {
    of_sight(case.elsewhere.content?.memfd.as_ref()?, RAN_FROM_MEMFD, "a memfd")
}

/// The new content ran from a file whose name was taken away.
pub(super) fn ran_deleted(case: &Case<'_>) -> Option<Verdict> {
    of_sight(case.elsewhere.content?.deleted.as_ref()?, RAN_DELETED, "a file whose name was deleted")
}

fn of_sight(sight: &Sight, word: &'static str, place: &str) -> Option<Verdict> {
    let mut doubts = places::doubts_of(sight);
    doubts.extend(sight.runs.is_none().then(|| UNKNOWN.to_owned()));
    let says = format!("the new content {} run from {place}", was(&doubts));
    let mut columns = places::key(sight);
    columns["path_flags"] = json!(sight.path_flags);
    let evidence = vec![places::of_place(sight, columns).with_runs(sight.runs)];
    Some(Verdict { word, says, doubts, evidence })
}

/// The new version ran at its path, which lies in memory.
pub(super) fn ran_from_tmpfs(case: &Case<'_>) -> Option<Verdict> {
    at_path(case, RAN_FROM_TMPFS, |fs_type, _| IN_MEMORY.contains(&fs_type).then(|| format!("a {fs_type}")))
}

/// The new version ran at its path, below a directory that listings leave out.
pub(super) fn ran_from_hidden(case: &Case<'_>) -> Option<Verdict> {
    at_path(case, RAN_FROM_HIDDEN, |_, path| Some(format!("the hidden directory `{}`", hidden_directory(path)?)))
}

/// `place` names what is meant, from the filesystem's type and the path.
fn at_path(case: &Case<'_>, word: &'static str, place: impl Fn(&str, &str) -> Option<String>) -> Option<Verdict> {
    let to = &case.change.to;
    let ran = match to.ran() {
        Some(run) => run,
        None if to.exec_runs().is_none() => to.first(),
        None => return None,
    };
    let place = place(&ran.row.fs_type, ran.row.path.as_deref()?)?;
    let doubts: Vec<String> = ran.row.runs.is_none().then(|| UNKNOWN.to_owned()).into_iter().collect();
    let says = format!("the file {} run from {place}", was(&doubts));
    let columns = json!({"fs_type": ran.row.fs_type, "digest": ran.row.digest});
    let evidence = vec![Evidence::first_of(ran, columns).with_runs(ran.row.runs)];
    Some(Verdict { word, says, doubts, evidence })
}

/// The path up to the first directory whose name begins with a dot.
fn hidden_directory(path: &str) -> Option<&str> {
    let (directories, _) = path.rsplit_once('/')?;
    let mut end = 0;
    directories.split('/').find_map(|name| {
        end += name.len() + 1;
        (name.starts_with('.') && name != "." && name != "..").then(|| &path[..end - 1])
    })
}
