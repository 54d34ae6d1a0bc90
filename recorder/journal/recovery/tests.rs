use super::*;
use hashtrail::reader::{Prune, SealedTable, discover, rows};

/// Between the rename of such a segment and the ledger of a recovery there may be a crash.
#[test]
fn a_segment_without_a_header_is_told_of_by_the_recovery_that_gets_so_far() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let archive = Archive::create(directory.path())?;
    let start = json!({ "recording_id": "3f1c9e52-8b55", "host": "web" });
    Manifest::open(&archive, None)?.append(&[("start", start)])?;
    for name in ["3f1c9e52-000003.damaged", "77777777-000000.damaged"] {
        fs::write(archive.journal().join(name), "no header")?;
    }
    let recovered = recover(&archive, &mut Manifest::open(&archive, None)?)?;
    assert_eq!((recovered.recordings.len(), recovered.damages.len()), (1, 0));
    let (files, _) = discover::<LedgerEntry>(&archive, |_, _| true);
    let table = SealedTable::<LedgerEntry>::open(&files[0].path)?;
    let batches = table.batches(&Prune::default(), &[], None)?.collect::<Result<Vec<_>>>()?;
    let entries = batches.iter().flat_map(rows::<LedgerEntry>).collect::<Result<Vec<_>>>()?;
    let lost: Vec<_> = entries.iter().filter(|entry| entry.cause.as_deref() == Some("header_damaged")).collect();
    assert_eq!(lost.len(), 1, "{entries:?}");
    assert_eq!(lost[0].detail.as_deref(), Some("{\"segment\":\"3f1c9e52-000003.damaged\"}"));
    Ok(())
}
