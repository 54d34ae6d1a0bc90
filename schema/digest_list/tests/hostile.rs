//! Lists that are made to do harm: no panic, and no more memory than their bounds.

use super::*;
use std::io::{BufReader, Read, repeat};

/// The most memory that this process has held, in bytes.
fn most_held() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("a status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a line");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") << 10
}

/// Reads a list that is a beginning, very much of one byte, and an end.
fn read_long(beginning: &str, byte: u8, length: u64, end: &str) -> (Wanted, Vec<String>) {
    let problems = Problems::default();
    let mut lists = Lists::default();
    let mut list = beginning.as_bytes().chain(repeat(byte).take(length)).chain(end.as_bytes());
    lists.read_from("list", &mut list, &problems);
    (lists.finish(), problems.texts())
}

#[test]
fn what_has_no_end_is_told_and_takes_no_memory() {
    const LONG: u64 = 300 << 20;
    let sha256 = hex("aa", 64);
    let before = most_held();
    let (wanted, problems) = read_long(&format!("{sha256}\n"), b'a', LONG, &format!("\n{}\n", hex("bb", 64)));
    assert_eq!((wanted.len(), problems), (2, vec!["list:2: the line is too long for a list of digests".to_owned()]));
    let (wanted, problems) =
        read_long(&format!("sha256,name\n{sha256},x\n"), b'a', LONG, &format!("\n{},y\n", hex("bb", 64)));
    assert_eq!((wanted.len(), problems.len()), (2, 1));
    assert!(problems[0].starts_with("list:3: the record is too long"), "{problems:?}");
    let (wanted, problems) = read_long(&format!("sha256,name\n{sha256},x\n\""), b'\n', LONG, "");
    assert!(wanted.len() == 1 && problems[0].starts_with("list:3: the record is too long"), "{problems:?}");
    let end = format!("\", {{\"sha256\": \"{}\"}}]", hex("bb", 64));
    let (wanted, problems) = read_long(&format!("[{{\"sha256\": \"{sha256}\"}}, \""), b'a', LONG, &end);
    assert!(wanted.len() == 2 && problems[0].contains("is longer than"), "{problems:?}");
    let (wanted, problems) = read_long(&format!("[{{\"sha256\": \"{sha256}\"}}, \""), b'\\', LONG, &end);
    assert!(wanted.len() == 1 && problems[0].contains("is longer than"), "{problems:?}");
    for deep in [b'[', b'{'] {
        let (wanted, problems) = read_long(&format!("[{{\"sha256\": \"{sha256}\"}}, "), deep, LONG, "");
        assert!(wanted.len() == 1 && problems.len() == 1, "{problems:?}");
    }
    let (wanted, problems) = read_long(&format!("[{{\"sha256\": \"{sha256}\"}}, {{\"extensions\": "), b'[', LONG, "");
    assert!(wanted.len() == 1 && problems[0].contains("deeper than 32 levels"), "{problems:?}");
    let (wanted, problems) = read_long(&format!("[file:hashes.'SHA-256' = '{sha256}']\n["), b'(', LONG, "");
    assert!(wanted.len() == 1 && problems[0].starts_with("list:2: the line is too long"), "{problems:?}");
    assert_eq!(read_long("", b' ', LONG, "").1.len(), 1, "blanks");
    // Other tests of this process run at the same time.
    let held = most_held() - before;
    assert!(held < 600 << 20, "{held} bytes for 2.7 GB");
}

/// One of many parts of a list, by its number.
type Part = fn(u64) -> String;

/// Lists of very many parts that are no digests which could be looked for, as beginning, part and end.
const SHAPES: [(&str, Part, &str); 14] = [
    ("{", |_| format!("\"sha256\": \"{}\",", "a".repeat(63)), "\"a\": 1}"),
    ("{", |number| format!("\"sha256\": \"{number:064x}\",\"imphash\":\"{number:032x}\","), "\"a\": 1}"),
    ("{", |number| format!("\"other{number}\": \"{number:064x}\","), "\"a\": 1}"),
    ("{\"Object\": {\"Attribute\": [", |_| "{\"type\": \"filename\", \"value\": \"a\"},".into(), "1]}}"),
    ("[", |number| format!("{{\"type\": \"kind{number}\", \"value\": \"{}\"}},", "v".repeat(500)), "1]"),
    ("[", |_| format!("{{\"pattern\": \"[{}\"}},", "file:hashes.MD5 != 'x' OR ".repeat(10_000)), "1]"),
    ("[", |_| format!("{{\"pattern\": \"{}\"}},", "[".repeat(1 << 20)), "1]"),
    ("[", |_| format!("{{\"pattern\": \"[file:hashes.MD5 IN ({})]\"}},", "'x',".repeat(200_000)), "1]"),
    ("[", |_| format!("{{\"comment\": \"{}\"}},", "\u{e9}".repeat(600_000)), "1]"),
    ("", |number| format!("{{\"{}\":", format!("{number}").repeat(1 << 18)), ""),
    ("", |number| format!("{{\"value\": \"{number}{}\", \"a\":", "v".repeat(1 << 20)), ""),
    ("type,value\n", |number| format!("{number}{},x\n", "k".repeat(1 << 20)), ""),
    ("sha256,name\n", |_| ",".repeat(1 << 20) + "\n", ""),
    ("", |number| format!("sha{number}:{:064x} x{number}\n", number % 100), ""),
];

/// Shapes are measured in a process of their own, to which a variable gives the number.
const SHAPE: &str = "HASHTRAIL_TEST_SHAPE";

#[test]
fn no_shape_of_a_list_takes_more_memory_than_its_digests() {
    // What grows with a list shows in a large one; a small one is a first look.
    let is_full = std::env::var_os("HASHTRAIL_TEST_FULL").is_some();
    let (list_bytes, most_bytes) = if is_full { (512 << 20, 256 << 20) } else { (64 << 20, 128 << 20) };
    if let Ok(number) = std::env::var(SHAPE) {
        let (beginning, part, end) = SHAPES[number.parse::<usize>().expect("a number")];
        let before = most_held();
        let parts = Parts { part, next: 0, left: list_bytes, bytes: Vec::new(), at: 0 };
        let problems = Problems::default();
        let mut lists = Lists::default();
        let mut list = beginning.as_bytes().chain(parts).chain(end.as_bytes());
        lists.read_from("list", &mut list, &problems);
        let wanted = lists.finish();
        assert!(wanted.unusable_lines + wanted.left_out.len() > 0, "nothing of it is lost in silence");
        let held = most_held() - before;
        let digests = 2 * 48 * wanted.len() as u64;
        assert!(held < most_bytes + digests, "{held} bytes, {} digests", wanted.len());
        return;
    }
    let name = std::thread::current().name().expect("the name of the test").to_owned();
    let measure = |number: usize| {
        let mut child = std::process::Command::new(std::env::current_exe().expect("this program"));
        let output = child.args(["--exact", &name]).env(SHAPE, number.to_string()).output().expect("it runs");
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(told.contains("1 passed"), "shape {number}: {told}{}", String::from_utf8_lossy(&output.stderr));
    };
    (0..SHAPES.len()).for_each(measure);
}

/// So many bytes of parts.
struct Parts {
    part: Part,
    next: u64,
    left: u64,
    bytes: Vec<u8>,
    at: usize,
}

impl Read for Parts {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.at == self.bytes.len() && self.left > 0 {
            self.bytes = (self.part)(self.next).into_bytes();
            (self.next, self.at) = (self.next + 1, 0);
            self.left = self.left.saturating_sub(self.bytes.len() as u64);
        }
        let count = (self.bytes.len() - self.at).min(buffer.len());
        buffer[..count].copy_from_slice(&self.bytes[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

#[test]
fn a_bomb_is_stopped_at_its_bound() {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for number in 0..200_000 {
        archive.start_file(number.to_string(), zip::write::SimpleFileOptions::default()).expect("a file");
    }
    let bomb = archive.finish().expect("a zip").into_inner();
    let (wanted, problems) = read_bytes(&bomb);
    assert!(wanted.is_empty() && problems[0].contains("the directory of the zip is too large"), "{problems:?}");
    let limit = std::rc::Rc::new(std::cell::Cell::new(1 << 20));
    let limited = unpack::Limited { inner: repeat(b'\n'), left: limit, what: "unpacked text" };
    let error = std::io::copy(&mut BufReader::new(limited), &mut std::io::sink()).expect_err("it is stopped");
    assert!(error.to_string().contains("the unpacked text is too large"), "{error}");
}

#[test]
fn mutants_of_lists_are_read() {
    let lists = [
        "malwarebazaar.csv",
        "threatfox.csv",
        "misp.csv",
        "misp.json",
        "stix.json",
        "patterns.txt",
        "sha256sum.txt",
        "bsd.txt",
    ];
    let read_fixture = |name: &str| {
        std::fs::read(format!("{}/tests/fixtures/lists/{name}", env!("CARGO_MANIFEST_DIR"))).expect("a list")
    };
    let mut lists: Vec<Vec<u8>> = lists.iter().map(|name| read_fixture(name)).collect();
    for number in 0..lists.len() {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        std::io::Write::write_all(&mut gzip, &lists[number]).expect("bytes");
        lists.push(gzip.finish().expect("a gzip"));
        let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        archive.start_file("a", zip::write::SimpleFileOptions::default()).expect("a file");
        std::io::Write::write_all(&mut archive, &lists[number]).expect("bytes");
        lists.push(archive.finish().expect("a zip").into_inner());
    }
    let (mut told, mut found) = (0, 0);
    for seed in 0..crate::mutate::count() {
        let valid = &lists[usize::try_from(seed).expect("a seed") % lists.len()];
        let (wanted, problems) = read_bytes(&crate::mutate::mutant(valid, seed));
        assert!(wanted.len() <= 40 && (wanted.unusable_lines == 0) == problems.is_empty(), "seed {seed}: {problems:?}");
        told += u64::from(!problems.is_empty());
        found += u64::from(!wanted.is_empty());
    }
    let some = crate::mutate::count() / 10;
    assert!(told > some && found > some, "{told} with problems, {found} with digests");
}
