//! What belongs together, and names; whole archives are merged in the tests of what reads them.

use super::merge::groups;
use super::*;
use crate::event::Event;
use crate::manifest::{CompactedFile, Standing};
use crate::reader::{Prune, SealedTable, rows};
use crate::seal::{SegmentName, seal};
use crate::versions::VersionContext;
use serde_json::{Value, json};

fn standing(files: &[SealedFile], is_there: &dyn Fn(&SealedFile) -> bool) -> Standing {
    let line = |file: &SealedFile| {
        let Ok(Value::Object(mut line)) = serde_json::to_value(file) else { panic!("a file is an object") };
        line.insert("kind".into(), "file".into());
        line
    };
    Standing::of(files.iter().map(line), is_there)
}

fn file(path: &str, recording_id: &str, segment: u32, rows: u64) -> SealedFile {
    SealedFile {
        path: path.into(),
        content: Content::default(),
        rows,
        from: String::new(),
        to: String::new(),
        recording_id: recording_id.into(),
        segment,
        sequences: Vec::new(),
    }
}

#[test]
fn small_files_of_one_folder_and_recording_belong_together() {
    let files = [
        file("events/a/1", "r1", 1, 10),
        file("files/a/1", "r1", 1, 10),
        file("events/a/2", "r1", 2, LARGE_ROWS),
        file("events/a/3", "r1", 3, 10),
        file("events/b/3", "r1", 3, 10),
        file("events/a/4", "r2", 4, 10),
        file("events/a/4b", "r1", 4, 10),
        file("events/a/5", "r1", 5, LARGE_ROWS - 1),
        file("events/a/6", "r1", 6, LARGE_ROWS - 1),
        file("events/a/7", "r1", 7, LARGE_ROWS - 1),
        // The clock was set back to the day before.
        file("events/c/8", "r1", 8, 10),
        file("events/a/9", "r1", 9, 10),
        file("events/c/10", "r1", 10, 10),
        file("events/c/11", "r1", 11, 10),
    ];
    let found = groups(&standing(&files, &|_| true));
    let paths =
        |group: &Vec<SealedFile>| -> Vec<String> { group.iter().map(|file| file.path.display().to_string()).collect() };
    let found: Vec<_> = found.iter().map(paths).collect();
    let expected = [["events/a/4b", "events/a/5"], ["events/a/6", "events/a/7"], ["events/c/10", "events/c/11"]];
    assert_eq!(found, expected);
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
    let mut outcome = Outcome::default();
    compact(&archive, &mut manifest, &mut outcome, |_, _, _| {})?;
    assert_eq!((outcome.merged.len(), outcome.merged[0].rows, outcome.merged[0].inputs), (1, 6, 3), "{outcome:?}");
    let lines = Manifest::open(&archive, None)?.lines();
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
