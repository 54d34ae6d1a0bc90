//! The new content at another path, and the path in another place.

use super::elsewhere::Sight;
use super::evidence::Evidence;
use super::shells::is_name_of_shell;
use super::{Case, Verdict, file, tense, was};
use crate::versions::run::Run;
use crate::versions::version::Version;
use serde_json::{Value, json};

pub(super) const SAME_CONTENT: &str = "same_content";
pub(super) const MASQUERADE: &str = "masquerade";
pub(super) const OTHER_ROOT: &str = "other_root";
pub(super) const OTHER_MOUNT_NAMESPACE: &str = "other_mount_namespace";

/// The new content was seen at another path before.
pub(super) fn same_content(case: &Case<'_>) -> Option<Verdict> {
    let sight = case.elsewhere.content?.at_other_path(case.change.key.path.as_deref())?;
    let new = seen_after(case, sight)?;
    let doubts = doubts_with(case, sight);
    // The content is the same in any case; whether the file is, an inode number says only as long as it means one file.
    let is_number_clear = sight.boot_id == new.row.boot_id && file::doubt_of_inode(new).is_none();
    let how = match sight.is_file_of(&new.row) {
        false if sight.is_layer_of(&new.row) || !are_files_known(sight, new) => "",
        false => ", in another file",
        true if is_number_clear => ", in the same file: by a rename, a link, a mount or another root",
        true => "",
    };
    let says = format!("the new content {} at {} before{how}", was(&doubts), place_of(sight, new));
    Some(Verdict { word: SAME_CONTENT, says, doubts, evidence: both(sight, new) })
}

/// The new content was seen before in another file with the name of a shell, and this one is named otherwise.
pub(super) fn masquerade(case: &Case<'_>) -> Option<Verdict> {
    let path = case.change.key.path.as_deref().filter(|path| !is_name_of_shell(path))?;
    let sight = case.elsewhere.content?.shell.as_ref().filter(|sight| sight.path.as_deref() != Some(path))?;
    // A link is no copy: one program that has many names may have that of a shell among them.
    let new = seen_after(case, sight).filter(|new| !sight.is_file_of(&new.row) && !sight.is_layer_of(&new.row))?;
    if !are_files_known(sight, new) {
        return None;
    }
    let doubts = doubts_with(case, sight);
    let is = tense(&doubts, "is", "may be");
    let shell = place_of(sight, new);
    let says = format!("the new content {is} that of {shell}, which has the name of a shell or an interpreter");
    Some(Verdict { word: MASQUERADE, says, doubts, evidence: both(sight, new) })
}

/// The same path was seen under another root of the host: of a container, or after a chroot.
pub(super) fn other_root(case: &Case<'_>) -> Option<Verdict> {
    let new = case.change.to.first();
    let sight = case.elsewhere.roots?.under_other_than(&new.row)?;
    let doubts = doubts_of(sight);
    let what = if sight.algorithm != new.row.digest_algorithm {
        "a digest that cannot be compared"
    } else if sight.digest == new.row.digest {
        "the same content"
    } else {
        "another content"
    };
    let says = format!(
        "the path {} seen under another root too, {}:{}, with {what}",
        was(&doubts),
        sight.root_dev,
        sight.root_ino
    );
    let root = |dev: &str, ino: i64, digest: &str| json!({"root_dev": dev, "root_ino": ino, "digest": digest});
    let of_new = root(&new.row.root_dev, new.row.root_ino, &new.row.digest);
    let of_sight = root(&sight.root_dev, sight.root_ino, &sight.digest);
    let evidence = vec![of_place(sight, of_sight), Evidence::first_of(new, of_new)];
    Some(Verdict { word: OTHER_ROOT, says, doubts, evidence })
}

/// Another tree stands at the path in another mount namespace, under the same root.
pub(super) fn other_mount_namespace(case: &Case<'_>) -> Option<Verdict> {
    let beside = case.change.beside.as_deref()?;
    let new = case.change.to.first();
    let mut doubts = Vec::new();
    if !case.change.from.iter().chain([&case.change.to]).any(|version| is_around(version, beside)) {
        doubts.push("the two were not seen at one time: one may have taken the place of the other".into());
    }
    if !beside.row.doubts.is_empty() {
        doubts.push(format!("the digest there is doubtful: {}", beside.row.doubts.join(", ")));
    }
    let stands = tense(&doubts, "stands", "may stand");
    let says = format!("another directory {stands} at the path in the mount namespace {}", beside.row.mnt_ns);
    let place = |run: &Run| {
        json!({
            "mnt_ns": run.row.mnt_ns, "parent_ino": run.row.parent_ino, "dev": run.row.dev, "ino": run.row.ino,
        })
    };
    let evidence = vec![Evidence::first_of(beside, place(beside)), Evidence::first_of(new, place(new))];
    Some(Verdict { word: OTHER_MOUNT_NAMESPACE, says, doubts, evidence })
}

/// Whether one file was seen at the path before and after a sight elsewhere.
fn is_around(version: &Version, beside: &Run) -> bool {
    let (first, last) = (version.first(), version.latest());
    first.first < beside.first && beside.first < last.last && first.is_file_of(last)
}

/// Whether both tell which file they are of: else nobody knows whether it is one.
fn are_files_known(sight: &Sight, new: &Run) -> bool {
    !sight.dev.is_empty() && new.row.has_file()
}

/// The first observation of the new version, where a sight came before it.
fn seen_after<'a>(case: &Case<'a>, sight: &Sight) -> Option<&'a Run> {
    Some(case.change.to.first()).filter(|new| sight.first < new.first)
}

fn doubts_with(case: &Case<'_>, sight: &Sight) -> Vec<String> {
    case.doubts.iter().cloned().chain(doubts_of(sight)).collect()
}

/// The path of a sight, with its root where that is not the file's own.
fn place_of(sight: &Sight, new: &Run) -> String {
    let path = sight.path.as_deref().unwrap_or_default();
    let root = if sight.is_under_root_of(&new.row) {
        String::new()
    } else {
        format!(" under the root {}:{}", sight.root_dev, sight.root_ino)
    };
    format!("`{path}`{root}")
}

/// What makes a sight elsewhere a doubt.
pub(super) fn doubts_of(sight: &Sight) -> Vec<String> {
    let is_doubtful = !sight.doubts.is_empty();
    is_doubtful.then(|| format!("the digest there is doubtful: {}", sight.doubts.join(", "))).into_iter().collect()
}

fn both(sight: &Sight, new: &Run) -> Vec<Evidence> {
    vec![of_place(sight, key(sight)), Evidence::first_of(new, file::key(new))]
}

/// What tells the file of a sight and its content.
pub(super) fn key(sight: &Sight) -> Value {
    json!({
        "dev": sight.dev, "ino": sight.ino, "ino_generation": sight.ino_generation,
        "digest_algorithm": sight.algorithm, "digest": sight.digest,
        "root_dev": sight.root_dev, "root_ino": sight.root_ino,
    })
}

pub(super) fn of_place(sight: &Sight, columns: Value) -> Evidence {
    Evidence::new(sight.first, sight.time, sight.path.clone(), columns)
}
