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
    let sealed = seal_segment(&archive, &mut manifest, &segment, &mut Vec::new(), &mut EarlierExecs::default())?;
    assert!(matches!(sealed, Retired::Sealed(_)), "its handle still has it: {sealed:?}");
    assert_eq!(discover::<LedgerEntry>(&archive, |_, _| true).0.len(), 1);
    Ok(())
}

/// Damages both copies of the header.
fn damage(segment: &FinishedSegment) -> Result<()> {
    let mut bytes = Vec::new();
    segment.read(&mut bytes)?;
    let text = b"3f1c9e52-8b55";
    let places: Vec<usize> = (0..bytes.len()).filter(|place| bytes[*place..].starts_with(text)).take(2).collect();
    assert_eq!(places.len(), 2);
    places.into_iter().for_each(|place| bytes[place] ^= 1);
    Ok(fs::write(segment.path(), bytes)?)
}

/// What the sealing thread says of this segment, and what it leaves.
fn seal_in_thread(archive: Archive, manifest: Manifest, segment: FinishedSegment) -> (Vec<Fault>, Outcome) {
    let (faulty, faults) = unbounded();
    let mut worker = Worker {
        reserve: Reserve::new(&archive, 1 << 16),
        archive,
        manifest,
        measurements: None,
        earlier: EarlierExecs::default(),
        faults: faulty,
        packages: unbounded().1,
        waiting: Arc::new(AtomicU64::new(1)),
        queue: VecDeque::from([(segment, None)]),
        lost: Vec::new(),
        is_full_told: false,
    };
    worker.seal_all();
    assert!(worker.queue.is_empty() && worker.waiting.load(Ordering::Acquire) == 0, "no other attempt can seal it");
    (faults.try_iter().collect(), worker.end())
}

#[test]
fn a_segment_without_a_header_is_kept_said_once_and_not_tried_again() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let (archive, manifest, segment) = archive_with_segment(&directory)?;
    damage(&segment)?;
    let path = segment.path().to_owned();
    let (said, outcome) = seal_in_thread(archive, manifest, segment);
    let [(kind, cause, detail)] = &said[..] else { panic!("one fault: {said:?}") };
    assert_eq!((*kind, *cause), ("corrupt", "header_damaged"));
    assert!(detail["error"].as_str().is_some_and(|error| error.contains("both copies of the header")), "{detail}");
    assert_eq!(outcome.unsealed.len(), 1, "{:?}", outcome.unsealed);
    assert!(path.with_extension(DAMAGED_SUFFIX).exists() && !path.exists());
    Ok(())
}

#[test]
fn a_segment_that_was_emptied_while_it_was_recorded_is_lost() -> Result<()> {
    for bytes in [vec![], vec![0; 1 << 16]] {
        let directory = tempfile::tempdir()?;
        let (archive, manifest, segment) = archive_with_segment(&directory)?;
        fs::write(segment.path(), bytes)?;
        let (said, outcome) = seal_in_thread(archive, manifest, segment);
        let [(kind, cause, _)] = &said[..] else { panic!("one fault: {said:?}") };
        assert_eq!((*kind, *cause, outcome.unsealed.len()), ("corrupt", "header_damaged", 1));
    }
    Ok(())
}

#[test]
fn a_segment_without_a_header_that_was_deleted_is_no_error_of_the_rename() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let (archive, mut manifest, segment) = archive_with_segment(&directory)?;
    damage(&segment)?;
    fs::remove_file(segment.path())?;
    let retired = seal_segment(&archive, &mut manifest, &segment, &mut Vec::new(), &mut EarlierExecs::default())?;
    let Retired::Lost(error) = retired else { panic!("{retired:?}") };
    assert!(format!("{error:#}").contains("was deleted: both copies"), "{error:#}");
    Ok(())
}
