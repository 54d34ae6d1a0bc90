use super::*;
use crate::content::identity::kernel_device;
use sha2::Sha256;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

const NO_LIMIT: u64 = 1 << 20;

/// The record of an open of this file by this process, whose digest the kernel could not give.
fn row_of(path: &Path) -> OwnRow {
    let metadata = std::fs::metadata(path).expect("a test file");
    let head = wire::event {
        seq: 5,
        cpu: 1,
        pid: std::process::id(),
        hook: small(wire::hook::HOOK_FILE_OPEN.0),
        flags: byte(wire::event_flag::EVENT_HAS_FILE.0),
        dev: kernel_device(metadata.dev()),
        ino: metadata.ino(),
        mode: metadata.mode(),
        size_bytes: metadata.size(),
        ctime_s: metadata.ctime(),
        ctime_ns: u32::try_from(metadata.ctime_nsec()).expect("a test file"),
        digest_status: byte(wire::digest_status::DIGEST_NOT_AVAILABLE_AT_THIS_HOOK.0),
        ..wire::event::default()
    };
    OwnRow { head, path: path.as_os_str().as_bytes().to_vec(), ..OwnRow::default() }
}

fn status(row: &OwnRow) -> wire::digest_status {
    wire::digest_status(u32::from(row.head.digest_status))
}

/// What is answered by a hasher that remembers nothing.
fn hashed(row: OwnRow) -> OwnRow {
    answered(row, NO_LIMIT, &mut Memory::new(0)).row
}

fn look_at(hasher: &mut Hasher, row: &OwnRow) {
    hasher.look_at(&row.head, &row.record());
}

#[test]
fn a_file_that_stayed_is_hashed_for_the_row_that_lacks_it() {
    let directory = tempfile::tempdir().expect("a test file");
    let path = directory.path().join("one");
    std::fs::write(&path, b"abc").expect("a test file");
    let answer = hashed(row_of(&path));
    assert_eq!(status(&answer), wire::digest_status::DIGEST_OK);
    assert_eq!(answer.head.digest[..32], Sha256::digest(b"abc")[..]);
    assert_eq!((answer.head.ref_cpu, answer.head.ref_seq, answer.head.digest_doubt), (1, 5, 0));
    let of_sha1 = OwnRow { head: wire::event { digest_algorithm: SHA1, ..row_of(&path).head }, ..row_of(&path) };
    let answer = hashed(of_sha1);
    assert_eq!((answer.head.digest_algorithm, &answer.head.digest[..2]), (SHA1, &[0xa9, 0x99][..]));
    let writer = OwnRow { head: wire::event { writers: 1, ..row_of(&path).head }, ..row_of(&path) };
    assert_eq!(hashed(writer).head.digest_doubt, wire::digest_doubt::DOUBT_WRITER_OPEN.0);
}

#[test]
fn what_moved_is_gone_or_is_too_large_has_no_digest() {
    let directory = tempfile::tempdir().expect("a test file");
    let path = directory.path().join("one");
    std::fs::write(&path, b"abc").expect("a test file");
    let row = row_of(&path);
    assert_eq!(status(&answered(row.clone(), 2, &mut Memory::new(0)).row), wire::digest_status::DIGEST_TOO_LARGE);
    std::fs::OpenOptions::new().append(true).open(&path).expect("a test file").write_all(b"d").expect("a test file");
    assert_eq!(status(&hashed(row.clone())), wire::digest_status::DIGEST_MOVED);
    let row = row_of(&path);
    std::fs::write(directory.path().join("other"), b"abcd").expect("a test file");
    std::fs::rename(directory.path().join("other"), &path).expect("a test file");
    assert_eq!(status(&hashed(row.clone())), wire::digest_status::DIGEST_MOVED);
    std::fs::remove_file(&path).expect("a test file");
    let answer = hashed(row);
    assert_eq!(status(&answer), wire::digest_status::DIGEST_UNREADABLE);
    assert_eq!((answer.head.digest, answer.head.digest_algorithm), ([0; 64], 0));
}

#[test]
fn an_unlinked_file_is_reached_through_its_descriptor() {
    let directory = tempfile::tempdir().expect("a test file");
    let path = directory.path().join("one");
    std::fs::write(&path, b"abc").expect("a test file");
    let held = File::open(&path).expect("a test file");
    std::fs::remove_file(&path).expect("a test file");
    let metadata = held.metadata().expect("a test file");
    let mut row = row_of(Path::new("/dev/null"));
    row.head = wire::event {
        dev: kernel_device(metadata.dev()),
        ino: metadata.ino(),
        size_bytes: 3,
        ctime_s: metadata.ctime(),
        ctime_ns: u32::try_from(metadata.ctime_nsec()).expect("a test file"),
        ..row.head
    };
    assert_eq!(status(&hashed(row)), wire::digest_status::DIGEST_OK);
}

#[test]
fn a_file_that_the_kernel_records_as_it_was_is_hashed_once() {
    let directory = tempfile::tempdir().expect("a test file");
    let path = directory.path().join("one");
    std::fs::write(&path, b"abc").expect("a test file");
    let mut hasher = Hasher::start(NO_LIMIT).expect("a test file");
    let mut row = row_of(&path);
    row.head.fs_type[..4].copy_from_slice(&b"ext4".map(u8::cast_signed));
    row.head.boot_ns = (host::clock_anchor().boot_ns + 5_000_000_000).cast_unsigned();
    let limit = Instant::now() + Duration::from_secs(10);
    let mut ask = |row: &OwnRow| {
        look_at(&mut hasher, row);
        let answer = hasher.last_answer(limit).expect("an answer");
        (answer, hasher.counts())
    };
    let (first, _) = ask(&row);
    assert_eq!(u32::from(first.head.digest_source), wire::digest_source::SOURCE_USER.0);
    // It is not looked at again, or it would have moved.
    std::fs::remove_file(&path).expect("a test file");
    row.head.seq = 6;
    let (second, counts) = ask(&row);
    assert_eq!((second.head.ref_seq, &second.head.digest[..32]), (6, &Sha256::digest(b"abc")[..]));
    assert_eq!(u32::from(second.head.digest_source), wire::digest_source::SOURCE_USER.0);
    assert_eq!(counts, HasherCounts { answered: 2, remembered: 1, ..HasherCounts::default() });
    row.head.ctime_ns ^= 1;
    let (changed, counts) = ask(&row);
    assert_eq!(status(&changed), wire::digest_status::DIGEST_UNREADABLE);
    assert_eq!(counts, HasherCounts { answered: 3, remembered: 1, ..HasherCounts::default() });
}

#[test]
fn only_what_the_kernel_could_not_hash_is_asked_for() {
    let with = |status: wire::digest_status, doubt: u32| wire::event {
        digest_status: byte(status.0),
        digest_doubt: doubt,
        flags: byte(wire::event_flag::EVENT_HAS_FILE.0),
        mode: 0o100_644,
        hook: small(wire::hook::HOOK_FILE_OPEN.0),
        ..wire::event::default()
    };
    let failed = with(wire::digest_status::DIGEST_IMA_FAILED, 0);
    assert!(lacks_digest(&failed));
    assert!(lacks_digest(&with(wire::digest_status::DIGEST_OK, wire::digest_doubt::DOUBT_OLD.0)));
    assert!(!lacks_digest(&with(wire::digest_status::DIGEST_OK, wire::digest_doubt::DOUBT_WRITER_OPEN.0)));
    assert!(!lacks_digest(&with(wire::digest_status::DIGEST_NOT_REQUESTED, 0)));
    assert!(can_be_read(&failed));
    assert!(!can_be_read(&wire::event { mode: 0o040_755, ..failed }));
    let unverifiable = wire::digest_doubt::DOUBT_UNVERIFIABLE_FS.0;
    assert!(!can_be_read(&with(wire::digest_status::DIGEST_IMA_FAILED, unverifiable)), "its server may never answer");
    let mut proc = failed;
    proc.fs_type[..4].copy_from_slice(&b"proc".map(u8::cast_signed));
    assert!(!can_be_read(&proc));
}

#[test]
fn an_executable_is_hashed_once_and_what_finds_no_place_is_counted() {
    let directory = tempfile::tempdir().expect("a test file");
    let path = directory.path().join("one");
    std::fs::write(&path, b"abc").expect("a test file");
    let mut hasher = Hasher::start(NO_LIMIT).expect("a test file");
    let mut row = row_of(&path);
    row.head.hook = small(wire::hook::HOOK_RUNNING_PROCESS.0);
    look_at(&mut hasher, &row);
    look_at(&mut hasher, &row);
    let limit = Instant::now() + Duration::from_secs(10);
    assert!(hasher.last_answer(limit).is_some());
    assert!(hasher.last_answer(limit).is_none());
    hasher.end();
    assert_eq!(hasher.counts(), HasherCounts { answered: 1, ..HasherCounts::default() });

    // Nobody takes the answers, so both queues fill up.
    for _ in 0..3 * QUEUE {
        look_at(&mut hasher, &row_of(&path));
    }
    assert!(hasher.counts().dropped > 0);
    hasher.end();
    let counts = hasher.counts();
    assert_eq!(counts.answered + counts.dropped, 1 + 3 * QUEUE as u64);
}
