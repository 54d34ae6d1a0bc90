use super::*;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::time::Duration;

/// MD5 and SHA-256 of `abc`, from RFC 1321 and FIPS 180-2.
const MD5: &str = "900150983cd24fb0d6963f7d28e17f72";
const SHA256: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

fn digest(hex: &str) -> Option<Digest> {
    Some(Digest::from_hex(hex).expect("a digest"))
}

fn look(path: &Path, stated: Option<Digest>, limits: &Limits<'_>) -> Option<Reading> {
    Reader::default().look(path, stated, limits)
}

fn limits(is_stopping: &AtomicBool) -> Limits<'_> {
    Limits { deadline: Some(Instant::now() + Duration::from_secs(60)), max_bytes: 1 << 20, is_stopping }
}

fn file(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().expect("a test directory");
    let path = directory.path().join("file");
    fs::write(&path, bytes).expect("a test file");
    (directory, path)
}

#[test]
fn both_digests_are_of_the_same_bytes() {
    let (_directory, path) = file(b"abc");
    let running = AtomicBool::new(false);
    let found = look(&path, digest(MD5), &limits(&running)).expect("a reading");
    assert_eq!((found.status, found.digest.as_deref(), found.size_bytes), (OK, Some(SHA256), Some(3)));
    let metadata = std::os::unix::fs::MetadataExt::ino(&fs::metadata(&path).expect("a test file"));
    assert!(found.ino.is_some_and(|ino| ino.cast_unsigned() == metadata) && found.dev.is_some());
    fs::write(&path, "abd").expect("a test file");
    let found = look(&path, digest(MD5), &limits(&running)).expect("a reading");
    assert!(found.status == DIFFERS && found.digest.is_some_and(|digest| digest != SHA256));
}

/// Of `abc`, from FIPS 180-2 and 180-4.
#[test]
fn a_file_is_compared_by_the_algorithm_of_its_stated_digest() {
    let (_directory, path) = file(b"abc");
    let running = AtomicBool::new(false);
    let stated = [
        "a9993e364706816aba3e25717850c26c9cd0d89d",
        "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7",
        SHA256,
        "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd\
         454d4423643ce80e2a9ac94fa54ca49f",
    ];
    for hex in stated {
        let found = look(&path, digest(hex), &limits(&running)).expect("a reading");
        assert_eq!((found.status, found.digest.as_deref()), (OK, Some(SHA256)), "{hex}");
        let other = format!("0{}", &hex[1..]);
        let found = look(&path, digest(&other), &limits(&running)).expect("a reading");
        assert_eq!((found.status, found.digest.as_deref()), (DIFFERS, Some(SHA256)), "{hex}");
    }
}

#[test]
fn what_cannot_or_may_not_be_read_has_a_word_for_why() {
    let (directory, path) = file(b"abc");
    let at = |name: &str| directory.path().join(name);
    symlink("file", at("link")).expect("a link");
    symlink("loop", at("loop")).expect("a link");
    rustix::fs::mknodat(rustix::fs::CWD, at("fifo"), FileType::Fifo, 0o600.into(), 0).expect("a FIFO");
    let (running, stopping) = (AtomicBool::new(false), AtomicBool::new(true));
    let status = |path: &Path, limits: &Limits<'_>| look(path, digest(MD5), limits).map(|found| found.status);
    let shown = ["link", "loop", "fifo", "gone", "file/below"].map(|name| status(&at(name), &limits(&running)));
    assert_eq!(shown, [Some("link"), Some("link"), Some("other_type"), Some("missing"), Some("missing")]);
    assert_eq!(status(directory.path(), &limits(&running)), None, "a directory is nobody's");
    assert_eq!(look(&path, None, &limits(&running)).map(|found| found.status), Some("no_digest"));
    assert_eq!(status(&path, &limits(&stopping)), Some("stopped"));
    let unread = look(&path, digest(MD5), &limits(&stopping)).expect("a look");
    let read = look(&path, digest(MD5), &limits(&running)).expect("a look");
    assert!(unread.dev.is_some() && unread.ino.is_some() && unread.size_bytes.is_none());
    assert_eq!((unread.dev, unread.ino), (read.dev, read.ino), "whose file it is needs no reading");
    assert_eq!(status(&path, &Limits { deadline: None, ..limits(&running) }), Some("budget"));
    assert_eq!(status(&path, &Limits { deadline: Some(Instant::now()), ..limits(&running) }), Some("budget"));
    assert_eq!(status(&path, &Limits { max_bytes: 2, ..limits(&running) }), Some("too_large"));
}

/// Somebody appends for as long as it is read.
#[test]
fn a_file_that_grows_is_read_no_further_than_it_was_long() {
    let (_directory, path) = file(&vec![0; 4 << 20]);
    let (running, done) = (AtomicBool::new(false), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut file = fs::OpenOptions::new().append(true).open(&path).expect("a test file");
            while !done.load(Ordering::Relaxed) {
                let _ = std::io::Write::write_all(&mut file, &[0; 4096]);
                std::thread::yield_now();
            }
        });
        let unlimited = Limits { max_bytes: u64::MAX, ..limits(&running) };
        // Somebody else may keep the appender from its processor.
        let found = (0..100).find_map(|_| {
            let mut reader = Reader::default();
            let found = reader.look(&path, digest(MD5), &unlimited).expect("a reading");
            (found.status == "changed").then_some((found, reader.read_bytes))
        });
        done.store(true, Ordering::Relaxed);
        let (found, read_bytes) = found.expect("it grows while it is read");
        assert_eq!(found.digest, None);
        let most = fs::metadata(&path).expect("a test file").len() + CHUNK_BYTES as u64;
        assert!(read_bytes <= most, "{read_bytes}");
    });
}
