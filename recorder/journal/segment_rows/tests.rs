use super::*;
use crate::journal::frame;
use crate::record::header::EntryName;
use crate::record::wire;
use hashtrail::event::Event;
use hashtrail::reader::{Prune, SealedTable, discover, rows};
use hashtrail::versions::{FileVersion, VersionContext};

const NAME: &str = "3f1c9e52-000000.journal";

fn header() -> SegmentHeader {
    SegmentHeader { recording_id: "3f1c9e52-8b55".into(), host: "web".into(), ..SegmentHeader::default() }
}

/// A segment with records of two CPUs and a ledger entry.
fn segment() -> Vec<u8> {
    let header = header();
    let head = serde_json::to_vec(&header).expect("JSON");
    let record = |cpu: u32, seq: u64| {
        let event = wire::event {
            cpu,
            seq,
            boot_ns: 1000 * (seq + 1),
            record_bytes: u32::try_from(size_of::<wire::event>()).expect("small"),
            ..wire::event::default()
        };
        wire::bytes_of(&event).to_vec()
    };
    let note = serde_json::to_vec(&LedgerEntry { kind: "start".into(), ..LedgerEntry::default() }).expect("JSON");
    let frames = [
        (FrameKind::Header, head.clone()),
        (FrameKind::Header, head),
        (FrameKind::Ledger, note),
        (FrameKind::Record, record(0, 0)),
        (FrameKind::Record, record(1, 0)),
        (FrameKind::Record, record(0, 1)),
        (FrameKind::Record, record(1, 1)),
        (FrameKind::Record, record(0, 2)),
    ];
    let mut bytes = vec![0; 8192];
    let mut position = 0;
    for (number, (kind, payload)) in (0..).zip(&frames) {
        let surroundings = Surroundings { utc_offset_ns: 7000, ima_policy: None };
        let frame = Frame { kind: *kind, number, surroundings, payload };
        position += frame::write(&mut bytes[position..], &frame, salt_of(&header.recording_id)).expect("it fits");
    }
    bytes
}

/// The rows that the records of a segment become.
fn events(segment: &SegmentRows<'_>) -> Vec<Event> {
    let decoded = segment.records.iter().map(|record| {
        let mut scratch = Scratch::default();
        let event = decode::decode(record.bytes, &segment.header, &record.surroundings, &mut scratch);
        event.expect("it can be read").into_owned()
    });
    decoded.collect()
}

fn used(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1)
}

#[test]
fn each_flipped_bit_costs_one_row_at_most_and_is_on_record() {
    let bytes = segment();
    let whole = SegmentRows::read(&bytes, NAME).expect("it is whole");
    assert_eq!((whole.records.len(), whole.ledger.len(), whole.damages.len()), (5, 1, 0));
    let all = events(&whole);
    for bit in 0..used(&bytes) * 8 {
        let mut damaged = bytes.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        let read = SegmentRows::read(&damaged, NAME).expect("one header is left");
        let left = events(&read);
        assert!(left.iter().all(|event| all.contains(event)), "bit {bit}: a wrong row");
        let lost = all.len() - left.len();
        let stated: i64 = read.ledger.iter().filter_map(|entry| entry.count).sum();
        assert!(lost <= 1, "bit {bit} costs {lost} rows");
        let is_reported = read.ledger.iter().any(|entry| entry.kind == "corrupt");
        let is_padding = left.len() == 5 && read.ledger == whole.ledger;
        assert!(is_reported || is_padding, "bit {bit} is not reported");
        // Only between two records of its CPU has a hole bounds.
        let is_bounded = all[2] != all[1] && lost == 1 && !left.contains(&all[2]);
        assert_eq!(stated, i64::from(is_bounded), "bit {bit}");
    }
}

#[test]
fn every_cut_gives_a_correct_prefix() {
    let bytes = segment();
    let whole = SegmentRows::read(&bytes, NAME).expect("it is whole");
    let header_bytes = frame::framed_bytes(serde_json::to_vec(&header()).expect("JSON").len());
    for cut in 0..used(&bytes) {
        for torn in [bytes[..cut].to_vec(), [&bytes[..cut], &vec![0; bytes.len() - cut]].concat()] {
            let Ok(read) = SegmentRows::read(&torn, NAME) else {
                assert!(cut < header_bytes, "cut {cut}");
                continue;
            };
            assert!(events(&whole).starts_with(&events(&read)), "cut {cut}: no prefix");
        }
    }
}

#[test]
fn both_headers_lost_is_an_error() {
    let mut bytes = segment();
    bytes[30] ^= 1;
    let second = frame::framed_bytes(serde_json::to_vec(&header()).expect("JSON").len());
    bytes[second + 30] ^= 1;
    let error = SegmentRows::read(&bytes, NAME).expect_err("no header");
    assert!(error.to_string().contains("both copies of the header"));
    let error = SegmentRows::read(&segment(), "3f1c9e52-000001.journal").expect_err("another segment");
    assert!(error.to_string().contains("another segment"));
}

#[test]
fn mutants_never_give_a_wrong_row() {
    let bytes = segment();
    let whole = events(&SegmentRows::read(&bytes, NAME).expect("it is whole"));
    for seed in 0..crate::mutate::count() {
        let mutant = crate::mutate::mutant(&bytes[..used(&bytes) + 64], seed);
        if let Ok(read) = SegmentRows::read(&mutant, NAME) {
            assert!(events(&read).iter().all(|event| whole.contains(event)), "mutant {seed}");
        }
    }
}

/// A record of exec 7 of a tool, and what user space found for the one with another number.
fn exec_record(seq: u64, hook: wire::hook, of: Option<u64>) -> Vec<u8> {
    let path = b"/bin/tool";
    let byte = |value: u32| value.to_le_bytes()[0];
    let event = wire::event {
        record_bytes: u32::try_from(size_of::<wire::event>() + path.len()).expect("small"),
        path_bytes: u16::try_from(path.len()).expect("small"),
        flags: byte(wire::event_flag::EVENT_HAS_FILE.0),
        hook: u16::try_from(hook.0).expect("small"),
        seq,
        boot_ns: seq,
        exec_id: 7,
        ino: 12,
        digest_status: byte(of.map_or(wire::digest_status::DIGEST_NOT_REQUESTED, |_| wire::digest_status::DIGEST_OK).0),
        digest_source: byte(of.map_or(0, |_| wire::digest_source::SOURCE_USER.0)),
        ref_seq: of.unwrap_or_default(),
        ..wire::event::default()
    };
    [wire::bytes_of(&event), path].concat()
}

#[test]
fn an_exec_counts_for_a_digest_that_a_later_segment_of_its_recording_holds() -> Result<()> {
    let (check, commit) = (wire::hook::HOOK_BPRM_CHECK_SECURITY, wire::hook::HOOK_BPRM_COMMITTED_CREDS);
    let execs = [exec_record(1, check, None), exec_record(2, commit, None)];
    let taken = wire::hook::HOOK_USER_DIGEST;
    let digests = [exec_record(3, taken, Some(1)), exec_record(4, taken, Some(2))];
    for (next_recording, expected) in [("3f1c9e52-8b55", Some(1)), ("77777777-8b55", Some(0))] {
        let directory = tempfile::tempdir()?;
        let archive = Archive::create(directory.path())?;
        let mut manifest = Manifest::open(&archive, None)?;
        let mut earlier = EarlierExecs::default();
        for (number, (recording_id, records)) in (0..).zip([("3f1c9e52-8b55", &execs), (next_recording, &digests)]) {
            let versions = VersionContext { commits_recorded: true, ..VersionContext::default() };
            let header = SegmentHeader { recording_id: recording_id.into(), segment: number, versions, ..header() };
            let mut segment = SegmentRows { header, ..SegmentRows::default() };
            for (number, payload) in (0..).zip(records) {
                let surroundings = Surroundings::default();
                segment.take(&Frame { kind: FrameKind::Record, number, surroundings, payload }, NAME);
            }
            assert_eq!((segment.records.len(), segment.damages.len()), (2, 0));
            segment.seal(&archive, &mut manifest, &mut earlier)?;
        }
        let (files, _) = discover::<FileVersion>(&archive, |_, _| true);
        assert_eq!(files.len(), 1, "only the second segment has a digest");
        let table = SealedTable::<FileVersion>::open(&files[0].path)?;
        let batches = table.batches(&Prune::default(), &[], None)?.collect::<Result<Vec<_>>>()?;
        let runs = batches.iter().flat_map(rows::<FileVersion>).map(|row| Ok(row?.runs));
        assert_eq!(runs.collect::<Result<Vec<_>>>()?, [expected]);
    }
    Ok(())
}

/// Records of every hook, each as it is and with each of its bytes changed in turn.
fn changed_records() -> Vec<Vec<u8>> {
    let byte = |value: u32| value.to_le_bytes()[0];
    let texts = [b"/bin/a".as_slice(), b"/bin/sh", b"sh\0-c\0", b"/bin/b", &[b'a'; 64]];
    let length = |text: &[u8]| u16::try_from(text.len()).expect("short");
    let hooks = 0..=wire::hook::HOOK_USER_DIGEST.0;
    let records = hooks.map(|hook| {
        let event = wire::event {
            hook: u16::try_from(hook).expect("a hook"),
            record_bytes: u32::try_from(size_of::<wire::event>() + texts.concat().len()).expect("short"),
            path_bytes: length(texts[0]),
            exe_bytes: length(texts[1]),
            argv_bytes: length(texts[2]),
            target_bytes: length(texts[3]),
            container_bytes: length(texts[4]),
            flags: byte(wire::event_flag::EVENT_HAS_FILE.0 | wire::event_flag::EVENT_HAS_TARGET.0),
            digest_status: byte(wire::digest_status::DIGEST_OK.0),
            digest_source: byte(wire::digest_source::SOURCE_IMA.0),
            digest_algorithm: 4,
            ..wire::event::default()
        };
        [wire::bytes_of(&event), &texts.concat()].concat()
    });
    let changed = |record: Vec<u8>| {
        // The first bytes are the time.
        let places = (size_of::<u64>()..record.len()).flat_map(|place| [(place, 1), (place, 0x90), (place, 0)]);
        places.map(move |(place, bits)| [&record[..place], &[record[place] ^ bits], &record[place + 1..]].concat())
    };
    records.flat_map(changed).collect()
}

/// What a part of an event before is taken for again is what the event's own record says.
#[test]
fn each_byte_of_a_record_tells_its_own_row() -> Result<()> {
    let entries = vec![EntryName { policy: "p".into(), hook: "h".into(), ..EntryName::default() }];
    let records = changed_records();
    let mut segment = SegmentRows { header: SegmentHeader { entries, ..header() }, ..SegmentRows::default() };
    for (number, payload) in (0..).zip(&records) {
        let surroundings = Surroundings::default();
        segment.take(&Frame { kind: FrameKind::Record, number, surroundings, payload }, NAME);
    }
    let mut expected = events(&segment);
    let directory = tempfile::tempdir()?;
    let archive = Archive::create(directory.path())?;
    segment.seal(&archive, &mut Manifest::open(&archive, None)?, &mut EarlierExecs::default())?;
    let (files, _) = discover::<Event>(&archive, |_, _| true);
    let table = SealedTable::<Event>::open(&files[0].path)?;
    let batches = table.batches(&Prune::default(), &[], None)?.collect::<Result<Vec<_>>>()?;
    let mut sealed = batches.iter().flat_map(rows::<Event>).collect::<Result<Vec<Event>>>()?;
    // This doubt comes from other rows, not from the record.
    sealed.iter_mut().for_each(|event| event.digest_doubt.retain(|doubt| doubt != "same_digest_other_size"));
    expected.sort_by_key(|event| (event.boot_ns, event.cpu, event.seq));
    assert!(sealed.len() > records.len() / 2);
    assert_eq!(sealed.len(), expected.len());
    for (sealed, expected) in sealed.iter().zip(&expected) {
        assert_eq!(sealed, expected);
    }
    Ok(())
}
