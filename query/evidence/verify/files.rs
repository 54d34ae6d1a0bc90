//! The files that the manifest names, and those that it does not.

use super::MANIFEST;
use crate::evidence::finding::{Finding, Findings};
use crate::folder::{self, Listing};
use anyhow::Result;
use hashtrail::archive::{Archive, open_regular};
use hashtrail::manifest::{Content, Line, Standing};
use hashtrail::reader::is_sealed_path;
use std::collections::{HashMap, HashSet};
use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};

/// Folders in which only files that the manifest names may stand.
const FOLDERS: [&str; 5] = ["events", "files", "ledger", "packages", "ima"];

/// What is known of the files once their digests are checked.
#[derive(Debug, Default)]
pub(super) struct Checked {
    /// Files whose digest is right, with their size.
    pub(super) good: HashMap<PathBuf, u64>,
}

/// Checks the digest of each file that a line names, and looks for files that none names.
pub(super) fn check(
    archive: &Archive,
    lines: &[Line],
    standing: &Standing,
    findings: &mut Findings,
    mut progress: impl FnMut(usize, usize),
) -> Checked {
    let named: Vec<&Line> = lines.iter().filter(|line| matches!(line.kind(), "file" | "compact" | "ima")).collect();
    let digests: HashMap<String, String> =
        named.iter().filter_map(|line| Some((line.text("sha256")?, line.text("path")?))).collect();
    let mut checked = Checked::default();
    let mut seen = HashSet::new();
    for (done, line) in named.iter().enumerate() {
        progress(done, named.len());
        let place = format!("line {}", line.number);
        let (Some(path), Ok(stated)) = (line.path(), line.read::<Content>()) else {
            findings.push(Finding::damage(
                "line_wrong",
                MANIFEST,
                place,
                "it names no file below the archive, or no digest",
            ));
            continue;
        };
        if !seen.insert(path.clone()) {
            findings.push(Finding::damage("file_named_twice", path.to_string_lossy(), "", place));
            continue;
        }
        if standing.is_replaced(&path) {
            findings.extend(check_replaced(archive, &path, &stated, standing.holder(&path), &digests));
            continue;
        }
        if line.kind() != "ima" && !is_sealed_path(&path) {
            let detail = format!("{place} names it, and it is in no table: no question reads it");
            findings.push(Finding::damage("file_out_of_place", path.to_string_lossy(), "", detail));
        }
        match check_file(archive, &path, &stated, &digests) {
            None => {
                checked.good.insert(path, stated.size_bytes);
            }
            Some(finding) => findings.push(finding),
        }
    }
    for folder in FOLDERS {
        findings.extend(unlisted(archive.root(), Path::new(folder), &seen));
    }
    checked
}

/// A file whose rows count elsewhere is mostly not there; where it is, engines read its rows twice.
fn check_replaced(
    archive: &Archive,
    path: &Path,
    stated: &Content,
    holder: Option<&Path>,
    digests: &HashMap<String, String>,
) -> Option<Finding> {
    let found = check_file(archive, path, stated, digests);
    if found.as_ref().is_some_and(|finding| finding.kind == "file_missing") {
        return None;
    }
    let holder = holder.unwrap_or(path).display();
    let detail = format!(
        "its rows count in `{holder}`, which was made of it: keep it until that is good; `hashtrail-recorder compact` deletes \
         what is in there"
    );
    Some(found.unwrap_or_else(|| Finding::damage("file_merged", path.to_string_lossy(), "", detail)))
}

fn check_file(archive: &Archive, path: &Path, stated: &Content, digests: &HashMap<String, String>) -> Option<Finding> {
    let name = path.to_string_lossy();
    let full = archive.root().join(path);
    if fs::symlink_metadata(&full).is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound) {
        return Some(Finding::damage("file_missing", name, "", "the manifest names it and it is not there"));
    }
    let found = match read(&full) {
        Ok(found) => found,
        Err(error) => return Some(Finding::damage("file_unreadable", name, "", format!("{error:#}"))),
    };
    if found == *stated {
        return None;
    }
    if let Some(other) = digests.get(found.sha256.as_str()).filter(|other| **other != name) {
        return Some(Finding::damage("file_swapped", name, "", format!("it holds what belongs to `{other}`")));
    }
    let spans: Vec<String> =
        stated.differences(&found).iter().map(|(first, last)| format!("bytes {first} to {last}")).collect();
    let detail = if stated.size_bytes == found.size_bytes {
        format!("SHA-256 {}, sealed as {}", found.sha256, stated.sha256)
    } else {
        format!("{} bytes, sealed with {}", found.size_bytes, stated.size_bytes)
    };
    Some(Finding::damage("file_changed", name, spans.join(", "), detail))
}

fn read(path: &Path) -> Result<Content> {
    Content::of(open_regular(path, OpenOptions::new().read(true))?)
}

/// Files below a folder that no line names: engines would read them too.
fn unlisted(root: &Path, folder: &Path, seen: &HashSet<PathBuf>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let Listing { entries, errors } = folder::list(&root.join(&folder));
        let name = folder.to_string_lossy();
        findings.extend(
            errors.iter().map(|error| Finding::damage("folder_unreadable", name.clone(), "", format!("{error:#}"))),
        );
        for entry in entries {
            let path = folder.join(&entry.name);
            if entry.kind.is_dir() {
                folders.push(path);
            } else if !seen.contains(&path) {
                findings.push(Finding::damage("file_unlisted", path.to_string_lossy(), "", "no line names it"));
            }
        }
    }
    findings.sort_by(|left, right| left.file.cmp(&right.file));
    findings
}
