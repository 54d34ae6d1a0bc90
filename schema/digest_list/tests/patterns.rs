//! Patterns of STIX: what of them is looked for, and what is told.

use super::super::pattern::Pattern;
use super::hex;

fn algorithms(text: &str) -> Vec<String> {
    let name =
        |file: &Vec<super::Found>| file.iter().map(|found| found.algorithm().to_owned()).collect::<Vec<_>>().join("+");
    Pattern::parse(text).files.iter().map(name).collect()
}

fn told(text: &str) -> (Vec<String>, Vec<String>) {
    let pattern = Pattern::parse(text);
    (pattern.faults, pattern.left_out.into_iter().collect())
}

#[test]
fn and_is_about_one_file_and_or_leaves_a_choice() {
    let (md5, sha1, sha256) = (hex("aa", 32), hex("bb", 40), hex("cc", 64));
    let (md5, sha1, sha256) = (
        format!("file:hashes.MD5='{md5}'"),
        format!("file:hashes.'SHA-1' = '{sha1}'"),
        format!("file:hashes.'SHA-256'= '{sha256}'"),
    );
    assert_eq!(algorithms(&format!("[{md5} AND {sha1} AND {sha256}]")), ["md5+sha1+sha256"]);
    assert_eq!(algorithms(&format!("[{md5} OR {sha1} and {sha256}]")), ["md5", "sha1+sha256"]);
    assert_eq!(algorithms(&format!("[({md5} OR {sha1}) AND {sha256}]")), ["md5", "sha1", "sha256"]);
    assert_eq!(algorithms(&format!("([{md5}] AND [{sha1}]) OR [{sha256}]")), ["md5", "sha1", "sha256"]);
    assert_eq!(told(&format!("[{md5}] AND [{sha1}]")).1, ["pattern: AND between observations"]);
    assert_eq!(told(&format!("[{md5}] OR [{sha1}]")), (vec![], vec![]));
}

#[test]
fn and_is_about_one_file_only_where_one_can_have_both() {
    let file = |name: &str, letters: &str, digits: usize| format!("file:hashes.'{name}' = '{}'", hex(letters, digits));
    let (md5, sha256) = (file("MD5", "aa", 32), file("SHA-256", "cc", 64));
    let image = format!("process:image_ref.hashes.MD5 = '{}'", hex("bb", 32));
    assert_eq!(algorithms(&format!("[{sha256} AND {image}]")), ["sha256", "md5"]);
    assert_eq!(told(&format!("[{sha256} AND {image}]")).1, ["pattern: AND between file and process:image_ref"]);
    let both = format!("[{sha256} AND {} AND {md5}] OR [{md5}]", file("SHA-256", "dd", 64));
    assert_eq!(algorithms(&both), ["md5"]);
    assert!(told(&both).0[0].contains("two digests of one algorithm in one file"), "{:?}", told(&both));
    assert_eq!(algorithms(&format!("[{sha256} AND {sha256} AND {md5}]")), ["sha256+md5"], "said twice");
    assert_eq!(told(&format!("[{sha256} AND {sha256}]")), (vec![], vec![]));
}

#[test]
fn faults_without_number_are_counted() {
    let text = format!("[{}a:b = 'c']", "file:hashes.MD5 = 'x' OR ".repeat(1000));
    let pattern = Pattern::parse(&text);
    assert_eq!(pattern.faults.len(), 10);
    assert!(pattern.fault_text().is_some_and(|text| text.ends_with("; and 990 more")));
    let cut = Pattern::parse(&text[..text.len() - 1]);
    assert!(cut.faults[9].starts_with("it is no pattern of STIX 2"), "{:?}", cut.faults);
    assert!(cut.fault_text().is_some_and(|text| text.ends_with("; and 991 more")));
}

#[test]
fn what_else_a_pattern_asks_is_told() {
    let sha256 = hex("cc", 64);
    let left = |text: &str| told(text).1;
    assert_eq!(left(&format!("[file:hashes.'SHA-256' = '{sha256}' AND file:size > 10]")), ["pattern: file:size"]);
    assert_eq!(left("[file:name LIKE '%a\\'b%' AND file:hashes.TLSH = 'T1']"), ["pattern: file:name", "pattern: tlsh"]);
    assert_eq!(
        left("[network-traffic:dst_ref.value = '1.2.3.4'] START t'2026-01-01T00:00:00Z' STOP t'2026-01-02T00:00:00Z'"),
        ["pattern: START", "pattern: STOP", "pattern: network-traffic:dst_ref.value"]
    );
    assert_eq!(left("[EXISTS file:name] REPEATS 5 TIMES"), ["pattern: EXISTS", "pattern: REPEATS"]);
    assert_eq!(
        left(&format!("[x509-certificate:hashes.'SHA-256' = '{sha256}']")),
        ["pattern: x509-certificate:hashes."]
    );
    assert_eq!(
        left(&format!("[file:extensions.'windows-pebinary-ext'.sections[*].hashes.'SHA-256' = '{sha256}']")),
        ["pattern: file:extensions."]
    );
    assert_eq!(
        told("[file:created = t'2026-01-01T00:00:00Z' OR artifact:payload_bin = b'AA==' OR file:size IN (1, 2)]").0,
        [""; 0]
    );
}

#[test]
fn what_cannot_be_a_digest_is_a_fault() {
    let sha256 = hex("cc", 64);
    let fault = |text: &str| told(text).0.join(" and ");
    for denied in ["!= ", "NOT = ", "LIKE ", "MATCHES "] {
        assert!(
            fault(&format!("[file:hashes.'SHA-256' {denied}'{sha256}']")).contains("asks for other digests"),
            "{denied}"
        );
    }
    assert!(fault(&format!("[file:hashes.'SHA-256' NOT IN ('{sha256}')]")).contains("NOT IN` asks for other"));
    assert!(fault(&format!("[file:hashes.MD5 = '{sha256}']")).contains("said to be md5"));
    assert!(fault("[file:hashes.MD5 = 'x']").contains("`x` is no digest in hex"));
    for broken in [
        format!("[file:hashes.'SHA-256' = '{sha256}"),
        format!("[file:hashes.'SHA-256' = '{sha256}'"),
        "[".into(),
        "[a:b".into(),
        "[a:b =".into(),
        "[a:b = 'c' AND]".into(),
        "[a:b IN 'c']".into(),
        "[a:b IN ('c' 'd')]".into(),
        "nothing".into(),
        "[a:b = 'c'] 'd'".into(),
        "[a:b \u{1} 'c']".into(),
        format!("{}a:b = 'c'", "[(".repeat(50)),
        "[".repeat(100_000),
        format!("[{}", "(".repeat(100_000)),
    ] {
        assert!(
            fault(&broken).contains("it is no pattern of STIX 2"),
            "{}",
            broken.chars().take(60).collect::<String>()
        );
    }
}
