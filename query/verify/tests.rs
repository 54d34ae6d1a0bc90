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

/// Every bit, or with the sample only one of each 47 bytes: detected, and the file is named.
#[test]
fn every_flipped_bit_of_an_archive_is_found_and_placed_signed_or_not_with_and_without_the_key() -> Result<()> {
    let key = SigningKey::generate()?;
    let with_key = Anchors { key: Some(key.verifying_key()), ..Anchors::default() };
    let mut flips = 0;
    for (key, anchors) in [(Some(key), vec![Anchors::default(), with_key]), (None, vec![Anchors::default()])] {
        let directory = tempfile::tempdir()?;
        record(directory.path(), 1, 0, key)?;
        flips += flip(directory.path(), &anchors)?;
        assert!(anchors.iter().all(|anchors| verified(directory.path(), anchors).is_ok_and(|found| found.is_good())));
    }
    assert!(flips > 1000, "{flips} flips");
    eprintln!("{flips} flipped bits, all found");
    Ok(())
}

/// Flips bits of each file; gives how many.
fn flip(root: &Path, anchors: &[Anchors]) -> Result<usize> {
    let step = if std::env::var_os("HASHTRAIL_TEST_FULL").is_some() { 1 } else { 47 * 8 + 1 };
    let mut flips = 0;
    for file in files(root)? {
        let whole = fs::read(root.join(&file))?;
        for bit in (0..whole.len() * 8).step_by(step) {
            let mut damaged = whole.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            fs::write(root.join(&file), damaged)?;
            for anchors in anchors {
                let found = verified(root, anchors)?;
                let name = file.to_string_lossy();
                // A changed manifest and its signature no longer fit together: either can be the changed one.
                let is_of_it =
                    |finding: &Finding| finding.file == name || name == MANIFEST && finding.file.starts_with(MANIFEST);
                let is_placed = found.findings.iter().any(is_of_it);
                assert!(!found.is_good() && is_placed, "bit {bit} of `{name}`: {:?}", found.findings);
                flips += 1;
            }
        }
        fs::write(root.join(&file), whole)?;
    }
    Ok(flips)
}

/// All of them: the manifest is small, and its last line has nothing after it.
#[test]
fn every_flipped_bit_of_a_manifest_is_found_signed_or_not_with_and_without_the_key() -> Result<()> {
    for key in [None, Some(SigningKey::generate()?)] {
        let directory = tempfile::tempdir()?;
        let root = directory.path();
        let with_key = Anchors { key: key.as_ref().map(SigningKey::verifying_key), ..Anchors::default() };
        let is_signed = key.is_some();
        // Without sealed files each check is quick; with them the full run does the same.
        record(root, u32::from(std::env::var_os("HASHTRAIL_TEST_FULL").is_some()), 0, key)?;
        let anchors = if is_signed { vec![Anchors::default(), with_key] } else { vec![Anchors::default()] };
        let whole = fs::read(root.join(MANIFEST))?;
        for bit in 0..whole.len() * 8 {
            let mut damaged = whole.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            fs::write(root.join(MANIFEST), damaged)?;
            for anchors in &anchors {
                let found = verified(root, anchors)?;
                let is_placed = found
                    .findings
                    .iter()
                    .any(|finding| finding.kind == "manifest_damaged" && finding.severity == Severity::Damage);
                assert!(!found.is_good() && is_placed, "bit {bit}, signed {is_signed}: {:?}", found.findings);
            }
        }
        fs::write(root.join(MANIFEST), whole)?;
        assert!(anchors.iter().all(|anchors| verified(root, anchors).is_ok_and(|found| found.is_good())));
    }
    Ok(())
}

/// All of them, or each fifth with the sample, with the key and without: what nothing signs in it is what minisign does not look at.
#[test]
fn every_flipped_bit_of_a_signature_is_found_with_and_without_the_key() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let root = directory.path();
    let key = SigningKey::generate()?;
    let anchors = [Anchors::default(), Anchors { key: Some(key.verifying_key()), ..Anchors::default() }];
    record(root, 0, 0, Some(key))?;
    let signature = root.join("manifest.jsonl.minisig");
    let whole = fs::read(&signature)?;
    let step = if std::env::var_os("HASHTRAIL_TEST_FULL").is_some() { 1 } else { 5 };
    for bit in (0..whole.len() * 8).step_by(step) {
        let mut damaged = whole.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        fs::write(&signature, damaged)?;
        for anchors in &anchors {
            let found = verified(root, anchors)?;
            let is_placed = found.findings.iter().any(|finding| finding.file == "manifest.jsonl.minisig");
            assert!(!found.is_good() && is_placed, "bit {bit}: {:?}", found.findings);
        }
    }
    for length in (0..whole.len()).step_by(step) {
        fs::write(&signature, &whole[..length])?;
        assert!(
            anchors.iter().all(|anchors| verified(root, anchors).is_ok_and(|found| !found.is_good())),
            "{length} bytes"
        );
    }
    Ok(())
}

/// A line with a checksum that fits: whoever can write the manifest can make it, but cannot sign.
#[test]
fn a_signature_is_checked_without_a_key_too() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let root = directory.path();
    archive(root)?;
    let signature = fs::read(root.join("manifest.jsonl.minisig"))?;
    fs::remove_file(root.join("manifest.jsonl.minisig"))?;
    fs::remove_file(root.join(MANIFEST))?;
    for table in ["events", "files", "ledger"] {
        fs::remove_dir_all(root.join(table))?;
    }
    let other = archive(root)?;
    fs::write(root.join("manifest.jsonl.minisig"), signature)?;
    let found = verified(root, &Anchors::default())?;
    assert_eq!((kinds(&found), found.signature.as_str()), (vec!["signature_wrong"], "WRONG"));
    assert_eq!(kinds(&verified(root, &Anchors { key: Some(other), ..Anchors::default() })?), ["signature_wrong"]);
    Ok(())
}

#[test]
fn a_signature_that_a_start_promises_and_that_is_gone_or_empty_is_missing() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let root = directory.path();
    let key = archive(root)?;
    let signature = root.join("manifest.jsonl.minisig");
    for anchors in [Anchors::default(), Anchors { key: Some(key), ..Anchors::default() }] {
        for text in [Some(""), Some("\n"), None] {
            match text {
                Some(text) => fs::write(&signature, text)?,
                None => fs::remove_file(&signature)?,
            }
            let found = verified(root, &anchors)?;
            assert_eq!((kinds(&found), found.signature.as_str()), (vec!["signature_missing"], "missing"));
            assert!(found.findings[0].detail.starts_with("line 1 names the public key"), "{:?}", found.findings);
        }
    }
    Ok(())
}

#[test]
fn an_archive_that_was_never_signed_has_no_signature_to_miss() -> Result<()> {
    let directory = tempfile::tempdir()?;
    record(directory.path(), 1, 0, None)?;
    let found = verified(directory.path(), &Anchors::default())?;
    assert_eq!((found.is_good(), found.signature.as_str()), (true, "none"));
    Ok(())
}

#[test]
fn a_signature_that_hashtrail_did_not_write_so_is_valid_and_foreign() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let root = directory.path();
    let key = archive(root)?;
    let signature = root.join("manifest.jsonl.minisig");
    let own = fs::read_to_string(&signature)?;
    fs::write(&signature, own.replace("hashtrail manifest\n", "case 7\n"))?;
    for anchors in [Anchors::default(), Anchors { key: Some(key), ..Anchors::default() }] {
        let found = verified(root, &anchors)?;
        assert_eq!(
            (kinds(&found), found.is_good()),
            (vec!["signature_altered"], false),
            "what nothing signs was changed"
        );
        assert!(found.findings[0].detail.starts_with("it is valid and foreign"), "{:?}", found.findings);
    }
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

/// The sample was recorded before lines had checksums: it is read, and it is said what that means.
#[test]
fn an_older_archive_is_good_and_its_lines_are_told_to_have_no_checksum() -> Result<()> {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/incident/archive");
    let found = verified(&sample, &Anchors::default())?;
    assert!(found.is_good(), "{found:?}");
    assert_eq!((kinds(&found), found.findings[0].place.as_str()), (vec!["lines_without_checksum"], "lines 1 to 6"));
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
    assert_eq!((&kinds(&found)[..2], found.state), (&["signature_wrong", "head_not_found"][..], State::Open));
    assert_eq!(verified(&root, &with_key)?.findings[0].kind, "signature_wrong");
    assert!(!verified(&root, &Anchors::default())?.is_good(), "an end that was cut is OPEN");
    fs::write(root.join(MANIFEST), &manifest)?;

    // The archive goes on; then the older set is put back in its place.
    let archive = Archive::open(&root)?;
    let mut longer = Manifest::open(&archive, None)?;
    longer.append(&[
        ("start", json!({"recording_id": "2"})),
        ("stop", json!({"recording_id": "2", "counts": {"cpus": []}})),
    ])?;
    let newer_head = longer.head().to_owned();
    let found = verified(&root, &with_head(&newer_head))?;
    assert_eq!((kinds(&found), found.is_good()), (vec!["lines_not_signed"], true), "the head vouches for all lines");
    assert!(!verified(&root, &Anchors::default())?.is_good(), "without it, nobody does");
    let found = verified(&root, &with_head(&head))?;
    assert_eq!(kinds(&found), ["lines_not_signed", "lines_after_head"]);
    assert_eq!(found.findings[1].place, "lines 9 to 10");
    let found = verified(&root, &with_key)?;
    assert_eq!((kinds(&found)[0], found.signature.as_str()), ("lines_not_signed", "good, for a part"));
    assert!(verified(&older, &with_key)?.is_good(), "it was good once: only the head can tell");
    assert_eq!(
        kinds(&verified(&older, &with_head(&newer_head))?),
        ["head_not_found"],
        "its own key knows no newer state"
    );

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
fn counts_that_are_missing_or_unknown_are_damage() -> Result<()> {
    let whole = json!({"cpu": 0, "produced": 2, "stored": 2, "dropped": 0, "suppressed": 0, "filtered": 1});
    let changed = |change: fn(&mut serde_json::Map<String, serde_json::Value>)| {
        let mut counts = whole.clone();
        counts.as_object_mut().map(change);
        json!({"cpus": [counts]})
    };
    let cases = [
        (json!({"cpus": [whole]}), ""),
        (serde_json::Value::Null, "it has no counts of the CPUs"),
        (json!({"cpus": null}), "it has no counts of the CPUs"),
        (json!({"cpus": [whole], "unreadablf": 0}), "its count `unreadablf` is unknown"),
        (changed(|counts| drop(counts.remove("dropped"))), "its count `dropped` is missing"),
        (
            changed(|counts| drop(counts.insert("stored".into(), "2".into()))),
            "its count `stored` is missing or no number",
        ),
        (changed(|counts| drop(counts.insert("filterdd".into(), 1.into()))), "its count `filterdd` is unknown"),
        (changed(|counts| drop(counts.remove("cpu"))), "its counts name no CPU"),
        (json!({"cpus": []}), "2 events are in the files of this CPU, which is not counted"),
    ];
    for (counts, wrong) in cases {
        let directory = tempfile::tempdir()?;
        let archive = Archive::create(directory.path())?;
        let mut manifest = Manifest::open(&archive, None)?;
        manifest.append(&[("start", json!({"recording_id": ID, "host": "web"}))])?;
        let name = SegmentName { recording_id: ID.into(), host: "web".into(), segment: 0 };
        let events = vec![event(0), event(1)];
        seal(&archive, &mut manifest, &name, &VersionContext::default(), events, Vec::new())?;
        manifest.append(&[("stop", json!({"recording_id": ID, "counts": counts}))])?;
        let found = verified(directory.path(), &Anchors::default())?;
        assert_eq!(found.is_good(), wrong.is_empty(), "{counts}: {:?}", found.findings);
        let is_told = found.findings.iter().any(|finding| finding.detail.starts_with(wrong));
        assert!(is_told || wrong.is_empty(), "{counts}: {:?}", found.findings);
    }
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
