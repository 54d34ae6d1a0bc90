//! Lists as their publishers write them (`tests/fixtures/lists`): every digest is looked for and every line is told that is not.
//! Which digests they have says a program that shares nothing with ours.

use super::*;
use std::process::Command;

fn fixture(name: &str) -> String {
    format!("{}/tests/fixtures/lists/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// Reads a list; all of its digests must be those that the other program finds.
fn published(format: &str, name: &str) -> (Wanted, Vec<String>) {
    let oracle = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/engines/lists.py");
    let output = Command::new("python3").args([oracle, format, &fixture(name)]).output().expect("python3");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let oracle: Vec<String> = String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect();
    let bytes = std::fs::read(fixture(name)).expect("a list");
    let (wanted, problems) = read_bytes(&bytes);
    assert_eq!(digests(&wanted), oracle, "{name}");
    assert_eq!(wanted.unusable_lines, problems.len(), "{problems:?}");
    (wanted, problems)
}

/// The names of the implant, which each of them has.
fn implant(wanted: &Wanted) -> Vec<String> {
    wanted.labels("4365e2cc78ac8a7538ad490f2ef3c8cb8f69721ba602d3cbbcd6fb41d62c2b04").expect("labels")
}

#[test]
fn malware_bazaar() {
    let (wanted, problems) = published("malwarebazaar", "malwarebazaar.csv");
    assert_eq!((wanted.len(), problems), (15, Vec::new()));
    assert_eq!(implant(&wanted), ["backup-agent"]);
    assert_eq!(left_out(&wanted), [("column(s) imphash, ssdeep, tlsh", 1)]);
    let mut beside = Vec::new();
    wanted.each(|_, places| beside.extend(places.map(|place| wanted.kinds()[place].beside.len())));
    assert_eq!(beside, [2; 15], "each stands beside two of the same file");
    let labels: Vec<String> =
        digests(&wanted).iter().flat_map(|digest| wanted.labels(digest).expect("labels")).collect();
    assert!(labels.contains(&"invoice, final.elf Mirai".to_owned()) && labels.contains(&"say \"hello\".sh".to_owned()));
}

#[test]
fn threat_fox() {
    let (wanted, problems) = published("threatfox", "threatfox.csv");
    assert_eq!(implant(&wanted), ["Mirai"]);
    assert_eq!(left_out(&wanted), [("domain", 1), ("ip:port", 2), ("url", 1)]);
    assert!(
        problems.len() == 1
            && problems[0].contains(":13: `")
            && problems[0].ends_with("63 hex digits, which no digest has")
    );
}

#[test]
fn misp_csv() {
    let (wanted, problems) = published("misp.csv", "misp.csv");
    assert_eq!(implant(&wanted), ["dropper"]);
    let kinds = ["filename", "filename|imphash", "imphash", "ip-dst", "tlsh", "x509-fingerprint-sha256"];
    assert_eq!(left_out(&wanted), kinds.map(|kind| (kind, 1)));
    assert_eq!(
        problems,
        ["list:11: `no bar in it` has no `|` between a name and a digest"],
        "the third value takes two lines"
    );
    let labels: Vec<String> =
        digests(&wanted).iter().flat_map(|digest| wanted.labels(digest).expect("labels")).collect();
    for label in ["evil|name.exe", "a.elf", "a system file (not for detection: to_ids is off)"] {
        assert!(labels.contains(&label.to_owned()), "{labels:?}");
    }
}

#[test]
fn misp_json() {
    let (wanted, problems) = published("misp.json", "misp.json");
    assert_eq!(implant(&wanted), ["dropper"]);
    let kinds = ["deleted attribute", "ip-dst", "size-in-bytes", "ssdeep", "tlsh", "yara"];
    assert_eq!(left_out(&wanted), kinds.map(|kind| (kind, 1)));
    assert!(problems.len() == 1 && problems[0].ends_with("has 60 hex digits, which no digest has"), "{problems:?}");
    let text = std::fs::read_to_string(fixture("misp.json")).expect("a list");
    let value =
        (1..).zip(text.lines()).find(|(_, line)| line.contains("a.exe|")).map(|(number, _)| number).expect("it");
    let told: u64 = problems[0].split(':').nth(1).and_then(|line| line.parse().ok()).expect("a line");
    assert!((value..value + 6).contains(&told), "its object ends behind line {value}: {problems:?}");
    let of_object = |algorithm: &str, beside: usize| {
        let mut count = 0;
        wanted.each(|_, places| {
            count += places
                .filter(|place| {
                    wanted.kinds()[*place].algorithm == algorithm && wanted.kinds()[*place].beside.len() == beside
                })
                .count();
        });
        count
    };
    assert_eq!([of_object("md5", 0), of_object("md5", 1), of_object("md5", 2)], [1, 1, 1], "alone, and in two objects");
    assert_eq!((of_object("sha1", 2), of_object("sha512", 1)), (1, 1));
    let labels: Vec<String> =
        digests(&wanted).iter().flat_map(|digest| wanted.labels(digest).expect("labels")).collect();
    assert_eq!(labels.iter().filter(|label| *label == "a \"b\".elf").count(), 3, "{labels:?}");
}

#[test]
fn stix() {
    let (wanted, problems) = published("stix", "stix.json");
    assert_eq!(implant(&wanted), ["backup agent"]);
    let left = left_out(&wanted);
    for kind in [
        "pattern: file:name",
        "pattern: WITHIN",
        "pattern: FOLLOWEDBY between observations",
        "pattern: ipv4-addr:value",
        "pattern: domain-name:value",
        "pattern: ssdeep",
        "indicator that its publisher revoked",
        "pattern of yara",
        "hashes of x509-certificate",
        "external_references",
        "SSDEEP",
    ] {
        assert!(left.contains(&(kind, 1)), "{kind}: {left:?}");
    }
    assert_eq!(left.len(), 11, "{left:?}");
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(problems[0].contains("`indicator--") && problems[0].contains("!=` asks for other digests than one"));
    assert!(problems[1].contains("`indicator--") && problems[1].contains("a bracket is not closed"));
}

#[test]
fn patterns_of_stix() {
    let (_, problems) = published("patterns", "patterns.txt");
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(problems[0].starts_with("list:8: `file:hashes.'SHA-256' !=`") && problems[1].starts_with("list:10: "));
}

#[test]
fn sha256sum() {
    let (wanted, problems) = published("sha256sum", "sha256sum.txt");
    assert_eq!(implant(&wanted), ["/usr/sbin/backup-agent"]);
    let mut labels: Vec<String> =
        digests(&wanted).iter().flat_map(|digest| wanted.labels(digest).expect("labels")).collect();
    labels.sort();
    assert_eq!(
        labels,
        [
            "/usr/sbin/backup-agent",
            "C:\\evil, really.exe",
            "binary\\",
            "new\nline and \\ in it",
            "two spaces before it"
        ]
    );
    assert!(problems.len() == 1 && problems[0].starts_with("list:6: ") && problems[0].contains("62 hex digits"));
}

#[test]
fn bsd() {
    let (wanted, problems) = published("bsd", "bsd.txt");
    assert_eq!(implant(&wanted), ["/usr/sbin/backup-agent"]);
    let mut labels: Vec<String> =
        digests(&wanted).iter().flat_map(|digest| wanted.labels(digest).expect("labels")).collect();
    labels.sort();
    assert_eq!(labels, ["/usr/sbin/backup-agent", "a (b) = c", "new\nline", "x", "x  y"]);
    assert!(
        problems.len() == 1 && problems[0].starts_with("list:6: ") && problems[0].ends_with("has the length of sha1")
    );
}
