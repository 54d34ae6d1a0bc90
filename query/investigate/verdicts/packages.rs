//! What the host's package manager says of the path, against the new content.

use super::evidence::Evidence;
use super::{Case, Verdict, file};
use crate::caveats::mounts::is_mounted_over;
use crate::packages::{Ownership, Packages};
use crate::recordings::gaps::Mark;
use crate::suspects::{Suspect, Suspects};
use crate::versions::change::{Change, ChangeKind};
use hashtrail::packages::{DIFFERS, PackageFile};
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashSet};

pub(super) const UNPACKAGED: &str = "unpackaged";
pub(super) const NOT_THE_PACKAGES_DIGEST: &str = "not_the_packages_digest";

/// States of a package whose files are those of its version.
const INSTALLED: [&str; 3] = ["installed", "triggers-awaited", "triggers-pending"];

/// What is said of the new version of a change, or why nothing can be.
pub(super) type Said<'a> = Result<Ownership<'a>, String>;

/// The paths of changes that a package can own.
pub(super) fn paths(changes: &[Change]) -> HashSet<String> {
    let of_host = changes.iter().filter(|change| change.to.first().row.root_is_host);
    of_host.filter_map(|change| change.key.path.clone()).collect()
}

pub(super) fn said<'a>(packages: &'a Packages, change: &Change) -> Said<'a> {
    let first = change.to.first();
    let path = change.key.path.as_deref().ok_or("the file has no path")?;
    if !first.row.has_root() {
        return Err("under which root the path begins is not told".into());
    }
    if !first.row.root_is_host {
        return Err("the path is not one of the host's own root".into());
    }
    if is_mounted_over(first) {
        return Err("the file is mounted over the path".into());
    }
    packages.of(path, Mark { rank: first.first.rank, boot_ns: first.first.boot_ns }, change.before())
}

/// No package owned the path, before and after.
pub(super) fn unpackaged(case: &Case<'_>) -> Option<Verdict> {
    let said = case.said.as_ref().ok()?;
    if said.lacks().is_some() || !said.owned_before.is_empty() || !said.owned_after.is_empty() {
        return None;
    }
    let says = format!("no package owns the path: {}", said.span());
    let first = case.change.to.first();
    let evidence = vec![Evidence::first_of(first, file::key(first)), Evidence::of_look(first, said.after)];
    Some(Verdict { word: UNPACKAGED, says, doubts: Vec::new(), evidence })
}

/// A package owned the path, and the content is not the one that it brought there.
pub(super) fn not_the_packages_digest(case: &Case<'_>) -> Option<Verdict> {
    let said = case.said.as_ref().ok()?;
    let first = case.change.to.first();
    let (row, how) = foreign(said, case.change).ok()?.err()?;
    let (version, span) = (row.version.as_deref().unwrap_or_default(), said.span());
    let says = format!("owned by {} {version}, but the digest is not the package's: {how}; {span}", row.package);
    let evidence = vec![Evidence::first_of(first, file::key(first)), Evidence::of_package(row)];
    Some(Verdict { word: NOT_THE_PACKAGES_DIGEST, says, doubts: Vec::new(), evidence })
}

/// Whether the new content is the package's: `Ok` with the row that says so, `Err` with the one that says it is not, and how.
///
/// # Errors
/// Why nobody can tell.
fn foreign<'a>(
    said: &Ownership<'a>,
    change: &Change,
) -> Result<Result<&'a PackageFile, (&'a PackageFile, String)>, String> {
    let to = &change.to.first().row;
    if to.digest_algorithm != "sha256" {
        return Err(format!(
            "the digest is one of {}, and those of packages were taken by sha256",
            to.digest_algorithm
        ));
    }
    let has_digest = |row: &PackageFile| row.digest.as_ref() == Some(&to.digest);
    // A digest of another time is none of this one: somebody may have put an older version back.
    let owners = said.owned_after.iter().chain(&said.owned_before).copied();
    if let Some(row) = owners.into_iter().find(|row| row.package_digest() == Some(to.digest.as_str())) {
        return Ok(Ok(row));
    }
    let after = sole(&said.owned_after).ok_or("not one package alone owned the path after that")?;
    if after.is_configuration {
        return Err("it is a configuration file, which its administrator may change".into());
    }
    if after.state.as_deref().is_some_and(|state| !INSTALLED.contains(&state)) {
        return Err(format!("the package is not installed whole: {}", after.state.as_deref().unwrap_or_default()));
    }
    let before = sole(&said.owned_before).ok_or("not one package alone owned the path before")?;
    let rows = [after, before];
    let is_elsewhere = |row: &&PackageFile| row.dev.as_ref().is_some_and(|dev| *dev != to.dev);
    if rows.iter().any(is_elsewhere) {
        return Err("it lies on another filesystem than the package's file did".into());
    }
    // Whatever became of the package in between, that is how it ended.
    let read = |row: &PackageFile| {
        format!(
            "the recorder read this content there, and its {} is not the one that the database states",
            algorithm(row)
        )
    };
    if after.status == DIFFERS && has_digest(after) {
        return Ok(Err((after, read(after))));
    }
    if !is_same(before, after) {
        return Err("the package was changed at that time, and it is the digest of neither version".into());
    }
    if before.status == DIFFERS && has_digest(before) {
        return Ok(Err((before, read(before))));
    }
    let known = rows.into_iter().find(|row| row.package_digest().is_some()).ok_or_else(|| {
        format!("the package's digest is not known: the recorder's look at the file ended as `{}`", after.status)
    })?;
    // A stated SHA-256 is known without the file.
    if rows.iter().all(|row| row.dev.is_none()) {
        let status = &after.status;
        return Err(format!(
            "where the package's file lies is not known: the recorder's look at it ended as `{status}`"
        ));
    }
    let digest = known.package_digest().unwrap_or_default();
    let how = match known.stated_digest.as_deref() == Some(digest) {
        true => format!("the database states {digest}"),
        false => format!("the content with the {} that the database states has the digest {digest}", algorithm(known)),
    };
    Ok(Err((known, how)))
}

/// The owner of a path; of packages that state the same of it, as those of several architectures do, the first by name.
fn sole<'a>(owners: &[&'a PackageFile]) -> Option<&'a PackageFile> {
    let stated = |row: &PackageFile| {
        (row.stated_algorithm.clone(), row.stated_digest.clone(), row.is_configuration, row.state.clone())
    };
    let first = owners.iter().copied().min_by_key(|row| (&row.package, &row.architecture))?;
    let is_one = owners.len() == 1;
    let is_same = first.stated_digest.is_some() && owners.iter().all(|row| stated(row) == stated(first));
    (is_one || is_same).then_some(first)
}

/// The algorithm of the digest that a database states, as people write it.
fn algorithm(row: &PackageFile) -> String {
    let name = row.stated_algorithm.as_deref().unwrap_or_default().to_uppercase();
    name.strip_prefix("SHA").map_or(name.clone(), |bits| format!("SHA-{bits}"))
}

fn is_same(one: &PackageFile, other: &PackageFile) -> bool {
    (&one.package, &one.architecture, &one.version, &one.stated_digest)
        == (&other.package, &other.architecture, &other.version, &other.stated_digest)
}

/// What a change says of its package: an object, where one owns the path, and why it is not known, where it is not. Whether
/// nothing of its interval was lost decides whether somebody is named.
pub(super) fn to_json(said: &Said<'_>, change: &Change, suspects: &Suspects, is_complete: bool) -> (Value, Value) {
    let said = match said {
        Ok(said) => said,
        Err(reason) => return (Value::Null, reason.clone().into()),
    };
    let Some(last) = said.owned_after.first().or(said.owned_before.first()) else {
        return (Value::Null, said.lacks().into());
    };
    let (own, unknown) = match foreign(said, change) {
        Ok(found) => (Some(found.ok()), None),
        Err(reason) => (None, Some(reason)),
    };
    let row = own.flatten().unwrap_or(last);
    let previous = new_version(said, change, row).then(|| said.owned_before.first()).flatten();
    let says = match previous {
        Some(old) => format!(
            "package {} to {} {}",
            named(old),
            if old.package == row.package { version(row).to_owned() } else { named(row) },
            how(change, suspects, is_complete)
        ),
        None => owners(said),
    };
    let value = json!({
        "manager": row.manager, "package": row.package, "version": row.version, "architecture": row.architecture,
        "state": row.state, "is_configuration": row.is_configuration,
        "previous": previous.map(|row| json!({"package": row.package, "version": row.version})),
        "matches": own.map(|own| own.is_some()),
        "said_from": said.before.from(), "said_until": said.after.until(), "says": says,
    });
    (value, unknown.into())
}

/// Whether the change brought the content of another version than the one before: it is that of the package as it was after.
fn new_version(said: &Ownership<'_>, change: &Change, row: &PackageFile) -> bool {
    let (Some(old), Some(new)) = (said.owned_before.first(), said.owned_after.first()) else { return false };
    let is_new = row.package_digest() == Some(change.to.first().row.digest.as_str()) && is_same(row, new);
    change.kind != ChangeKind::FirstSeen && is_new && !is_same(old, new) && row.package_digest() != old.package_digest()
}

/// Who owned the path, in words.
fn owners(said: &Ownership<'_>) -> String {
    let owner = |rows: &[&PackageFile]| rows.first().map_or("no package".to_owned(), |row| named(row));
    let (old, new) = (owner(&said.owned_before), owner(&said.owned_after));
    if old == new {
        return format!("owned by {new}: {}", said.span());
    }
    let (databases, from, after) = (said.databases(), said.before.from(), said.after.from());
    format!("owned by {old} at {from}, and by {new} at {after}, as the host's {databases} said then")
}

fn named(row: &PackageFile) -> String {
    format!("{} {}", row.package, version(row))
}

fn version(row: &PackageFile) -> &str {
    row.version.as_deref().unwrap_or_default()
}

/// When and by whom: where one process alone can have done it, its last act; else the interval and all who can.
fn how(change: &Change, suspects: &Suspects, is_complete: bool) -> String {
    let acts: Vec<&Suspect> = suspects.list.iter().filter(|suspect| suspect.changes_content()).collect();
    let processes: HashSet<_> =
        acts.iter().map(|act| (act.seen.place.rank, act.seen.pid, act.seen.process_start_ns)).collect();
    let names: BTreeSet<String> =
        acts.iter().map(|act| format!("{} ({})", act.seen.comm, act.seen.parent_comm)).collect();
    let names = names.into_iter().collect::<Vec<_>>().join(", ");
    let is_known = is_complete && !suspects.has_unnamed && suspects.omitted == 0 && processes.len() == 1;
    if let Some(last) = acts.last().filter(|_| is_known) {
        return format!("at {} by {names}", last.seen.time.rfc3339());
    }
    let after = change.told_after().map(|time| format!("after {} and ", time.rfc3339())).unwrap_or_default();
    let who = if names.is_empty() { String::new() } else { format!("; who can have done it: {names}") };
    format!("{after}before {}{who}", change.before_time().rfc3339())
}
