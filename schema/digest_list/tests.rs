mod hostile;
mod packed;
mod patterns;
mod published;
mod told;

use super::*;
use anyhow::Error;

/// What was told.
#[derive(Debug, Default)]
struct Problems(RefCell<Vec<String>>);

impl Problems {
    fn texts(&self) -> Vec<String> {
        self.0.borrow().clone()
    }
}

impl Faults for Problems {
    fn tell(&self, error: &Error) {
        self.0.borrow_mut().push(format!("{error:#}"));
    }
}

/// Reads a list; what it asks for, and what was told.
fn read_bytes(bytes: &[u8]) -> (Wanted, Vec<String>) {
    let problems = Problems::default();
    let mut lists = Lists::default();
    lists.read_from("list", &mut &bytes[..], &problems);
    (lists.finish(), problems.texts())
}

fn read(text: &str) -> (Wanted, Vec<String>) {
    read_bytes(text.as_bytes())
}

fn digests(wanted: &Wanted) -> Vec<String> {
    let mut digests = wanted.all(usize::MAX).expect("all of them");
    digests.sort();
    digests
}

/// The names of each digest, by its first two letters.
fn labels(wanted: &Wanted) -> Vec<(String, Vec<String>)> {
    let label = |digest: &String| (digest[..2].to_owned(), wanted.labels(digest).expect("labels"));
    digests(wanted).iter().map(label).collect()
}

fn expected(labels: &[(&str, &[&str])]) -> Vec<(String, Vec<String>)> {
    let owned = |(digest, labels): &(&str, &[&str])| {
        ((*digest).to_owned(), labels.iter().map(|label| (*label).to_owned()).collect())
    };
    labels.iter().map(owned).collect()
}

/// What a digest is of, with the algorithms beside it.
fn kinds(wanted: &Wanted, digest: &str) -> Vec<String> {
    let mut kinds = Vec::new();
    wanted.each(|one, places| {
        for kind in places.map(|place| &wanted.kinds()[place]).filter(|_| one.to_string() == digest) {
            let beside: Vec<&str> = kind.beside.iter().map(String::as_str).collect();
            kinds.push(format!("{} beside {}", kind.algorithm, beside.join(",")));
        }
    });
    kinds
}

fn left_out(wanted: &Wanted) -> Vec<(&str, usize)> {
    wanted.left_out.iter().map(|left_out| (left_out.kind.as_str(), left_out.count)).collect()
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
    assert_eq!(labels(&wanted), expected(&[("aa", &["again"]), ("bb", &["/tmp/x y, z#1"]), ("cc", &["worm"])]));
    assert!((wanted.test())(&sha256.to_lowercase()) && !(wanted.test())(&hex("dd", 64)));
    assert_eq!((problems, wanted.unusable_lines), (vec!["list:6: `nonsense` is no digest in hex".to_owned()], 1));
    let (wanted, problems) = read(&format!("SHA256 (a  file) = {sha256}\n\\{md5} *na\\nme\n\"{sha1}\",\"x\"\n"));
    assert_eq!(labels(&wanted), expected(&[("aa", &["x"]), ("bb", &["a  file"]), ("cc", &["na\nme"])]));
    assert_eq!(problems, [""; 0]);
}

#[test]
fn every_digest_of_a_line_is_looked_for_by_its_names() {
    let (md5, sha1, sha256) = (hex("aa", 32), hex("bb", 40), hex("cc", 64));
    for between in [",", " ", "  ", ":", ";", "\t", "|", ", ", "\",\""] {
        let (wanted, problems) = read(&format!("{md5}{between}{sha1}{between}{sha256}{between}dropper v2"));
        let each = ["aa", "bb", "cc"].map(|letters| (letters, &["dropper v2"][..]));
        assert_eq!((labels(&wanted), problems), (expected(&each), Vec::new()), "`{between}`");
        assert_eq!(kinds(&wanted, &md5), ["md5 beside sha1,sha256"], "of one file");
    }
    let other = hex("dd", 64);
    let (wanted, _) = read(&format!("{sha256}:{other}\n{sha256} {other}\n"));
    assert_eq!(labels(&wanted), expected(&[("cc", &[]), ("dd", &[])]));
    assert_eq!(kinds(&wanted, &other), ["sha256 beside "], "two files");
}

#[test]
fn each_name_of_a_digest_is_kept() {
    let sha256 = hex("aa", 64);
    let (wanted, _) =
        read(&format!("{sha256}\n{sha256}  first\n{sha256},second\n{sha256} first\nsha256={sha256} third\n"));
    assert_eq!(labels(&wanted), expected(&[("aa", &["first", "second", "third"])]));
}

#[test]
fn names_that_do_not_fit_into_memory_are_kept_in_a_file() {
    let name = |number: usize| format!("{number} {}", "n".repeat(250));
    let text: String = (0..100_000).map(|number| format!("{number:064x}  {}\n", name(number))).collect();
    let (wanted, problems) = read(&text);
    assert_eq!((wanted.len(), problems), (100_000, Vec::new()));
    for number in [0, 1, 77, 65_535, 99_999] {
        assert_eq!(wanted.labels(&format!("{number:064x}")).expect("labels"), [name(number)]);
    }
}

#[test]
fn lines_that_cannot_be_used_are_named_and_counted() {
    let md5 = hex("aa", 32);
    let cut = "c".repeat(63);
    let (wanted, problems) = read(&format!("{md5},{cut}\nsha256:{md5}\n{md5}\n"));
    assert_eq!((wanted.len(), wanted.unusable_lines), (1, 2));
    assert!(problems[0].starts_with("list:1: `ccc") && problems[0].ends_with("has 63 hex digits, which no digest has"));
    assert!(problems[1].ends_with("is said to be sha256, and has the length of md5"), "{problems:?}");
    let (wanted, problems) = read(&format!("{}{md5}\n{}", "x\n".repeat(13), "y\n".repeat(2)));
    assert_eq!((wanted.unusable_lines, problems.len()), (15, 11));
    assert_eq!(problems[10], "list: 5 more line(s) cannot be used: 11-13, 15-16");
}

#[test]
fn the_names_of_columns_are_no_line_that_cannot_be_used() {
    let (md5, sha256) = (hex("aa", 32), hex("bb", 64));
    assert_eq!(read(&format!("md5,sha256_hash\n{md5},{sha256}\n")).1, [""; 0]);
    assert_eq!(read(&format!("file_name,MD5\nx,{md5}\n")).1, [""; 0]);
    assert_eq!(read(&format!("sha256\n{sha256}\n")).1, [""; 0]);
    assert_eq!(read(&format!("{md5},{sha256}\nname,other\n")).1.len(), 1);
    assert_eq!(read(&format!("{md5},{sha256}\nmd5:\n")).1, ["list:2: `md5:` is no digest in hex"]);
}

#[test]
fn a_column_says_what_its_values_are() {
    let (md5, imphash, sha256) = (hex("aa", 32), hex("dd", 32), hex("bb", 64));
    for table in [
        format!("FileHash-MD5;imphash;SHA-256;signature\n{md5};{imphash};{sha256};worm\n"),
        format!("# md5\timphash\tsha256_hash\tsignature\n{md5}\t{imphash}\t{sha256}\tworm\n"),
        format!("md5,imphash,hash,signature\n \"{md5}\" , \"{imphash}\", {sha256},\"worm\"\r\n"),
    ] {
        let (wanted, problems) = read(&table);
        assert_eq!(problems, [""; 0], "{table}");
        assert_eq!(labels(&wanted), expected(&[("aa", &["worm"]), ("bb", &["worm"])]), "{table}");
        assert_eq!(
            (kinds(&wanted, &md5), left_out(&wanted)),
            (vec!["md5 beside sha256".into()], vec![("column(s) imphash", 1)])
        );
    }
    let (wanted, problems) = read(&format!("md5,sha256\n{md5},\n,n/a\n{sha256},{sha256}\nfew\n"));
    assert_eq!(labels(&wanted), expected(&[("aa", &[]), ("bb", &[])]));
    assert_eq!(problems[0], "list:3: there is no digest in md5, sha256");
    assert!(
        problems[1].starts_with("list:4: `bbbb")
            && problems[1].ends_with("is said to be md5, and has the length of sha256")
    );
    assert_eq!((problems[2].as_str(), problems.len()), ("list:5: `few` is no digest in hex", 3));
}

#[test]
fn a_quote_that_is_not_closed_swallows_no_digest_untold() {
    let rows = |quote: &str| {
        format!(
            "sha256,comment\n{},\"fine\"\n{},{quote}text\n{},x\n{},\"y\"\n",
            hex("aa", 64),
            hex("bb", 64),
            hex("cc", 64),
            hex("dd", 64)
        )
    };
    assert_eq!(read(&rows("")).0.len(), 4);
    let (wanted, problems) = read(&rows("\""));
    assert_eq!((digests(&wanted).len(), problems.len()), (2, 1));
    assert!(problems[0].starts_with("list:3: `text") && problems[0].contains("a quote is missing"), "{problems:?}");
}

#[test]
fn a_comment_is_no_record_and_a_quoted_sharp_no_comment() {
    let table = format!("sha256,name\n# {},x\n{},x\n", hex("aa", 64), hex("bb", 64));
    assert_eq!(labels(&read(&table).0), expected(&[("bb", &["x"])]));
    let table = format!("name,sha256\n\"#1\",{}\n #,{}\n", hex("aa", 64), hex("bb", 64));
    assert_eq!(labels(&read(&table).0), expected(&[("aa", &["#1"])]));
}

#[test]
fn another_kind_of_hash_is_never_taken_for_one_of_a_file() {
    let (md5, sha1, sha256) = (hex("aa", 32), hex("bb", 40), hex("cc", 64));
    for (line, kind) in [
        (format!("imphash:{md5}"), "imphash"),
        (format!("imphash: {md5} # a comment"), "imphash"),
        (format!("\"imphash\": \"{md5}\","), "imphash"),
        (format!("Imphash {md5}"), "imphash"),
        (format!("imphash,{md5}"), "imphash"),
        (format!("authentihash={sha256}"), "authentihash"),
        (format!("pehash:{sha1}"), "pehash"),
        (format!("rich_header_hash:{md5}"), "rich_header_hash"),
        (format!("ja3:{md5}"), "ja3"),
        (format!("x509-fingerprint-sha256:{sha256}"), "x509-fingerprint-sha256"),
        (format!("IMPHASH (a file) = {md5}"), "imphash"),
        ("tlsh:T1ABCD".to_owned(), "tlsh"),
        ("ssdeep: 3:abc:def".to_owned(), "ssdeep"),
    ] {
        let (wanted, problems) = read(&format!("{}\n{line}\n", hex("dd", 64)));
        assert_eq!((digests(&wanted), problems), (vec![hex("dd", 64)], Vec::new()), "{line}");
        assert_eq!(left_out(&wanted), [(kind, 1)], "{line}");
        let (wanted, _) = read(&format!("{} {line}\n", hex("dd", 64)));
        assert_eq!(digests(&wanted).len() + wanted.left_out.len(), 2, "{line} in a line with another");
    }
    let (wanted, problems) = read(&format!("{md5}  imphash\n{sha256} *tlsh: {}\n", hex("ee", 64)));
    assert_eq!(labels(&wanted).len(), 3, "names of files");
    assert_eq!((problems, left_out(&wanted)), (Vec::new(), Vec::new()));
}

#[test]
fn a_family_of_algorithms_has_one_of_each_length() {
    let (sha1, sha256) = (hex("bb", 40), hex("cc", 64));
    for text in [
        format!("SHA-2:{sha256}"),
        format!("SHA-2 {sha256}"),
        format!("SHA2 (x) = {sha256}"),
        format!("name,SHA-2 HEX\nx,{sha256}"),
        format!("[{{\"SHA-2\": \"{sha256}\"}}]"),
    ] {
        assert_eq!(kinds(&read(&text).0, &sha256), ["sha256 beside "], "{text}");
    }
    assert_eq!(kinds(&read(&format!("SHA {sha1}")).0, &sha1), ["sha1 beside "]);
    assert_eq!(kinds(&read(&format!("SHA-3 {sha256}")).0, &sha256), ["sha3256 beside "]);
    assert_eq!(kinds(&read(&format!("SKEIN256 (x) = {sha256}")).0, &sha256), ["skein256 beside "]);
    assert_eq!(read(&format!("SHA-2:{}", hex("aa", 32))).1.len(), 1);
}

#[test]
fn the_head_of_a_table_is_no_data() {
    let (md5, sha256) = (hex("aa", 32), hex("bb", 64));
    for table in [
        format!("sep=,\nmd5,sha256,name\n{md5},{sha256},x\n"),
        format!("sep=;\r\nmd5;sha256;name\r\n{md5};{sha256};x\r\n"),
        format!("sep=,\n{md5},{sha256},x\n"),
        format!(
            "%%%% HASHDEEP-1.0\n%%%% size,md5,sha256,filename\n## Invoked from: /x\n## $ hashdeep -r x\n## \n\
             12,{md5},{sha256},x\n"
        ),
    ] {
        let (wanted, problems) = read(&table);
        assert_eq!((labels(&wanted), problems), (expected(&[("aa", &["x"]), ("bb", &["x"])]), Vec::new()), "{table}");
    }
    let (wanted, problems) =
        read(&format!("%%%% HASHDEEP-1.0\n%%%% size,md5,sha256,filename\n##\n12,{md5},{sha256},a,b\n"));
    assert_eq!((wanted.len(), problems), (2, Vec::new()), "a comma in the first name");
    assert_eq!(read(&format!("{md5}\nsep=,\n")).1.len(), 1, "not at the beginning");
}

#[test]
fn an_algorithm_is_kept_where_it_is_named() {
    let digest = hex("aa", 64);
    let named = |text: &str| kinds(&read(text).0, &digest);
    assert_eq!(named(&format!("SM3:{digest}")), ["sm3 beside "]);
    assert_eq!(named(&format!("sha3-256:{digest}")), ["sha3256 beside "]);
    assert_eq!(named(&format!("{digest} sha256")), ["sha256 beside "]);
    assert_eq!(named(&format!("SHA512/256 (x) = {digest}")), ["sha512/256 beside "]);
    assert_eq!(named(&format!("{{\"sha512/256\": \"{digest}\"}}")), ["sha512/256 beside "]);
}
