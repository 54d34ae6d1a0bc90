use super::*;

fn read(text: &str) -> (Wanted, Vec<String>) {
    let mut wanted = Wanted::default();
    let problems = Problems::default();
    wanted.read_lines("list", &mut text.as_bytes(), &problems).expect("a list");
    (wanted, problems.texts())
}

fn labels(wanted: &Wanted) -> Vec<(&str, Vec<&str>)> {
    wanted
        .digests
        .iter()
        .map(|(digest, listed)| (&digest[..2], listed.labels.iter().map(String::as_str).collect()))
        .collect()
}

/// Digests that begin with two letters of their own, in the lengths of MD5, SHA-1 and SHA-256.
fn hex(letters: &str, digits: usize) -> String {
    letters.repeat(digits / 2)
}

#[test]
fn lists_are_read_as_people_write_them() {
    let (sha1, sha256, md5) = (hex("aa", 40), hex("BB", 64), hex("cc", 32));
    let text = format!("# bad\n\n{sha1}\n{sha256}  /tmp/x y, z#1\r\nmd5:{md5} # worm\nnonsense\n{sha1} again");
    let (wanted, problems) = read(&text);
    assert_eq!(labels(&wanted), [("aa", vec!["again"]), ("bb", vec!["/tmp/x y, z#1"]), ("cc", vec!["worm"])]);
    assert!(wanted.digests.contains_key(&sha256.to_lowercase()));
    assert_eq!((problems, wanted.unusable_lines), (vec!["list:6: `nonsense` is no digest in hex".to_owned()], 1));
    let (wanted, problems) = read(&format!("SHA256 (a file) = {sha256}\n\\{md5} *na\\nme\n\"{sha1}\",\"x\"\n"));
    assert_eq!(labels(&wanted), [("aa", vec!["x"]), ("bb", vec!["a file"]), ("cc", vec!["na\\nme"])]);
    assert_eq!(problems, [""; 0]);
}

#[test]
fn every_digest_of_a_line_is_looked_for_by_its_names() {
    let (md5, sha1, sha256) = (hex("aa", 32), hex("bb", 40), hex("cc", 64));
    for between in [",", " ", "  ", ":", ";", "\t", "|", ", ", "\",\""] {
        let (wanted, problems) = read(&format!("{md5}{between}{sha1}{between}{sha256}{between}dropper v2"));
        let each = ["aa", "bb", "cc"].map(|letters| (letters, vec!["dropper v2"]));
        assert_eq!((labels(&wanted), problems), (each.to_vec(), Vec::new()), "`{between}`");
        assert_eq!(wanted.digests[&md5].others, [[sha1.clone(), sha256.clone()]], "of one file");
    }
    let other = hex("dd", 64);
    let (wanted, _) = read(&format!("{sha256}:{other}\n{sha256} {other}\n"));
    assert_eq!(labels(&wanted), [("cc", vec![]), ("dd", vec![])]);
    assert_eq!(wanted.digests[&other].others, [[""; 0], [""; 0]], "two files");
}

#[test]
fn each_name_of_a_digest_is_kept() {
    let sha256 = hex("aa", 64);
    let (wanted, _) =
        read(&format!("{sha256}\n{sha256}  first\n{sha256},second\n{sha256} first\nsha256={sha256} third\n"));
    assert_eq!(labels(&wanted), [("aa", vec!["first", "second", "third"])]);
}

#[test]
fn lines_that_cannot_be_used_are_named_and_counted() {
    let md5 = hex("aa", 32);
    let cut = "c".repeat(63);
    let (wanted, problems) = read(&format!("{md5},{cut}\nsha256:{md5}\n{md5}\n"));
    assert_eq!((wanted.digests.len(), wanted.unusable_lines), (1, 2));
    assert!(problems[0].starts_with("list:1: `ccc") && problems[0].ends_with("has 63 hex digits, which no digest has"));
    assert!(problems[1].ends_with("is said to be sha256, and has the length of md5"), "{problems:?}");
    let (wanted, problems) = read(&format!("{}{md5}\n{}", "x\n".repeat(13), "y\n".repeat(2)));
    assert_eq!((wanted.unusable_lines, problems.len()), (15, 11));
    assert_eq!(problems[10], "list: 5 more line(s) cannot be used: 11-13, 15-16");
}

#[test]
fn the_names_of_columns_are_no_line_that_cannot_be_used() {
    let row = format!("{},{}\n", hex("aa", 32), hex("bb", 64));
    assert_eq!(read(&format!("md5,sha256_hash\n{row}")).1, [""; 0]);
    assert_eq!(read(&format!("file_name,MD5\n{row}")).1, [""; 0]);
    assert_eq!(read(&format!("{row}name,other\n")).1.len(), 1);
    assert_eq!(read(&format!("{row}md5:\n")).1, ["list:2: `md5:` is no digest in hex"]);
}

#[test]
fn an_algorithm_is_kept_where_it_is_named() {
    let digest = hex("aa", 64);
    let named = |text: &str| Vec::from_iter(read(text).0.digests[&digest].algorithms.clone());
    assert_eq!(named(&format!("SM3:{digest}")), ["sm3"]);
    assert_eq!(named(&format!("sha3-256:{digest}")), ["sha3256"]);
    assert_eq!(named(&format!("{digest} sha256")), [""; 0]);
}

#[test]
fn what_is_no_list_is_refused() {
    let mut wanted = Wanted::default();
    let problems = Problems::default();
    let mut refusal = |bytes: &[u8]| {
        wanted.read_lines("list", &mut &bytes[..], &problems).map_err(|error| error.to_string()).expect_err("refused")
    };
    assert!(refusal(&vec![b'a'; 1 << 20]).contains("list:1: the line is too long"));
    assert!(refusal(b"\xff\xfea\0a\0").contains("UTF-16"));
}
