//! Lists in gzip, in zip and in UTF-16, packed by the programs that people pack with.

use super::*;
use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

/// Lists of each format, by the names of their files.
const LISTS: [&str; 8] = [
    "malwarebazaar.csv",
    "threatfox.csv",
    "misp.csv",
    "misp.json",
    "stix.json",
    "patterns.txt",
    "sha256sum.txt",
    "bsd.txt",
];

fn fixture(name: &str) -> Vec<u8> {
    fs::read(format!("{}/tests/fixtures/lists/{name}", env!("CARGO_MANIFEST_DIR"))).expect("a list")
}

/// What a program makes of bytes.
fn through(program: &[&str], bytes: &[u8]) -> Vec<u8> {
    let mut child = Command::new(program[0])
        .args(&program[1..])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program:?}: {error}"));
    let mut stdin = child.stdin.take().expect("a pipe");
    let bytes = bytes.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&bytes));
    let output = child.wait_with_output().expect("it ends");
    writer.join().expect("a thread").expect("all is read");
    assert!(output.status.success(), "{program:?}");
    output.stdout
}

/// Files in a zip.
fn zipped(files: &[(&str, &[u8])], options: &[&str]) -> Vec<u8> {
    let directory = tempfile::tempdir().expect("a directory");
    for (name, bytes) in files {
        fs::write(directory.path().join(name), bytes).expect("a file");
    }
    let names = files.iter().map(|(name, _)| *name);
    let status =
        Command::new("zip").arg("-q").args(options).arg("out.zip").args(names).current_dir(directory.path()).status();
    assert!(status.expect("zip").success());
    fs::read(directory.path().join("out.zip")).expect("a zip")
}

#[test]
fn what_is_packed_or_in_another_encoding_is_the_same_list() {
    for name in LISTS {
        let plain = fixture(name);
        let (wanted, problems) = read_bytes(&plain);
        let as_plain = |bytes: &[u8], way: &str| {
            let (packed, told) = read_bytes(bytes);
            assert_eq!(labels(&packed), labels(&wanted), "{name}, {way}");
            assert_eq!(left_out(&packed), left_out(&wanted), "{name}, {way}");
            let told: Vec<String> = told.iter().map(|text| text.replace(&format!("list:{name}"), "list")).collect();
            assert_eq!(told, problems, "{name}, {way}");
        };
        let gzip = through(&["gzip", "-9"], &plain);
        as_plain(&gzip, "gzip");
        as_plain(&zipped(&[(name, &plain)], &[]), "zip");
        as_plain(&zipped(&[(name, &plain)], &["-0"]), "zip without compression");
        as_plain(&[&[0xef, 0xbb, 0xbf][..], &plain].concat(), "UTF-8 with a mark");
        let wide = through(&["iconv", "-f", "UTF-8", "-t", "UTF-16LE"], &plain);
        as_plain(&[&[0xff, 0xfe][..], &wide].concat(), "UTF-16, little end first");
        let big = through(&["iconv", "-f", "UTF-8", "-t", "UTF-16BE"], &plain);
        let big = [&[0xfe, 0xff][..], &big].concat();
        as_plain(&big, "UTF-16, big end first");
        as_plain(&through(&["gzip"], &big), "both");
    }
    let halves =
        [through(&["gzip"], hex("aa", 64).as_bytes()), through(&["gzip"], format!("\n{}", hex("bb", 64)).as_bytes())];
    assert_eq!(read_bytes(&halves.concat()).0.len(), 2, "a gzip of two members");
}

#[test]
fn each_file_of_a_zip_is_a_list() {
    let (plain, table) = (hex("aa", 64), format!("md5,name\n{},x\nbad,y\n", hex("bb", 32)));
    let zip =
        zipped(&[("plain.txt", plain.as_bytes()), ("table.csv", table.as_bytes()), ("image.bin", &[0; 300])], &[]);
    let (wanted, problems) = read_bytes(&zip);
    assert_eq!(labels(&wanted), expected(&[("aa", &[]), ("bb", &["x"])]));
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert_eq!(problems[0], "list:table.csv:3: `bad` is no digest in hex");
    assert!(problems[1].contains("list:image.bin: it is no text"), "{problems:?}");
}

#[test]
fn what_stands_behind_a_zip_is_told() {
    let zip = zipped(&[("a", hex("aa", 64).as_bytes()), ("b", hex("bb", 64).as_bytes())], &[]);
    assert_eq!(read_bytes(&zip).1, [""; 0]);
    let (wanted, problems) = read_bytes(&[&zip[..], hex("cc", 64).as_bytes()].concat());
    assert_eq!((wanted.len(), wanted.unusable_lines), (2, 1));
    assert!(problems[0].contains("something stands behind its end and is not read"), "{problems:?}");
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    archive.set_comment("of the publisher").expect("a comment");
    archive.start_file("a", zip::write::SimpleFileOptions::default().large_file(true)).expect("a file");
    archive.write_all(hex("aa", 64).as_bytes()).expect("bytes");
    let commented = archive.finish().expect("a zip").into_inner();
    assert_eq!(read_bytes(&commented).1, [""; 0], "a comment");
}

#[test]
fn what_was_read_before_damage_is_looked_for_and_the_damage_is_told() {
    let text: String = (0..20_000).map(|number| format!("{:032x}{:032x}\n", number * 7919, number)).collect();
    let gzip = through(&["gzip"], text.as_bytes());
    let (wanted, problems) = read_bytes(&gzip[..gzip.len() / 2]);
    let whole = read(&text).0;
    let found = digests(&wanted);
    assert!(found.len() > 5_000 && found.len() < 15_000, "{}", found.len());
    assert!(found.iter().all(|digest| (whole.test())(digest)), "a digest that was cut is none");
    assert_eq!(wanted.unusable_lines, 1);
    let told = format!("list:{}: what comes after this line could not be read", found.len());
    assert!(problems.len() == 1 && problems[0].starts_with(&told), "{problems:?}");
    let mut wrong = gzip.clone();
    let checksum = wrong.len() - 8;
    wrong[checksum] ^= 1;
    let (wanted, problems) = read_bytes(&wrong);
    assert!(wanted.len() == 20_000 && problems.len() == 1 && problems[0].contains("checksum"), "{problems:?}");
    let zip = zipped(&[("a", text.as_bytes())], &[]);
    let (_, problems) = read_bytes(&zip[..zip.len() / 2]);
    assert!(problems.len() == 1 && problems[0].contains("the zip is damaged or cut"), "{problems:?}");
    let json = String::from_utf8(fixture("misp.json")).expect("text");
    let before = json.find("\"ssdeep\"").expect("a file with other digests before it");
    let (wanted, problems) = read(&json[..before]);
    let (all, told) = read(&json);
    assert_eq!((wanted.len(), problems.len()), (all.len() - 2, told.len() + 1), "{problems:?}");
    assert!(problems[1].contains("what comes after this line could not be read"), "{problems:?}");
}

#[test]
fn what_cannot_be_unpacked_is_told_with_what_to_do() {
    let text = hex("aa", 64);
    let told = |bytes: &[u8]| {
        let (wanted, problems) = read_bytes(bytes);
        assert_eq!((wanted.len(), wanted.unusable_lines, problems.len()), (0, 1, 1), "{problems:?}");
        problems[0].clone()
    };
    assert!(told(&zipped(&[("a", text.as_bytes())], &["-P", "infected"])).contains("list:a: "));
    assert!(told(&through(&["xz"], text.as_bytes())).contains("packed with xz: unpack it"));
    assert!(told(&through(&["bzip2"], text.as_bytes())).contains("packed with bzip2"));
    assert!(told(&through(&["iconv", "-t", "UTF-16LE"], text.as_bytes())).contains("iconv -f UTF-16LE"));
    let mut deep = text.into_bytes();
    (0..5).for_each(|_| deep = through(&["gzip"], &deep));
    assert!(told(&deep).contains("packed more than 3 times"));
    assert_eq!(told(b""), "list: there is no digest in it");
    assert_eq!(told(b"# nothing\n"), "list: there is no digest in it");
    assert_eq!(told(b"{\"a\": [1, \"b\"]}"), "list: there is no digest in it");
}
