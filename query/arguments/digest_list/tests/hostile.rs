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
    lists.read_packed("list", &mut list, &problems);
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
    let (wanted, problems) = read_long(&format!("[{{\"sha256\": \"{sha256}\"}}, \""), b'a', LONG, "\"]");
    assert!(wanted.len() == 1 && problems[0].contains("is longer than"), "{problems:?}");
    for deep in [b'[', b'{'] {
        let (wanted, problems) = read_long(&format!("[{{\"sha256\": \"{sha256}\"}}, "), deep, LONG, "");
        assert!(wanted.len() == 1 && problems.len() == 1, "{problems:?}");
    }
    let (wanted, problems) = read_long(&format!("[{{\"sha256\": \"{sha256}\"}}, {{\"extensions\": "), b'[', LONG, "");
    assert!(wanted.len() == 1 && problems[0].contains("deeper than 100 levels"), "{problems:?}");
    let (wanted, problems) = read_long(&format!("[file:hashes.'SHA-256' = '{sha256}']\n["), b'(', LONG, "");
    assert!(wanted.len() == 1 && problems[0].starts_with("list:2: the line is too long"), "{problems:?}");
    assert_eq!(read_long("", b' ', LONG, "").1.len(), 1, "blanks");
    // A text of JSON may have 64 MiB, and the buffer for it doubles.
    let held = most_held() - before;
    assert!(held < 600 << 20, "{held} bytes for 2.7 GB");
}

#[test]
fn a_bomb_is_stopped_at_its_bound() {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for number in 0..200_000 {
        archive.start_file(number.to_string(), zip::write::SimpleFileOptions::default()).expect("a file");
    }
    let bomb = archive.finish().expect("a zip").into_inner();
    let (wanted, problems) = read_bytes(&bomb);
    assert!(wanted.len() == 0 && problems[0].contains("the directory of the zip is too large"), "{problems:?}");
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
        found += u64::from(wanted.len() > 0);
    }
    let some = crate::mutate::count() / 10;
    assert!(told > some && found > some, "{told} with problems, {found} with digests");
}
