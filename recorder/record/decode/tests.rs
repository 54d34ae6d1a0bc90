use super::*;
use hashtrail::versions::VersionContext;

fn header() -> SegmentHeader {
    SegmentHeader {
        recording_id: "r".into(),
        host: "h".into(),
        boot_id: "b".into(),
        segment: 0,
        entries: Vec::new(),
        versions: VersionContext::default(),
    }
}

fn record(raw: wire::event, path: &[u8], exe: &[u8], argv: &[u8]) -> Vec<u8> {
    let length = |bytes: &[u8]| u16::try_from(bytes.len()).unwrap_or_default();
    let tail = [path, exe, argv].concat();
    let raw = wire::event {
        record_bytes: u32::try_from(size_of::<wire::event>() + tail.len()).unwrap_or_default(),
        path_bytes: length(path),
        exe_bytes: length(exe),
        argv_bytes: length(argv),
        flags: flag(wire::event_flag::EVENT_HAS_FILE.0),
        ..raw
    };
    [wire::bytes_of(&raw), &tail].concat()
}

#[test]
fn a_committed_exec() -> Result<()> {
    let raw = wire::event {
        hook: 1,
        dev: 8 << 20 | 1,
        argc: 3,
        auid: u32::MAX,
        digest_status: flag(wire::digest_status::DIGEST_OK.0),
        digest_source: flag(wire::digest_source::SOURCE_IMA.0),
        digest_algorithm: 2,
        digest: [0xab; 64],
        digest_doubt: 3,
        mtime_s: -1,
        mtime_ns: 1000,
        ..wire::event::default()
    };
    let bytes = record(raw, b"/bin/a\xff", b"/bin/sh", b"a\0\0b\0");
    let header = header();
    let event = decode(&bytes, &header, &Surroundings::default(), &mut Scratch::default())?.into_owned();
    assert_eq!(event.hook, "bprm_committed_creds");
    assert_eq!(
        (event.path.as_deref(), event.path_bytes.as_deref()),
        (Some("/bin/a\\xff"), Some(b"/bin/a\xff".as_slice()))
    );
    assert_eq!(event.argv, Some(vec!["a".into(), String::new(), "b".into()]));
    assert_eq!(event.dev.as_deref(), Some("8:1"));
    assert_eq!(event.digest, Some("ab".repeat(20)));
    assert_eq!(event.digest_doubt, ["old", "writer_open"]);
    assert_eq!((event.auid, event.mtime), (None, Some(Micros(-999_999))));
    Ok(())
}

/// Whether a record becomes no row; what is checked and what is made must agree.
fn is_refused(record: &[u8]) -> bool {
    let header = header();
    let checked = check(record, &header);
    let is_refused = decode(record, &header, &Surroundings::default(), &mut Scratch::default()).is_err();
    assert_eq!(checked.is_err(), is_refused, "{checked:?}");
    is_refused
}

#[test]
fn no_length_is_trusted() {
    let bytes = record(wire::event::default(), b"/a", b"", b"");
    for end in 0..bytes.len() {
        assert!(is_refused(&bytes[..end]), "{end}");
    }
    let unknown = record(wire::event { hook: 99, ..wire::event::default() }, b"/a", b"", b"");
    assert!(is_refused(&unknown));
}

#[test]
fn a_text_is_never_that_of_the_row_before() -> Result<()> {
    let header = header();
    let mut scratch = Scratch::default();
    for (dev, algorithm, digest) in
        [(8 << 20 | 1, 2, "00".repeat(20)), (0, 4, "00".repeat(32)), (8 << 20, 99, "00".repeat(64))]
    {
        let status = flag(wire::digest_status::DIGEST_OK.0);
        let source = flag(wire::digest_source::SOURCE_IMA.0);
        let raw = wire::event {
            dev,
            digest_algorithm: algorithm,
            digest_status: status,
            digest_source: source,
            ..wire::event::default()
        };
        let bytes = record(raw, b"/a", b"", b"");
        let event = decode(&bytes, &header, &Surroundings::default(), &mut scratch)?;
        assert_eq!(event.dev, Some(format!("{}:{}", dev >> 20, dev & 0xf_ffff).into()));
        assert_eq!(event.digest, Some(digest.into()));
    }
    Ok(())
}

#[test]
fn mutants_are_rows_or_errors() {
    let bytes = record(wire::event { hook: 1, argc: 2, ..wire::event::default() }, b"/bin/a", b"/bin/sh", b"a\0b\0");
    for seed in 0..crate::mutate::count() {
        let mutant = crate::mutate::mutant(&bytes, seed);
        if !is_refused(&mutant)
            && let Ok(event) = decode(&mutant, &header(), &Surroundings::default(), &mut Scratch::default())
        {
            assert!(event.path.is_none_or(|path| path.len() <= 4 * mutant.len()), "mutant {seed}");
        }
    }
}
