//! Manifests that were cut, replayed or made anew, and counts that do not add up.

use super::*;

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
