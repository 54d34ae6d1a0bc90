//! What the two versions of a change say of the file itself.

use super::evidence::Evidence;
use super::{Case, Verdict, tense, was};
use crate::versions::change::{Change, ChangeKind};
use crate::versions::run::Run;
use hashtrail::cell::Micros;
use serde_json::{Value, json};

pub(super) const CHANGED_IN_PLACE: &str = "changed_in_place";
pub(super) const REPLACED: &str = "replaced";
pub(super) const MTIME_SET_BACK: &str = "mtime_set_back";
pub(super) const SETUID_GAINED: &str = "setuid_gained";
pub(super) const SETGID_GAINED: &str = "setgid_gained";

const S_ISUID: i32 = 0o4000;
/// Without the right to execute, the bit means something else.
const S_ISGID_AND_EXECUTE: i32 = 0o2010;
const PERMISSIONS: i32 = 0o7777;
/// How coarse a filesystem's times can be, and how far two samples of the wall clock can lie from each other.
const SLACK_MICROS: i64 = 2_000_000;
/// Filesystems whose times a server or another host gives, by its own clock; of `fuse` nobody knows who gives them.
const FOREIGN_CLOCKS: [&str; 17] = [
    "9p", "afs", "beegfs", "ceph", "cifs", "coda", "fuse", "gfs2", "gpfs", "lustre", "nfs", "nfs4", "ocfs2",
    "orangefs", "smb3", "vboxsf", "virtiofs",
];
/// How much later than it happened a step of the clock is noted at most.
const NOTED_LATE_NS: i64 = 2_000_000_000;

/// Another content in the same inode.
pub(super) fn changed_in_place(case: &Case<'_>) -> Option<Verdict> {
    let (old, new) = ends_of(case.change, ChangeKind::Rewritten)?;
    let mut doubts = case.doubts.clone();
    doubts.extend(doubt_of_boots(old, new).into_iter().chain(doubt_of_inode(new)));
    let says = format!("the content {} changed in place, in inode {}", was(&doubts), new.row.ino);
    let evidence = vec![Evidence::last_of(old, key(old)), Evidence::first_of(new, key(new))];
    Some(Verdict { word: CHANGED_IN_PLACE, says, doubts, evidence })
}

/// Another inode under the path.
pub(super) fn replaced(case: &Case<'_>) -> Option<Verdict> {
    let (old, new) = ends_of(case.change, ChangeKind::Replaced)?;
    let mut doubts = case.doubts.clone();
    doubts.extend(doubt_of_boots(old, new));
    let beneath = |run: &Run| run.row.real_dev.clone().zip(run.row.real_ino);
    if beneath(old).is_some() && beneath(old) == beneath(new) {
        doubts.push("the file beneath the stacked filesystem is the same".into());
    }
    let number = |run: &Run| (run.row.ino, run.row.ino_generation);
    if number(old) == number(new) {
        doubts.push("only the device number is another: its filesystem may have been mounted anew".into());
    }
    let name = |run: &Run| name_beside(run, if std::ptr::eq(run, old) { new } else { old });
    let says =
        format!("the file {} replaced: {} stands at the path, where {} stood", was(&doubts), name(new), name(old));
    let evidence = vec![Evidence::last_of(old, key(old)), Evidence::first_of(new, key(new))];
    Some(Verdict { word: REPLACED, says, doubts, evidence })
}

/// A file that was changed in place has an mtime from before its old content was read.
pub(super) fn mtime_set_back(case: &Case<'_>) -> Option<Verdict> {
    let (old, new) = ends_of(case.change, ChangeKind::Rewritten)?;
    // The files of two boots may be on different filesystems, with a clock of its own each.
    let after = case.change.after_time().filter(|_| old.row.boot_id == new.row.boot_id)?;
    if new.row.mtime.0.saturating_add(SLACK_MICROS) >= after.0 {
        return None;
    }
    let mut doubts = case.doubts.clone();
    if steps_in_interval(case) {
        doubts.push("the wall clock was set in the interval".into());
    }
    // Who changes a file, or sets its mtime, sets its ctime by the kernel's clock.
    if new.row.ctime.0.saturating_add(SLACK_MICROS) < after.0 {
        doubts
            .push("its ctime lies before that too: the file's clock may be another, or the write left no time".into());
    }
    if FOREIGN_CLOCKS.contains(&new.row.fs_type.as_str()) {
        doubts
            .push(format!("the times of its filesystem ({}) may come from the clock of another host", new.row.fs_type));
    }
    if new.row.real_ino.or(new.row.image_ino).is_some() {
        doubts.push("the content lies in a file beneath, whose times are not recorded".into());
    }
    doubts.extend(doubt_of_inode(new));
    let says = format!(
        "the mtime {} set back or left as it was: it is {}, though the old content was read as late as {}",
        was(&doubts),
        new.row.mtime.rfc3339(),
        after.rfc3339()
    );
    let times = |run: &Run| with_key(run, &[("mtime", rfc3339(run.row.mtime)), ("ctime", rfc3339(run.row.ctime))]);
    let evidence = vec![Evidence::first_of(old, times(old)), Evidence::first_of(new, times(new))];
    Some(Verdict { word: MTIME_SET_BACK, says, doubts, evidence })
}

pub(super) fn setuid_gained(case: &Case<'_>) -> Option<Verdict> {
    gained(case, SETUID_GAINED, "setuid", S_ISUID)
}

pub(super) fn setgid_gained(case: &Case<'_>) -> Option<Verdict> {
    gained(case, SETGID_GAINED, "setgid", S_ISGID_AND_EXECUTE)
}

/// The old version ended without these bits, and the new one was seen with them.
fn gained(case: &Case<'_>, word: &'static str, name: &str, bits: i32) -> Option<Verdict> {
    let has = |run: &Run| run.row.mode & bits == bits;
    let old = case.change.from.as_ref()?.latest();
    let to = &case.change.to;
    let new = [to.first(), to.latest()].into_iter().find(|run| has(run) && run.row.has_file());
    let new = new.filter(|_| !has(old) && old.row.has_file())?;
    let doubts = case.doubts.clone();
    let gained = tense(&doubts, "gained", "may have gained");
    // A run of observations tells the mode of its first one alone.
    let since = old.row.first_time.rfc3339();
    let (before, now) = (old.row.mode & PERMISSIONS, new.row.mode & PERMISSIONS);
    let says = format!("the file {gained} the {name} bit since {since}: its mode was {before:o} then and is {now:o}");
    let mode = |run: &Run| with_key(run, &[("mode", json!(run.row.mode)), ("owner_uid", json!(run.row.owner_uid))]);
    let evidence = vec![Evidence::first_of(old, mode(old)), Evidence::first_of(new, mode(new))];
    Some(Verdict { word, says, doubts, evidence })
}

/// The observations on both sides of a change of this kind.
fn ends_of(change: &Change, kind: ChangeKind) -> Option<(&Run, &Run)> {
    let old = change.from.as_ref()?.latest();
    (change.kind == kind).then_some((old, change.to.first()))
}

/// Whether the wall clock was set between the two readings.
fn steps_in_interval(case: &Case<'_>) -> bool {
    let (after, before) = (case.change.after(), case.change.before());
    let Some(after) = after.filter(|after| after.rank == before.rank) else { return true };
    let span = after.boot_ns..=before.boot_ns.saturating_add(NOTED_LATE_NS);
    let recording = case.recordings.list.get(after.rank);
    recording.is_none_or(|recording| recording.clock_steps.iter().any(|step| span.contains(&step.boot_ns)))
}

fn doubt_of_boots(old: &Run, new: &Run) -> Option<String> {
    let is_one = old.row.boot_id == new.row.boot_id;
    (!is_one).then(|| "the host was booted between the two, and inode numbers may mean other files since".into())
}

/// Where one inode number may be that of two files, one after the other.
pub(super) fn doubt_of_inode(run: &Run) -> Option<String> {
    let is_unnumbered = run.row.ino_generation == 0;
    is_unnumbered.then(|| "the filesystem numbers no generations: the inode may have become another file's".into())
}

/// An inode in words, with what tells it from another one.
fn name_beside(run: &Run, other: &Run) -> String {
    let (row, other) = (&run.row, &other.row);
    let ino = row.ino;
    if ino != other.ino {
        format!("inode {ino}")
    } else if row.ino_generation != other.ino_generation {
        format!("inode {ino} (generation {})", row.ino_generation)
    } else {
        format!("inode {ino} of device {}", row.dev)
    }
}

/// What tells the file and its content.
pub(super) fn key(run: &Run) -> Value {
    with_key(run, &[])
}

fn with_key(run: &Run, columns: &[(&str, Value)]) -> Value {
    let row = &run.row;
    let known = |column: Value| if row.has_file() { column } else { Value::Null };
    let mut value = json!({
        "dev": known(json!(row.dev)), "ino": known(json!(row.ino)), "ino_generation": known(json!(row.ino_generation)),
        "digest_algorithm": row.digest_algorithm, "digest": row.digest,
    });
    for (name, column) in columns {
        value[*name] = column.clone();
    }
    value
}

fn rfc3339(time: Micros) -> Value {
    time.rfc3339().into()
}
