//! Archives that are good, and what is wrong with others.

mod compactions;
mod flips;
mod manifests;
mod signatures;

use super::*;
use hashtrail::event::Event;
use hashtrail::ledger::LedgerEntry;
use hashtrail::manifest::Manifest;
use hashtrail::seal::{SegmentName, seal};
use hashtrail::signature::SigningKey;
use hashtrail::versions::VersionContext;
use serde_json::json;
use std::fs;
use std::path::Path;

const ID: &str = "11111111-2222-3333-4444-555555555555";

fn event(seq: i64) -> Event {
    Event {
        recording_id: ID.into(),
        host: "web".into(),
        boot_ns: seq * 1000,
        seq,
        hook: "bprm_check_security".into(),
        path: Some("/usr/bin/tool".into()),
        dev: Some("8:1".into()),
        ino: Some(7),
        ino_generation: Some(1),
        fs_type: Some("ext4".into()),
        digest_algorithm: Some("sha256".into()),
        digest: Some("ab".repeat(32)),
        size_bytes: Some(1),
        mtime: Some(hashtrail::cell::Micros(0)),
        ctime: Some(hashtrail::cell::Micros(0)),
        mode: Some(0o755),
        owner_uid: Some(0),
        owner_gid: Some(0),
        ..Event::default()
    }
}

/// A sealed recording in two segments, and the key that signed it.
fn archive(root: &Path) -> Result<VerifyingKey> {
    archive_of(root, 2)
}

fn archive_of(root: &Path, segments: u32) -> Result<VerifyingKey> {
    archive_on(root, segments, 0)
}

fn archive_on(root: &Path, segments: u32, cpu: i32) -> Result<VerifyingKey> {
    let key = SigningKey::generate()?;
    let public = VerifyingKey::parse(&key.public_base64())?;
    record(root, segments, cpu, Some(key))?;
    Ok(public)
}

/// Seals a recording, signed or not.
fn record(root: &Path, segments: u32, cpu: i32, key: Option<SigningKey>) -> Result<()> {
    let archive = Archive::create(root)?;
    let mut manifest = Manifest::open(&archive, key)?;
    let policy =
        json!({"name": "p", "text": "x", "sha256": manifest::hex(&<sha2::Sha256 as sha2::Digest>::digest("x"))});
    let public_key = manifest.public_key();
    let start = json!({"recording_id": ID, "host": "web", "public_key": public_key, "policies": [policy]});
    manifest.append(&[("start", start)])?;
    for segment in 0..segments {
        let name = SegmentName { recording_id: ID.into(), host: "web".into(), segment };
        let events = [0, 1].map(|number| Event { cpu, ..event(i64::from(segment) * 2 + number) }).to_vec();
        let entry = LedgerEntry { recording_id: ID.into(), kind: "heartbeat".into(), ..LedgerEntry::default() };
        seal(&archive, &mut manifest, &name, &VersionContext::default(), events, vec![entry])?;
    }
    let stored = 2 * segments;
    let counts =
        json!({"cpus": [{"cpu": cpu, "produced": stored + 1, "stored": stored, "dropped": 1, "suppressed": 0}]});
    manifest.append(&[("stop", json!({"recording_id": ID, "state": "SEALED", "counts": counts}))])
}

fn verified(root: &Path, anchors: &Anchors) -> Result<Verification> {
    verify(root, anchors, |_, _| {})
}

fn kinds(found: &Verification) -> Vec<&'static str> {
    found.findings.iter().map(|finding| finding.kind).collect()
}

/// All files of an archive, relative to it.
fn files(root: &Path) -> Result<Vec<PathBuf>> {
    let mut folders = vec![root.to_owned()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() { folders.push(path) } else { files.push(path.strip_prefix(root)?.to_owned()) }
        }
    }
    files.sort();
    Ok(files)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    for file in files(from)? {
        fs::create_dir_all(to.join(&file).parent().unwrap_or(to))?;
        fs::copy(from.join(&file), to.join(&file))?;
    }
    Ok(())
}

#[test]
fn a_sealed_archive_is_good() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let key = archive(directory.path())?;
    let head = verified(directory.path(), &Anchors::default())?.head;
    let anchors = Anchors { key: Some(key), head: Some(head), ..Anchors::default() };
    let found = verified(directory.path(), &anchors)?;
    assert!(found.is_good(), "{found:?}");
    assert_eq!((found.files, found.events, found.signature.as_str()), (6, 4, "good"));
    let found = verified(directory.path(), &Anchors::default())?;
    assert!(found.is_good() && found.findings.is_empty(), "{found:?}");
    assert_eq!(found.signature, "consistent with its own key, whose owner is not known");
    Ok(())
}

#[test]
fn rows_of_user_space_are_counted_as_those_of_a_further_cpu() -> Result<()> {
    let directory = tempfile::tempdir()?;
    archive_on(directory.path(), 2, hashtrail::event::USER_SPACE_CPU)?;
    let found = verified(directory.path(), &Anchors::default())?;
    assert!(found.is_good(), "{found:?}");
    Ok(())
}

#[test]
fn a_journal_that_cannot_be_listed_is_named() -> Result<()> {
    let directory = tempfile::tempdir()?;
    archive(directory.path())?;
    fs::remove_dir_all(directory.path().join(".journal"))?;
    assert!(verified(directory.path(), &Anchors::default())?.is_good(), "a copy needs none");
    fs::write(directory.path().join(".journal"), "")?;
    let found = verified(directory.path(), &Anchors::default())?;
    assert_eq!((kinds(&found), found.is_good()), (vec!["folder_unreadable"], false));
    Ok(())
}

#[test]
fn swapped_removed_and_added_files_are_named() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let root = directory.path();
    archive(root)?;
    let events: Vec<PathBuf> = files(root)?.into_iter().filter(|file| file.starts_with("events")).collect();
    let [first, second] = [root.join(&events[0]), root.join(&events[1])];
    fs::rename(&first, root.join("aside"))?;
    fs::rename(&second, &first)?;
    fs::rename(root.join("aside"), &second)?;
    let found = verified(root, &Anchors::default())?;
    assert_eq!(kinds(&found)[..2], ["file_swapped"; 2], "{:?}", found.findings);
    fs::remove_file(&first)?;
    fs::write(root.join("files/planted.parquet"), "")?;
    let found = verified(root, &Anchors::default())?;
    assert_eq!(kinds(&found)[..3], ["file_missing", "file_swapped", "file_unlisted"], "{:?}", found.findings);
    assert!(kinds(&found).contains(&"events_missing"), "the counts show it too");
    Ok(())
}

#[test]
fn a_recording_without_an_end_is_open_and_a_recovered_one_is_not_sealed() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let archive = Archive::create(directory.path())?;
    let mut manifest = Manifest::open(&archive, None)?;
    manifest.append(&[("start", json!({"recording_id": ID}))])?;
    let found = verified(directory.path(), &Anchors::default())?;
    assert_eq!((found.state, found.is_good(), found.findings.len()), (State::Open, false, 0));
    manifest.append(&[("recovered", json!({"recording_id": ID}))])?;
    let found = verified(directory.path(), &Anchors::default())?;
    assert_eq!((found.state, found.is_good(), found.findings.len()), (State::Recovered, false, 0));
    Ok(())
}
