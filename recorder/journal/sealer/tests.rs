use super::*;
use crate::journal::frame::FrameKind;
use crate::journal::segment::{SEGMENT_SUFFIX, SegmentWriter, segment_name};
use crate::record::header::{SegmentHeader, Surroundings};
use hashtrail::ledger::LedgerEntry;
use hashtrail::reader::discover;

/// An archive with one finished segment, which holds one ledger entry.
fn archive_with_segment(directory: &tempfile::TempDir) -> Result<(Archive, Manifest, FinishedSegment)> {
    let archive = Archive::create(directory.path())?;
    let manifest = Manifest::open(&archive, None)?;
    let header = SegmentHeader { recording_id: "3f1c9e52-8b55".into(), host: "web".into(), ..SegmentHeader::default() };
    let name = format!("{}.{SEGMENT_SUFFIX}", segment_name(&header.recording_id, header.segment));
    let surroundings = Surroundings::default();
    let mut writer = SegmentWriter::create(&archive.journal().join(name), 1 << 16, &header, surroundings)?;
    let entry = serde_json::to_vec(&LedgerEntry { kind: "start".into(), ..LedgerEntry::default() })?;
    assert!(writer.append(FrameKind::Ledger, &entry, surroundings));
    Ok((archive, manifest, writer.finish()))
}

#[test]
fn a_segment_that_was_deleted_while_it_was_recorded_is_sealed_once() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let (archive, mut manifest, segment) = archive_with_segment(&directory)?;
    fs::remove_file(segment.path())?;
    let sealed = seal_segment(&archive, &mut manifest, &segment, &mut EarlierExecs::default())?;
    assert!(sealed.is_some(), "its handle still has it");
    assert_eq!(discover::<LedgerEntry>(&archive, |_, _| true).0.len(), 1);
    Ok(())
}
