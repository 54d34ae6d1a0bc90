//! What belongs together, and names; whole archives are merged in the tests of what reads them.

use super::merge::groups;
use super::*;
use crate::event::Event;
use crate::manifest::CompactedFile;
use crate::reader::{Prune, SealedTable, rows};
use crate::seal::{SegmentName, seal};
use crate::versions::VersionContext;
use serde_json::json;

#[test]
fn merged_names_are_told_from_those_of_segments() {
    let is_merged = |name: &str| is_merged_name(Path::new(name));
    assert!(is_merged("events/host=a/date=b/35801bee-000000-000017.parquet"));
    assert!(is_merged("35801bee-000000-4294967295.parquet"));
    for name in
        ["35801bee-000000.parquet", "35801bee-000000-17.parquet", "35801bee-000000-000017.tmp", "a-b-c.parquet", ""]
    {
        assert!(!is_merged(name), "{name}");
    }
}

fn file(path: &str, recording_id: &str, rows: u64) -> SealedFile {
    SealedFile {
        path: path.into(),
        content: Content::default(),
        rows,
        from: String::new(),
        to: String::new(),
        recording_id: recording_id.into(),
        segment: 0,
        sequences: Vec::new(),
    }
}

#[test]
fn small_files_of_one_folder_and_recording_belong_together() {
    let files = [
        file("events/a/1", "r1", 10),
        file("files/a/1", "r1", 10),
        file("events/a/2", "r1", LARGE_ROWS),
        file("events/a/3", "r1", 10),
        file("events/b/3", "r1", 10),
        file("events/a/4", "r2", 10),
        file("events/a/5", "r1", LARGE_ROWS - 1),
        file("events/a/6", "r1", LARGE_ROWS - 1),
        file("events/a/7", "r1", LARGE_ROWS - 1),
    ];
    let paths =
        |group: &Vec<SealedFile>| -> Vec<String> { group.iter().map(|file| file.path.display().to_string()).collect() };
    let found: Vec<_> = groups(&files).iter().map(paths).collect();
    assert_eq!(found, [["events/a/1", "events/a/3", "events/a/5"].to_vec(), ["events/a/6", "events/a/7"].to_vec()]);
    // What comes of it is large, or alone.
    let merged = [file("events/a/1-5", "r1", LARGE_ROWS + 19), file("events/a/6-7", "r1", 2 * LARGE_ROWS - 2)];
    assert!(groups(&merged).is_empty());
    let one_more = file("events/a/8", "r1", 1);
    assert!(groups(&[merged.to_vec(), vec![one_more]].concat()).is_empty());
}

#[test]
fn a_merged_file_is_one_group_in_the_order_of_sealing() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let archive = Archive::create(directory.path())?;
    let mut manifest = Manifest::open(&archive, None)?;
    let id = "11111111-2222-3333-4444-555555555555";
    manifest.append(&[("start", json!({"recording_id": id}))])?;
    // The third one holds an event that left the kernel late.
    for (segment, numbers) in [(0, [10, 20]), (1, [30, 40]), (2, [35, 50])] {
        let name = SegmentName { recording_id: id.into(), host: "web".into(), segment };
        let event = |seq| Event { recording_id: id.into(), seq, boot_ns: seq, ..Event::default() };
        seal(&archive, &mut manifest, &name, &VersionContext::default(), numbers.map(event).to_vec(), Vec::new())?;
    }
    manifest.append(&[("stop", json!({"recording_id": id}))])?;
    let mut manifest = Manifest::open(&archive, None)?;
    let outcome = compact(&archive, &mut manifest, |_, _, _| {})?;
    assert_eq!((outcome.merged.len(), outcome.merged[0].rows, outcome.merged[0].inputs), (1, 6, 3), "{outcome:?}");
    let lines = Manifest::open(&archive, None)?.lines().to_vec();
    let stated: CompactedFile = lines.last().context("a line")?.read()?;
    assert_eq!(stated.file.path, Path::new("events/host=web/date=1970-01-01/11111111-000000-000002.parquet"));
    let [range] = &stated.file.sequences[..] else { anyhow::bail!("{stated:?}") };
    assert_eq!((range.cpu, range.first, range.last, range.count), (0, 10, 50, 6));
    let table = SealedTable::<Event>::open(&directory.path().join(&stated.file.path))?;
    assert!(!table.is_sorted_by("boot_ns"), "it must not say so");
    let mut found = Vec::new();
    for batch in table.batches(&Prune::default(), &[], None)? {
        found.extend(rows::<Event>(&batch?).map(|row| row.map(|row| row.seq)).collect::<Result<Vec<_>>>()?);
    }
    assert_eq!(found, [10, 20, 30, 40, 35, 50]);
    Ok(())
}
