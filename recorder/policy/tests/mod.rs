//! Tests of the policy reader: what loads, with which meaning, and that nothing makes it panic.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::model::{
    Action, Filter, Hook, IntegerOperator, OPEN_TRUNCATE, OPEN_WRITE, PathFilter, PathOperator, Policy,
};
use super::{DEFAULT_POLICY, Loader, describe, load};

mod hostile;
mod malformed;

const ONE_BINARY: &str = include_str!("../../../samples/policies/one-binary.yaml");
const SYSTEM_WRITES: &str = include_str!("../../../samples/policies/system-writes.yaml");
const TETRAGON_FILE_OPEN: &str = include_str!("../../../samples/policies/tetragon-file-open.yaml");
const SAMPLES: [&str; 4] = [DEFAULT_POLICY, ONE_BINARY, SYSTEM_WRITES, TETRAGON_FILE_OPEN];

/// The head of a policy; what a test appends begins on line 7.
const HEAD: &str = "\
apiVersion: cilium.io/v1alpha1
kind: TracingPolicy
metadata:
  name: test
spec:
  lsmhooks:
";

/// Policies of one text, or its faults.
fn read_bytes(bytes: &[u8]) -> Result<Vec<Policy>, Vec<String>> {
    let mut loader = Loader::default();
    loader.add("test.yaml", bytes);
    if loader.faults.is_empty() { Ok(loader.policies) } else { Err(loader.faults) }
}

/// The only policy with these hook entries.
fn read_entries(entries: &str) -> Policy {
    let text = format!("{HEAD}{entries}");
    let mut policies = read_bytes(text.as_bytes()).unwrap_or_else(|faults| panic!("{faults:#?}"));
    assert_eq!(policies.len(), 1);
    policies.remove(0)
}

/// The filters of the only selector, which holds `selector` and an argument of `hook`.
fn read_filters(hook: &str, index: u8, selector: &str) -> Vec<Filter> {
    let policy =
        read_entries(&format!("  - hook: {hook}\n    args: [{{index: {index}}}]\n    selectors:\n    - {selector}\n"));
    policy.hooks[0].selectors[0].filters.clone()
}

fn paths(operator: PathOperator, negated: bool, values: &[&str]) -> PathFilter {
    let values = values.iter().map(|value| value.as_bytes().to_vec()).collect();
    PathFilter { operator, negated, values }
}

#[test]
fn built_in_policy_records_execs_loads_and_writes() {
    let policies = load(&[]).unwrap();
    assert_eq!(policies.len(), 1);
    assert_eq!(policies[0].source, "built-in");
    assert_eq!(policies[0].warnings, Vec::<String>::new());
    let hooks: Vec<Hook> = policies[0].hooks.iter().map(|entry| entry.hook).collect();
    assert_eq!(
        hooks,
        [Hook::BprmCheckSecurity, Hook::BprmCommittedCreds, Hook::MmapFile, Hook::KernelReadFile, Hook::FileOpen]
    );
    let mapping = &policies[0].hooks[2].selectors[0];
    let executable = Filter::Integer { argument: 2, operator: IntegerOperator::Mask, values: vec![4] };
    assert_eq!(mapping.filters, [executable]);
    assert_eq!(mapping.action, Action { post: true, ima_hash: true });
    let write = &policies[0].hooks[4].selectors[0];
    assert_eq!(write.filters, [Filter::OpenMode { modes: OPEN_WRITE }]);
    assert_eq!(write.action, Action { post: true, ima_hash: false });
}

#[test]
fn all_samples_load_together_without_warning() {
    let mut loader = Loader::default();
    for (index, sample) in SAMPLES.iter().enumerate() {
        loader.add(&format!("{index}.yaml"), sample.as_bytes());
    }
    assert_eq!(loader.faults, Vec::<String>::new());
    assert_eq!(loader.policies.len(), SAMPLES.len());
    assert!(loader.policies.iter().all(|policy| policy.warnings.is_empty()));
}

#[test]
fn tetragon_file_open_keeps_its_meaning() {
    let policies = read_bytes(TETRAGON_FILE_OPEN.as_bytes()).unwrap();
    let selector = &policies[0].hooks[0].selectors[0];
    let expected = [
        Filter::Binary(paths(PathOperator::Equal, false, &["/usr/bin/cat"])),
        Filter::Path(paths(PathOperator::Equal, false, &["/etc/passwd", "/etc/shadow"])),
    ];
    assert_eq!(selector.filters, expected);
    assert_eq!(selector.action, Action { post: true, ima_hash: false });
}

#[test]
fn selectors_keep_their_order_labels_lines_and_actions() {
    let policies = read_bytes(SYSTEM_WRITES.as_bytes()).unwrap();
    let selectors = &policies[0].hooks[0].selectors;
    let labels: Vec<Option<&str>> = selectors.iter().map(|selector| selector.label.as_deref()).collect();
    assert_eq!(labels, [Some("package-manager"), Some("system-directories")]);
    assert!(!selectors[0].action.post);
    assert!(selectors[0].line < selectors[1].line);
    assert_eq!(selectors[1].filters[1], Filter::OpenMode { modes: OPEN_WRITE | OPEN_TRUNCATE });
}

#[test]
fn path_operators_with_old_spellings() {
    let table = [
        ("Equal", PathOperator::Equal, false),
        ("NotEqual", PathOperator::Equal, true),
        ("Prefix", PathOperator::Prefix, false),
        ("NotPrefix", PathOperator::Prefix, true),
        ("Postfix", PathOperator::Postfix, false),
        ("NotPostfix", PathOperator::Postfix, true),
        ("eq", PathOperator::Equal, false),
        ("neq", PathOperator::Equal, true),
        ("prefix", PathOperator::Prefix, false),
        ("notprefix", PathOperator::Prefix, true),
        ("postfix", PathOperator::Postfix, false),
        ("notpostfix", PathOperator::Postfix, true),
    ];
    for (name, operator, negated) in table {
        let selector = format!("matchArgs: [{{index: 0, operator: {name}, values: [/a, /b]}}]");
        let expected = Filter::Path(paths(operator, negated, &["/a", "/b"]));
        assert_eq!(read_filters("bprm_check_security", 0, &selector), [expected], "{name}");
    }
}

#[test]
fn binary_operators() {
    let table = [
        ("In", PathOperator::Equal, false),
        ("NotIn", PathOperator::Equal, true),
        ("Prefix", PathOperator::Prefix, false),
        ("NotPrefix", PathOperator::Prefix, true),
        ("Postfix", PathOperator::Postfix, false),
        ("NotPostfix", PathOperator::Postfix, true),
    ];
    for (name, operator, negated) in table {
        let selector = format!("matchBinaries: [{{operator: {name}, values: [/a]}}]");
        let expected = Filter::Binary(paths(operator, negated, &["/a"]));
        assert_eq!(read_filters("file_open", 0, &selector), [expected], "{name}");
    }
}

#[test]
fn integers_in_decimal_and_hex_quoted_or_not() {
    let selector = "matchArgs: [{index: 2, operator: Equal, values: [4, \"5\", 0x10, \"0xfF\"]}]";
    let expected = Filter::Integer { argument: 2, operator: IntegerOperator::Equal, values: vec![4, 5, 16, 255] };
    assert_eq!(read_filters("mmap_file", 2, selector), [expected]);
    let selector = "matchArgs: [{index: 1, operator: neq, values: [18446744073709551615]}]";
    let expected = Filter::Integer { argument: 1, operator: IntegerOperator::NotEqual, values: vec![u64::MAX] };
    assert_eq!(read_filters("kernel_read_file", 1, selector), [expected]);
}

#[test]
fn argument_by_position_wins_over_index() {
    let policy = read_entries(
        "  - hook: mmap_file
    args: [{index: 0, type: file}, {index: 3, type: ulong, label: flags}]
    selectors:
    - matchArgs:
      - {args: [1], index: 0, operator: mask, values: [2]}
",
    );
    let expected = Filter::Integer { argument: 3, operator: IntegerOperator::Mask, values: vec![2] };
    assert_eq!(policy.hooks[0].selectors[0].filters, [expected]);
}

#[test]
fn without_selectors_or_filters_or_actions() {
    let policy = read_entries("  - hook: file_open\n  - hook: file_open\n    selectors:\n    - {}\n");
    assert_eq!(policy.hooks[0].selectors, []);
    assert_eq!(policy.hooks[1].line, 8);
    let selector = &policy.hooks[1].selectors[0];
    assert_eq!(selector.filters, []);
    assert_eq!(selector.action, Action { post: true, ima_hash: false });
}

#[test]
fn actions_in_any_case_and_no_post_wins() {
    let table = [
        ("[{action: post, imaHash: true}]", true, true),
        ("[{action: POST, imaHash: false}, {action: Post}]", true, false),
        ("[{action: nopost}]", false, false),
        ("[{action: Post, imaHash: true}, {action: NoPost}]", false, false),
        ("[]", true, false),
    ];
    for (actions, post, ima_hash) in table {
        let policy = read_entries(&format!("  - hook: file_open\n    selectors:\n    - matchActions: {actions}\n"));
        assert_eq!(policy.hooks[0].selectors[0].action, Action { post, ima_hash }, "{actions}");
    }
}

#[test]
fn limits_are_accepted_at_their_edge() {
    let list = |count: usize, item: &str| vec![item; count].join(", ");
    let prefix = format!("/{}", "p".repeat(255));
    let policy = read_entries(&format!(
        "  - hook: mmap_file
    message: {message}
    tags: [{tags}]
    args: [{arguments}]
    selectors: [{selectors},
      {{matchArgs: [{filters}], matchActions: [{actions}]}}]
",
        message = "m".repeat(256),
        tags = list(16, "t"),
        arguments = list(5, "{index: 0}"),
        selectors = list(4, "{}"),
        filters = list(5, &format!("{{index: 0, operator: Prefix, values: [{prefix}]}}")),
        actions = list(3, "{action: Post}"),
    ));
    assert_eq!(policy.hooks[0].selectors.len(), 5);
    assert_eq!(policy.hooks[0].tags.len(), 16);
    assert_eq!(policy.hooks[0].message.as_deref().map(str::len), Some(256));
    assert_eq!(policy.warnings, Vec::<String>::new());
}

#[test]
fn warnings_do_not_refuse() {
    let policy = read_entries(&format!(
        "  - hook: file_open
    message: {}
    selectors:
    - matchBinaries: [{{operator: In}}]
    - matchBinaries: [{{operator: In, values: [cat]}}]
",
        "\u{e9}".repeat(300)
    ));
    assert_eq!(policy.hooks[0].message.as_ref().map(|message| message.chars().count()), Some(256));
    assert_eq!(policy.hooks[0].selectors[0].filters, []);
    let expected =
        ["test.yaml:8:14: `message` has 300", "test.yaml:10:23: `matchBinaries` has no", "11:47: `cat` does not"];
    assert_eq!(policy.warnings.len(), expected.len());
    for (warning, part) in policy.warnings.iter().zip(expected) {
        assert!(warning.contains(part), "{warning}");
    }
}

#[test]
fn unused_and_empty_parts_of_tetragon_are_accepted() {
    let policy = read_entries(
        "  - hook: file_open
    args: [{index: 0, maxData: false, returnCopy: false}]
    selectors:
    - matchPIDs: []
      macros:
  kprobes: []
  loader: false
  lists: [{name: unused, type: generated_syscalls}]
",
    );
    assert_eq!(policy.hooks[0].selectors[0].filters, []);
}

#[test]
fn several_documents_and_windows_line_ends() {
    let second = ONE_BINARY.replace('\n', "\r\n");
    let text = format!("\u{feff}---\n{DEFAULT_POLICY}---\n{second}---\n");
    let policies = read_bytes(text.as_bytes()).unwrap();
    let names: Vec<&str> = policies.iter().map(|policy| policy.name.as_str()).collect();
    assert_eq!(names, ["default", "one-binary"]);
}

#[test]
fn names_must_differ_over_all_files() {
    let mut loader = Loader::default();
    loader.add("a.yaml", ONE_BINARY.as_bytes());
    loader.add("b.yaml", ONE_BINARY.as_bytes());
    assert_eq!(loader.faults, ["b.yaml:6:9: a policy `one-binary` was already given in a.yaml:6; rename one of them"]);
}

#[test]
fn missing_files_are_all_named() {
    let error = load(&["/nonexistent/a.yaml".into(), "/nonexistent/b.yaml".into()]).unwrap_err();
    let text = error.to_string();
    assert_eq!(text.lines().count(), 2, "{text}");
    assert!(text.starts_with("/nonexistent/a.yaml: cannot read the policy"), "{text}");
}

#[test]
fn description_explains_and_names_extensions() {
    let text = describe(&load(&[]).unwrap());
    for part in [
        "policy `default` (built-in)",
        "if `prot` has a bit of 0x4: record, with digest if the mapping is executable",
        "if the open asks for write: record, without digest",
        "otherwise: nothing is recorded",
        "`hashtrail: openMode` (line 64)",
    ] {
        assert!(text.contains(part), "{part} not in\n{text}");
    }
    let text = describe(&read_bytes(TETRAGON_FILE_OPEN.as_bytes()).unwrap());
    assert!(text.contains("extensions: none"), "{text}");
}

#[test]
fn description_shows_control_characters_as_escapes() {
    let policy = read_entries("  - hook: file_open\n    message: \"a\\e[31m\\u202eb\"\n");
    let text = describe(&[policy]);
    assert!(text.contains("a\\u{1b}[31m\\u{202e}b"), "{text}");
    assert!(!text.contains(['\u{1b}', '\u{202e}']));
}
