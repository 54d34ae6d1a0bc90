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
    let archive = Archive::create(root)?;
    let mut manifest = Manifest::open(&archive, Some(key))?;
    let policy =
        json!({"name": "p", "text": "x", "sha256": manifest::hex(&<sha2::Sha256 as sha2::Digest>::digest("x"))});
    manifest.append(&[("start", json!({"recording_id": ID, "host": "web", "policies": [policy]}))])?;
    for segment in 0..segments {
        let name = SegmentName { recording_id: ID.into(), host: "web".into(), segment };
        let events = [0, 1].map(|number| Event { cpu, ..event(i64::from(segment) * 2 + number) }).to_vec();
        let entry = LedgerEntry { recording_id: ID.into(), kind: "heartbeat".into(), ..LedgerEntry::default() };
        seal(&archive, &mut manifest, &name, &VersionContext::default(), events, vec![entry])?;
    }
    let stored = 2 * segments;
    let counts =
        json!({"cpus": [{"cpu": cpu, "produced": stored + 1, "stored": stored, "dropped": 1, "suppressed": 0}]});
    manifest.append(&[("stop", json!({"recording_id": ID, "state": "SEALED", "counts": counts}))])?;
    Ok(public)
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
    assert_eq!((found.files, found.events, found.signature), (6, 4, "good"));
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

/// Every bit, or with the sample only one of each 47 bytes: detected, and the file is named.
#[test]
fn every_flipped_bit_of_a_signed_archive_is_found_and_placed() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let root = directory.path();
    let anchors = Anchors { key: Some(archive_of(root, 1)?), ..Anchors::default() };
    let step = if std::env::var_os("HASHTRAIL_TEST_FULL").is_some() { 1 } else { 47 * 8 + 1 };
    let mut flips = 0;
    for file in files(root)? {
        let whole = fs::read(root.join(&file))?;
        for bit in (0..whole.len() * 8).step_by(step) {
            let mut damaged = whole.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            fs::write(root.join(&file), damaged)?;
            let found = verified(root, &anchors)?;
            let name = file.to_string_lossy();
            // A changed manifest and its signature no longer fit together: either can be the changed one.
            let is_placed = found
                .findings
                .iter()
                .any(|finding| finding.file == name || name == MANIFEST && finding.file.starts_with(MANIFEST));
            assert!(!found.is_good() && is_placed, "bit {bit} of `{name}`: {:?}", found.findings);
            flips += 1;
        }
        fs::write(root.join(&file), whole)?;
    }
    assert!(flips > 500, "{flips} flips");
    assert!(verified(root, &anchors)?.is_good(), "everything is as it was");
    eprintln!("{flips} flipped bits, all found");
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
fn cut_replayed_and_newly_made_manifests_are_found() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let (root, older) = (directory.path().join("a"), directory.path().join("older"));
    let key = archive(&root)?;
    copy(&root, &older)?;
    let head = verified(&root, &Anchors::default())?.head;
    let manifest = fs::read(root.join(MANIFEST))?;
    let with_head = |head: &str| Anchors { head: Some(head.to_owned()), ..Anchors::default() };
    let with_key = Anchors { key: Some(key), ..Anchors::default() };

    let cut = manifest[..manifest.len() - 1].iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
    fs::write(root.join(MANIFEST), &manifest[..cut])?;
    let found = verified(&root, &with_head(&head))?;
    assert_eq!((kinds(&found)[0], found.state), ("head_not_found", State::Open));
    assert_eq!(verified(&root, &with_key)?.findings[0].kind, "signature_wrong");
    assert!(!verified(&root, &Anchors::default())?.is_good(), "an end that was cut is OPEN");
    fs::write(root.join(MANIFEST), &manifest)?;

    // The archive goes on; then the older set is put back in its place.
    let archive = Archive::open(&root)?;
    let mut longer = Manifest::open(&archive, None)?;
    longer.append(&[("start", json!({"recording_id": "2"})), ("stop", json!({"recording_id": "2"}))])?;
    let newer_head = longer.head().to_owned();
    assert!(verified(&root, &with_head(&newer_head))?.is_good());
    let found = verified(&root, &with_head(&head))?;
    assert_eq!((kinds(&found)[0], found.findings[0].place.as_str()), ("lines_after_head", "lines 9 to 10"));
    let found = verified(&root, &with_key)?;
    assert_eq!((kinds(&found)[0], found.signature), ("lines_not_signed", "good for a part"));
    assert!(verified(&older, &with_key)?.is_good(), "it was good once: only the head can tell");
    assert_eq!(kinds(&verified(&older, &with_head(&newer_head))?), ["head_not_found"]);

    let other =
        Anchors { key: Some(VerifyingKey::parse(&SigningKey::generate()?.public_base64())?), ..Anchors::default() };
    assert_eq!(kinds(&verified(&older, &other)?), ["signature_wrong"]);
    fs::remove_file(older.join("manifest.jsonl.minisig"))?;
    assert_eq!(kinds(&verified(&older, &with_key)?), ["signature_missing"]);
    Ok(())
}

/// A manifest that was made anew, with a right chain, over events that were taken out: the counts tell.
#[test]
fn counts_that_do_not_add_up_are_found() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let archive = Archive::create(directory.path())?;
    let mut manifest = Manifest::open(&archive, None)?;
    manifest.append(&[("start", json!({"recording_id": ID, "host": "web"}))])?;
    let name = SegmentName { recording_id: ID.into(), host: "web".into(), segment: 0 };
    let events = vec![event(0), event(1), event(1)];
    seal(&archive, &mut manifest, &name, &VersionContext::default(), events, Vec::new())?;
    let counts = json!({"cpus": [{"cpu": 0, "produced": 9, "stored": 4, "dropped": 1, "suppressed": 0}]});
    manifest.append(&[("stop", json!({"recording_id": ID, "counts": counts}))])?;
    let found = verified(directory.path(), &Anchors::default())?;
    assert_eq!(kinds(&found), ["event_twice", "counts_disagree", "events_missing"], "{:?}", found.findings);
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
