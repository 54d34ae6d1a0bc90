//! Files that were merged, and lines that say so and are not true.

use super::*;
use serde_json::{Map, Value};

/// Merges what can be merged.
pub(super) fn compact(root: &Path, key: Option<SigningKey>) -> Result<()> {
    let archive = Archive::open(root)?;
    let mut manifest = Manifest::open(&archive, key)?;
    let mut outcome = hashtrail::compact::Outcome::default();
    hashtrail::compact::compact(&archive, &mut manifest, &mut outcome, |_, _, _| {})?;
    assert_eq!((outcome.damages.len(), outcome.refused.len(), outcome.merged.len()), (0, 0, 3), "{outcome:?}");
    Ok(())
}

/// An archive of three segments that were merged, unsigned.
fn compacted(root: &Path) -> Result<()> {
    record(root, 3, 0, None)?;
    compact(root, None)
}

/// Writes the manifest anew, chained as it should be, with its lines changed.
fn forge(root: &Path, mut change: impl FnMut(&str, &mut Map<String, Value>) -> bool) -> Result<()> {
    let text = fs::read_to_string(root.join(MANIFEST))?;
    fs::remove_file(root.join(MANIFEST))?;
    let mut manifest = Manifest::open(&Archive::open(root)?, None)?;
    for line in text.lines() {
        let mut fields: Map<String, Value> = serde_json::from_str(line)?;
        let kind = fields.remove("kind").unwrap_or_default();
        let kind = kind.as_str().unwrap_or_default();
        fields.retain(|name, _| !matches!(name.as_str(), "prev" | "crc32c" | "manifest_version"));
        if change(kind, &mut fields) {
            manifest.append(&[(kind, fields.into())])?;
        }
    }
    Ok(())
}

#[test]
fn a_compacted_archive_is_good() -> Result<()> {
    let directory = tempfile::tempdir()?;
    record(directory.path(), 3, 0, None)?;
    let before = verified(directory.path(), &Anchors::default())?;
    compact(directory.path(), None)?;
    let after = verified(directory.path(), &Anchors::default())?;
    assert!(after.is_good() && after.findings.is_empty(), "{after:?}");
    assert_eq!((before.files, after.files, before.events, after.events), (9, 3, 6, 6));
    forge(directory.path(), |_, _| true)?;
    assert!(verified(directory.path(), &Anchors::default())?.is_good(), "an honest copy of the lines");
    Ok(())
}

/// A change of a compaction's line, and what is found then.
type Lie = (&'static str, fn(&mut Map<String, Value>));

/// Whoever can write the manifest anew can chain it: what it says must fit together all the same.
const LIES: [Lie; 9] = [
    ("rows_disagree", |line| line["rows_sha256"] = json!("00")),
    ("compaction_wrong", |line| line["rows"] = json!(5)),
    ("compaction_wrong", |line| line["inputs"][0]["sha256"] = json!("00")),
    ("compaction_wrong", |line| line["inputs"][0]["path"] = json!("events/host=web/date=1970-01-01/none.parquet")),
    ("compaction_wrong", |line| line["inputs"][1] = line["inputs"][0].clone()),
    ("compaction_wrong", |line| line["recording_id"] = json!("another")),
    ("compaction_wrong", |line| drop(line["inputs"].as_array_mut().map(Vec::pop))),
    ("compaction_wrong", |line| line["inputs"] = json!([])),
    ("rows_disagree", |line| line["sequences"][0]["first"] = json!(1)),
];

#[test]
fn a_compaction_that_is_not_true_is_found() -> Result<()> {
    for (number, (kind, lie)) in LIES.into_iter().enumerate() {
        let directory = tempfile::tempdir()?;
        compacted(directory.path())?;
        let mut is_first = true;
        forge(directory.path(), |kind, line| {
            if kind == "compact" && std::mem::take(&mut is_first) {
                lie(line);
            }
            true
        })?;
        let found = verified(directory.path(), &Anchors::default())?;
        assert!(kinds(&found).contains(&kind) && !found.is_good(), "lie {number}: {:?}", found.findings);
    }
    Ok(())
}

/// Rows of another file under the right digests of a file: the digest over the rows is of those that were merged.
#[test]
fn other_rows_in_a_merged_file_are_found() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let root = directory.path();
    compacted(root)?;
    let merged = files(root)?.into_iter().find(|file| file.starts_with("events")).expect("a merged file");
    fs::remove_file(root.join(&merged))?;
    let events: Vec<Event> = (0..6).map(|seq| Event { uid: i64::from(seq == 3), ..event(seq) }).collect();
    hashtrail::writer::write(&root.join(&merged), &events, "boot_ns", Vec::new())?;
    let content = hashtrail::manifest::Content::of(fs::File::open(root.join(&merged))?)?;
    forge(root, |_, line| {
        if line.get("path").and_then(Value::as_str) == merged.to_str() {
            line["sha256"] = json!(content.sha256);
            line["size_bytes"] = json!(content.size_bytes);
            line["block_crc32c"] = json!(content.block_crc32c);
        }
        true
    })?;
    let found = verified(root, &Anchors::default())?;
    assert_eq!(kinds(&found), ["rows_disagree"], "{:?}", found.findings);
    Ok(())
}

/// Without its line the merged files are named by none, and the inputs are missing.
#[test]
fn a_compaction_without_its_line_is_found() -> Result<()> {
    let directory = tempfile::tempdir()?;
    compacted(directory.path())?;
    forge(directory.path(), |kind, _| kind != "compact")?;
    let found = verified(directory.path(), &Anchors::default())?;
    let count = |kind: &str| kinds(&found).iter().filter(|found| **found == kind).count();
    assert_eq!((count("file_missing"), count("file_unlisted"), found.is_good()), (9, 3, false), "{:?}", found.findings);
    Ok(())
}

/// What was merged and stands there, but is not what it was, is damage.
#[test]
fn a_merged_input_that_was_changed_is_found() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let (root, older) = (directory.path().join("a"), directory.path().join("older"));
    record(&root, 3, 0, None)?;
    copy(&root, &older)?;
    compact(&root, None)?;
    let input = files(&older)?.into_iter().find(|file| file.starts_with("events")).expect("a file");
    fs::copy(older.join(&input), root.join(&input))?;
    let found = verified(&root, &Anchors::default())?;
    assert_eq!((kinds(&found), found.is_good(), found.events), (vec!["file_merged"], false, 6));
    fs::write(root.join(&input), "x")?;
    let found = verified(&root, &Anchors::default())?;
    assert_eq!((kinds(&found), found.is_good()), (vec!["file_changed"], false));
    let archive = Archive::open(&root)?;
    let mut manifest = Manifest::open(&archive, None)?;
    let mut outcome = hashtrail::compact::Outcome::default();
    hashtrail::compact::compact(&archive, &mut manifest, &mut outcome, |_, _, _| {})?;
    assert!(outcome.damages.len() == 1 && root.join(&input).exists(), "{outcome:?}");
    Ok(())
}

#[test]
fn only_a_recording_that_has_ended_is_merged() -> Result<()> {
    let directory = tempfile::tempdir()?;
    compacted(directory.path())?;
    forge(directory.path(), |kind, _| kind != "stop")?;
    let found = verified(directory.path(), &Anchors::default())?;
    assert_eq!((kinds(&found), found.state), (vec!["line_out_of_place"; 3], State::Open));
    Ok(())
}

/// A file of more rows than its line states takes no memory for them.
#[test]
fn rows_are_counted_before_they_are_held() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let root = directory.path();
    compacted(root)?;
    let merged = files(root)?.into_iter().find(|file| file.starts_with("events")).expect("a merged file");
    let events: Vec<Event> = (0..7).map(event).collect();
    let path = root.join(&merged);
    fs::remove_file(&path)?;
    hashtrail::writer::write(&path, &events, "boot_ns", Vec::new())?;
    let error = hashtrail::row_digest::RowDigest::of_file("events", &path, 6).expect_err("one more");
    assert!(error.to_string().contains("it has 7 rows, not 6"), "{error:#}");
    Ok(())
}
