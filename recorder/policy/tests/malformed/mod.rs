//! Documents that must be refused, each with the line and the reason.

mod entries;
mod files;
mod selectors;

use super::{HEAD, read_bytes};

/// That one of the faults stands on this line, gives this reason and says what to do.
pub(super) fn assert_refused(text: &str, line: usize, reason: &str) {
    let faults = read_bytes(text.as_bytes()).expect_err(text);
    let place = format!("test.yaml:{line}:");
    let found = faults.iter().find(|fault| fault.starts_with(&place) && fault.contains(reason));
    let Some(fault) = found else {
        panic!("{text}\nwanted line {line}, {reason}, but got\n{}", faults.join("\n"));
    };
    assert!(fault.contains("; ") || fault.contains("use `hook: "), "no advice in {fault}");
    let column = fault[place.len()..].split(':').next().unwrap();
    assert!(column.parse::<usize>().unwrap() > 0, "{fault}");
}

#[test]
fn independent_faults_are_all_reported() {
    let text = format!("{HEAD}  - hook: Nothing\n  - hook: file_open\n    tag: a\n    message: b\n  - hook: Other\n");
    let faults = read_bytes(text.as_bytes()).unwrap_err();
    let lines: Vec<&str> = faults.iter().filter_map(|fault| fault.split(':').nth(1)).collect();
    assert_eq!(lines, ["7", "9", "10", "11"], "{faults:#?}");
}

#[test]
fn a_long_list_of_faults_is_cut() {
    let keys: Vec<String> = (0..150).map(|number| format!("unknown{number}: 1")).collect();
    let faults = read_bytes(keys.join("\n").as_bytes()).unwrap_err();
    assert_eq!(faults.len(), 101);
    assert_eq!(faults.last().map(String::as_str), Some("test.yaml: and 54 more"));
}

#[test]
fn faults_show_control_characters_as_escapes() {
    let text = format!("{HEAD}  - hook: \"\\e[2J\\u202e\"\n");
    let faults = read_bytes(text.as_bytes()).unwrap_err().join("\n");
    assert!(faults.contains("\\u{1b}[2J\\u{202e}"), "{faults}");
    assert!(!faults.contains(['\u{1b}', '\u{202e}']));
}

#[test]
fn size_depth_and_encoding_are_bounded() {
    let nested = format!("metadata:\n  a: {}{}\n", "[".repeat(40), "]".repeat(40));
    assert_refused(&nested, 2, "nested deeper than 32");
    assert_refused(&"#".repeat(crate::policy::MAX_FILE_SIZE + 1), 1, "at most 1 MiB");
    let faults = read_bytes(b"kind: a\nspec: \xff\n").unwrap_err();
    assert_eq!(faults, ["test.yaml:2:7: not UTF-8; save the file as UTF-8 text"]);
}
