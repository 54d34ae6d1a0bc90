//! Whether an event reached the file or the path of a change, and when.
//!
//! The file's key comes first: it holds in every mount namespace and for every hard link. The key of the file beneath a stacked
//! filesystem is one too, because what is written there is the content above, and so is that of a loop device's image. Paths are
//! hints. An open's path is what the task saw; the path of a change of names is what the host's mounts show, or begins at the
//! filesystem's root.

use super::act::Act;
use crate::recordings::gaps::Mark;
use crate::versions::change::Change;
use crate::versions::run::Run;
use crate::versions::series::Root;
use crate::versions::version::Version;
use hashtrail::event::{Event, FS_RELATIVE, names_a_file};
use hashtrail::versions::FileVersion;

/// How long before the interval the new file may have been written under another name.
pub(super) const WRITTEN_BEFORE_NS: i64 = 86_400_000_000_000;

/// When a suspect acted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    Within,
    Before,
}

/// The last run of the old version and the first of the new one.
pub(super) fn ends(change: &Change) -> impl Iterator<Item = &Run> {
    change.from.as_deref().map(Version::latest).into_iter().chain([change.to.first()])
}

/// When the event can have made the change; `None` when it cannot.
pub(super) fn reach(change: &Change, event: &Event, act: Act, at: Mark) -> Option<When> {
    let old = change.from.as_ref()?.latest();
    let new = change.to.first();
    let after = change.after()?;
    if is_within(change, event, at) {
        return touches(change, event, act, old, new).then_some(When::Within);
    }
    if event.host != change.key.host || at > after {
        return None;
    }
    let stays_open = act == Act::OpenDescriptor
        && at.rank == after.rank
        && [old, new].iter().any(|run| is_file(run, event) || is_image(run, event));
    // A package manager writes the new file under another name while the old one still runs, then renames it.
    let is_prepared = act.writes()
        && change.is_of_another_file()
        && is_file(new, event)
        && event.boot_ns >= after.boot_ns.saturating_sub(WRITTEN_BEFORE_NS);
    (stays_open || is_prepared).then_some(When::Before)
}

/// Whether it happened in the interval.
pub(super) fn is_within(change: &Change, event: &Event, at: Mark) -> bool {
    event.host == change.key.host && change.after().is_some_and(|after| (after..=change.before()).contains(&at))
}

fn touches(change: &Change, event: &Event, act: Act, old: &Run, new: &Run) -> bool {
    let (path, target) = (event.path.as_deref(), event.target_path.as_deref());
    let is_old = || is_file(old, event);
    let is_new = || is_file(new, event);
    let is_there = || is_named(change, event, path, event.parent_ino);
    let is_onto = || is_named(change, event, target, None);
    match act {
        Act::WriteOpen | Act::OpenDescriptor => {
            is_old() || is_new() || is_opened(change, event) || is_image(old, event) || is_image(new, event)
        }
        Act::Truncate if is_image(old, event) || is_image(new, event) => true,
        Act::Truncate | Act::SetAttr | Act::SetXattr => {
            is_old() || is_new() || is_there() && names_a_file(&event.path_flags)
        }
        Act::Unlink => is_old() || is_there(),
        // What stands at a path may do so by a mount there or above it.
        Act::Mount | Act::Unmount => {
            change.is_of_another_file()
                && (is_named(change, event, path, None) || path.is_some_and(|path| is_above(change, event, path)))
        }
        Act::Link => is_new() || is_onto(),
        Act::Rename => {
            let moves_directory = || [path, target].into_iter().flatten().any(|name| is_above(change, event, name));
            is_old() || is_new() || is_target(old, event) || is_there() || is_onto() || moves_directory()
        }
    }
}

fn is_file(run: &Run, event: &Event) -> bool {
    is_file_of_row(&run.row, event)
}

/// Whether an event is about the file of a row, or one that has the same content because it lies beneath or above it. The
/// generation of a file beneath is not known.
pub(crate) fn is_file_of_row(row: &FileVersion, event: &Event) -> bool {
    if row.boot_id != event.boot_id {
        return false;
    }
    let of_row = (&row.dev, row.ino);
    let of_event = event.dev.as_ref().zip(event.ino);
    let beneath_row = row.real_dev.as_ref().zip(row.real_ino);
    let beneath_event = event.real_dev.as_ref().zip(event.real_ino);
    of_event == Some(of_row) && event.ino_generation == Some(row.ino_generation)
        || beneath_event == Some(of_row)
        || beneath_row.is_some() && [of_event, beneath_event].contains(&beneath_row)
}

/// Whether an event is about the image of the loop device that the file lies on.
fn is_image(run: &Run, event: &Event) -> bool {
    let image = run.row.image_dev.as_ref().zip(run.row.image_ino);
    let of_event = [event.dev.as_ref().zip(event.ino), event.real_dev.as_ref().zip(event.real_ino)];
    image.is_some() && run.row.boot_id == event.boot_id && of_event.contains(&image)
}

/// Whether the file's name was given to another one.
fn is_target(run: &Run, event: &Event) -> bool {
    let beneath =
        || run.row.real_ino.is_some() && (&run.row.real_dev, run.row.real_ino) == (&event.dev, event.target_ino);
    is_on_filesystem(run, event) && event.target_ino == Some(run.row.ino)
        || run.row.boot_id == event.boot_id && beneath()
}

fn is_on_filesystem(run: &Run, event: &Event) -> bool {
    run.row.boot_id == event.boot_id && event.dev.as_ref() == Some(&run.row.dev)
}

/// Whether the task opened the path under the same root.
fn is_opened(change: &Change, event: &Event) -> bool {
    event.path.is_some()
        && event.path == change.key.path
        && names_a_file(&event.path_flags)
        && is_under_root(change, event)
}

fn is_under_root(change: &Change, event: &Event) -> bool {
    match &change.key.root {
        Root::Other { boot_id, dev, ino } => (boot_id, dev, *ino) == (&event.boot_id, &event.root_dev, event.root_ino),
        Root::Host => is_under_host_root(change, event),
    }
}

/// The numbers of the host's root are known for the boots of the two versions. Devices are dealt anew in each boot, so in one
/// between them a root with the same inode can be it.
fn is_under_host_root(change: &Change, event: &Event) -> bool {
    let is_of_boot = |run: &&Run| run.row.boot_id == event.boot_id;
    let is_inode = |run: &Run| run.row.root_ino == event.root_ino;
    let is_root = |run: &Run| is_inode(run) && run.row.root_dev == event.root_dev;
    if ends(change).any(|run| is_of_boot(&run)) {
        ends(change).filter(is_of_boot).any(is_root)
    } else {
        ends(change).any(is_inode)
    }
}

/// Whether a name that a change of names gives is the path. Where neither begins at the same root, the one that begins
/// higher ends with the other, on the same filesystem and, where that is known, in the same directory.
fn is_named(change: &Change, event: &Event, name: Option<&str>, parent_ino: Option<i64>) -> bool {
    let is_absolute = |name: &&str| name.starts_with('/');
    let (Some(name), Some(path)) = (name.filter(is_absolute), change.key.path.as_deref().filter(is_absolute)) else {
        return false;
    };
    let is_same_end = match (&change.key.root, is_fs_relative(event)) {
        (Root::Host, false) => return name == path,
        (_, true) => path.ends_with(name),
        (Root::Other { .. }, false) => name.ends_with(path),
    };
    let is_in_directory = |run: &Run| match (run.row.parent_ino, parent_ino) {
        (Some(of_run), Some(of_event)) => of_run == of_event,
        _ => true,
    };
    is_same_end && ends(change).any(|run| is_on_filesystem(run, event) && is_in_directory(run))
}

/// Whether a name is that of a directory above the path: moving it puts another file at the path.
fn is_above(change: &Change, event: &Event, name: &str) -> bool {
    let rest = change.key.path.as_deref().filter(|_| name.starts_with('/')).and_then(|path| path.strip_prefix(name));
    change.is_of_another_file()
        && rest.is_some_and(|rest| rest.starts_with('/'))
        && match (&change.key.root, is_fs_relative(event)) {
            (Root::Host, false) => true,
            (_, true) => ends(change).any(|run| is_on_filesystem(run, event)),
            (Root::Other { .. }, false) => false,
        }
}

fn is_fs_relative(event: &Event) -> bool {
    event.path_flags.iter().any(|flag| flag == FS_RELATIVE)
}
